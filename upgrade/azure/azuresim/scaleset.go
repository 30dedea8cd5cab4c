package azuresim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	typeSet = "Microsoft.Compute/virtualMachineScaleSets"
	typeVM  = typeSet + "/virtualMachines"
)

// scaleSet is one scale set. What a caller wrote is in doc, word for word; everything ARM adds is
// in the other fields and joins it only when the set is shown.
type scaleSet struct {
	spec     Set // how it came into being; zero values for sets made by PUT
	sub      string
	group    *group
	name     string
	location string
	created  time.Time
	doc      document // sku, tags, zones, identity, properties, …; changed by setDoc only
	print    string   // fingerprint of doc, "" until asked for
	etag     int
	prov     string // provisioningState
	deleting bool

	unique string   // uniqueId of an imported set, "" otherwise
	groups []string // placement groups of an imported set

	instances []*instance // in the order of their ids
	next      int         // id of the next instance
	op        *operation  // the set-level operation in progress, nil if none
	rolling   *rollingUpgrade
	repairs   string // serviceState of AutomaticRepairs: Running, Suspended, NotRunning

	lag      time.Duration // a lag fault: how long started work stays invisible
	arrested []*armedFault // operation faults waiting for the next operation
}

func (s *scaleSet) id() string {
	return "/subscriptions/" + s.sub + "/resourceGroups/" + s.group.name + "/providers/" + typeSet + "/" + s.name
}

func (s *scaleSet) key() string { return strings.ToLower(s.id()) }

// profile is the model of the instances to come.
func (s *scaleSet) profile() document { return dig(s.doc, "properties", "virtualMachineProfile") }

func (s *scaleSet) image() ImageRef { return profileImage(s.profile()) }

func (s *scaleSet) mode() string { return text(s.doc, "properties", "upgradePolicy", "mode") }

func (s *scaleSet) flexible() bool {
	return strings.EqualFold(text(s.doc, "properties", "orchestrationMode"), "Flexible")
}

// zones of the set, in the order of the document.
func (s *scaleSet) zones() []string {
	list, _ := s.doc["zones"].([]any)
	var out []string
	for _, z := range list {
		if z, ok := z.(string); ok {
			out = append(out, z)
		}
	}
	return out
}

// fingerprint identifies a model: instances made from an equal one have the latest model applied.
// Capacity, tags and policies of the set are no part of it. Models are compared by content, so
// that a model put back as it was is again the latest of the instances that never left it; whether
// Azure does the same is not documented.
func (s *scaleSet) fingerprint() string {
	if s.print == "" {
		s.print = fingerprint(text(s.doc, "sku", "name"), s.profile())
	}
	return s.print
}

func fingerprint(size string, profile document) string {
	data, err := json.Marshal([]any{size, profile})
	if err != nil {
		panic(fmt.Sprintf("model: %v", err)) // decoded JSON always encodes
	}
	return fmt.Sprintf("%x", digest(string(data)))
}

func (s *scaleSet) setDoc(d document) {
	s.doc, s.print = d, ""
	s.repairs = s.service()
}

// health is where the health of the instances comes from: probe, extension or none.
func (s *scaleSet) health() string {
	if dig(s.profile(), "networkProfile", "healthProbe") != nil {
		return "probe"
	}
	list, _ := value(s.profile(), "extensionProfile", "extensions").([]any)
	for _, e := range list {
		e, _ := e.(document)
		if strings.HasPrefix(text(e, "properties", "type"), "ApplicationHealth") {
			return "extension"
		}
	}
	return "none"
}

func (s *scaleSet) find(id string) *instance {
	for _, i := range s.instances {
		if strings.EqualFold(i.id, id) {
			return i
		}
	}
	return nil
}

// remove takes an instance out of the set. Its planned life ends here.
func (s *scaleSet) remove(i *instance) {
	i.gone = true
	s.instances = slices.DeleteFunc(s.instances, func(x *instance) bool { return x == i })
	s.setCapacity()
}

// setCapacity makes sku.capacity say how many instances there are.
func (s *scaleSet) setCapacity() {
	s.doc = with(s.doc, json.Number(strconv.Itoa(len(s.instances))), "sku", "capacity")
}

// touch gives the set a new etag. Real ones are small numbers in quotes, such as "2".
func (s *scaleSet) touch() { s.etag++ }

func quoted(etag int) string { return strconv.Quote(strconv.Itoa(etag)) }

// instance is one virtual machine of a set.
type instance struct {
	set      *scaleSet
	id       string
	vmID     string
	created  time.Time
	zone     string
	group    string   // placement group
	ud, fd   int      // noDomain on Flexible sets
	profile  document // the model it was made from
	size     string
	applied  string   // fingerprint of that model; "" when it never came up with it
	exact    string   // exact version of its image
	disk     int      // OS disks so far; part of the disk's name
	own      document // what a call on the VM itself changed
	etag     int
	gone     bool
	life     int    // counts lives: planned steps of an older one are void
	doing    string // the action it is in, "" if idle
	prov     status
	power    status
	health   status
	reported time.Time // since when the agent is ready
	watched  bool      // automatic repairs will look at it again

	real *imported // what its document said, nil unless it was imported

	shown      *instance     // while a lag fault hides the truth: what ARM shows instead,
	shownUntil time.Time     // until then
	failNext   *armError     // a fault: the next upgrade ends like this
	comesUp    string        // a fault: the health it comes up with, "" = healthy
	mute       bool          // a fault: nothing is told of its health
	flap       time.Duration // a fault: its health turns over so often; zero = it does not
	flaps      int           // counts such faults: the turns of an older one are void
}

// status is one entry of an instance view.
type status struct {
	code    string // as in the last part of the ARM code: running, succeeded, failed/CODE, healthy
	message string
	since   time.Time
}

func (i *instance) name() string {
	if i.set.flexible() {
		return i.id
	}
	return i.set.name + "_" + i.id
}

// armID is where i is under its set; instances of Flexible sets are elsewhere, too (machineID).
func (i *instance) armID() string { return i.set.id() + "/virtualMachines/" + i.id }

// protected tells whether scale-set actions leave it alone.
func (i *instance) protected() bool {
	return i.shielded("protectFromScaleSetActions")
}

func (i *instance) failed() bool { return strings.HasPrefix(i.prov.code, "failed") }

// customised tells whether somebody changed the VM itself. azure-cli#30708: protecting an instance
// makes it read modelDefinitionApplied VirtualMachine and latestModelApplied false.
func (i *instance) customised() bool { return i.own != nil || i.real != nil && i.real.custom }

func (i *instance) latest() bool {
	return i.own == nil && i.applied == i.set.fingerprint()
}
