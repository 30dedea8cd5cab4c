package azure

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"

	"github.com/vmssbot/vmssbot/upgrade"
)

// Observe reads a set, then all its instances, and where it may matter Azure's own rolling upgrade:
// two calls and one more for each further page, or three. The fence is passed before every request.
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

func (a *Azure) readInstances(ctx context.Context, r reading, s upgrade.ScaleSet) ([]upgrade.Instance, error) {
	r.op, r.into = r.set.String()+": list its instances", new(bytes.Buffer)
	path, query := a.instances(s)
	var found map[string]upgrade.Instance
	err := whole(ctx, r,
		func() *runtime.Pager[page[*listedVM]] { return newPager[*listedVM](a, path, query) },
		func() { found = map[string]upgrade.Instance{} },
		func(p page[*listedVM]) error { return takeInstances(found, p.Value, s) })
	if err != nil {
		return nil, err
	}
	out := slices.AppendSeq(make([]upgrade.Instance, 0, len(found)), maps.Values(found))
	slices.SortFunc(out, func(x, y upgrade.Instance) int { return upgrade.CompareIDs(x.ID, y.ID) })
	return out, nil
}

// instances is the list that shows a set's instances with their views. That of a Flexible set under the
// set's own path shows little more than names; its instances are virtual machines, of which Azure lists
// those of one set when it is asked with exactly this filter.
func (a *Azure) instances(s upgrade.ScaleSet) (path string, query url.Values) {
	query = url.Values{"$expand": {"instanceView"}, "api-version": {computeVersion}}
	params := map[string]string{"subscription": a.guard.subscription, "group": s.ResourceGroup, "set": s.Name}
	if s.Mode != upgrade.Flexible {
		return fill(oneSet+vmsOfSet, params), query
	}
	query.Set("$filter", filterOf(fill(oneSet, params)))
	return fill(groupScope+vmsType, params), query
}

// takeInstances adds a page. An instance may turn up on two pages when the set changes meanwhile;
// the later word holds. A virtual machine that is not said to be the set's has no place in a list of its.
func takeInstances(found map[string]upgrade.Instance, list []*listedVM, s upgrade.ScaleSet) error {
	if list == nil {
		return errNoList
	}
	for _, v := range list {
		switch {
		case v == nil || !instanceID.MatchString(v.id()):
			return errNoName
		case s.Mode == upgrade.Flexible && upgrade.NewSetID(v.Properties.Set.ID) != s.ID:
			return errStranger
		}
		i := v.instance(s)
		found[i.ID] = i
	}
	return nil
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
