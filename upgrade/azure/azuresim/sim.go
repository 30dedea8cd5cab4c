package azuresim

import (
	"cmp"
	"fmt"
	"sync"
	"time"
)

// Options shape one Sim. The zero value is usable.
type Options struct {
	// Fleet is the world at the start. The zero value stands for DefaultFleet().
	Fleet Fleet
	// Speed divides every duration of instance life: 60 makes a three-minute upgrade last three
	// seconds. Zero means 1. It touches neither the delays of faults nor OperationTTL.
	Speed float64
	// Now is the clock; nil means time.Now. The world only moves when it is asked something.
	Now func() time.Time
	// Token is the bearer token asked for; "" accepts any non-empty one.
	Token string
	// PageSize is the number of items on a list page; zero takes the fleet's, which defaults to 50
	// (Azure documents none: clients have to follow nextLink).
	PageSize int
	// RetryAfter is sent with operations in progress, in whole seconds. Zero means 10 s divided by
	// Speed and at least one second; negative leaves the header out.
	RetryAfter time.Duration
	// OperationTTL is how long a finished operation can still be asked for; after it, 404. Zero
	// means one hour (Azure documents no figure).
	OperationTTL time.Duration
	// Throttle makes the token buckets of Resource Manager and Microsoft.Compute refuse with 429 when
	// they are empty. Without it they are only reported, in the x-ms-ratelimit-remaining-* headers and
	// in State. They fill Speed times as fast as in life.
	Throttle bool
	// RefuseProtected answers 409 when a scale-set action names an instance with
	// protectFromScaleSetActions. Which of the two Azure does is not documented; by default the
	// instance is left alone and the operation succeeds.
	RefuseProtected bool
	// RefuseDeallocated answers 409 when manualupgrade names a deallocated instance. Undocumented
	// as well; by default its disk is replaced and it stays deallocated.
	RefuseDeallocated bool
	// TerseFlexible leaves latestModelApplied and all other properties out of what a Flexible set
	// itself lists of its VMs: "ids" is all that the orchestration modes page promises.
	TerseFlexible bool
	// Home is the address of a page that the fleet view links back to; "" leaves the link out.
	Home string
}

// Sim is one simulated subscription behind an HTTP handler. It starts no goroutines: each request
// first brings the world up to the present and then acts on it, under one mutex. All methods may
// be called concurrently.
type Sim struct {
	opt Options
	now func() time.Time

	mu    sync.Mutex
	world *world
}

// New builds the world of opt.Fleet as it stands at the present time. It fails when the fleet
// names something that cannot be: an unknown image, an exception for a missing instance.
func New(opt Options) (*Sim, error) {
	if len(opt.Fleet.Sets) == 0 && opt.Fleet.Subscription == "" {
		opt.Fleet = DefaultFleet()
	}
	opt.Fleet = opt.Fleet.withDefaults()
	if err := opt.Fleet.check(); err != nil {
		return nil, err
	}
	opt.Speed = cmp.Or(opt.Speed, 1)
	opt.PageSize = cmp.Or(opt.PageSize, opt.Fleet.PageSize)
	opt.OperationTTL = cmp.Or(opt.OperationTTL, time.Hour)
	if opt.RetryAfter == 0 {
		opt.RetryAfter = max(time.Duration(float64(10*time.Second)/opt.Speed), time.Second)
	}
	if opt.Speed < 0 || opt.PageSize < 0 {
		return nil, fmt.Errorf("azuresim options: speed and page size must not be negative")
	}
	s := &Sim{opt: opt, now: opt.Now}
	if s.now == nil {
		s.now = time.Now
	}
	opt.Fleet.now = s.now
	s.opt = opt
	var err error
	s.world, err = newWorld(opt, s.now())
	return s, err
}

// Reset puts the fleet back to its start and forgets writes, statistics, operations and faults.
func (s *Sim) Reset() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, err := newWorld(s.opt, s.now())
	if err != nil {
		return err
	}
	s.world = w
	return nil
}

// Writes returns every mutating ARM call so far, accepted or refused, in the order of arrival,
// together with the starts that faults made in somebody else's name.
func (s *Sim) Writes() []Write {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Write, len(s.world.writes))
	for i, w := range s.world.writes {
		out[i] = *w
	}
	return out
}

// Snapshot returns the world as it is now, whatever a lag fault makes ARM show.
func (s *Sim) Snapshot() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.advance(s.now())
	return s.world.state()
}

// Stats returns the counts of ARM calls since the start or the last Reset.
func (s *Sim) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world.stats.clone()
}

// Inject makes one fault, as POST /_control/fault does. An unknown kind, set or instance is an
// error that names what is known.
func (s *Sim) Inject(f Fault) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.advance(s.now())
	return s.world.inject(f)
}
