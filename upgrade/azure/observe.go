package azure

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/vmssbot/vmssbot/upgrade"
)

// Observe reads a set, then all its instances, of a Flexible set in two lists, and where it may matter
// Azure's own rolling upgrade: two to four calls and one more for each further page. The fence is passed before every request.
// All of it arrives or none (R46). The instances are as the list shows them; a list that does not
// agree with the set's capacity is no error, since overprovisioning and scaling make it so.
func (a *Azure) Observe(ctx context.Context, id upgrade.SetID, fence upgrade.Fence) (upgrade.ScaleSet, error) {
	t, err := a.target(id)
	if err != nil {
		return upgrade.ScaleSet{}, (&flight{}).fault("read a scale set", err, a.now())
	}
	r := reading{set: t, fence: fence, now: a.now}
	s, ask, err := a.readSet(ctx, r, id)
	if err != nil {
		return upgrade.ScaleSet{}, err
	}
	if s.Instances, err = a.readInstances(ctx, r, s); err != nil {
		return upgrade.ScaleSet{}, err
	}
	if ask {
		if s.Rolling, err = a.readRolling(ctx, r); err != nil {
			return upgrade.ScaleSet{}, err
		}
	}
	s.SeenAt = a.now()
	return s, nil
}

// readSet also says whether to ask for a rolling upgrade of Azure's own. That is a call of the same
// throttling bucket as the set itself (12 a minute and set), so it is spared where the set is
// settled, in mode Manual, without automatic OS upgrades and without a rolling policy. Such a
// set could still be between two batches of `az vmss rolling-upgrade start`; that is left to
// Azure, which refuses our write with 409 then.
func (a *Azure) readSet(ctx context.Context, r reading, id upgrade.SetID) (upgrade.ScaleSet, bool, error) {
	r.op = r.set.String() + ": read it"
	f := r.flight()
	ctx, cancel := f.begin(ctx)
	defer cancel()
	resp, err := a.sets.Get(ctx, r.set.group, r.set.set, nil)
	if err == nil {
		err = aboutSet(resp.VirtualMachineScaleSet, id)
	}
	if err != nil {
		return upgrade.ScaleSet{}, false, f.fault(r.op, err, a.now())
	}
	s := scaleSet(&resp.VirtualMachineScaleSet, f.body)
	if s.Etag == "" {
		s.Etag = f.header.Get("ETag")
	}
	p := resp.Properties.UpgradePolicy
	ask := s.UpgradeMode != upgrade.Manual || s.AutoOSUpgrade || s.Provisioning.Moving() || p != nil && p.RollingUpgradePolicy != nil
	return s, ask, nil
}

// aboutSet: an answer that is no set, or another one, is no answer.
func aboutSet(v armcompute.VirtualMachineScaleSet, id upgrade.SetID) error {
	switch {
	case v.Properties == nil:
		return errors.New("it describes no scale set")
	case upgrade.NewSetID(str(v.ID)) != id:
		return errors.New("it describes another scale set")
	}
	return nil
}

// readInstances reads a Uniform set's instances from the list under its path. The list of a Flexible set
// names them, and tells what only the set knows of them; all else is with the virtual machines they are.
func (a *Azure) readInstances(ctx context.Context, r reading, s upgrade.ScaleSet) ([]upgrade.Instance, error) {
	r.op, r.into = r.set.String()+": list its instances", a.pages.Get().(*bytes.Buffer)
	defer a.pages.Put(r.into)
	params := map[string]string{"subscription": a.guard.subscription, "group": s.ResourceGroup, "set": s.Name}
	query := url.Values{"api-version": {computeVersion}}
	if s.Mode != upgrade.Flexible {
		query.Set("$expand", "instanceView")
	}
	list, err := a.readVMs(ctx, a.walker(r, oneSet+vmsOfSet, s), params, query, isVM)
	if err == nil && s.Mode == upgrade.Flexible {
		list, err = a.readMachines(ctx, r, s, list, params)
	}
	if err != nil {
		return nil, err
	}
	out := make([]upgrade.Instance, 0, len(list))
	for _, v := range list {
		out = append(out, v.instance(s))
	}
	slices.SortFunc(out, func(x, y upgrade.Instance) int { return upgrade.CompareIDs(x.ID, y.ID) })
	return out, nil
}

// readMachines reads the virtual machines of a Flexible set, with what the set's own list tells of them.
// Azure lists those of one set when it is asked with exactly this filter.
func (a *Azure) readMachines(ctx context.Context, r reading, s upgrade.ScaleSet, members map[string]*listedVM, params map[string]string) (map[string]*listedVM, error) {
	r.op = r.set.String() + ": list its virtual machines"
	query := url.Values{"api-version": {computeVersion}, "$expand": {"instanceView"}, "$filter": {filterOf(fill(oneSet, params))}}
	list, err := a.readVMs(ctx, a.walker(r, groupScope+vmsType, s), params, query, isMachineOf(s.ID))
	for id, v := range list {
		v.join(members[id])
	}
	for id := range members { // the two are read one after the other: what one of them lacks is in the next reading
		if list[id] == nil && err == nil {
			return nil, &upgrade.Fault{Kind: upgrade.FaultUnavailable, Op: r.op, Message: errMissing.Error(), Cause: errMissing}
		}
	}
	return list, err
}

func (a *Azure) walker(r reading, template string, s upgrade.ScaleSet) *walker {
	return &walker{r: r, thrift: &a.guard.thrift, template: template, instances: s.Capacity}
}

// readVMs reads one list of VMs whole, by their ids in lower case. One may turn up on two pages when the
// set changes meanwhile; the later word holds.
func (a *Azure) readVMs(ctx context.Context, w *walker, params map[string]string, query url.Values, check func(*listedVM) error) (map[string]*listedVM, error) {
	if err := w.afford(); err != nil {
		return nil, w.r.flight().fault(w.r.op, err, a.now())
	}
	var found map[string]*listedVM
	err := whole(ctx, w.r,
		func() *runtime.Pager[page[*listedVM]] {
			return newPager[*listedVM](a, fill(w.template, params), query)
		},
		func() { found = map[string]*listedVM{}; w.begin() },
		func(p page[*listedVM]) error {
			if p.Value == nil {
				return errNoList
			}
			for _, v := range p.Value {
				if err := check(v); err != nil {
					return err
				}
				found[strings.ToLower(v.id())] = v
			}
			return w.page(len(p.Value), p.NextLink != "")
		})
	if err != nil {
		return nil, err
	}
	return found, nil
}

func isVM(v *listedVM) error {
	if v == nil || !instanceID.MatchString(v.id()) {
		return errNoName
	}
	return nil
}

// isMachineOf: a virtual machine that is not said to be the set's has no place in a list of its, whoever
// read the filter otherwise than we meant it.
func isMachineOf(set upgrade.SetID) func(*listedVM) error {
	return func(v *listedVM) error {
		if err := isVM(v); err != nil {
			return err
		}
		if upgrade.NewSetID(v.Properties.Set.ID) != set {
			return errStranger
		}
		return nil
	}
}

// readRolling reports whether Azure rolls the set itself. That there never was such an upgrade is
// answered with 404; a status word we do not know counts as running.
func (a *Azure) readRolling(ctx context.Context, r reading) (bool, error) {
	r.op = r.set.String() + ": read Azure's own rolling upgrade"
	f := r.flight()
	ctx, cancel := f.begin(ctx)
	defer cancel()
	resp, err := a.rolls.GetLatest(ctx, r.set.group, r.set.set, nil)
	if err != nil {
		fault := f.fault(r.op, err, a.now())
		if f.status == http.StatusNotFound && fault.Code != "" {
			return false, nil
		}
		return false, fault
	}
	code := ""
	if resp.Properties != nil && resp.Properties.RunningStatus != nil {
		code = strings.ToLower(str(resp.Properties.RunningStatus.Code))
	}
	return code != "completed" && code != "cancelled" && code != "faulted", nil
}
