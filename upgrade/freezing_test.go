package upgrade

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAFreezeIsSaidAndLiftedByWhoMayStop(t *testing.T) {
	d, _, m := deskAt(night)
	ctx := context.Background()
	frost, err := d.Freeze(ctx, bo, FreezeAsk{Set: "web", For: 2 * time.Hour, Why: "sale"})
	c, f, channels := frost.Change, frost.Freeze, frost.Channels
	if err != nil || c.Rollout != "" || !f.Of(webID) || !f.End.Equal(night.Add(2*time.Hour)) || !slices.Equal(channels, []string{"C1"}) {
		t.Fatalf("frozen: %+v, %+v, %v, %v", c, f, channels, err)
	}
	if fact, ok := c.Events[0].Fact.(Froze); !ok || fact.By != "UBO" || fact.Name != "bo" || fact.Why != "sale" {
		t.Errorf("R40: the audit says %+v", c.Events[0])
	}
	if all, err := d.Freeze(ctx, bo, FreezeAsk{Set: EverySet, Why: "sale"}); err != nil || !all.Freeze.End.IsZero() || !slices.Equal(all.Freeze.Sets, []string{"web"}) {
		t.Errorf("all are those that bo may stop: %+v, %v", all, err)
	}
	for _, row := range []struct {
		name string
		who  Person
		ask  FreezeAsk
		code Code
	}{
		{"without a reason", bo, FreezeAsk{Set: "web"}, CodeArg},
		{"until a time that is over", bo, FreezeAsk{Set: "web", Until: "2026-11-24T01:00Z", Why: "x"}, CodeArg},
		{"for years", bo, FreezeAsk{Set: "web", For: 400 * 24 * time.Hour, Why: "x"}, CodeArg},
		{"R23 for who may not read it the set does not exist", stray, FreezeAsk{Set: "web", Why: "x"}, CodeUnknown},
		{"R23 nor are there any to freeze", stray, FreezeAsk{Set: EverySet, Why: "x"}, CodeRole},
	} {
		t.Run(row.name, func(t *testing.T) {
			f, err := d.Freeze(ctx, row.who, row.ask)
			if no := refusal(t, err); no.Code != row.code || len(f.Change.Events) > 0 {
				t.Errorf("%s: %s, %v", no.Code, no.What, f.Change.Events)
			}
		})
	}

	m.freezes = []Freeze{f}
	for _, row := range []struct {
		name, which string
		who         Person
		code        Code
	}{
		{"by its id", f.ID, bo, ""},
		{"by the set", "web", bo, ""},
		{"one that is not there", "f-0", bo, CodeUnknown},
		{"R23 by who may not read the set", f.ID, stray, CodeUnknown},
	} {
		t.Run("lift "+row.name, func(t *testing.T) {
			f2, err := d.Freeze(ctx, row.who, FreezeAsk{Set: row.which, Why: "over", Lift: true})
			c := f2.Change
			if row.code == "" {
				if err != nil || c.Events[0].Fact != (Unfroze{ID: f.ID, Name: "bo", Why: "over"}) {
					t.Errorf("%+v, %v", c, err)
				}
				return
			}
			if no := refusal(t, err); no.Code != row.code || len(c.Events) > 0 {
				t.Errorf("%s: %s, %v", no.Code, no.What, c.Events)
			}
		})
	}
	m.freezes = append(m.freezes, Freeze{ID: "f-2", Sets: []string{"we*"}, Start: night})
	if _, err := d.Freeze(ctx, bo, FreezeAsk{Set: "web", Lift: true}); !strings.Contains(refusal(t, err).What, "several freezes hold") {
		t.Errorf("of several none is guessed: %v", err)
	}
	if f, err := d.Freeze(ctx, bo, FreezeAsk{Set: EverySet, Lift: true}); err != nil || f.Change.Events[0].Fact.(Unfroze).ID != "f-2" {
		t.Errorf("all is the one that is for many: %+v, %v", f, err)
	}
}

// To freeze it by that name would freeze all that one may.
func TestASetThatIsCalledAllIsProposedToNobody(t *testing.T) {
	sets := []SetSummary{{ResourceGroup: "rg", Name: "All"}, {ResourceGroup: "rg", Name: "web"}}
	if no := unknownSet(sets, "al"); strings.Contains(no.What, "Did you mean") {
		t.Error(no.What)
	}
	if no := unknownSet(sets, "wbe"); !strings.Contains(no.What, "Did you mean `web`?") {
		t.Error(no.What)
	}
}

func TestAFreezeOfAllIsOfThoseSetsOnlyThatThePersonMayStop(t *testing.T) {
	d, _, _ := deskAt(night)
	entry := func(pattern, who string) Policy {
		return Policy{Pattern: pattern, Channel: "C" + pattern, Approvers: []string{who}}
	}
	for _, row := range []struct {
		name     string
		policies []Policy
		sets     []string // of the freeze
		channels string
		of, not  string // names of sets it is for, and is not
	}{
		{"an entry for all behind one of others", []Policy{entry("db-*", "UEVA"), entry("*", "UBO")}, []string{"!db-*", "*"}, "C*", "web db", "db-prod DB-x"},
		{"one of others behind it all", []Policy{entry("web", "UBO"), entry("*", "UEVA")}, []string{"web"}, "Cweb", "web", "web-1 db"},
		{"an entry of one's own before that of others", []Policy{entry("db-prod", "UBO"), entry("db-*", "UEVA"), entry("*", "UBO")}, []string{"db-prod", "!db-*", "*"}, "Cdb-prod C*", "db-prod web", "db-test"},
		{"a group of others", []Policy{entry("rg-mail/*", "UEVA"), entry("*", "UBO")}, []string{"!rg-mail/*", "*"}, "C*", "web", "rg-mail/web"},
	} {
		t.Run(row.name, func(t *testing.T) {
			d.Policies = func() []Policy { return row.policies }
			frost, err := d.Freeze(context.Background(), bo, FreezeAsk{Set: EverySet, Why: "sale"})
			if err != nil || !slices.Equal(frost.Freeze.Sets, row.sets) || strings.Join(frost.Channels, " ") != row.channels {
				t.Fatalf("frozen: %v, told %v, %v", frost.Freeze.Sets, frost.Channels, err)
			}
			for names, want := range map[string]bool{row.of: true, row.not: false} {
				for _, name := range strings.Fields(names) {
					group, set, both := strings.Cut(name, "/")
					if !both {
						group, set = "rg-shop", name
					}
					id := SetID("/subscriptions/s/resourcegroups/" + group + "/providers/microsoft.compute/virtualmachinescalesets/" + strings.ToLower(set))
					if may := PolicyFor(row.policies, id).Refuses(bo, MayStop, "") == ""; frost.Freeze.Of(id) != want || may != want {
						t.Errorf("R23: %s: frozen %v, may be stopped %v, want %v", name, frost.Freeze.Of(id), may, want)
					}
				}
			}
		})
	}
}

func TestMomentsArePeoplesOwnTimes(t *testing.T) {
	for _, row := range []struct{ said, zone, want string }{
		{"2026-11-24T22:00", "Europe/Prague", "2026-11-24T21:00"},
		{"2026-11-24T22:00Z", "Europe/Prague", "2026-11-24T22:00"},
		{"2026-11-24T22:00+05:30", "Europe/Prague", "2026-11-24T16:30"},
		{"2026-11-24T22:00", "", "2026-11-24T22:00"},
		{"2026-11-24T22:00", "No/Where", "2026-11-24T22:00"},
		{"04:00", "Europe/Prague", "2026-11-24T03:00"},
		{"03:00", "Europe/Prague", "2026-11-25T02:00"},
		{"2026-11-24T01:00", "", ""},
		{"tomorrow", "", ""},
	} {
		got, no := Moment(row.said, row.zone, night)
		if (no != nil) != (row.want == "") || no == nil && got.Format("2006-01-02T15:04") != row.want {
			t.Errorf("%s in %q: %s, %v; want %s", row.said, row.zone, got, no, row.want)
		}
	}
}

func TestAFreezeThatComesBetweenDecisionAndCallStopsTheCall(t *testing.T) {
	inLab(t, tale{requested, granted("ud-0")}, func(l *lab) {
		l.before = func(c Change) error {
			for _, e := range c.Events {
				if _, intended := e.Fact.(Intended); intended && len(l.freezes) == 0 {
					l.freezes = []Freeze{{ID: "f-1", Sets: []string{"web"}, Start: time.Now(), End: time.Now().Add(time.Hour), Why: "sale"}}
				}
			}
			return nil
		}
		l.pass() //nolint:errcheck // it drops what it intended
		l.wantSent()
		if kinds := l.kinds("r-1"); !slices.Contains(kinds, "Dropped") || slices.Contains(kinds, "Sending") {
			t.Errorf("R11: the journal: %v", kinds)
		}
		l.until("the end", hasEnded)
		l.wantSent(everything...)
	})
}
