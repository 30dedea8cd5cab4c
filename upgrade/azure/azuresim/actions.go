package azuresim

import (
	"net/http"
	"strconv"
	"strings"
)

// targets is what an action does with a list of ids that is missing or empty.
type targets int

const (
	named targets = iota // refuse: the ids are required
	orAll                // take it for all instances (azure-cli#6388)
)

// work starts an action on one instance and tells whether there was anything to do.
type work func(*world, *instance, *operation) bool

// setAction makes the handler of a POST on the set that acts on several instances.
func setAction(kind string, none targets, do work) func(*world, *call, *scaleSet) *reply {
	return func(w *world, c *call, s *scaleSet) *reply {
		c.write.Instances = requested(c.doc)
		chosen, refusal := s.choose(c.doc, none)
		if refusal != nil {
			return refusal
		}
		c.write.Instances = ids(chosen)
		if refusal := w.free(s, chosen, kind); refusal != nil {
			return refusal
		}
		c.write.ImageAfter = w.imageName(s)
		op := w.run(s, kind, chosen, do)
		c.write.Started = op.started
		return w.accepted(c, op)
	}
}

// requested are the ids as the caller wrote them.
func requested(d document) []string {
	list, _ := d["instanceIds"].([]any)
	var out []string
	for _, v := range list {
		id, _ := v.(string)
		out = append(out, id)
	}
	return out
}

// choose reads instanceIds: "*" means all of them, as does an empty list where the action says so.
func (s *scaleSet) choose(d document, none targets) ([]*instance, *reply) {
	list, given := d["instanceIds"].([]any)
	if d["instanceIds"] != nil && !given {
		return nil, fail(http.StatusBadRequest, "InvalidRequestContent",
			"The request content was invalid and could not be deserialized: 'instanceIds is not a list'.")
	}
	if len(list) == 0 {
		if none == orAll {
			return s.instances, nil
		}
		return nil, fail(http.StatusBadRequest, "InvalidParameter", "Required parameter 'instanceIds' is missing (null).").at("instanceIds")
	}
	var out []*instance
	seen := map[string]bool{}
	for _, v := range list {
		id, _ := v.(string)
		if id == "*" {
			return s.instances, nil
		}
		if _, err := strconv.ParseUint(id, 10, 31); err != nil && !s.flexible() {
			return nil, fail(http.StatusBadRequest, "InvalidParameter",
				"The provided instanceId %s is invalid. It must be a non-negative integer or the character \"*\".", id).at("instanceIds")
		}
		i := s.find(id)
		if i == nil {
			return nil, inactive(id)
		}
		if !seen[i.id] {
			seen[i.id] = true
			out = append(out, i)
		}
	}
	return out, nil
}

func inactive(id string) *reply {
	return fail(http.StatusBadRequest, "InvalidParameter",
		"The provided instanceId %s is not an active Virtual Machine Scale Set VM instanceId.", id).at("instanceIds")
}

// free refuses when the set or one of the instances is taken, or when the options say that an
// instance must not be touched.
func (w *world) free(s *scaleSet, chosen []*instance, kind string) *reply {
	if refusal := s.busy(); refusal != nil {
		return refusal
	}
	for _, i := range chosen {
		switch {
		case i.doing != "":
			return conflict()
		case w.opt.RefuseProtected && i.protected() && kind != "delete":
			return fail(http.StatusConflict, "OperationNotAllowed",
				"Operation '%s' is not allowed on instance %s: it is protected from scale set actions.", kind, i.id).at("instanceIds")
		case w.opt.RefuseDeallocated && kind == "manualupgrade" && i.power.code == "deallocated":
			return fail(http.StatusConflict, "OperationNotAllowed",
				"Operation '%s' is not allowed on instance %s: it is deallocated.", kind, i.id).at("instanceIds")
		}
	}
	return nil
}

// run opens an operation on the set and starts do on the chosen instances. Protected ones are left
// alone except by delete: "deletion is not blocked" (instance protection page).
func (w *world) run(s *scaleSet, kind string, chosen []*instance, do work) *operation {
	op := w.open(s, kind, true)
	w.arrest(op)
	chosen = op.reach(chosen)
	for _, i := range chosen {
		if i.protected() && kind != "delete" {
			continue
		}
		op.pending[i] = true
		if op.lies() {
			w.pretend(i, op)
			continue
		}
		if do(w, i, op) {
			op.started = append(op.started, i.id)
		}
	}
	w.settle(op, noWork)
	return op
}

// pretend lets the operation take as long as it would, with nothing happening to i.
func (w *world) pretend(i *instance, op *operation) {
	w.at(w.clock.Add(w.span(i)*72/100), func() { w.leave(op, i, nil) })
}

// vmAction makes the handler of an action on one instance. It is not held up by operations on other
// instances: recordings of the Azure CLI's tests show two reimages of different instances accepted
// within a second. Protection does not stop it either.
func vmAction(kind string, do work) func(*world, *call, *instance) *reply {
	return func(w *world, c *call, i *instance) *reply {
		c.write.Instances = []string{i.id}
		if i.doing != "" || i.set.deleting {
			return conflict()
		}
		op := w.open(i.set, kind, false)
		op.pending[i] = true
		if do(w, i, op) {
			c.write.Started = []string{i.id}
		}
		w.settle(op, noWork)
		return w.accepted(c, op)
	}
}

func ids(list []*instance) []string {
	out := make([]string, len(list))
	for n, i := range list {
		out[n] = i.id
	}
	return out
}

// failure is what Azure says of an instance that did not come up, for the codes seen in public
// threads. Another code gets the message as it is.
func failure(code, message string, i *instance) *armError {
	e := &armError{Code: code, Message: message, Target: i.id}
	if message != "" {
		return e
	}
	vm := i.name()
	switch strings.ToLower(code) {
	case "osprovisioningtimedout":
		e.Message = "OS Provisioning for VM '" + vm + "' did not finish in the allotted time. The VM may still finish provisioning successfully. Please check provisioning state later. For details on how to check current provisioning state of Windows VMs, refer to https://aka.ms/WindowsVMLifecycle and Linux VMs, refer to https://aka.ms/LinuxVMLifecycle."
	case "vmextensionprovisioningerror":
		e.Message = "VM has reported a failure when processing extension 'HealthExtension' (publisher 'Microsoft.ManagedServices' and type 'ApplicationHealthLinux'). Error message: \"Enable failed: failed to execute command: command terminated with exit status=1\"."
	case "allocationfailed":
		e.Message = "Allocation failed. We do not have sufficient capacity for the requested VM size in this region. Read more about improving likelihood of allocation success at http://aka.ms/allocation-guidance"
	default:
		e.Message = "Provisioning of VM '" + vm + "' failed with code " + code + "."
	}
	return e
}
