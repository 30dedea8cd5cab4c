package upgrade

import (
	"context"
	"strings"
	"testing"
	"time"
)

// sundays is a schedule of web, made a day before the tests' night, whose occurrences are at 02:00 in Prague.
func sundays(changes ...func(*Schedule)) Schedule {
	s := Schedule{ID: "s-1", Set: webID, Name: "web", Ask: Ask{Set: "shop/web", Target: "latest", Channel: "C1", Note: "CHG-1"}, Said: "upgrade web latest",
		Cron: "0 2 * * *", Zone: "Europe/Prague", By: "UANA", ByName: "ana", Made: utc("11-23", "12:00"), Served: utc("11-23", "12:00")}
	for _, c := range changes {
		c(&s)
	}
	return s
}

func TestAScheduleIsDueWhenItsTimeHasComeAndOnce(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, row := range []struct {
		name              string
		cron, zone        string
		served, now, want string // want "" = nothing is due
	}{
		{"before its time", "0 2 * * *", "Europe/Prague", "2026-11-23T12:00:00Z", "2026-11-24T00:59:59Z", ""},
		{"at its time", "0 2 * * *", "Europe/Prague", "2026-11-23T12:00:00Z", "2026-11-24T01:00:00Z", "2026-11-24T01:00:00Z"},
		{"a little late", "0 2 * * *", "Europe/Prague", "2026-11-23T12:00:00Z", "2026-11-24T01:07:00Z", "2026-11-24T01:00:00Z"},
		{"it was dealt with", "0 2 * * *", "Europe/Prague", "2026-11-24T01:00:00Z", "2026-11-24T01:07:00Z", ""},
		{"of several that came the last one", "0 2 * * *", "Europe/Prague", "2026-11-20T12:00:00Z", "2026-11-24T01:07:00Z", "2026-11-24T01:00:00Z"},
		{"after a clock that was ahead", "0 2 * * *", "Europe/Prague", "2026-12-24T01:00:00Z", "2026-11-24T01:07:00Z", ""},
		{"R10 a time that the spring gap leaves out is the first minute after it", "30 2 * * *", "Europe/Prague", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"},
		{"R10 a time that comes twice counts the first time", "30 2 * * *", "Europe/Prague", "2026-10-24T12:00:00Z", "2026-10-25T00:31:00Z", "2026-10-25T00:30:00Z"},
		{"R10 and not the second time", "30 2 * * *", "Europe/Prague", "2026-10-25T00:30:00Z", "2026-10-25T01:31:00Z", ""},
		{"a day that never comes", "0 2 30 2 *", "UTC", "2026-10-25T00:30:00Z", "2030-10-25T01:31:00Z", ""},
		{"a zone that this machine does not know", "0 2 * * *", "Mars/Olympus", "2026-10-25T00:30:00Z", "2030-10-25T01:31:00Z", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := Schedule{Cron: row.cron, Zone: row.zone, Served: at(row.served)}.Due(at(row.now))
			if row.want == "" && !got.IsZero() || row.want != "" && !got.Equal(at(row.want)) {
				t.Errorf("due is %s, want %q", got.UTC().Format(time.RFC3339), row.want)
			}
		})
	}
}

func TestWhatIsScheduledCouldBePlannedNow(t *testing.T) {
	wish := func(changes ...func(*ScheduleAsk)) ScheduleAsk {
		a := ScheduleAsk{Ask: ask("latest"), Said: "upgrade web latest", Cron: "0 9 * * SAT", Zone: "Europe/Prague"}
		for _, c := range changes {
			c(&a)
		}
		return a
	}
	current := func(c *cloud, _ *memory) {
		c.set.Model.Image = v2
		for i := range c.set.Instances {
			c.set.Instances[i].Image = runs(v2)
		}
	}
	for _, row := range []struct {
		name  string
		who   Person
		ask   ScheduleAsk
		world func(*cloud, *memory)
		code  Code // "" = it is made
		says  string
	}{
		{"", ana, wish(), nil, "", ""},
		{"R33 there is nothing to do today", ana, wish(), current, "", ""},
		{"while the set is frozen", ana, wish(), func(_ *cloud, m *memory) { m.freezes = []Freeze{{ID: "f-1", Start: night}} }, "", ""},
		{"while another rollout holds the set", ana, wish(), func(_ *cloud, m *memory) { m.open("r-1", webPlan(), tale{requested}) }, "", ""},
		{"by its requester's clock", ana, wish(func(a *ScheduleAsk) { a.Zone = "" }), nil, "", ""},
		{"R23 by an approver", bo, wish(), nil, CodeRole, "a requester"},
		{"R23 by who may not read the set", stray, wish(), nil, CodeUnknown, "no scale set"},
		{"in another channel", ana, wish(func(a *ScheduleAsk) { a.Ask.Channel = "C2" }), nil, CodeRole, "<#C1> only"},
		{"of an image that is not allowed", ana, wish(func(a *ScheduleAsk) { a.Ask.Target, a.Ask.SKU = "2.0", "other" }), nil, CodePolicy, "allowed"},
		{"of a window that there is not", ana, wish(func(a *ScheduleAsk) { a.Ask.Window = "night" }), nil, CodeArg, "no windows"},
		{"of a window that there is not, while there is nothing to do", ana, wish(func(a *ScheduleAsk) { a.Ask.Window = "night" }), current, CodeArg, "no windows"},
		{"of a looser limit than the policy's", ana, wish(func(a *ScheduleAsk) { a.Ask.MaxUnavailable = limitp(Limit{N: 5}) }), nil, CodePolicy, "max-unavailable=2"},
		{"of one moment", ana, wish(func(a *ScheduleAsk) { a.Ask.At = "22:00" }), nil, CodeArg, "`at=`"},
		{"R35 of a set that upgrades itself", ana, wish(), func(c *cloud, _ *memory) { c.set.UpgradeMode = Automatic }, CodePolicy, "Automatic"},
		{"every ten minutes", ana, wish(func(a *ScheduleAsk) { a.Cron = "*/10 * * * *" }), nil, CodeArg, "every 10 m"},
		{"twice within an hour, once a week", ana, wish(func(a *ScheduleAsk) { a.Cron = "0,59 9 * * SUN" }), nil, CodeArg, "every 59 m"},
		{"never", ana, wish(func(a *ScheduleAsk) { a.Cron = "0 9 30 2 *" }), nil, CodeArg, "never comes"},
		{"every now and then", ana, wish(func(a *ScheduleAsk) { a.Cron = "@every 2h" }), nil, CodeArg, "five fields"},
		{"with a zone in its times", ana, wish(func(a *ScheduleAsk) { a.Cron = "CRON_TZ=UTC 0 9 * * *" }), nil, CodeArg, "five fields"},
		{"by the clock of nowhere", ana, wish(func(a *ScheduleAsk) { a.Zone = "Mars/Olympus" }), nil, CodeArg, "no time zone"},
		{"by whatever clock this machine has", ana, wish(func(a *ScheduleAsk) { a.Zone = "Local" }), nil, CodeArg, "no time zone"},
		{"an eleventh time", ana, wish(), func(_ *cloud, m *memory) {
			m.schedules = make([]Schedule, 10)
			for i := range m.schedules {
				m.schedules[i].Set = webID
			}
		}, CodePolicy, "10 schedules already"},
	} {
		t.Run(row.name, func(t *testing.T) {
			d, c, m := deskAt(night)
			if row.world != nil {
				row.world(c, m)
			}
			s, err := d.Schedule(context.Background(), row.who, row.ask)
			if row.code != "" {
				if no := refusal(t, err); no.Code != row.code || !strings.Contains(no.What, row.says) || len(s.Change.Events) > 0 {
					t.Errorf("%s: %s", no.Code, no.What)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if f, ok := s.Change.Events[0].Fact.(Scheduled); !ok || len(s.Change.Events) != 1 || s.Change.Rollout != "" || f.By != "UANA" || f.ByName != "ana" || f.Set != webID || f.Ask.Set != "shop/web" || f.Ask.Channel != "C1" {
				t.Errorf("R40: the audit says %+v", s.Change.Events)
			}
			if len(s.Next) != 2 || s.Next[0].Weekday() != time.Saturday || s.Next[1].Sub(s.Next[0]) != 7*24*time.Hour {
				t.Errorf("it comes at %v", s.Next)
			}
		})
	}
}

func TestAScheduleIsTakenAwayByWhoMayStop(t *testing.T) {
	d, _, m := deskAt(night)
	m.schedules = []Schedule{sundays(), sundays(func(s *Schedule) { s.ID, s.Set, s.Name, s.Ask.Set = "s-2", "/subscriptions/1/x/api", "api", "shop/api" })}
	for _, row := range []struct {
		name, which string
		who         Person
		code        Code
	}{
		{"by its id", "s-1", bo, ""}, {"by its set", "web", ana, ""}, {"by its set's whole name", "Shop/Web", bo, ""},
		{"one that is not there", "s-3", bo, CodeUnknown}, {"R23 by who may not read the set", "s-1", stray, CodeUnknown},
		{"R23 by a reader", "s-1", Person{ID: "UREAD"}, CodeRole}, {"R23 of a set that nobody may read", "s-2", bo, CodeUnknown},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, err := d.Schedule(context.Background(), row.who, ScheduleAsk{Lift: row.which, Why: "over"})
			if row.code != "" {
				if no := refusal(t, err); no.Code != row.code || len(s.Change.Events) > 0 {
					t.Errorf("%s: %s", no.Code, no.What)
				}
				return
			}
			if err != nil || s.Change.Events[0].Fact != (Unscheduled{ID: "s-1", Set: webID, Name: row.who.Name, Why: "over"}) {
				t.Errorf("%+v, %v", s.Change, err)
			}
		})
	}
	m.schedules = append(m.schedules, sundays(func(s *Schedule) { s.ID = "s-3" }))
	if _, err := d.Schedule(context.Background(), bo, ScheduleAsk{Lift: "web"}); !strings.Contains(refusal(t, err).What, "several schedules: `s-1`, `s-3`") {
		t.Errorf("of several none is guessed: %v", err)
	}
	sight, err := d.Look(context.Background(), bo, Query{Kind: QueryFreezes})
	if err != nil || len(sight.Schedules) != 2 {
		t.Errorf("R23: bo sees %+v, %v", sight.Schedules, err)
	}
}
