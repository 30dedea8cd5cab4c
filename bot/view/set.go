package view

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// setList shows scale sets, two lines each.
func setList(sets []commands.SetLine) Message {
	const most = 30
	var p page
	p.para(fmt.Sprintf("*%s*", upgrade.Count(len(sets), "scale set")))
	of := func(l commands.SetLine) string { return l.Group }
	head := headings(of)
	for _, l := range inGroups(sets, of)[:min(most, len(sets))] {
		s := l.Set
		held := ""
		if l.Rollout != "" {
			held = code(l.Rollout) + stated(l.State)
		}
		p.para(head(l), dots("*"+name(s.Name)+"*", name(s.ResourceGroup), name(s.Location), held),
			"     "+dots(upgrade.Count(s.Capacity, "instance"), version(s.Image), unusual(s.Mode, s.UpgradeMode)))
	}
	if n := len(sets) - most; n > 0 {
		p.para(fmt.Sprintf("… and %d more: narrow it down with %s", n, code("/vmss list TEXT")))
	}
	return p.done(slotReply, upgrade.Count(len(sets), "scale set"))
}

func stated(state string) string {
	if state == "" {
		return ""
	}
	return " " + prose(state)
}

// unusual names what is not as of most sets; in another upgrade mode than Manual one cannot be driven.
func unusual(m upgrade.Mode, u upgrade.UpgradeMode) string {
	return dots(only(m == upgrade.Flexible, "Flexible"), only(u != upgrade.Manual && u != "", "upgrade mode "+esc(string(u), 20)))
}

// setAnswer shows one scale set as just read, or a part of it.
func setAnswer(s commands.SetSight) Message {
	var p page
	set := s.Set
	serving := len(set.Instances) - set.Unavailable()
	p.para(fmt.Sprintf("*%s* (%s, %s)", name(set.Name), name(set.ResourceGroup), name(set.Location)),
		fmt.Sprintf("%s · %d serving · model %s", upgrade.Count(len(set.Instances), "instance"), serving, version(set.Model.Image)))
	if s.Rollout != "" {
		p.para("Being rolled by " + code(s.Rollout))
	}
	switch s.Part {
	case commands.PartMap:
		p.chart(setDots(set), setKey)
		p.para(":frame_with_picture: The picture of it comes to your own conversation with me: no file in a channel is for one person only.")
	case "instances":
		p.instances(set)
	case "image":
		p.images(set)
	case "policy":
		p.policy(s.Policy, s.Holds)
	default:
		p.chart(setDots(set), setKey)
		p.images(set)
		p.para(sizes(set))
		p.para(setting(set)...)
	}
	p.small("as read "+when(set.SeenAt), code("/vmss show "+set.Name+" instances"), code("/vmss show "+set.Name+" policy"))
	return p.done(slotReply, fmt.Sprintf("%s: %s, %d serving, model %s", name(set.Name), upgrade.Count(len(set.Instances), "instance"), serving, version(set.Model.Image)))
}

func setDots(s upgrade.ScaleSet) []dot {
	var out []dot
	for _, i := range s.Instances {
		shape := "○"
		switch {
		case !i.Available():
			shape = "△"
		case i.Image.Same(s.Model.Image) || s.Model.Image.Follows():
			shape = "●"
		}
		out = append(out, dot{i.ID, i.UpdateDomain, i.FaultDomain, i.Zone, i.Placement, shape, ""})
	}
	return out
}

// instances lists them all; a large set as ids by state.
func (p *page) instances(s upgrade.ScaleSet) {
	if len(s.Instances) > mapInstances {
		p.chart(setDots(s), setKey)
		which := "these do not serve."
		if s.Unavailable() == 0 {
			which = "all of them serve."
		}
		p.para(fmt.Sprintf("%s are too many for single lines: %s", upgrade.Count(len(s.Instances), "instance"), which))
	}
	var lines []string
	zones := len(distinct(s.Instances, func(i upgrade.Instance) string { return i.Zone }))
	for _, i := range s.Instances {
		if len(s.Instances) > mapInstances && i.Available() {
			continue
		}
		line := dots(strings.TrimSpace("`"+mono(i.ID, 24)+"` "+whereabouts(i, s.Mode, zones)), upgrading.told(i.Image.Running()), sizeOf(i, s.Model), condition(i))
		lines = append(lines, dots(line, only(i.Protected, "protected"), only(i.Spot, "Spot"), only(!i.LatestModel, "not latest")))
	}
	p.para(lines...)
}

// whereabouts are an instance's domains, and its zone where there are several. Of Flexible sets Azure tells
// no domains.
func whereabouts(i upgrade.Instance, m upgrade.Mode, zones int) string {
	var parts []string
	if m != upgrade.Flexible || i.UpdateDomain >= 0 {
		parts = append(parts, domain("UD", i.UpdateDomain))
	}
	if m != upgrade.Flexible || i.FaultDomain >= 0 {
		parts = append(parts, domain("FD", i.FaultDomain))
	}
	if zones > 1 && i.Zone != "" {
		parts = append(parts, "zone "+esc(i.Zone, 12))
	}
	return strings.Join(parts, "/")
}

// sizeOf is an instance's VM size where it is not the model's.
func sizeOf(i upgrade.Instance, m upgrade.Model) string {
	return only(i.Size != "" && !strings.EqualFold(i.Size, m.Size), esc(i.Size, 40))
}

func condition(i upgrade.Instance) string {
	if i.Available() {
		return cmp.Or(esc(string(i.Health), 20), "running")
	}
	if i.Health == "" {
		return fmt.Sprintf("*%s, %s*", esc(string(i.Provisioning), 20), esc(string(i.Power), 20))
	}
	return fmt.Sprintf("*%s, %s, %s*%s", esc(string(i.Provisioning), 20), esc(string(i.Power), 20), esc(string(i.Health), 20), because(i.Message))
}

func only(is bool, word string) string {
	if is {
		return word
	}
	return ""
}

// images counts the instances by the version they run.
func (p *page) images(s upgrade.ScaleSet) {
	n := map[string][]string{}
	for _, i := range s.Instances {
		is := upgrading.told(i.Image.Running())
		if i.Image.Family() != s.Model.Image.Family() && i.Image.Running() != "" {
			is = called(i.Image)
		}
		n[is] = append(n[is], i.ID)
	}
	var versions []string
	for v := range n {
		versions = append(versions, v)
	}
	slices.SortFunc(versions, func(a, b string) int { return cmp.Or(cmp.Compare(len(n[b]), len(n[a])), cmp.Compare(a, b)) })
	lines := []string{join(kindly(s.Model.Image), family(s.Model.Image))}
	for _, v := range versions[:min(12, len(versions))] {
		lines = append(lines, fmt.Sprintf("%s: %d (%s)", v, len(n[v]), brief(n[v], 60)))
	}
	if more := len(versions) - 12; more > 0 {
		lines = append(lines, fmt.Sprintf("… and %d more versions", more))
	}
	p.para(lines...)
}

// sizes counts the instances by their VM size where they differ.
func sizes(s upgrade.ScaleSet) string {
	n := map[string][]string{}
	for _, i := range s.Instances {
		if other := sizeOf(i, s.Model); other != "" {
			n[other] = append(n[other], i.ID)
		}
	}
	parts := []string{esc(s.Model.Size, 40)}
	others := slices.SortedFunc(maps.Keys(n), func(a, b string) int { return cmp.Or(cmp.Compare(len(n[b]), len(n[a])), cmp.Compare(a, b)) })
	for _, size := range others[:min(6, len(others))] {
		parts = append(parts, fmt.Sprintf("%s: %d (%s)", size, len(n[size]), brief(n[size], 60)))
	}
	if s.Model.Size == "" && len(n) == 0 {
		return ""
	}
	if s.Model.Size == "" {
		parts[0] = "not told"
	}
	return "VM size " + dots(parts...)
}

// setting tells what matters for a rollout.
func setting(s upgrade.ScaleSet) []string {
	health := "health source configured"
	if !s.HealthSource {
		health = ":warning: no health source"
	}
	protected, evictable := countOf(s, func(i upgrade.Instance) bool { return i.Protected }), countOf(s, func(i upgrade.Instance) bool { return i.Spot })
	groups := len(distinct(s.Instances, func(i upgrade.Instance) string { return i.Placement }))
	return []string{
		dots(esc(string(s.Mode), 20), "upgrade mode "+esc(string(s.UpgradeMode), 20), only(len(s.Zones) > 0, "zones "+esc(strings.Join(s.Zones, ", "), 60)),
			only(groups > 1, fmt.Sprintf("%d placement groups: domains count within one", groups)), health,
			only(s.AutoRepairs, "automatic repairs"), only(s.AutoOSUpgrade, ":warning: automatic OS upgrades"), only(s.Rolling, ":warning: a rolling upgrade of Azure's own runs"),
			only(s.EphemeralOS, "ephemeral OS disks"), only(s.Spot || evictable > 0, "Spot: Azure may evict "+some(evictable, len(s.Instances))), only(protected > 0, fmt.Sprintf("%d protected: upgrades pass them by", protected))),
		only(s.Mode == upgrade.Flexible, "A Flexible set has no update domains: its gates are zones (`by=zone`) or batches (`by=batch`)."),
	}
}

// some says how many of all, "them" for all.
func some(n, all int) string {
	if n == 0 || n == all {
		return "them"
	}
	return fmt.Sprintf("%d of them", n)
}

func countOf(s upgrade.ScaleSet, is func(upgrade.Instance) bool) int {
	n := 0
	for _, i := range s.Instances {
		if is(i) {
			n++
		}
	}
	return n
}

// policy tells what holds for the set, and where each value comes from.
func (p *page) policy(pol upgrade.Policy, holds []upgrade.Holding) {
	channel := "nowhere"
	if channelID.MatchString(pol.Channel) {
		channel = "<#" + pol.Channel + ">"
	}
	requester := ", never the requester"
	if pol.SelfApproval > 0 {
		requester = ", the requester only after " + span(pol.SelfApproval)
	}
	lines := []string{
		fmt.Sprintf("*Policy* %s · driven in %s", code(pol.Pattern), channel),
		fmt.Sprintf("Each gate takes %s%s; of a rollback, 1 requester or approver", upgrade.Count(max(1, pol.Approvals), "approver"), requester),
	}
	for _, h := range holds {
		from := esc(h.From, 120)
		if strings.ContainsAny(h.From, ":/") { // a line of a file, or what to type
			from = code(h.From)
		}
		lines = append(lines, fmt.Sprintf("%s %s · %s", code(h.Key), held(h), from))
	}
	p.para(lines...)
}

// held writes a value of a policy, the ids of people as names.
func held(h upgrade.Holding) string {
	switch h.Key {
	case "readers", "requesters", "approvers", "escalate":
		if h.Listed {
			return people(h.Values)
		}
	}
	var out []string
	for _, v := range h.Values {
		out = append(out, esc(v, 120)+",")
	}
	return strings.TrimSuffix(fitting(out, 400), ",")
}

var (
	channelID = regexp.MustCompile(`^[CG][A-Z0-9]{2,20}$`)
	userID    = regexp.MustCompile(`^[UW][A-Z0-9]{2,20}$`)
	groupID   = regexp.MustCompile(`^S[A-Z0-9]{2,20}$`)
)

// people shows the ids of the configuration as names. In answers that one person sees a mention calls nobody;
// what calls people on purpose is in calling.go.
func people(ids []string) string {
	var out []string
	for _, id := range ids {
		switch {
		case userID.MatchString(id):
			out = append(out, "<@"+id+">")
		case groupID.MatchString(id):
			out = append(out, "<!subteam^"+id+">")
		default:
			out = append(out, code(id))
		}
	}
	const most = 20
	if n := len(out) - most; n > 0 {
		out = append(out[:most], fmt.Sprintf("%d more", n))
	}
	return cmp.Or(strings.Join(out, ", "), "nobody")
}
