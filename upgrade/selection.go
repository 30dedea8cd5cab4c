package upgrade

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Selection narrows a plan to some instances, which must be in all that is named; the zero value
// selects all.
type Selection struct {
	UpdateDomains []int    `json:",omitempty"` // on several placement groups: that domain of each (R44)
	FaultDomains  []int    `json:",omitempty"`
	Zones         []string `json:",omitempty"`
	Instances     []string `json:",omitempty"` // by id
	Skip          []string `json:",omitempty"` // ids that are left out
}

// Takes reports whether the selection includes the instance. One that is left out by name is included,
// and passed by with that reason.
func (s Selection) Takes(i Instance) bool {
	return (len(s.UpdateDomains) == 0 || slices.Contains(s.UpdateDomains, i.UpdateDomain)) &&
		(len(s.FaultDomains) == 0 || slices.Contains(s.FaultDomains, i.FaultDomain)) &&
		(len(s.Zones) == 0 || slices.Contains(s.Zones, i.Zone)) &&
		(len(s.Instances) == 0 || slices.Contains(s.Instances, i.ID))
}

// By is what makes a gate.
type By string

const (
	ByUpdateDomain By = "ud" // the default of Uniform sets
	ByFaultDomain  By = "fd"
	ByZone         By = "zone"  // the default of Flexible sets in zones
	ByBatch        By = "batch" // so many instances; the default of other Flexible sets
)

// Order is how the selected instances become gates. The zero value is the set's default.
type Order struct {
	By      By       `json:",omitempty"`
	Batch   Limit    `json:",omitzero"`  // instances of a gate of ByBatch, of a call otherwise; zero = max-unavailable, or the policy's cap
	Canary  int      `json:",omitempty"` // instances of a first gate of their own
	Approve Together `json:",omitempty"` // which gates are asked for together
}

// Together says which gates take one yes together. The zero value has each take one of its own.
type Together string

const (
	ApproveEach   Together = ""
	ApproveCanary Together = "canary" // all that come after the first
	ApproveOnce   Together = "once"   // all
)

// Together reports whether a yes to the gate at i is one to every later gate, too.
func (p Plan) Together(i int) bool {
	left := i < len(p.Gates)-1
	return left && (p.Order.Approve == ApproveOnce || p.Order.Approve == ApproveCanary && i > 0)
}

// or fills in what the set's orchestration suggests: a Flexible set has no update domains.
func (o Order) or(s ScaleSet) Order {
	switch {
	case o.By != "":
	case s.Mode != Flexible:
		o.By = ByUpdateDomain
	case o.Batch != (Limit{}) || len(s.Zones) == 0:
		o.By = ByBatch
	default:
		o.By = ByZone
	}
	return o
}

// gates makes gates of the members, which are in the order of their ids; ill are those that do not
// serve: they come first in a gate of ByBatch, as taking them down costs nothing (R27), and are no
// canaries, as how they come out says little.
func (o Order) gates(members []Member, ill func(Member) bool, size int) []Gate {
	var out []Gate
	if o.By == ByBatch {
		out = batches(members, ill, size)
	} else {
		out = o.domains(members)
	}
	return withCanary(out, o.Canary, ill)
}

// domains are the gates of a domain each, in the order of their numbers or names.
func (o Order) domains(members []Member) []Gate {
	var out []Gate
	for _, m := range members {
		out = into(out, o.gate(m), m)
	}
	slices.SortStableFunc(out, func(a, b Gate) int { return CompareIDs(a.domain(), b.domain()) })
	return out
}

func (g Gate) domain() string { return g.Key[strings.IndexByte(g.Key, '-')+1:] }

// gate is the gate of a domain that a member belongs to.
func (o Order) gate(m Member) Gate {
	switch o.By {
	case ByFaultDomain:
		return Gate{Key: fmt.Sprintf("fd-%d", m.FaultDomain), Title: fmt.Sprintf("FD %d", m.FaultDomain)}
	case ByZone:
		return Gate{Key: "zone-" + m.Zone, Title: "zone " + m.Zone}
	}
	return Gate{Key: fmt.Sprintf("ud-%d", m.UpdateDomain), Title: fmt.Sprintf("UD %d", m.UpdateDomain)}
}

// into adds a member to the gate with that key, which is made when there is none.
func into(gates []Gate, g Gate, m Member) []Gate {
	n := slices.IndexFunc(gates, func(x Gate) bool { return x.Key == g.Key })
	if n < 0 {
		gates, n = append(gates, g), len(gates)
	}
	gates[n].Instances = append(gates[n].Instances, m)
	return gates
}

func batches(members []Member, ill func(Member) bool, size int) []Gate {
	ordered := slices.Clone(members)
	slices.SortStableFunc(ordered, func(a, b Member) int { return rank(ill(a)) - rank(ill(b)) })
	var out []Gate
	for some := range slices.Chunk(ordered, max(1, size)) {
		n := len(out) + 1
		out = append(out, Gate{Key: fmt.Sprintf("batch-%d", n), Title: fmt.Sprintf("batch %d", n), Instances: slices.Clone(some)})
	}
	return out
}

func rank(ill bool) int {
	if ill {
		return 0
	}
	return 1
}

// canaryGate is the key of the gate that goes before all others.
const canaryGate = "canary"

// withCanary takes the first n members that serve out of their gates and puts them before these; where
// too few serve, others go with them.
func withCanary(gates []Gate, n int, ill func(Member) bool) []Gate {
	if n <= 0 {
		return gates
	}
	canary := Gate{Key: canaryGate, Title: canaryGate}
	for _, take := range []func(Member) bool{func(m Member) bool { return !ill(m) }, func(Member) bool { return true }} {
		for g := range gates {
			gates[g].Instances = slices.DeleteFunc(gates[g].Instances, func(m Member) bool {
				ok := len(canary.Instances) < n && take(m)
				if ok {
					canary.Instances = append(canary.Instances, m)
				}
				return ok
			})
		}
	}
	gates = slices.DeleteFunc(gates, func(g Gate) bool { return len(g.Instances) == 0 })
	return append([]Gate{canary}, gates...)
}

// lacks is why the order or the selection passes an instance by: the domain that it goes by is not
// told of it. That of a deallocated instance rarely is.
func (o Order) lacks(i Instance) bool {
	switch o.By {
	case ByUpdateDomain:
		return i.UpdateDomain < 0
	case ByFaultDomain:
		return i.FaultDomain < 0
	case ByZone:
		return i.Zone == ""
	}
	return false
}

// moved is how an instance went from the place it was agreed to into another, as far as the plan went
// by places; "" when it did not. A place that is not told is the one it had.
func (p Plan) moved(m Member, i Instance) string {
	if was, is := p.place(m), p.place(m.at(i)); was != is {
		return fmt.Sprintf("from %s to %s", was, is)
	}
	return ""
}

// at is the member where the instance is now. A place that is not told is the one it had.
func (m Member) at(i Instance) Member {
	if i.UpdateDomain >= 0 {
		m.UpdateDomain = i.UpdateDomain
	}
	if i.FaultDomain >= 0 {
		m.FaultDomain = i.FaultDomain
	}
	m.Zone, m.Placement = cmp.Or(i.Zone, m.Zone), cmp.Or(i.Placement, m.Placement)
	return m
}

// place is where a member is, as far as the plan goes by places; "" when it goes by none.
func (p Plan) place(m Member) string {
	var out []string
	if by := p.Order.By; by == "" || by == ByUpdateDomain || len(p.Which.UpdateDomains) > 0 {
		out = append(out, fmt.Sprintf("UD %d", m.UpdateDomain))
	}
	if p.Order.By == ByFaultDomain || len(p.Which.FaultDomains) > 0 {
		out = append(out, fmt.Sprintf("FD %d", m.FaultDomain))
	}
	if p.Order.By == ByZone || len(p.Which.Zones) > 0 {
		out = append(out, "zone "+m.Zone)
	}
	return strings.Join(out, ", ")
}

// choosable refuses a selection or an order that the set cannot answer to, each with what it has (R44).
func choosable(s ScaleSet, w Wish) *Refusal {
	show := "/vmss show " + s.Name
	uds, fds, zones := s.Domains(), s.FaultDomains(), s.inZones()
	flexible := s.Mode == Flexible
	switch by := w.Order.By; {
	case flexible && (len(w.Which.UpdateDomains) > 0 || by == ByUpdateDomain):
		return Refuse(CodeArg, show, "%s is a Flexible scale set: it has no update domains to go by. Choose with %s", s.Name, alternatives(zones))
	case flexible && (len(w.Which.FaultDomains) > 0 || by == ByFaultDomain):
		return Refuse(CodeArg, show, "%s is a Flexible scale set: Azure does not tell the fault domains of its instances. Choose with %s", s.Name, alternatives(zones))
	case (len(w.Which.Zones) > 0 || by == ByZone) && len(zones) == 0:
		return Refuse(CodeArg, show, "%s is in no availability zones. Choose with %s", s.Name, alternatives(nil))
	}
	for _, ud := range w.Which.UpdateDomains {
		if !slices.Contains(uds, ud) {
			return Refuse(CodeArg, show, "I do not know ud=%d: %s has %s", ud, s.Name, domainList("UD", "update domains", uds))
		}
	}
	for _, fd := range w.Which.FaultDomains {
		if !slices.Contains(fds, fd) {
			return Refuse(CodeArg, show, "I do not know fd=%d: %s has %s", fd, s.Name, domainList("FD", "fault domains", fds))
		}
	}
	for _, z := range w.Which.Zones {
		if !slices.Contains(zones, z) {
			return Refuse(CodeArg, show, "I do not know zone=%s: %s is in zone %s", z, s.Name, strings.Join(zones, ", "))
		}
	}
	for _, id := range slices.Concat(w.Which.Instances, w.Which.Skip) {
		if _, there := s.Instance(id); !there {
			return unknownInstance(s, id)
		}
	}
	return nil
}

func unknownInstance(s ScaleSet, id string) *Refusal {
	var ids []string
	for _, i := range s.Instances {
		ids = append(ids, i.ID)
	}
	no := Refuse(CodeArg, "/vmss show "+s.Name+" instances", "%s has no instance %s", s.Name, id)
	near := Nearest(id, ids)
	if n := slices.IndexFunc(ids, func(x string) bool { return strings.HasSuffix(x, "_"+id) }); n >= 0 && s.Mode == Flexible {
		near = ids[n] // what tells them apart on a map
	}
	switch {
	case near != "" && s.Mode == Flexible:
		no.What += fmt.Sprintf(". Did you mean `vm=%s`?", near)
	case len(ids) > 0:
		no.What += fmt.Sprintf(": it has %d, from %s to %s", len(ids), ids[0], ids[len(ids)-1])
	}
	return no
}

func alternatives(zones []string) string {
	if len(zones) > 0 {
		return fmt.Sprintf("zone= (%s), batch= or vm=", strings.Join(zones, ", "))
	}
	return "batch= or vm="
}

// FaultDomains returns the fault domains that instances are known to be in, in order.
func (s ScaleSet) FaultDomains() []int {
	return distinct(s.Instances, func(i Instance) (int, bool) { return i.FaultDomain, i.FaultDomain >= 0 })
}

// Domains returns the update domains that exist now, in order (R44: discovered, never assumed).
func (s ScaleSet) Domains() []int {
	return distinct(s.Instances, func(i Instance) (int, bool) { return i.UpdateDomain, i.UpdateDomain >= 0 })
}

// inZones are the zones that instances are in.
func (s ScaleSet) inZones() []string {
	return distinct(s.Instances, func(i Instance) (string, bool) { return i.Zone, i.Zone != "" })
}

func distinct[T int | string](list []Instance, of func(Instance) (T, bool)) []T {
	seen := map[T]bool{}
	var out []T
	for _, i := range list {
		if v, ok := of(i); ok && !seen[v] {
			seen[v], out = true, append(out, v)
		}
	}
	slices.Sort(out)
	return out
}

func domainList(short, noun string, have []int) string {
	switch {
	case len(have) == 0:
		return "no " + noun
	case len(have) > 1 && have[len(have)-1]-have[0] == len(have)-1:
		return fmt.Sprintf("%s %d-%d", short, have[0], have[len(have)-1])
	}
	words := make([]string, len(have))
	for i, d := range have {
		words[i] = fmt.Sprint(d)
	}
	return short + " " + strings.Join(words, ", ")
}
