package upgradetest_test

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/store"
	"github.com/vmssbot/vmssbot/upgrade/upgradetest"
)

var (
	seeds     = flag.Int("seeds", 0, "how many rollouts to simulate; 0: 100, or as many as a minute gives where the machine is busy")
	from      = flag.Int("from", 1, "the first seed")
	every     = flag.Int("every", 1, "take every n-th seed")
	lasting   = flag.Duration("lasting", 0, "simulate more than -seeds, until so long has passed")
	shards    = flag.Int("shards", 1, "processes to share the seeds")
	sometimes = flag.Int("sometimes", 0, "fail when a kind of trouble struck less often, when there were fewer than -crashes, or when fewer than half of the rollouts finished")
	twice     = flag.Bool("twice", false, "play each seed twice, and fail when the second time is not the same to the byte")
	result    = flag.String("result", "", "write what was counted to this file, and print no line")
)

// tally is what a run of simulated rollouts came to.
type tally struct {
	Seeds, Finished, Violations int
	Hours                       float64 // of simulated time
	Fired                       map[string]int
}

func (t *tally) add(o tally) {
	t.Seeds, t.Finished, t.Violations, t.Hours = t.Seeds+o.Seeds, t.Finished+o.Finished, t.Violations+o.Violations, t.Hours+o.Hours
	for kind, n := range o.Fired {
		t.Fired[kind] += n
	}
}

// struck counts the kinds of trouble that struck, how often they did, and the crashes.
func (t *tally) struck() (kinds, faults, crashes int) {
	for _, kind := range upgradetest.Troubles() {
		n := t.Fired[kind]
		kinds += min(n, 1)
		if strings.HasPrefix(kind, "process crash") {
			crashes += n
		} else {
			faults += n
		}
	}
	return kinds, faults, crashes
}

func (t *tally) String() string {
	kinds, faults, crashes := t.struck()
	return fmt.Sprintf("sim: seeds=%d finished=%d fault_kinds=%d faults=%d crashes=%d violations=%d", t.Seeds, t.Finished, kinds, faults, crashes, t.Violations)
}

// counts are what the tests of this process, or of the parts of it, came to.
type counts struct {
	Simulated tally
	Swept     map[string]swept // by scenario
}

var counted = counts{Simulated: tally{Fired: map[string]int{}}, Swept: map[string]swept{}}

// TestMain prints what a simulation or a sweep came to as the last line, when somebody asked for one.
func TestMain(m *testing.M) {
	flag.Parse()
	flag.Visit(func(f *flag.Flag) {
		if f.Name == "seeds" && *seeds < 1 && *result == "" {
			fmt.Fprintf(os.Stderr, "sim: -seeds %d: want at least 1\n", *seeds)
			os.Exit(2)
		}
	})
	code := m.Run()
	if body, err := json.Marshal(counted); *result != "" && (err != nil || os.WriteFile(*result, body, 0o600) != nil) {
		code = 1
	}
	if *seeds > 0 && *result == "" {
		s := &counted.Simulated
		fmt.Printf("sim: %.0f simulated hours; how often each kind of trouble struck: %v\n%s\n", s.Hours, s.Fired, s)
	}
	if *result == "" {
		fmt.Print(counted.swept())
	}
	os.Exit(code)
}

// TestSimulation plays random rollouts, with people, trouble and crashes. Each is decided by its seed.
func TestSimulation(t *testing.T) {
	simulated := &counted.Simulated
	if *seeds > 0 {
		*shards = min(*shards, *seeds) // each has one at least: none given would be a hundred
	}
	if *shards > 1 {
		for _, c := range share(t, t.Name(), func(n int) []string {
			return []string{"-lasting=" + lasting.String(), "-twice=" + strconv.FormatBool(*twice), "-from=" + strconv.Itoa(*from+n), "-every=" + strconv.Itoa(*shards), "-seeds=" + strconv.Itoa((*seeds+*shards-1-n) / *shards)}
		}) {
			simulated.add(c.Simulated)
		}
	} else {
		alone(t)
	}
	for _, kind := range upgradetest.Troubles() {
		if n := simulated.Fired[kind]; n < *sometimes {
			t.Errorf("%s struck %d times, less than %d", kind, n, *sometimes)
		}
	}
	if _, _, died := simulated.struck(); *sometimes > 0 && died < *crashes {
		t.Errorf("the program died %d times, less than %d", died, *crashes)
	}
	if *sometimes > 0 && 2*simulated.Finished < simulated.Seeds {
		t.Errorf("%d of %d rollouts finished: there is too much trouble to get anywhere", simulated.Finished, simulated.Seeds)
	}
}

// alone plays the seeds in this process, on one processor: with more than one, what happens in the same
// instant may happen in another order the next time.
func alone(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	before := held()
	defer func() {
		if now := held(); now.goroutines > before.goroutines || now.heap > before.heap+32<<20 {
			t.Errorf("something is kept when all is over (I19): %+v before, %+v after", before, now)
		}
	}()
	began, least, most := time.Now(), cmp.Or(*seeds, 100), *lasting
	if *seeds == 0 {
		least, most = 0, time.Minute
	}
	for n := 0; n < least || time.Since(began) < most && (*seeds > 0 || n < 100); n++ {
		seed := *from + n**every
		r := simulate(t, seed)
		if *twice {
			same(t, seed, r)
		}
		counted.Simulated.add(tally{1, bit(r.Finished), len(r.Violations), r.Elapsed.Hours(), r.Fired})
		if len(r.Violations) > 0 {
			t.Errorf("%s", blame(t, seed, r))
		} else if testing.Verbose() {
			t.Logf("seed %d: %d opened, finished %v, %s, trace %s, %v\n", seed, r.Opened, r.Finished, r.Elapsed, mark(r.Trace), r.Fired)
		}
		if *seeds == 1 && testing.Verbose() {
			t.Logf("%s", r.Story)
		}
	}
}

// holding is what the process has at a moment.
type holding struct {
	goroutines int
	heap       uint64 // bytes
}

func held() holding {
	runtime.GC()
	runtime.GC() // what stood in a pool is held once more
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return holding{runtime.NumGoroutine(), m.HeapAlloc}
}

// simulate plays one seed in a bubble of its own. A process that gets nowhere in real time ends.
func simulate(t *testing.T, seed int) (r upgradetest.Simulated) {
	t.Helper()
	stuck := time.AfterFunc(10*time.Minute, func() { panic(fmt.Sprintf("seed %d takes for ever", seed)) })
	defer stuck.Stop()
	path := made(t)
	defer os.RemoveAll(filepath.Dir(path)) // 100,000 of them would fill the RAM disk
	synctest.Test(t, func(t *testing.T) {
		var err error
		if r, err = upgradetest.Simulate(fmt.Sprint("sim ", seed), path, product); err != nil {
			t.Logf("seed %d: when it was closed: %v", seed, err)
		}
	})
	books, err := books(t, path, r.Evidence)
	if err != nil {
		r.Violations = append(r.Violations, upgradetest.Violation{Rule: "I14", At: r.Evidence.Now, What: err.Error()})
	}
	r.Violations = append(r.Violations, upgradetest.Observer{Policy: r.Policy}.Audit(r.Evidence, books)...)
	return r
}

// books are what the journal holds when all is over, of every rollout that was announced: its chains must hold.
func books(t *testing.T, path string, e upgradetest.Evidence) (out []upgrade.Record, err error) {
	s, err := store.Open(path, time.Now)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.Verify(t.Context()); err != nil {
		return nil, err
	}
	for _, id := range e.Rollouts() {
		switch r, err := s.Record(t.Context(), id); {
		case err == nil:
			out = append(out, r)
		case !errors.Is(err, upgrade.ErrNotFound) || len(e.Lost) == 0: // a backup may be older than the rollout
			return nil, err
		}
	}
	return out, nil
}

// blame says what a seed broke, how to see it again, and a shorter story that breaks it, too.
func blame(t *testing.T, seed int, r upgradetest.Simulated) string {
	var out strings.Builder
	fmt.Fprintf(&out, "seed %d at commit %s\n", seed, commit())
	for _, v := range r.Violations {
		fmt.Fprintln(&out, v.Error())
	}
	fmt.Fprintf(&out, "go test ./upgrade/upgradetest -run TestSimulation -seeds 1 -from %d -v\n%s\n", seed, r.Story)
	s, err := upgradetest.ParseStory(r.Story)
	if err != nil {
		return out.String()
	}
	broken := func(s upgradetest.Story) (found []upgradetest.Violation) {
		synctest.Test(t, func(t *testing.T) { found, _ = upgradetest.Retell(s, journal(t), product) })
		return found
	}
	s = upgradetest.Shrink(s, r.Violations[0].Rule, time.Now().Add(30*time.Second), broken)
	fmt.Fprintf(&out, "shorter (seed: %s):\n%s\n", s.Seed, s.Lines())
	return out.String()
}

// commit is the commit of the sources, "unknown" where there is none.
func commit() string {
	out, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

// share lets other processes do the parts of a test, each on one processor, and gathers what they counted.
func share(t *testing.T, test string, args func(n int) []string) []counts {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	out := make([]counts, *shards)
	for n := range out {
		all.Go(func() { out[n] = shard(t, program, test, n, args(n)) })
	}
	all.Wait()
	return out
}

// shard runs the n-th of these processes.
func shard(t *testing.T, program, test string, n int, args []string) (part counts) {
	file := filepath.Join(t.TempDir(), "result")
	run := exec.Command(program, append([]string{"-test.run=^" + test + "$", "-test.timeout=0", "-result=" + file}, args...)...)
	said, err := run.CombinedOutput()
	if err != nil {
		t.Errorf("part %d: %v\n%s", n, err, said)
	}
	body, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(body, &part) != nil {
		t.Errorf("part %d has no result: %v\n%s", n, err, said)
	}
	return part
}

func TestASimulationOfNothingIsRefused(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []string{"0", "-1"} {
		said, err := exec.Command(program, "-test.run=^$", "-seeds="+n).CombinedOutput()
		if want := "sim: -seeds " + n + ": want at least 1\n"; err == nil || string(said) != want {
			t.Errorf("it says %q (%v), want %q and a failure", said, err, want)
		}
	}
}

func TestTheSameSeedIsTheSameRolloutToTheByte(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for _, seed := range []int{1, 2, 3, 4, 138} { // in 138, trouble of one instant came in the order that chance chose
		same(t, seed, simulate(t, seed))
	}
}

// same plays the seed once more: nothing may be another than it was (I18). A machine that lays this process aside
// for longer than Go's time slice may have two of its goroutines, due at the same nanosecond, change places; a seed
// that differs is therefore played on, and must come out as one of its first two times did.
func same(t *testing.T, seed int, one upgradetest.Simulated) {
	t.Helper()
	two := simulate(t, seed)
	if alike(one, two) {
		return
	}
	for range 3 {
		if three := simulate(t, seed); alike(one, three) || alike(two, three) {
			fmt.Printf("sim: seed %d came out otherwise once\n%s\n", seed, difference(one.Trace, two.Trace))
			return
		}
	}
	t.Errorf("seed %d: traces %s and %s, trouble %v and %v\n%s", seed, mark(one.Trace), mark(two.Trace), one.Fired, two.Fired, difference(one.Trace, two.Trace))
}

// mark is short and stands for a trace.
func mark(trace string) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(trace)))[:16]
}

func alike(a, b upgradetest.Simulated) bool {
	return a.Trace == b.Trace && maps.Equal(a.Fired, b.Fired)
}

func bit(is bool) int {
	if is {
		return 1
	}
	return 0
}
