package azuresim

import (
	"cmp"
	"net/http"
	"strings"
	"time"
)

// How long the short operations take, before Speed.
const (
	modelChange = 4 * time.Second  // a PATCH or PUT that moves no instance
	noWork      = 3 * time.Second  // an action that finds nothing to do
	setDeletion = 20 * time.Second // of a whole set
)

// show is the ARM document of s.
func (w *world) show(s *scaleSet) document {
	d := with(s.doc, w.shownProv(s), "properties", "provisioningState")
	d = with(d, cmp.Or(s.unique, guid("set", s.key())), "properties", "uniqueId")
	d = with(d, stamp(s.created), "properties", "timeCreated")
	if s.profile() != nil {
		d = with(d, stamp(s.created), "properties", "virtualMachineProfile", "timeCreated")
	}
	d["id"], d["name"], d["type"], d["location"], d["etag"] = s.id(), s.name, typeSet, s.location, quoted(s.etag)
	return d
}

// shownProv is the provisioning state that ARM shows: a lag fault hides a fresh start here too.
func (w *world) shownProv(s *scaleSet) string {
	if s.op != nil && w.clock.Before(s.op.start.Add(s.lag)) {
		return "Succeeded"
	}
	return s.prov
}

// shown is an answer with the set as it is, under its etag.
func (w *world) shown(status int, s *scaleSet) *reply {
	r := &reply{status: status, body: w.show(s)}
	r.set("ETag", quoted(s.etag))
	return r
}

func (w *world) getSet(c *call, s *scaleSet) *reply { return w.shown(http.StatusOK, s) }

func (w *world) listSets(c *call) *reply {
	if refusal := w.groupOf(c); refusal != nil {
		return refusal
	}
	return w.pageSets(c, func(s *scaleSet) bool { return strings.EqualFold(s.group.name, c.param("group")) })
}

func (w *world) listSetsByLocation(c *call) *reply {
	return w.pageSets(c, func(s *scaleSet) bool { return strings.EqualFold(s.location, c.param("location")) })
}

// listAllSets lists the subscription. Azure writes the resource group in capitals there (seen in
// recordings of the Azure CLI's tests, 2024); ids have to be compared without regard to case.
func (w *world) listAllSets(c *call) *reply {
	return inCapitals(w.pageSets(c, func(*scaleSet) bool { return true }))
}

// inCapitals writes the resource groups of a list like that.
func inCapitals(r *reply) *reply {
	page, _ := r.body.(document)
	list, _ := page["value"].([]any)
	for _, item := range list {
		d := item.(document)
		parts := strings.Split(text(d, "id"), "/")
		parts[4] = strings.ToUpper(parts[4])
		d["id"] = strings.Join(parts, "/")
	}
	return r
}

func (w *world) pageSets(c *call, keep func(*scaleSet) bool) *reply {
	var keys []string
	for _, s := range w.sortedSets() {
		if keep(s) {
			keys = append(keys, s.key())
		}
	}
	return w.page(c, keys, func(key string) any { return w.show(w.sets[key]) })
}

// setView is the instance view of the whole set. Flexible sets have none.
func (w *world) setView(c *call, s *scaleSet) *reply {
	if s.flexible() {
		return s.unsupported("instanceView.GET")
	}
	counts := map[string]int{}
	for _, i := range s.instances {
		counts["ProvisioningState/"+w.visible(i).prov.code]++
	}
	summary := []any{}
	for _, code := range sortedKeys(counts) {
		summary = append(summary, document{"code": code, "count": counts[code]})
	}
	view := document{
		"virtualMachine": document{"statusesSummary": summary},
		"statuses": []any{document{
			"code": "ProvisioningState/" + strings.ToLower(s.prov), "level": level(strings.ToLower(s.prov)),
			"displayStatus": displayStatus("ProvisioningState", strings.ToLower(s.prov)), "time": stamp(s.changed()),
		}},
		"orchestrationServices": []any{document{"serviceName": "AutomaticRepairs", "serviceState": s.repairs}},
	}
	if names := s.extensionNames(); len(names) > 0 {
		list := []any{}
		for _, n := range names {
			list = append(list, document{"name": n, "statusesSummary": summary})
		}
		view["extensions"] = list
	}
	return ok(view)
}

// changed is when the last instance changed its provisioning state.
func (s *scaleSet) changed() time.Time {
	last := s.created
	for _, i := range s.instances {
		if i.prov.since.After(last) {
			last = i.prov.since
		}
	}
	return last
}

func (s *scaleSet) extensionNames() []string {
	list, _ := value(s.profile(), "extensionProfile", "extensions").([]any)
	var out []string
	for _, e := range list {
		e, _ := e.(document)
		out = append(out, text(e, "name"))
	}
	return out
}

// upgradeHistory is always empty: it records automatic OS upgrades only.
func (w *world) upgradeHistory(c *call, s *scaleSet) *reply { return ok(document{"value": []any{}}) }

// setService suspends or resumes automatic repairs.
func (w *world) setService(c *call, s *scaleSet) *reply {
	if name := text(c.doc, "serviceName"); name != "AutomaticRepairs" {
		return fail(http.StatusBadRequest, "InvalidParameter", "The value '%s' of parameter 'serviceName' is invalid.", name).at("serviceName")
	}
	if !flag(s.doc, "properties", "automaticRepairsPolicy", "enabled") {
		return fail(http.StatusConflict, "OperationNotAllowed",
			"Setting the orchestration service state is not allowed because automatic repairs are not enabled on Virtual Machine Scale Set '%s'.", s.name)
	}
	switch action := text(c.doc, "action"); action {
	case "Suspend":
		s.repairs = "Suspended"
	case "Resume":
		s.repairs = "Running"
		w.watchAll(s)
	default:
		return fail(http.StatusBadRequest, "InvalidParameter", "The value '%s' of parameter 'action' is invalid.", action).at("action")
	}
	op := w.open(s, "setOrchestrationServiceState", false)
	w.settle(op, noWork)
	return w.accepted(c, op)
}

// deleteSet deletes a set and its instances, whatever else is going on: deletion preempts.
func (w *world) deleteSet(c *call) *reply {
	if refusal := w.groupOf(c); refusal != nil {
		return refusal
	}
	s, missing := w.lookup(c)
	if missing != nil {
		return &reply{status: http.StatusNoContent}
	}
	for _, id := range sortedKeys(w.ops) {
		if w.ops[id].set == s {
			w.preempt(w.ops[id])
		}
	}
	s.deleting = true
	op := w.open(s, "DELETE", true)
	s.prov = "Deleting"
	for _, i := range s.instances {
		i.life++
		w.setProv(i, "deleting", "")
	}
	op.opened = true
	w.at(w.clock.Add(w.scaled(setDeletion)), func() {
		for _, i := range s.instances {
			i.gone = true
		}
		delete(w.sets, s.key())
		w.finish(op)
	})
	return w.accepted(c, op)
}
