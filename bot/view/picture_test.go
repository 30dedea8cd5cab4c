package view

import (
	"slices"
	"strings"
	"testing"

	"github.com/vmssbot/vmssbot/bot/view/heatmap"
	"github.com/vmssbot/vmssbot/upgrade"
)

// milestones are the numbers of a story's pictures.
func (s *story) milestones() []int {
	var out []int
	for _, e := range s.events {
		if _, is := e.Fact.(upgrade.Pictured); is {
			out = append(out, e.Seq)
		}
	}
	return out
}

func statesOf(m heatmap.Map) map[heatmap.State]int {
	n := map[heatmap.State]int{}
	for _, d := range m.Dots {
		n[d.State]++
	}
	return n
}

func dotOf(t *testing.T, m heatmap.Map, id string) heatmap.Dot {
	t.Helper()
	i := slices.IndexFunc(m.Dots, func(d heatmap.Dot) bool { return d.ID == id })
	if i < 0 {
		t.Fatalf("no instance %s in the picture", id)
	}
	return m.Dots[i]
}

func TestAPictureShowsTheSetAsItWasAtItsMilestone(t *testing.T) {
	s := begin(believable, 20, nil)
	s.finish()
	rec := s.record()
	for _, c := range []struct {
		at         int // which of the milestones
		old, done  int
		note, says string
	}{
		{0, 20, 0, "r-4f2a9c · before it starts · 0/20 upgraded · 2026-11-24 01:00 UTC", "*web-prod → 22.04.202401170* · before it starts · 0/20 upgraded `r-4f2a9c`"},
		{1, 16, 4, "r-4f2a9c · UD 0 done · 4/20 upgraded · 2026-11-24 01:04 UTC", "*web-prod → 22.04.202401170* · UD 0 done · 4/20 upgraded `r-4f2a9c`"},
		{5, 0, 20, "r-4f2a9c · UD 4 done · 20/20 upgraded · 2026-11-24 01:40 UTC", "*web-prod → 22.04.202401170* · UD 4 done · 20/20 upgraded `r-4f2a9c`"},
		{6, 0, 20, "r-4f2a9c · at the end · 20/20 upgraded · 2026-11-24 01:50 UTC", "*web-prod → 22.04.202401170* · at the end · 20/20 upgraded `r-4f2a9c`"},
	} {
		m, says, ok := Picture(rec, s.milestones()[c.at])
		n := statesOf(m)
		if !ok || n[heatmap.Old] != c.old || n[heatmap.New] != c.done || m.Note != c.note || says != c.says || m.Title != "web-prod → 22.04.202401170" {
			t.Errorf("milestone %d: %v, title %q, note %q, above it %q", c.at, n, m.Title, m.Note, says)
		}
		if raw, err := heatmap.PNG(m); err != nil || len(raw) == 0 {
			t.Errorf("milestone %d: %d bytes, %v", c.at, len(raw), err)
		}
	}
	for _, seq := range []int{0, 1, len(s.events) + 1} {
		if m, says, ok := Picture(rec, seq); ok || says != "" || m.Dots != nil {
			t.Errorf("event %d is pictured: %q", seq, says)
		}
	}
}

func TestAPictureHasEveryInstanceOfTheSet(t *testing.T) {
	s := begin(believable, 20, func(s *story) {
		s.azure([]string{"1"}, func(i *upgrade.Instance) { i.Image = s.image(s.cast.new) })
		s.azure([]string{"2"}, func(i *upgrade.Instance) { i.Power = upgrade.Deallocated })
		s.azure([]string{"3"}, func(i *upgrade.Instance) { i.Protected = true })
		s.wish.Which = upgrade.Selection{UpdateDomains: []int{0, 1, 2, 3}, Skip: []string{"6"}}
	})
	s.look()
	s.hear("U0BO", "bo", upgrade.Word{Verb: upgrade.WordSkip, IDs: []string{"5"}})
	s.firstGate(func(ids []string) {
		s.fails(ids[1])
		s.azure([]string{"4"}, func(i *upgrade.Instance) { i.Health = upgrade.Unhealthy })
		s.azure([]string{"8"}, func(i *upgrade.Instance) { i.Power = upgrade.Stopped })
		s.set.Instances = slices.DeleteFunc(s.set.Instances, func(i upgrade.Instance) bool { return i.ID == "15" })
		s.bears(20)
		s.look()
	})
	all := s.milestones()
	m, says, _ := Picture(s.record(), all[len(all)-1])
	if len(m.Dots) != 21 || m.Words[heatmap.Skipped] != "skipped, or not part of it" {
		t.Errorf("%d instances, words %v", len(m.Dots), m.Words)
	}
	for _, c := range []struct {
		id    string
		state heatmap.State
		power heatmap.Power
	}{
		{"0", heatmap.New, heatmap.Serving},
		{"10", heatmap.Failed, heatmap.Ill},
		{"15", heatmap.Vanished, heatmap.UnknownPower},
		{"5", heatmap.Skipped, heatmap.Serving},
		{"1", heatmap.New, heatmap.Serving},
		{"2", heatmap.Protected, heatmap.Deallocated},
		{"3", heatmap.Protected, heatmap.Serving},
		{"4", heatmap.Skipped, heatmap.Ill},
		{"6", heatmap.Skipped, heatmap.Serving},
		{"8", heatmap.Old, heatmap.Stopped},
		{"20", heatmap.Newborn, heatmap.Serving},
	} {
		if d := dotOf(t, m, c.id); d.State != c.state || d.Power != c.power {
			t.Errorf("instance %s is pictured as %v, power %v; want %v, %v", c.id, d.State, d.Power, c.state, c.power)
		}
	}
	if d := dotOf(t, m, "0"); d.UpdateDomain != 0 || d.FaultDomain != 0 || d.Zone != "2" {
		t.Errorf("instance 0 is at %+v", d)
	}
	if d := dotOf(t, m, "20"); d.UpdateDomain != 0 || d.Zone != "2" {
		t.Errorf("instance 20 was born at %+v", d)
	}
	if !strings.Contains(says, "UD 0 done") || !strings.Contains(says, "not well: 10") {
		t.Errorf("above it stands %q", says)
	}
	if _, says, _ := Picture(s.record(), all[1]); !strings.Contains(says, "1 failed") {
		t.Errorf("above the picture of the failure stands %q", says)
	}
}

func TestAPictureSpeaksOfWhatIsDone(t *testing.T) {
	for _, c := range []struct {
		what                string
		change              func(*upgrade.Plan)
		title, done, upward string
	}{
		{"an upgrade", func(*upgrade.Plan) {}, "web-prod → 22.04.202401170", "0/20 upgraded", ""},
		{"a resize", func(p *upgrade.Plan) { p.Target.Setting = upgrade.Setting{Size: larger} }, "web-prod → " + larger, "0/20 resized", "resizing"},
		{"a rollback", func(p *upgrade.Plan) { p.Action = upgrade.ActionRollback }, "web-prod back to 22.04.202401170", "0/20 back", "going back"},
	} {
		s := begin(believable, 20, nil)
		c.change(&s.plan)
		s.look()
		m, says, ok := Picture(s.record(), s.milestones()[0])
		if !ok || m.Title != c.title || !strings.Contains(m.Note, c.done) || !strings.Contains(says, c.done) || m.Words[heatmap.Upgrading] != c.upward {
			t.Errorf("%s: title %q, note %q, above it %q, words %v", c.what, m.Title, m.Note, says, m.Words)
		}
	}
}

func TestWhatStandsAboveAPictureIsHarmless(t *testing.T) {
	s := begin(hostile, 20, nil)
	s.finish()
	for _, seq := range s.milestones() {
		_, says, ok := Picture(s.record(), seq)
		var k check
		if k.fallback(says); !ok || len(k.wrong) > 0 {
			t.Errorf("%q: %v", says, k.wrong)
		}
	}
	var k check
	if k.fallback(SetCaption(s.set)); len(k.wrong) > 0 {
		t.Errorf("%q: %v", SetCaption(s.set), k.wrong)
	}
}

func TestThePictureOfASetTellsImagesAndPowerApart(t *testing.T) {
	s := begin(believable, 7, func(s *story) {
		s.set.Model.Image = s.image(s.cast.new)
		s.azure([]string{"1"}, s.reimagedTo(s.cast.new))
		s.azure([]string{"2"}, func(i *upgrade.Instance) { i.Power = upgrade.Deallocated })
		s.azure([]string{"3"}, func(i *upgrade.Instance) { i.Health = upgrade.Unhealthy })
		s.azure([]string{"4"}, func(i *upgrade.Instance) { i.Power = upgrade.Stopping })
		s.azure([]string{"5"}, func(i *upgrade.Instance) { i.Power = "" })
	})
	m := SetPicture(s.set)
	for id, want := range map[string]heatmap.Dot{
		"0": {State: heatmap.Old, Power: heatmap.Serving}, "1": {State: heatmap.New, Power: heatmap.Serving}, "2": {Power: heatmap.Deallocated},
		"3": {Power: heatmap.Ill}, "4": {Power: heatmap.Stopped}, "5": {Power: heatmap.UnknownPower},
	} {
		if d := dotOf(t, m, id); d.State != want.State || d.Power != want.Power {
			t.Errorf("instance %s is pictured as %v, power %v; want %v, %v", id, d.State, d.Power, want.State, want.Power)
		}
	}
	if want := "7 instances · 3 serving · model 22.04.202401170 · 2026-11-24 01:00 UTC"; m.Title != "web-prod" || m.Note != want {
		t.Errorf("title %q, note %q, want %q", m.Title, m.Note, want)
	}
	s.set.Model.Image = s.image(upgrade.Latest)
	if n := statesOf(SetPicture(s.set)); n[heatmap.Old] > 0 {
		t.Errorf("a model that follows latest leaves %d on another image", n[heatmap.Old])
	}
}

func (s *story) reimagedTo(version string) func(*upgrade.Instance) {
	return func(i *upgrade.Instance) { i.Image = s.image(version) }
}
