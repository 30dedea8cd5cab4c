package azuresim

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// listVMs lists the instances with $filter, $expand and $select as the VM list documents them.
func (w *world) listVMs(c *call, s *scaleSet) *reply {
	keep, refusal := parseFilter(c.query.Get("$filter"))
	if refusal != nil {
		return refusal
	}
	expand, refusal := s.wantsView(c)
	if refusal != nil {
		return refusal
	}
	byKey := map[string]*instance{}
	var keys []string
	for _, i := range s.instances {
		byKey[i.id] = i
		keys = append(keys, i.id)
	}
	slices.SortFunc(keys, func(a, b string) int {
		if idLess(a, b) {
			return -1
		}
		return 1
	})
	selected := c.query.Get("$select")
	return w.page(c, keys, func(k string) any {
		if keep != nil && !keep(w.showVM(byKey[k], true)) {
			return nil
		}
		return pick(w.showVM(byKey[k], expand || strings.Contains(selected, "instanceView")), selected)
	})
}

// wantsView reads $expand.
func (s *scaleSet) wantsView(c *call) (bool, *reply) {
	switch expand := c.query.Get("$expand"); {
	case expand == "" || strings.EqualFold(expand, "userData") || strings.EqualFold(expand, "resiliencyView"):
		return false, nil
	case strings.EqualFold(expand, "instanceView") && s.flexible():
		return false, s.unsupported("virtualMachines.GET")
	case strings.EqualFold(expand, "instanceView"):
		return true, nil
	default:
		return false, fail(http.StatusBadRequest, "InvalidParameter", "The value '%s' of parameter $expand is invalid.", expand).at("$expand")
	}
}

// pick keeps the members that $select names ("instanceView", "instanceView/statuses",
// "properties/latestModelApplied", …) and what identifies the VM.
func pick(d document, selected string) document {
	if selected == "" {
		return d
	}
	out := document{"name": d["name"], "id": d["id"], "type": d["type"], "location": d["location"], "instanceId": d["instanceId"]}
	for name := range strings.SplitSeq(selected, ",") {
		path := strings.Split(strings.TrimSpace(name), "/")
		if _, top := d[path[0]]; !top {
			path = append([]string{"properties"}, path...)
		}
		if v := value(d, path...); v != nil {
			out = with(out, v, path...)
		}
	}
	return out
}

func (w *world) getVM(c *call, i *instance) *reply {
	expand, refusal := i.set.wantsView(c)
	if refusal != nil {
		return refusal
	}
	r := ok(w.showVM(i, expand))
	r.set("ETag", quoted(w.visible(i).etag))
	return r
}

func (w *world) getVMView(c *call, i *instance) *reply { return ok(w.view(w.visible(i))) }

// updateVM changes one VM: what the call says is kept and shown, and the VM no longer counts as
// made from the set's model (azure-cli#30708).
func (w *world) updateVM(c *call, i *instance) *reply {
	c.write.Instances = []string{i.id}
	if want := c.header.Get("If-Match"); want != "" && want != "*" && want != quoted(i.etag) {
		return fail(http.StatusPreconditionFailed, "PreconditionFailed",
			"Etag provided in if-match header %s does not match etag %s of resource.", want, quoted(i.etag))
	}
	if i.doing != "" || i.set.deleting {
		return conflict()
	}
	change := document{}
	for _, path := range [][]string{{"tags"}, {"properties", "protectionPolicy"}, {"properties", "userData"}} {
		if v := value(c.doc, path...); v != nil {
			change = with(change, v, path...)
		}
	}
	i.own = merge(i.own, change)
	i.etag++
	c.write.Started = []string{i.id}
	w.setProv(i, "updating", "")
	op := w.open(i.set, c.method, false)
	op.pending[i] = true
	w.live(i, op.kind, w.provisioned(i, op, 0.02))
	op.opened = true
	r := ok(w.showVM(i, false))
	w.announce(c, op, r, false)
	return r
}

// showVM is the ARM document of an instance.
func (w *world) showVM(i *instance, view bool) document {
	i = w.visible(i)
	s := i.set
	if s.flexible() {
		return w.showMember(i)
	}
	definition := "VirtualMachineScaleSet"
	if i.customised() {
		definition = "VirtualMachine"
	}
	props := i.properties()
	props["latestModelApplied"], props["modelDefinitionApplied"] = i.latest(), definition
	props["networkProfileConfiguration"] = document{"networkInterfaceConfigurations": value(i.profile, "networkProfile", "networkInterfaceConfigurations")}
	if view {
		props["instanceView"] = w.view(i)
	}
	d := document{
		"name": i.name(), "id": i.armID(), "type": typeVM, "location": s.location, "tags": orEmpty(s.doc["tags"]),
		"instanceId": i.id, "sku": document{"name": i.size, "tier": "Standard"}, "etag": quoted(i.etag), "properties": props,
	}
	if i.zone != "" {
		d["zones"] = []any{i.zone}
	}
	return merge(i.asListed(d), i.own)
}

// properties are those that a machine has in every API.
func (i *instance) properties() document {
	props := document{
		"provisioningState": capital(i.prov.code), "vmId": i.vmID, "timeCreated": stamp(i.created),
		"hardwareProfile": document{"vmSize": i.size},
		"storageProfile":  i.storage(),
		"osProfile":       i.osProfile(),
		"networkProfile":  document{"networkInterfaces": i.nics()},
	}
	for _, k := range []string{"securityProfile", "diagnosticsProfile", "licenseType", "priority", "evictionPolicy", "billingProfile"} {
		if v := i.profile[k]; v != nil {
			props[k] = v
		}
	}
	return props
}

func orEmpty(v any) any {
	if v == nil {
		return document{}
	}
	return v
}

// capital is the provisioningState property of a provisioning code.
func capital(code string) string {
	code, _, _ = strings.Cut(code, "/")
	return strings.ToUpper(code[:1]) + code[1:]
}

func (i *instance) diskName() string {
	return fmt.Sprintf("%s_%s_OsDisk_1_%x", i.set.name, i.name(), hash64("disk", i.armID(), i.disk))
}

func (i *instance) storage() document {
	disk := i.diskName()
	storage := dig(i.profile, "storageProfile")
	storage = with(storage, disk, "osDisk", "name")
	image := profileImage(i.profile)
	if image.VHD != "" {
		return with(without(storage, "osDisk", "vhdContainers"), document{"uri": i.vhdContainer() + "/" + disk + ".vhd"}, "osDisk", "vhd")
	}
	storage = with(storage, "/subscriptions/"+i.set.sub+"/resourceGroups/"+i.set.group.name+"/providers/Microsoft.Compute/disks/"+disk,
		"osDisk", "managedDisk", "id")
	if i.exact != "" && image.versioned() {
		storage = with(storage, i.exact, "imageReference", "exactVersion")
	}
	return storage
}

// vhdContainer is where the disk of a legacy set lies.
func (i *instance) vhdContainer() string {
	list, _ := value(i.profile, "storageProfile", "osDisk", "vhdContainers").([]any)
	for _, c := range list {
		if c, ok := c.(string); ok {
			return c
		}
	}
	return ""
}

func (i *instance) osProfile() document {
	os := without(dig(i.profile, "osProfile"), "computerNamePrefix")
	return with(os, i.computer(), "computerName")
}

// computer is the host name: the prefix and the id in base 36, six digits.
func (i *instance) computer() string {
	if i.real != nil && i.real.computer != "" {
		return i.real.computer
	}
	n, err := strconv.ParseUint(i.id, 10, 64)
	if err != nil {
		n = hash64("computer", i.id) // Flexible: the id is a name
	}
	digits := ""
	for range 6 {
		digits = string("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[n%36]) + digits
		n /= 36
	}
	return text(i.profile, "osProfile", "computerNamePrefix") + digits
}

func (i *instance) nics() []any {
	list, _ := value(i.profile, "networkProfile", "networkInterfaceConfigurations").([]any)
	out := []any{}
	for _, n := range list {
		n, _ := n.(document)
		out = append(out, i.nic(text(n, "name")))
	}
	return out
}
