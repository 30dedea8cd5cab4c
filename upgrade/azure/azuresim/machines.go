package azuresim

import (
	"net/http"
	"strings"
)

const (
	typeMachine = "Microsoft.Compute/virtualMachines"

	allMachines = inGroup + compute + "/virtualMachines"
	oneMachine  = allMachines + "/{machine}"
)

// machineRoutes are those of virtual machines, which here are the instances of Flexible sets.
var machineRoutes = []route{
	{method: "GET", pattern: inSub + compute + "/virtualMachines", name: "VirtualMachines_ListAll", policy: machineList, handler: (*world).listAllMachines},
	{method: "GET", pattern: inLocation + "/virtualMachines", name: "VirtualMachines_ListByLocation", policy: machineList, handler: (*world).listMachinesByLocation},
	{method: "GET", pattern: allMachines, name: "VirtualMachines_List", policy: machineList, handler: (*world).listMachines},
	{method: "GET", pattern: oneMachine, name: "VirtualMachines_Get", policy: machineGet, handler: onMachine((*world).getMachine)},
	{method: "GET", pattern: oneMachine + "/instanceView", name: "VirtualMachines_InstanceView", policy: machineGet, handler: onMachine((*world).getVMView)},
	{method: "DELETE", pattern: oneMachine, name: "VirtualMachines_Delete", policy: machineDelete, handler: onMachine(vmAction("DELETE", (*world).remove))},
	{method: "POST", pattern: oneMachine + "/start", name: "VirtualMachines_Start", policy: machineUpdate, handler: onMachine(vmAction("start", (*world).start))},
	{method: "POST", pattern: oneMachine + "/restart", name: "VirtualMachines_Restart", policy: machineUpdate, handler: onMachine(vmAction("restart", (*world).restart))},
	{method: "POST", pattern: oneMachine + "/powerOff", name: "VirtualMachines_PowerOff", policy: machineUpdate, handler: onMachine(vmAction("poweroff", (*world).powerOff))},
	{method: "POST", pattern: oneMachine + "/deallocate", name: "VirtualMachines_Deallocate", policy: machineDelete, handler: onMachine(vmAction("deallocate", (*world).deallocate))},
	{method: "POST", pattern: oneMachine + "/reimage", name: "VirtualMachines_Reimage", body: optionalBody, policy: machineUpdate, handler: onMachine(vmAction("reimage", (*world).reimage))},
}

// onMachine gives a handler the machine it is about.
func onMachine(do func(*world, *call, *instance) *reply) func(*world, *call) *reply {
	return func(w *world, c *call) *reply {
		if refusal := w.groupOf(c); refusal != nil {
			return refusal
		}
		if s := w.setOf(c); s != nil && s.flexible() {
			if i := s.find(c.param("machine")); i != nil {
				return do(w, c, i)
			}
		}
		if c.method == http.MethodDelete {
			return &reply{status: http.StatusNoContent}
		}
		return noResource(c, typeMachine, c.param("machine"))
	}
}

func (w *world) listMachines(c *call) *reply {
	if refusal := w.groupOf(c); refusal != nil {
		return refusal
	}
	return w.pageMachines(c, func(s *scaleSet) bool { return strings.EqualFold(s.group.name, c.param("group")) })
}

func (w *world) listMachinesByLocation(c *call) *reply {
	return w.pageMachines(c, func(s *scaleSet) bool { return strings.EqualFold(s.location, c.param("location")) })
}

func (w *world) listAllMachines(c *call) *reply {
	return inCapitals(w.pageMachines(c, func(*scaleSet) bool { return true }))
}

// pageMachines lists the machines of the sets that keep takes, with the one $filter there is. Asking
// for instance views is possible only together with it (virtual machines list page).
func (w *world) pageMachines(c *call, keep func(*scaleSet) bool) *reply {
	filter := c.query.Get("$filter")
	only, known := setFilter(filter)
	if !known {
		return fail(http.StatusBadRequest, "InvalidParameter", "The value of parameter $filter is invalid: '%s'.", filter).at("$filter")
	}
	expand, refusal := machineView(c)
	switch {
	case refusal != nil:
		return refusal
	case expand && only == "":
		return fail(http.StatusBadRequest, "InvalidParameter",
			"The $expand query option 'instanceView' can only be specified together with a valid $filter option.").at("$expand")
	}
	byKey := map[string]*instance{}
	for _, s := range w.sortedSets() {
		if !s.flexible() || !keep(s) || only != "" && !strings.EqualFold(only, s.id()) {
			continue
		}
		for _, i := range s.instances {
			byKey[strings.ToLower(i.machineID())] = i
		}
	}
	return w.page(c, sortedKeys(byKey), func(k string) any { return w.showMachine(byKey[k], expand) })
}

// machineView reads $expand.
func machineView(c *call) (bool, *reply) {
	switch expand := c.query.Get("$expand"); {
	case expand == "" || strings.EqualFold(expand, "userData"):
		return false, nil
	case strings.EqualFold(expand, "instanceView"):
		return true, nil
	default:
		return false, fail(http.StatusBadRequest, "InvalidParameter", "The value '%s' of parameter $expand is invalid.", expand).at("$expand")
	}
}

func (w *world) getMachine(c *call, i *instance) *reply {
	expand, refusal := machineView(c)
	if refusal != nil {
		return refusal
	}
	r := ok(w.showMachine(i, expand))
	r.set("ETag", quoted(w.visible(i).etag))
	return r
}

// machineID is the resource id of an instance of a Flexible set as a virtual machine.
func (i *instance) machineID() string {
	return "/subscriptions/" + i.set.sub + "/resourceGroups/" + i.set.group.name + "/providers/" + typeMachine + "/" + i.id
}

// showMachine is the ARM document of an instance of a Flexible set. It does not say whether the machine
// has the set's model: the API has no member for that.
func (w *world) showMachine(i *instance, view bool) document {
	i = w.visible(i)
	s := i.set
	props := i.properties()
	props["virtualMachineScaleSet"] = document{"id": s.id()}
	if view {
		props["instanceView"] = w.view(i)
	}
	d := document{
		"name": i.name(), "id": i.machineID(), "type": typeMachine, "location": s.location, "managedBy": s.id(),
		"tags": orEmpty(s.doc["tags"]), "etag": quoted(i.etag), "properties": props,
	}
	if tags, own := i.own["tags"].(document); own {
		d["tags"] = merge(dig(d, "tags"), tags)
	}
	if i.zone != "" {
		d["zones"] = []any{i.zone}
	}
	return d
}
