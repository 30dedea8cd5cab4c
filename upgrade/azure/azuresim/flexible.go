package azuresim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// noDomain is the update and fault domain of an instance that is in none.
const noDomain = -1

func (s Set) flexible() bool { return s.Orchestration == "Flexible" }

// flexibleProperties are those of a Flexible set, as recordings of the Azure CLI's tests have them (2023).
func (s Set) flexibleProperties() document {
	return document{
		"singlePlacementGroup":       false,
		"orchestrationMode":          "Flexible",
		"upgradePolicy":              s.upgradePolicy(),
		"virtualMachineProfile":      s.profile(),
		"platformFaultDomainCount":   json.Number(strconv.Itoa(s.FaultDomains)),
		"constrainedMaximumCapacity": false,
	}
}

// unsaid is what Azure takes for granted in the document d of a new set.
func unsaid(d document) document {
	mode := "Uniform"
	if strings.EqualFold(text(d, "properties", "orchestrationMode"), "Flexible") {
		mode = "Flexible"
	}
	return document{"properties": document{
		"orchestrationMode": mode, "singlePlacementGroup": mode == "Uniform", "upgradePolicy": document{"mode": "Manual"},
	}}
}

func (s *scaleSet) orchestration() string {
	if s.flexible() {
		return "Flexible"
	}
	return "Uniform"
}

// newID is the id of instance n: the number, or on Flexible sets the machine's name, which is the
// set's and eight hexadecimal digits (instance ids page).
func (s *scaleSet) newID(n int) string {
	if !s.flexible() {
		return strconv.Itoa(n)
	}
	for again := 0; ; again++ {
		id := fmt.Sprintf("%s_%08x", s.name, uint32(hash64("name", s.key(), n, again)))
		if s.find(id) == nil {
			return id
		}
	}
}

// unsupported refuses an operation that Flexible sets do not have. The words are those of
// nomad-autoscaler#1096 and OMS-Agent-for-Linux#1475, the code and status those of the latter.
func (s *scaleSet) unsupported(operation string) *reply {
	return fail(http.StatusBadRequest, "BadRequest",
		"Operation 'VirtualMachineScaleSets.%s' is not allowed on Virtual Machine Scale Set '%s'.", operation, s.name)
}

// onlyNumbers refuses names of machines where the API takes ids of Uniform sets: azure-sdk-for-go#19707,
// steampipe-plugin-azure#829. From 2023-09-01 on it takes the names of Flexible sets, too (instance
// protection page).
func (s *scaleSet) onlyNumbers(c *call) *reply {
	if !s.flexible() || c.query.Get("api-version") >= "2023-09-01" {
		return nil
	}
	return fail(http.StatusBadRequest, "InvalidParameter", "Virtual Machine Scale Set VM instanceId must be a number.").at("instanceId")
}

// showMember is what a Flexible set itself tells of its instances: which they are, and what only the
// set knows of them. All else is with the virtual machine.
func (w *world) showMember(i *instance) document {
	d := document{
		"name": i.name(), "id": i.armID(), "type": typeVM, "location": i.set.location, "instanceId": i.id, "etag": quoted(i.etag),
	}
	if !w.opt.TerseFlexible {
		d["properties"] = document{"latestModelApplied": i.latest(), "provisioningState": capital(i.prov.code), "virtualMachineResourceId": i.machineID()}
		if policy := value(i.own, "properties", "protectionPolicy"); policy != nil {
			d = with(d, policy, "properties", "protectionPolicy")
		}
	}
	if i.zone != "" {
		d["zones"] = []any{i.zone}
	}
	return d
}

// getMemberView is the instance view of one VM, which Flexible sets do not tell.
func (w *world) getMemberView(c *call, i *instance) *reply {
	if i.set.flexible() {
		return i.set.unsupported("virtualMachines.instanceView.GET")
	}
	return w.getVMView(c, i)
}

// nic is the reference to a network interface. Those of Flexible sets are resources of their own.
func (i *instance) nic(name string) document {
	if !i.set.flexible() {
		return document{"id": i.armID() + "/networkInterfaces/" + name}
	}
	spec := Set{ResourceGroup: i.set.group.name, subscription: i.set.sub}
	digits := i.id[strings.LastIndexByte(i.id, '_')+1:]
	return document{"id": spec.network("networkInterfaces", name+"-"+digits),
		"properties": document{"primary": true, "deleteOption": "Delete"}}
}

// members is the one $filter of the list of virtual machines. The quotes around the name belong to it.
var members = regexp.MustCompile(`(?i)^\s*'?virtualMachineScaleSet/id'?\s+eq\s+'([^']+)'\s*$`)

// setFilter returns the id of the set that a $filter of virtual machines names, as the caller wrote it.
func setFilter(filter string) (id string, known bool) {
	if m := members.FindStringSubmatch(filter); m != nil {
		return m[1], true
	}
	return "", filter == ""
}
