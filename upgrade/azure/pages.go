package azure

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"

	"github.com/vmssbot/vmssbot/upgrade"
)

// maxPages ends a list that never ends. A thousand instances one by one would fit.
const maxPages = 1000

// reading is what the requests of one reading have in common.
type reading struct {
	op    string // for faults
	set   target
	image string // the path that a reading of an image must have
	fence upgrade.Fence
	into  *bytes.Buffer // for its answers one after the other; nil = each has its own
	now   func() time.Time
}

func (r reading) flight() *flight {
	return &flight{set: r.set, image: r.image, fence: r.fence, into: r.into}
}

// whole walks a list to its end, page by page. When a page fails it starts once more from the
// beginning with a new pager: Azure forgets $skiptokens (azure-sdk-for-java#27991), and an SDK pager
// that failed is done for. take gets pages and tells what is wrong with one; begin is called before
// each walk. Page sizes are not documented: only the missing nextLink ends a list.
func whole[P any](ctx context.Context, r reading, pager func() *runtime.Pager[P], begin func(), take func(P) error) error {
	begin()
	err := r.walk(ctx, stepper(pager(), take))
	if err == nil || !mayRestart(err) {
		return err
	}
	begin()
	return r.walk(ctx, stepper(pager(), take))
}

// step fetches one page.
type step func(context.Context) (more bool, err error)

func stepper[P any](p *runtime.Pager[P], take func(P) error) step {
	return func(ctx context.Context) (bool, error) {
		page, err := p.NextPage(ctx)
		if err == nil {
			err = take(page)
		}
		return p.More(), err
	}
}

var (
	errCircle   = errors.New("its pages lead in a circle")
	errEndless  = errors.New("it does not end")
	errNoList   = errors.New("a page holds no list")
	errNoName   = errors.New("an entry names nothing")
	errStranger = errors.New("an entry is not the set's")
	errMissing  = errors.New("it lacks a virtual machine that the set has")
)

func (r reading) walk(ctx context.Context, next step) error {
	seen := map[string]bool{}
	for range maxPages {
		f := r.flight()
		c, cancel := f.begin(ctx)
		more, err := next(c)
		cancel()
		if err == nil && seen[f.url.String()] {
			err = errCircle
		}
		if err != nil {
			return f.fault(r.op, err, r.now())
		}
		if !more {
			return nil
		}
		seen[f.url.String()] = true
	}
	return &upgrade.Fault{Kind: upgrade.FaultUnavailable, Op: r.op, Message: errEndless.Error(), Cause: errEndless}
}

// mayRestart: not when Azure asked for quiet, said no or said gone, and not when our own fence or
// guard did.
func mayRestart(err error) bool {
	var lost *fenced
	var f *upgrade.Fault
	return errors.As(err, &f) && f.Kind == upgrade.FaultUnavailable && !errors.As(err, &lost)
}
