package azuresim

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Imported sets and instances: what their documents say becomes the state of the world, and the
// documents are shown as they were for as long as that state holds.

// settledSet is the document of a set that nothing is going on with: the operation that was under way
// when it was listed is not known here.
func (im *importer) settledSet(name string, d document) document {
	state := text(d, "properties", "provisioningState")
	if state == "" || strings.EqualFold(state, "Succeeded") || strings.EqualFold(state, "Failed") {
		return d
	}
	im.note("%s was %s when it was listed: here it is Succeeded", name, state)
	return with(d, "Succeeded", "properties", "provisioningState")
}

// at rest, by the part of a status code before the slash and after it.
var atRest = map[string]map[string]string{
	"provisioningstate": {"creating": "succeeded", "updating": "succeeded", "deleting": "succeeded", "migrating": "succeeded"},
	"powerstate":        {"starting": "running", "stopping": "stopped", "deallocating": "deallocated"},
}

// settledVM is the document of an instance in which nothing is under way.
func (im *importer) settledVM(set string, d document) document {
	list, _ := value(d, "properties", "instanceView", "statuses").([]any)
	var statuses []any
	moved := false
	for _, x := range list {
		st, _ := x.(document)
		kind, code, _ := strings.Cut(text(st, "code"), "/")
		if rest := atRest[strings.ToLower(kind)][strings.ToLower(code)]; rest != "" {
			st = merge(st, document{"code": kind + "/" + rest, "displayStatus": displayStatus(kind, rest)})
			im.note("instance %s of %s was %s when it was listed: here it is %s", d["instanceId"], set, code, rest)
			moved = true
		}
		statuses = append(statuses, st)
	}
	if moved {
		d = with(d, statuses, "properties", "instanceView", "statuses")
	}
	switch strings.ToLower(text(d, "properties", "provisioningState")) {
	case "creating", "updating", "deleting", "migrating":
		d = with(d, "Succeeded", "properties", "provisioningState")
	}
	return d
}

// imported is what the document of an instance said.
type imported struct {
	keep                document // what only Azure knows: shown whatever happens to the instance
	osDisk              document // until it gets another disk
	view                document // until something happens to it
	computer            string   // host name
	custom              bool     // its definition was its own, not the set's
	prov, power, health status
	ud, fd              int
}

// moving are the members of an instance that are shown from the state of the world.
var moving = [][]string{
	{"id"}, {"instanceId"}, {"type"}, {"location"}, {"sku"}, {"etag"},
	{"properties", "latestModelApplied"}, {"properties", "modelDefinitionApplied"}, {"properties", "provisioningState"}, {"properties", "instanceView"},
	{"properties", "hardwareProfile"}, {"properties", "storageProfile", "imageReference"}, {"properties", "storageProfile", "osDisk"},
}

// settle gives a set that was imported the state its document tells.
func (s *scaleSet) settle(d document) {
	s.created = moment(text(d, "properties", "timeCreated"), s.created)
	s.unique = text(d, "properties", "uniqueId")
	s.etag = etagOf(d)
	if strings.EqualFold(text(d, "properties", "provisioningState"), "Failed") {
		s.prov = "Failed"
	}
}

// populate adds the instances of an imported set.
func (w *world) populate(s *scaleSet, docs []document) {
	for _, d := range docs {
		if g := text(d, "properties", "instanceView", "placementGroupId"); g != "" && !slices.Contains(s.groups, g) {
			s.groups = append(s.groups, g)
		}
	}
	for _, d := range docs {
		n, _ := strconv.Atoi(text(d, "instanceId")) // read when it was imported
		s.next = n
		w.revive(w.newInstance(s, s.created), d)
	}
}

// revive makes a new instance what a document says.
func (w *world) revive(i *instance, d document) {
	s, props := i.set, dig(d, "properties")
	view := dig(props, "instanceView")
	i.created = moment(text(props, "timeCreated"), s.created)
	i.vmID = cmp.Or(text(props, "vmId"), i.vmID)
	i.etag = etagOf(d)
	i.size = cmp.Or(text(d, "sku", "name"), text(props, "hardwareProfile", "vmSize"), i.size)
	if zones, _ := d["zones"].([]any); len(zones) > 0 {
		i.zone, _ = zones[0].(string)
	}
	if image := dig(props, "storageProfile", "imageReference"); image != nil {
		i.profile = with(i.profile, without(image, "exactVersion"), "storageProfile", "imageReference")
		exact, _ := w.opt.Fleet.resolve(profileImage(i.profile), s.location)
		i.exact = cmp.Or(text(image, "exactVersion"), exact)
	}
	for _, k := range ofModel {
		switch section := props[k]; {
		case k == "osProfile" || k == "networkProfileConfiguration": // of another form in a model
		case section != nil:
			i.profile = with(i.profile, section, k)
		default:
			i.profile = without(i.profile, k)
		}
	}
	if latest, told := props["latestModelApplied"].(bool); told && !latest {
		i.applied = ""
	}
	i.prov, i.power, i.health = statusOf(view, "ProvisioningState", s.created), statusOf(view, "PowerState", s.created), status{}
	if i.prov.code == "" {
		i.prov = status{strings.ToLower(cmp.Or(text(props, "provisioningState"), "succeeded")), "", s.created}
	}
	i.power.code = cmp.Or(i.power.code, "running")
	i.reported = i.created
	i.domains(view)
	w.reviveHealth(i, view)
	i.remember(d, view)
}

// domains takes over where Azure had put i. A machine that is nowhere keeps what place gave it, for
// when it is started.
func (i *instance) domains(view document) {
	if ud, known := number(view, "platformUpdateDomain"); known {
		i.ud = ud
	}
	if fd, known := number(view, "platformFaultDomain"); known {
		i.fd = fd
	}
	i.group = cmp.Or(text(view, "placementGroupId"), i.group)
}

func (w *world) reviveHealth(i *instance, view document) {
	st := dig(view, "vmHealth", "status")
	switch {
	case st != nil:
		i.health = statusIn(st, i.created)
	case view == nil:
		w.setHealth(i, "healthy", i.created)
	}
}

// remember keeps what the document said.
func (i *instance) remember(d, view document) {
	i.real = &imported{keep: d, osDisk: dig(d, "properties", "storageProfile", "osDisk"), view: view,
		computer: text(d, "properties", "osProfile", "computerName"), custom: strings.EqualFold(text(d, "properties", "modelDefinitionApplied"), "VirtualMachine"),
		prov: i.prov, power: i.power, health: i.health, ud: i.ud, fd: i.fd}
	for _, path := range moving {
		i.real.keep = without(i.real.keep, path...)
	}
}

// statusOf is the status of a kind in an instance view, without a code if there is none.
func statusOf(view document, kind string, otherwise time.Time) status {
	list, _ := view["statuses"].([]any)
	for _, x := range list {
		st, _ := x.(document)
		if k, _, _ := strings.Cut(text(st, "code"), "/"); strings.EqualFold(k, kind) {
			return statusIn(st, otherwise)
		}
	}
	return status{"", "", otherwise}
}

// statusIn reads one status of an instance view. The word itself is written in small letters, what
// follows it (the code of a failure) is not.
func statusIn(st document, otherwise time.Time) status {
	_, code, _ := strings.Cut(text(st, "code"), "/")
	word, rest, more := strings.Cut(code, "/")
	if word = strings.ToLower(word); more && word != "" {
		word += "/" + rest
	}
	return status{word, text(st, "message"), moment(text(st, "time"), otherwise)}
}

func moment(s string, otherwise time.Time) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return otherwise
	}
	return t
}

// etagOf is the number in an etag such as "\"4\"", 1 for another one.
func etagOf(d document) int {
	n, err := strconv.Atoi(strings.Trim(text(d, "etag"), `"`))
	if err != nil || n < 1 {
		return 1
	}
	return n
}

// asImported is the instance view that i came with, as long as it holds.
func (i *instance) asImported() (document, bool) {
	r := i.real
	if r == nil || r.view == nil || i.life > 0 || i.mute {
		return nil, false
	}
	return r.view, i.prov == r.prov && i.power == r.power && i.health == r.health && i.ud == r.ud && i.fd == r.fd
}

// ofModel are the sections of an instance that come from the model it was made from.
var ofModel = []string{"osProfile", "networkProfileConfiguration", "securityProfile", "diagnosticsProfile", "licenseType", "priority", "evictionPolicy"}

// renew makes i show the sections of the model that it has taken over, instead of those it came with.
func (i *instance) renew() {
	if i.real == nil {
		return
	}
	real := *i.real
	real.computer = i.computer()
	for _, k := range ofModel {
		real.keep = without(real.keep, "properties", k)
	}
	i.real = &real
}

// shielded reads a member of the protection policy of i: what a call on it has set, or else what it came
// with.
func (i *instance) shielded(member string) bool {
	if dig(i.own, "properties", "protectionPolicy") == nil && i.real != nil {
		return flag(i.real.keep, "properties", "protectionPolicy", member)
	}
	return flag(i.own, "properties", "protectionPolicy", member)
}

// asListed adds to the document of an instance what only the imported one knows.
func (i *instance) asListed(d document) document {
	if i.real == nil {
		return d
	}
	props := merge(dig(d, "properties"), nil)
	for k, section := range dig(i.real.keep, "properties") {
		if k != "storageProfile" {
			props[k] = section
		}
	}
	d = without(with(d, props, "properties"), "tags") // they need not be those of the set
	d = merge(d, i.real.keep)
	if i.disk == 1 && i.real.osDisk != nil {
		d = with(d, i.real.osDisk, "properties", "storageProfile", "osDisk")
	}
	return d
}
