package azuresim

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Source is one document for ImportFleet: a file, say.
type Source struct {
	Name string // for errors and notes
	Data []byte
}

// ImportFleet makes a fleet of what people have. That is either one fleet of our own JSON, read as
// LoadFleet does, or the output of the Azure CLI:
//
//	az vmss list -o json
//	az vmss list-instances -g GROUP -n SET --expand instanceView -o json   (any number of these)
//
// in the CLI's form, whose items have the members of "properties" beside the others, or in that of ARM,
// a page {"value": […]} or a single item included. Which of the two an item is its id tells; the order
// of the sources does not matter. What the documents say is what is served: an instance that nothing
// has happened to yet looks as it did. A set without instances among the sources gets as many as its
// capacity says. The catalogue holds the images and versions that occur, and one newer version of each
// platform and gallery image, which is invented, so that there is something to roll out.
//
// The notes say, a sentence each, what was invented, left out or changed. An error names the source,
// the line and the reason.
func ImportFleet(sources ...Source) (Fleet, []string, error) {
	im := &importer{sets: map[string]*importedSet{}}
	for _, src := range sources {
		own, err := im.read(src)
		switch {
		case err != nil:
			return Fleet{}, nil, err
		case own && len(sources) > 1:
			return Fleet{}, nil, fmt.Errorf("%s is a whole fleet: it cannot be mixed with other files", src.Name)
		case own:
			f, err := LoadFleet(bytes.NewReader(src.Data))
			if err != nil {
				err = fmt.Errorf("%s: %w", src.Name, err)
			}
			return f, nil, err
		}
	}
	if err := im.match(); err != nil {
		return Fleet{}, nil, err
	}
	f, err := im.fleet()
	return f, im.notes, err
}

// importer collects what the sources hold.
type importer struct {
	sets  map[string]*importedSet // by lower-cased resource id
	order []*importedSet
	vms   []item
	notes []string
}

type importedSet struct {
	item
	instances []item
}

// item is one element of a source.
type item struct {
	source string
	line   int
	doc    document          // in ARM's form
	parts  map[string]string // of its id
}

func (i item) errorf(format string, args ...any) error {
	return fmt.Errorf("%s line %d: %w", i.source, i.line, fmt.Errorf(format, args...))
}

func (i item) setKey() string {
	return strings.ToLower(i.parts["subscription"] + "/" + i.parts["group"] + "/" + i.parts["set"])
}

func (im *importer) note(format string, args ...any) {
	im.notes = append(im.notes, fmt.Sprintf(format, args...))
}

var (
	setForm = idForm(oneSet)
	vmForm  = idForm(oneVM)
)

// read takes a source, or tells that it is a fleet of our own.
func (im *importer) read(src Source) (own bool, err error) {
	e, err := elements(src)
	if err != nil || e.own {
		return e.own, err
	}
	if e.more {
		im.note("%s is one page of a longer list: what comes after it is missing", src.Name)
	}
	for _, i := range e.items {
		if err := im.take(i); err != nil {
			return false, err
		}
	}
	return false, nil
}

// take files an item by what its id says it is.
func (im *importer) take(i item) error {
	id, _ := i.doc["id"].(string)
	if id == "" {
		return i.errorf("the item has no id")
	}
	segments, ok := split(id), false
	if i.parts, ok = vmForm.match(segments); ok {
		i.doc = armForm(i.doc, vmMembers)
		im.vms = append(im.vms, i)
		return nil
	}
	if i.parts, ok = setForm.match(segments); !ok {
		return i.errorf("%s is neither a scale set nor an instance of one", id)
	}
	if !uuidForm.MatchString(i.parts["subscription"]) {
		return i.errorf("%s names a subscription that is no UUID", id)
	}
	if other := im.sets[i.setKey()]; other != nil {
		return i.errorf("scale set %s is there twice; the other one is in %s line %d", id, other.source, other.line)
	}
	i.doc = armForm(i.doc, setMembers)
	s := &importedSet{item: i}
	im.sets[i.setKey()] = s
	im.order = append(im.order, s)
	return nil
}

// match gives each set its instances.
func (im *importer) match() error {
	if len(im.order) == 0 {
		return fmt.Errorf("no scale set in the files: az vmss list -o json prints them")
	}
	seen := map[string]item{}
	for _, vm := range im.vms {
		s := im.sets[vm.setKey()]
		if s == nil {
			return vm.errorf("instance %s is of scale set %s in resource group %s, which is in none of the files", vm.parts["vm"], vm.parts["set"], vm.parts["group"])
		}
		key := vm.setKey() + "/" + strings.ToLower(vm.parts["vm"])
		if other, twice := seen[key]; twice {
			return vm.errorf("instance %s of scale set %s is there twice; the other one is in %s line %d", vm.parts["vm"], vm.parts["set"], other.source, other.line)
		}
		seen[key] = vm
		s.instances = append(s.instances, vm)
	}
	return nil
}

// sourceElements is what a source is made of.
type sourceElements struct {
	items []item
	own   bool // it is a fleet of our own
	more  bool // it is a page and there are more
}

// elements splits a source into its items, each with the line it starts on.
func elements(src Source) (sourceElements, error) {
	data := bytes.TrimPrefix(src.Data, []byte("\xef\xbb\xbf"))
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return sourceElements{}, fmt.Errorf("%s line 1: the file is UTF-16, as PowerShell writes it: save it as UTF-8", src.Name)
	}
	var whole any
	if err := json.Unmarshal(data, &whole); err != nil {
		return sourceElements{}, fmt.Errorf("%s line %d: it is no JSON: %w", src.Name, lineOf(data, err, 0), err)
	}
	top, isObject := whole.(map[string]any)
	_, isPage := top["value"].([]any)
	_, isSet := top["id"].(string)
	_, isList := whole.([]any)
	switch {
	case isList, isPage, isSet:
	case isObject && (top["sets"] != nil || top["subscription"] != nil):
		return sourceElements{own: true}, nil
	default:
		return sourceElements{}, fmt.Errorf("%s line 1: it is neither a list of scale sets or instances nor a fleet", src.Name)
	}
	items, err := walkItems(src.Name, data, isPage, isSet)
	return sourceElements{items: items, more: isPage && top["nextLink"] != nil}, err
}

// walkItems reads the items of valid JSON: those of the list, or of "value" in a page, or the only one.
func walkItems(name string, data []byte, page, single bool) ([]item, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	if !single {
		for depth := 0; ; {
			token, err := dec.Token()
			if err != nil {
				return nil, fmt.Errorf("%s line 1: it is no list", name)
			}
			if token == json.Delim('[') && (!page || depth == 1) {
				break
			}
			depth = 1
			if key, isKey := token.(string); isKey && key != "value" {
				var other json.RawMessage
				if err := dec.Decode(&other); err != nil {
					return nil, fmt.Errorf("%s: %w", name, err)
				}
			}
		}
	}
	var out []item
	for dec.More() {
		start := int(dec.InputOffset())
		start += len(data[start:]) - len(bytes.TrimLeft(data[start:], " \t\r\n,"))
		i := item{source: name, line: 1 + bytes.Count(data[:start], []byte("\n"))}
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, i.errorf("%w", err)
		}
		doc, err := decodeDocument(raw)
		if err != nil {
			return nil, i.errorf("the item is no object")
		}
		i.doc = doc
		out = append(out, i)
	}
	return out, nil
}

// fleet makes the fleet of what was read.
func (im *importer) fleet() (Fleet, error) {
	f := Fleet{Subscription: im.order[0].parts["subscription"], SubscriptionName: "Imported subscription"}
	catalogue := newCatalogue(f.Subscription)
	var kept []*importedSet
	for _, s := range im.order {
		if !strings.EqualFold(s.parts["subscription"], f.Subscription) {
			return f, s.errorf("scale set %s is in subscription %s, others are in %s: a fleet has one", s.parts["set"], s.parts["subscription"], f.Subscription)
		}
		spec, err := im.set(s)
		if err != nil {
			return f, err
		}
		if spec != nil {
			catalogue.see(*spec, s)
			f.Sets = append(f.Sets, *spec)
			kept = append(kept, s)
		}
	}
	if len(kept) == 0 {
		return f, fmt.Errorf("no scale set is left: %s", strings.Join(im.notes, "; "))
	}
	f.Location = f.Sets[0].Location
	catalogue.fill(&f, im)
	f = f.withDefaults()
	for n, s := range kept {
		if err := f.Sets[n].check(f); err != nil {
			return f, s.errorf("scale set %s: %w", s.parts["set"], err)
		}
	}
	return f, f.check()
}

// set makes the fleet's entry of a set, nil for one that is left out.
func (im *importer) set(s *importedSet) (*Set, error) {
	name, profile := s.parts["set"], dig(s.doc, "properties", "virtualMachineProfile")
	capacity, counted := number(s.doc, "sku", "capacity")
	location := strings.ToLower(strings.ReplaceAll(text(s.doc, "location"), " ", ""))
	switch {
	case strings.EqualFold(text(s.doc, "properties", "orchestrationMode"), "Flexible"):
		im.note("%s is left out: it is a Flexible set, whose machines these files do not hold", name)
		return nil, nil
	case profile == nil || location == "" || text(s.doc, "sku", "name") == "" || !counted:
		return nil, s.errorf("scale set %s has no virtualMachineProfile, location, sku.name or sku.capacity: az vmss list -o json prints them all", name)
	case profileImage(profile) == ImageRef{}:
		im.note("%s is left out: its model names no image", name)
		return nil, nil
	}
	spec := Set{Name: name, ResourceGroup: s.parts["group"], Location: location, Capacity: capacity, Size: text(s.doc, "sku", "name"),
		Image: profileImage(profile), UpgradeMode: cmp.Or(text(s.doc, "properties", "upgradePolicy", "mode"), "Manual"), document: im.settledSet(name, s.doc)}
	if len(s.instances) > 0 { // lists of a whole subscription write the group in capitals
		spec.ResourceGroup = s.instances[0].parts["group"]
	} else {
		im.note("%s: no file holds its instances, %d are invented from its capacity", name, capacity)
		return &spec, nil
	}
	if len(s.instances) != capacity {
		im.note("%s: its capacity is %d, the files hold %d instances: here it has these", name, capacity, len(s.instances))
	}
	return &spec, im.instances(&spec, s)
}

// instances gives spec its instances, in the order of their ids.
func (im *importer) instances(spec *Set, s *importedSet) error {
	blind := 0
	groups := map[string]bool{}
	slices.SortFunc(s.instances, func(a, b item) int {
		if idLess(a.parts["vm"], b.parts["vm"]) {
			return -1
		}
		return 1
	})
	for _, vm := range s.instances {
		if n, err := strconv.Atoi(vm.parts["vm"]); err != nil || n < 0 || strconv.Itoa(n) != vm.parts["vm"] {
			return vm.errorf("instance %s of scale set %s has an id that is no number", vm.parts["vm"], spec.Name)
		}
		d := im.settledVM(spec.Name, with(vm.doc, vm.parts["vm"], "instanceId"))
		view := dig(d, "properties", "instanceView")
		if view == nil {
			blind++
		}
		if ud, known := number(view, "platformUpdateDomain"); known {
			spec.UpdateDomains = max(spec.UpdateDomains, ud+1)
		}
		if g := text(view, "placementGroupId"); g != "" {
			groups[g] = true
		}
		spec.instances = append(spec.instances, d)
	}
	spec.Capacity, spec.PlacementGroups = len(spec.instances), max(len(groups), 1)
	if blind > 0 {
		im.note("%s: %d instances have no instance view (--expand instanceView): their domains, power and health are invented", spec.Name, blind)
	}
	return nil
}
