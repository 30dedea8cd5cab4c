package commands

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

var _ Rollouts = upgrade.Desk{}

// desk is the domain as seen from here: it notes what it is asked and answers what it was given.
type desk struct {
	asked    []any
	change   upgrade.Change
	plan     upgrade.Plan
	answer   string
	frost    upgrade.Frost
	several  upgrade.Several
	opens    []upgrade.Change // of several
	said     []upgrade.Spoken
	schedule upgrade.Scheduling
	sights   map[upgrade.QueryKind]upgrade.Sight
	refused  error
}

func (d *desk) Plan(_ context.Context, by upgrade.Person, ask upgrade.Ask) (upgrade.Plan, error) {
	d.asked = append(d.asked, by.ID, ask)
	return d.plan, d.refused
}

func (d *desk) Open(_ context.Context, by upgrade.Person, ask upgrade.Ask) (upgrade.Change, upgrade.Plan, error) {
	d.asked = append(d.asked, by.ID, ask)
	return d.change, d.plan, d.refused
}

func (d *desk) Say(_ context.Context, by upgrade.Person, w upgrade.Word) (upgrade.Change, string, error) {
	d.asked = append(d.asked, by.ID, w)
	return d.change, d.answer, d.refused
}

// Several notes nothing where a single set is named: what follows does.
func (d *desk) Several(_ context.Context, by upgrade.Person, ask upgrade.Ask, open bool) (upgrade.Several, []upgrade.Change, error) {
	if d.several.Name != "" {
		d.asked = append(d.asked, by.ID, ask, open)
	}
	return d.several, d.opens, nil
}

func (d *desk) SayAll(_ context.Context, by upgrade.Person, w upgrade.Word) ([]upgrade.Spoken, error) {
	d.asked = append(d.asked, by.ID, w)
	return d.said, d.refused
}

func (d *desk) Freeze(_ context.Context, by upgrade.Person, ask upgrade.FreezeAsk) (upgrade.Frost, error) {
	d.asked = append(d.asked, by.ID, ask)
	return d.frost, d.refused
}

func (d *desk) Schedule(_ context.Context, by upgrade.Person, ask upgrade.ScheduleAsk) (upgrade.Scheduling, error) {
	d.asked = append(d.asked, by.ID, ask)
	return d.schedule, d.refused
}

func (d *desk) Look(_ context.Context, by upgrade.Person, q upgrade.Query) (upgrade.Sight, error) {
	d.asked = append(d.asked, by.ID, q)
	return d.sights[q.Kind], d.refused
}

var ana = upgrade.Person{ID: "U0ANA", Name: "ana"}

func record(id, set, requester string, said ...upgrade.Fact) upgrade.Record {
	return upgrade.Record{
		ID: id, Plan: upgrade.Plan{Set: upgrade.SetID(set), ResourceGroup: "rg-shop", Name: set},
		Rollout: upgrade.Rollout{ID: id, Requester: requester, Owner: requester}, Events: upgrade.At(time.Unix(1, 0), "", said...),
	}
}

func parsed(t *testing.T, text string) Request {
	t.Helper()
	req, no := Parse(text)
	if no != nil {
		t.Fatalf("Parse(%q) is refused: %s", text, no.What)
	}
	return req
}

func TestDo(t *testing.T) {
	word := func(w upgrade.Word) []any { return []any{"U0ANA", w} }
	look := func(kind upgrade.QueryKind, about string) []any {
		return []any{"U0ANA", upgrade.Query{Kind: kind, About: about}}
	}
	change := upgrade.Change{Rollout: "r-1", Events: upgrade.At(time.Unix(1, 0), "U0ANA", upgrade.Resumed{Name: "ana"})}
	web, cache := upgrade.SetSummary{ID: "web", Name: "web"}, upgrade.SetSummary{ID: "cache", Name: "cache"}
	model := &upgrade.ScaleSet{ID: "web", Name: "web"}
	for _, row := range []struct {
		name    string
		text    string
		desk    desk
		asked   []any
		want    Reply // but its Verb and Request, which are the request's
		changes int
	}{
		{"upgrade opens a rollout with everything that was said, in the channel where it was said",
			`upgrade web 4.0.1 ud=0,2 max-unavailable=3 max-failures=1 on-failure=quarantine soak=10m bake=1h note="CHG 1"`,
			desk{change: change, plan: upgrade.Plan{Digest: "7c1e"}},
			[]any{"U0ANA", upgrade.Ask{Set: "web", Target: "4.0.1", Which: upgrade.Selection{UpdateDomains: []int{0, 2}}, MaxUnavailable: &upgrade.Limit{N: 3},
				MaxFailures: count(1), OnFailure: upgrade.QuarantineOnFailure, Soak: span(10 * time.Minute), Bake: span(time.Hour), Note: "CHG 1", Channel: "C0OPS"}},
			Reply{Plan: &upgrade.Plan{Digest: "7c1e"}, Rollout: "r-1"}, 1},
		{"upgrade hands on which instances, in what order, and another SKU", "upgrade web latest sku=16.04-LTS fd=1 zone=3 vm=1,4-5 skip=4 by=zone batch=2 canary=1 on-failure=rollback",
			desk{change: change, plan: upgrade.Plan{Digest: "7c1e"}},
			[]any{"U0ANA", upgrade.Ask{Set: "web", Target: "latest", SKU: "16.04-LTS", Channel: "C0OPS", OnFailure: upgrade.RollbackOnFailure,
				Which: upgrade.Selection{FaultDomains: []int{1}, Zones: []string{"3"}, Instances: []string{"1", "4", "5"}, Skip: []string{"4"}},
				Order: upgrade.Order{By: upgrade.ByZone, Batch: upgrade.Limit{N: 2}, Canary: 1}}},
			Reply{Plan: &upgrade.Plan{Digest: "7c1e"}, Rollout: "r-1"}, 1},
		{"resize opens a rollout", "resize web to Standard_D4s_v5 ud=0", desk{change: change, plan: upgrade.Plan{Digest: "7c1e"}},
			[]any{"U0ANA", upgrade.Ask{Set: "web", Size: "Standard_D4s_v5", Which: upgrade.Selection{UpdateDomains: []int{0}}, Channel: "C0OPS"}},
			Reply{Plan: &upgrade.Plan{Digest: "7c1e"}, Rollout: "r-1"}, 1},
		{"a schedule is an upgrade for later, as it would be typed then", `schedule web latest ud=0 window=night cron="0 9 * * SAT" tz=UTC note="x"`,
			desk{change: change, schedule: upgrade.Scheduling{Change: change, Schedule: upgrade.Schedule{ID: "s-1"}, Next: []time.Time{time.Unix(9, 0)}}},
			[]any{"U0ANA", upgrade.ScheduleAsk{Ask: upgrade.Ask{Set: "web", Target: "latest", Which: upgrade.Selection{UpdateDomains: []int{0}}, Window: "night", Note: "x", Channel: "C0OPS"},
				Said: `upgrade web latest ud=0 window=night note="x"`, Cron: "0 9 * * SAT", Zone: "UTC"}},
			Reply{Schedule: &Scheduled{Schedule: upgrade.Schedule{ID: "s-1"}, Next: []time.Time{time.Unix(9, 0)}}}, 1},
		{"unschedule", `unschedule s-1 "over"`, desk{change: change, schedule: upgrade.Scheduling{Change: change, Schedule: upgrade.Schedule{ID: "s-1"}}},
			[]any{"U0ANA", upgrade.ScheduleAsk{Lift: "s-1", Why: "over"}}, Reply{Schedule: &Scheduled{Schedule: upgrade.Schedule{ID: "s-1"}, Lifted: true, By: "ana", Why: "over"}}, 1},
		{"plan changes nothing", "plan web latest", desk{change: change, plan: upgrade.Plan{Digest: "7c1e"}},
			[]any{"U0ANA", upgrade.Ask{Set: "web", Target: "latest", Channel: "C0OPS"}}, Reply{Plan: &upgrade.Plan{Digest: "7c1e"}}, 0},
		{"approve", "approve r-1 rest", desk{change: change, answer: "You approved."},
			word(upgrade.Word{Verb: upgrade.WordApprove, Rollout: "r-1", Rest: true, Channel: "C0OPS"}), Reply{Text: "You approved."}, 1},
		{"what was said before changes nothing", "approve r-1", desk{change: upgrade.Change{Rollout: "r-1"}, answer: "Already."},
			word(upgrade.Word{Verb: upgrade.WordApprove, Rollout: "r-1", Channel: "C0OPS"}), Reply{Text: "Already."}, 0},
		{"deny", "deny r-1 too risky", desk{change: change, answer: "ok"},
			word(upgrade.Word{Verb: upgrade.WordDeny, Rollout: "r-1", Reason: "too risky", Channel: "C0OPS"}), Reply{Text: "ok"}, 1},
		{"pause", "pause r-1 look", desk{change: change, answer: "ok"},
			word(upgrade.Word{Verb: upgrade.WordPause, Rollout: "r-1", Reason: "look", Channel: "C0OPS"}), Reply{Text: "ok"}, 1},
		{"resume", "resume r-1", desk{change: change, answer: "ok"}, word(upgrade.Word{Verb: upgrade.WordResume, Rollout: "r-1", Channel: "C0OPS"}), Reply{Text: "ok"}, 1},
		{"ask", "ask r-1", desk{change: change, answer: "ok"}, word(upgrade.Word{Verb: upgrade.WordAsk, Rollout: "r-1", Channel: "C0OPS"}), Reply{Text: "ok"}, 1},
		{"abort", "abort r-1 revert bad image", desk{change: change, answer: "ok"},
			word(upgrade.Word{Verb: upgrade.WordAbort, Rollout: "r-1", Reason: "bad image", Answer: upgrade.Revert, Channel: "C0OPS"}), Reply{Text: "ok"}, 1},
		{"the model question", "abort r-1 keep", desk{change: change, answer: "ok"},
			word(upgrade.Word{Verb: upgrade.WordModel, Rollout: "r-1", Answer: upgrade.Keep, Channel: "C0OPS"}), Reply{Text: "ok"}, 1},
		{"retry of all that failed", "retry r-1", desk{change: change, answer: "ok"}, word(upgrade.Word{Verb: upgrade.WordRetry, Rollout: "r-1", Channel: "C0OPS"}), Reply{Text: "ok"}, 1},
		{"retry of some", "retry r-1 vm=8,3", desk{change: change, answer: "ok"},
			word(upgrade.Word{Verb: upgrade.WordRetry, Rollout: "r-1", IDs: []string{"3", "8"}, Channel: "C0OPS"}), Reply{Text: "ok"}, 1},
		{"skip", "skip r-1 vm=3 rebuilt", desk{change: change, answer: "ok"},
			word(upgrade.Word{Verb: upgrade.WordSkip, Rollout: "r-1", IDs: []string{"3"}, Reason: "rebuilt", Channel: "C0OPS"}), Reply{Text: "ok"}, 1},
		{"quarantine", "quarantine r-1 vm=8 disk", desk{change: change, answer: "ok"},
			word(upgrade.Word{Verb: upgrade.WordQuarantine, Rollout: "r-1", IDs: []string{"8"}, Reason: "disk", Channel: "C0OPS"}), Reply{Text: "ok"}, 1},
		{"resolve a call", "resolve r-1 not-started looked", desk{change: change, answer: "ok"},
			word(upgrade.Word{Verb: upgrade.WordResolve, Rollout: "r-1", Verdict: upgrade.NotStarted, Reason: "looked", Channel: "C0OPS"}), Reply{Text: "ok"}, 1},
		{"resolve an instance", "resolve r-1 vm=8 ok looked", desk{change: change, answer: "ok"},
			word(upgrade.Word{Verb: upgrade.WordResolve, Rollout: "r-1", IDs: []string{"8"}, Verdict: upgrade.IsOK, Reason: "looked", Channel: "C0OPS"}), Reply{Text: "ok"}, 1},
		{"replan", "replan r-1", desk{change: change, answer: "ok"}, word(upgrade.Word{Verb: upgrade.WordReplan, Rollout: "r-1", Channel: "C0OPS"}), Reply{Text: "ok"}, 1},
		{"rollback", "rollback r-1 bad kernel", desk{change: change, answer: "ok"},
			word(upgrade.Word{Verb: upgrade.WordRollback, Rollout: "r-1", Reason: "bad kernel", Channel: "C0OPS"}), Reply{Text: "ok"}, 1},
		{"a rollback that opens another rollout", "rollback r-0", desk{change: change, answer: "ok"},
			word(upgrade.Word{Verb: upgrade.WordRollback, Rollout: "r-0", Channel: "C0OPS"}), Reply{Text: "ok"}, 1},
		{"handover", "handover r-1 <@U0EVA> on call", desk{change: change, answer: "ok"},
			word(upgrade.Word{Verb: upgrade.WordHandover, Rollout: "r-1", To: "U0EVA", Reason: "on call", Channel: "C0OPS"}), Reply{Text: "ok"}, 1},

		{"status of all", "status", desk{sights: map[upgrade.QueryKind]upgrade.Sight{upgrade.QueryRollouts: {Rollouts: []upgrade.Record{record("r-1", "web", "U0BO"), record("r-2", "db", "U0BO")}}}},
			look(upgrade.QueryRollouts, ""), Reply{Rollouts: []string{"r-1", "r-2"}}, 0},
		{"status when nothing is open", "status", desk{}, look(upgrade.QueryRollouts, ""), Reply{Empty: "No rollout is open."}, 0},
		{"why of one set that rests", "why web", desk{}, look(upgrade.QueryRollouts, "web"), Reply{Empty: "No rollout of web is open."}, 0},
		{"pending", "pending", desk{sights: map[upgrade.QueryKind]upgrade.Sight{upgrade.QueryPending: {Rollouts: []upgrade.Record{record("r-1", "web", "U0BO")}}}},
			look(upgrade.QueryPending, ""), Reply{Rollouts: []string{"r-1"}}, 0},
		{"pending when nothing is", "pending", desk{}, look(upgrade.QueryPending, ""), Reply{Empty: "Nothing waits for your yes."}, 0},
		{"a report is the set's last rollout's, as Markdown where nothing else is said", "report web", desk{sights: map[upgrade.QueryKind]upgrade.Sight{upgrade.QueryReport: {Rollouts: []upgrade.Record{record("r-1", "web", "U0BO")}}}},
			look(upgrade.QueryReport, "web"), Reply{Rollouts: []string{"r-1"}, Part: Markdown}, 0},
		{"an audit asks for the instances and the person", "audit web vm=6 U012AB3CD csv", desk{sights: map[upgrade.QueryKind]upgrade.Sight{upgrade.QueryAudit: {Rollouts: []upgrade.Record{record("r-1", "web", "U0BO")}}}},
			[]any{"U0ANA", upgrade.Query{Kind: upgrade.QueryAudit, About: "web", Person: "U012AB3CD", Instances: []string{"6"}}},
			Reply{Rollouts: []string{"r-1"}, Audit: &Audit{About: "web", Person: "U012AB3CD", Instances: []string{"6"}}, Part: CSV}, 0},
		{"an audit of nothing", "audit", desk{}, look(upgrade.QueryAudit, ""), Reply{Empty: "The audit has nothing of that which you may see."}, 0},
		{"home has what waits for me and then what is mine, once each", "",
			desk{sights: map[upgrade.QueryKind]upgrade.Sight{
				upgrade.QueryPending:  {Rollouts: []upgrade.Record{record("r-3", "db", "U0BO")}},
				upgrade.QueryRollouts: {Rollouts: []upgrade.Record{record("r-1", "web", "U0ANA"), record("r-2", "api", "U0BO"), record("r-3", "db", "U0ANA")}}}},
			append(look(upgrade.QueryPending, ""), look(upgrade.QueryRollouts, "")...), Reply{Rollouts: []string{"r-3", "r-1"}}, 0},
		{"home when there is nothing", "", desk{}, append(look(upgrade.QueryPending, ""), look(upgrade.QueryRollouts, "")...),
			Reply{Empty: "Nothing of yours is being rolled out, and nothing waits for your yes."}, 0},

		{"list names the rollout that holds a set and where it stands", "list e",
			desk{sights: map[upgrade.QueryKind]upgrade.Sight{upgrade.QuerySets: {Sets: []upgrade.SetSummary{web, cache},
				Rollouts: []upgrade.Record{record("r-1", "web", "U0BO", upgrade.Decided{Text: "old"}, upgrade.Decided{Text: "UD 1 waits for approval"})}}}},
			look(upgrade.QuerySets, "e"), Reply{Sets: []SetLine{{Set: web, Rollout: "r-1", State: "UD 1 waits for approval"}, {Set: cache}}}, 0},
		{"a rollout about which nothing was decided is just planned", "list",
			desk{sights: map[upgrade.QueryKind]upgrade.Sight{upgrade.QuerySets: {Sets: []upgrade.SetSummary{web}, Rollouts: []upgrade.Record{record("r-1", "web", "U0BO")}}}},
			look(upgrade.QuerySets, ""), Reply{Sets: []SetLine{{Set: web, Rollout: "r-1", State: "just planned"}}}, 0},
		{"list when none has the text", "list zzz", desk{}, look(upgrade.QuerySets, "zzz"), Reply{Empty: "You may see no scale set with zzz in its name."}, 0},
		{"list for somebody who may see nothing", "list", desk{}, look(upgrade.QuerySets, ""), Reply{Empty: "You may see no scale set: the configuration says who may."}, 0},
		{"show reads the set", "show web policy", desk{sights: map[upgrade.QueryKind]upgrade.Sight{upgrade.QuerySet: {Set: model, Policy: upgrade.Policy{Channel: "C1"}, Rollouts: []upgrade.Record{record("r-1", "web", "U0BO")}}}},
			look(upgrade.QuerySet, "web"), Reply{Set: &SetSight{Part: "policy", Set: *model, Policy: upgrade.Policy{Channel: "C1"}, Rollout: "r-1",
				Holds: upgrade.Sight{Policy: upgrade.Policy{Channel: "C1"}, Rollouts: []upgrade.Record{record("r-1", "web", "U0BO")}}.Holdings()}}, 0},
		{"show of a rollout reads its set", "show r-1 instances", desk{sights: map[upgrade.QueryKind]upgrade.Sight{
			upgrade.QueryRollouts: {Rollouts: []upgrade.Record{record("r-1", "web", "U0BO")}}, upgrade.QuerySet: {Set: model}}},
			append(look(upgrade.QueryRollouts, "r-1"), look(upgrade.QuerySet, "rg-shop/web")...), Reply{Set: &SetSight{Part: "instances", Set: *model}}, 0},
		{"images has the versions of the set's image", "images web", desk{sights: map[upgrade.QueryKind]upgrade.Sight{upgrade.QueryVersions: {Set: model, Versions: []upgrade.ImageVersion{{Note: "x"}}}}},
			look(upgrade.QueryVersions, "web"), Reply{Images: &Images{Set: web, Versions: []upgrade.ImageVersion{{Note: "x"}}, Running: map[string]int{}}}, 0},
		{"images of a rollout are its set's", "images r-1", desk{sights: map[upgrade.QueryKind]upgrade.Sight{
			upgrade.QueryRollouts: {Rollouts: []upgrade.Record{record("r-1", "web", "U0BO")}}, upgrade.QueryVersions: {Set: model}}},
			append(look(upgrade.QueryRollouts, "r-1"), look(upgrade.QueryVersions, "rg-shop/web")...), Reply{Images: &Images{Set: web, Running: map[string]int{}}}, 0},
		{"the evidence is a rollout's, not its set's", "show r-1 evidence", desk{sights: map[upgrade.QueryKind]upgrade.Sight{upgrade.QueryRollouts: {Rollouts: []upgrade.Record{record("r-1", "web", "U0BO")}}}},
			look(upgrade.QueryRollouts, "r-1"), Reply{Rollouts: []string{"r-1"}, Part: "evidence"}, 0},
		{"the evidence of a set is its open rollout's", "show web evidence", desk{sights: map[upgrade.QueryKind]upgrade.Sight{upgrade.QueryRollouts: {Rollouts: []upgrade.Record{record("r-1", "web", "U0BO")}}}},
			look(upgrade.QueryRollouts, "web"), Reply{Rollouts: []string{"r-1"}, Part: "evidence"}, 0},
		{"the evidence of a set that rests", "show web evidence", desk{}, look(upgrade.QueryRollouts, "web"), Reply{Empty: "No rollout of web is open.", Part: "evidence"}, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			req := parsed(t, row.text)
			reply, changes, err := Do(t.Context(), req, ana, "C0OPS", time.Time{}, &row.desk)
			if err != nil {
				t.Fatal(err)
			}
			row.want.Verb, row.want.Request = req.Verb, Format(req)
			if !reflect.DeepEqual(reply, row.want) {
				t.Errorf("reply\n got %+v\nwant %+v", reply, row.want)
			}
			if !reflect.DeepEqual(row.desk.asked, row.asked) {
				t.Errorf("the domain was asked\n     %+v\nwant %+v", row.desk.asked, row.asked)
			}
			if len(changes) != row.changes || len(changes) == 1 && !reflect.DeepEqual(changes[0], row.desk.change) {
				t.Errorf("changes %+v, want %d", changes, row.changes)
			}
		})
	}
}

func TestACardsButtonReachesTheDomainByItsNonce(t *testing.T) {
	req, no := ParseAction("approve", nonce)
	if no != nil {
		t.Fatal(no)
	}
	d := &desk{answer: "ok", change: upgrade.Change{Rollout: "r-1"}}
	reply, _, err := Do(t.Context(), req, ana, "C0OPS", time.Time{}, d)
	if err != nil || reply.Request != "approve r-1" {
		t.Errorf("Do = %+v, %v, want the text that says the same", reply, err)
	}
	if want := []any{"U0ANA", upgrade.Word{Verb: upgrade.WordApprove, Nonce: nonce, Channel: "C0OPS"}}; !reflect.DeepEqual(d.asked, want) {
		t.Errorf("the domain was asked %+v, want %+v", d.asked, want)
	}
}

func TestARefusedButtonIsNotWrittenAsACommandThatNamesNoRollout(t *testing.T) {
	no := upgrade.Refuse(upgrade.CodeStale, "/vmss pending", "this button belongs to no card of mine")
	reply, _, err := Do(t.Context(), Request{Verb: VerbApprove, Nonce: nonce}, ana, "C0OPS", time.Time{}, &desk{refused: no})
	if reply.Request != "" || reply.Refusal == nil || err != nil {
		t.Errorf("Do = %+v, %v, want a refusal without a command", reply, err)
	}
}

func TestARefusalIsAReplyThatChangesNothing(t *testing.T) {
	cause := errors.New("dial tcp: secret detail")
	for _, text := range []string{"", "upgrade s latest", "plan s latest", "resize s to Standard_D4s_v5", "images s", "images r-1", "list", "show s", "show r-1", "status", "why", "pending", "approve r-1", "deny r-1 x", "pause r-1", "resume r-1", "abort r-1 x", "abort r-1 keep", "ask r-1",
		"retry r-1", "skip r-1 vm=3", "quarantine r-1 vm=3 x", "resolve r-1 started x", "replan r-1", "rollback r-1", "handover r-1 U0EVA", "show r-1 evidence"} {
		req := parsed(t, text)
		for _, row := range []struct {
			refused error
			want    Refusal
			cause   error
		}{
			{&upgrade.Refusal{Code: upgrade.CodeRole, What: "that takes an approver", Next: "/vmss why r-1", Rollout: "r-1"},
				Refusal{upgrade.CodeRole, "that takes an approver", "/vmss why r-1", "r-1", ""}, nil},
			{&upgrade.Refusal{Code: upgrade.CodeAzure, What: "Azure did not answer", Next: "/vmss list", Cause: cause},
				Refusal{upgrade.CodeAzure, "Azure did not answer", "/vmss list", "", ""}, cause},
			{cause, Refusal{upgrade.CodeInside, "something inside me went wrong; nothing was changed", "/vmss status", "", ""}, cause},
		} {
			reply, changes, err := Do(t.Context(), req, ana, "C0OPS", time.Time{}, &desk{refused: row.refused})
			want := Reply{Verb: req.Verb, Request: Format(req), Refusal: &row.want}
			if !reflect.DeepEqual(reply, want) || len(changes) > 0 || !errors.Is(err, row.cause) {
				t.Errorf("Do(%q) = %+v, %v, %v, want %+v and %v", text, reply, changes, err, want, row.cause)
			}
			if body, err := json.Marshal(reply); err != nil || strings.Contains(string(body), "secret detail") {
				t.Errorf("Do(%q) tells the person %s, %v", text, body, err)
			}
			mustParse(t, reply.Refusal.Next)
		}
	}
}

// A word that waited is heard as of when it was said.
func TestAWordCarriesWhenItWasSaid(t *testing.T) {
	d, said := &desk{}, time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	if _, _, err := Do(t.Context(), parsed(t, "approve r-1"), ana, "C0OPS", said, d); err != nil {
		t.Fatal(err)
	}
	if want := []any{ana.ID, upgrade.Word{Verb: upgrade.WordApprove, Rollout: "r-1", Channel: "C0OPS", At: said}}; !reflect.DeepEqual(d.asked, want) {
		t.Errorf("the desk heard %v, want %v", d.asked, want)
	}
}

func TestWhenTheTimeIsOverThereIsNoReply(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	no := &upgrade.Refusal{Code: upgrade.CodeAzure, What: "Azure did not answer", Cause: ctx.Err()}
	reply, changes, err := Do(ctx, Request{Verb: VerbList}, ana, "C0OPS", time.Time{}, &desk{refused: no})
	if !errors.Is(err, context.Canceled) || len(changes) > 0 || !reflect.DeepEqual(reply, Reply{}) {
		t.Errorf("Do = %+v, %v, %v, want only that the context is canceled", reply, changes, err)
	}
}

func TestAVerbOfNobodysIsRefused(t *testing.T) {
	reply, changes, err := Do(t.Context(), Request{Verb: "launch"}, ana, "C0OPS", time.Time{}, &desk{})
	if reply.Refusal == nil || reply.Refusal.Code != upgrade.CodeArg || len(changes) > 0 || err != nil {
		t.Errorf("Do = %+v, %v, %v, want a refusal", reply, changes, err)
	}
}

func TestANameThatIsNearlyRightIsCorrectedInTheWholeCommand(t *testing.T) {
	for _, row := range []struct {
		name, text, what, next string
	}{
		{"a set", `upgrade myvms 4.0.1 ud=0 note="CHG 1"`, "I know no scale set `myvms` that you may see. Did you mean `myvmss`?", `/vmss upgrade myvmss 4.0.1 ud=0 note="CHG 1"`},
		{"a set to show", "show myvms policy", "I know no scale set `myvms` that you may see. Did you mean `myvmss`?", "/vmss show myvmss policy"},
		{"a version", "plan web 4.0.9 ud=1", "a:b:c has no version 4.0.9 in westeurope: it has 4.0.8. Did you mean `4.0.8`?", "/vmss plan web 4.0.8 ud=1"},
		{"a version of a gallery's image", "plan web " + gallery + "/versions/1.2.9 ud=1", gallery + " has no version 1.2.9 in westeurope: it has 1.2.8. Did you mean `1.2.8`?", "/vmss plan web " + gallery + "/versions/1.2.8 ud=1"},
		{"a VM size", "resize web Standard_D4s_v9 ud=1", "Azure offers no VM size Standard_D4s_v9 to web. Did you mean `Standard_D4s_v5`?", "/vmss resize web to Standard_D4s_v5 ud=1"},
		{"an instance of a Flexible set", "plan web latest vm=web_0,web_12", "web has no instance web_12. Did you mean `vm=web_1`?", "/vmss plan web latest vm=web_0,web_1"},
		{"an instance that was left out", "plan web latest skip=web_12", "web has no instance web_12. Did you mean `vm=web_1`?", "/vmss plan web latest skip=vm:web_1"},
		{"not an instance that was named anyway", "plan web latest vm=web_1,web_12", "web has no instance web_12. Did you mean `vm=web_1`?", "/vmss list"},
		{"a rollout", "deny r-4f2k9b too risky", "I know no rollout `r-4f2k9b` that you may see. Did you mean `r-4f2k9a`?", `/vmss deny r-4f2k9a "too risky"`},
		{"a rollout to look at", "why r-4f2k9b", "I know no rollout `r-4f2k9b` that you may see. Did you mean `r-4f2k9a`?", "/vmss why r-4f2k9a"},

		{"not a set in another resource group", "upgrade rg-a/myvms 4.0.1", "I know no scale set `rg-a/myvms` that you may see. Did you mean `myvmss`?", "/vmss list"},
		{"not where another name is told", "show web", "I know no scale set `db` that you may see. Did you mean `dbs`?", "/vmss list"},
		{"not where nothing is near", "show web", "I know no scale set `web` that you may see", "/vmss list"},
		{"not by what cannot be a name", "show web", "I know no scale set `web` that you may see. Did you mean `a b`?", "/vmss list"},
	} {
		no := upgrade.Refuse(upgrade.CodeUnknown, "/vmss list", "%s", row.what)
		reply, _, err := Do(t.Context(), parsed(t, row.text), ana, "C0OPS", time.Time{}, &desk{refused: no})
		if err != nil || reply.Refusal.Next != row.next || reply.Request != Format(parsed(t, row.text)) {
			t.Errorf("%s: %q, %v, as %q, want next %q", row.name, reply.Refusal.Next, err, reply.Request, row.next)
		}
		mustParse(t, reply.Refusal.Next)
	}
}

// A set may have hundreds of versions, and a message holds few: those that matter stay.
func TestImagesKeepsTheVersionsThatMatter(t *testing.T) {
	image := func(v string) upgrade.Image {
		return upgrade.Image{Publisher: "Canonical", Offer: "UbuntuServer", SKU: "16.04-LTS", Version: v}
	}
	set := upgrade.ScaleSet{ID: "web", Name: "web", ResourceGroup: "rg", Location: "westeurope", Capacity: 4, Model: upgrade.Model{Image: image("1.0.50")}}
	for _, v := range []string{"1.0.50", "1.0.50", "1.0.3", "9.9.9"} {
		set.Instances = append(set.Instances, upgrade.Instance{Image: image(v)})
	}
	set.Instances[3].Image.SKU = "18.04-LTS"
	var versions []upgrade.ImageVersion
	for n := 100; n > 0; n-- {
		versions = append(versions, upgrade.ImageVersion{Image: image(fmt.Sprintf("1.0.%d", n))})
	}
	d := &desk{sights: map[upgrade.QueryKind]upgrade.Sight{upgrade.QueryVersions: {Set: &set, Versions: versions}}}
	reply, changes, err := Do(t.Context(), parsed(t, "images web"), ana, "C0OPS", time.Time{}, d)
	if err != nil || len(changes) > 0 {
		t.Fatal(changes, err)
	}
	got := reply.Images
	wantVersions := append(slices.Clone(versions[:maxVersions]), versions[50], versions[97])
	want := &Images{Set: upgrade.SetSummary{ID: "web", Name: "web", ResourceGroup: "rg", Location: "westeurope", Image: image("1.0.50"), Capacity: 4},
		Current: image("1.0.50"), Versions: wantVersions, Older: 100 - len(wantVersions), Running: map[string]int{"1.0.50": 2, "1.0.3": 1}, Others: 1}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("images =\n     %+v\nwant %+v", got, want)
	}
	var back Reply
	if body, err := json.Marshal(reply); err != nil || json.Unmarshal(body, &back) != nil || !reflect.DeepEqual(back, reply) {
		t.Errorf("the journal gives back %+v, %v", back, err)
	}
}

func TestARequestThatWasNotUnderstoodIsNeverDone(t *testing.T) {
	for _, text := range []string{"upgrade web latest ud=x", "plan web latest vm=all", "resize web Standard_D4s_v5 skip=", "upgrade web latest 3", "retry r-1 vm=x.y"} {
		req, no := Parse(text)
		d := &desk{change: upgrade.Change{Rollout: "r-1", Events: upgrade.At(time.Unix(1, 0), "", upgrade.Resumed{})}}
		reply, changes, err := Do(t.Context(), req, ana, "C0OPS", time.Time{}, d)
		if no == nil || reply.Refusal == nil || reply.Refusal.Code != upgrade.CodeArg || len(changes) > 0 || len(d.asked) > 0 || err != nil {
			t.Errorf("%q (%v): Do = %+v, %v, %v; the domain was asked %v", text, no, reply, changes, err, d.asked)
		}
	}
}

func TestARequestThatWasNotUnderstoodGetsAReplyOfTheSameKind(t *testing.T) {
	req, no := Parse("upgrade myvmss lates ud=0")
	got := Refused(req, no)
	want := Reply{Verb: VerbUpgrade, Refusal: &Refusal{upgrade.CodeArg,
		"I do not know the target `lates`. Did you mean `latest`?", "/vmss upgrade myvmss latest ud=0", "", "upgrade myvmss ud=0"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Refused =\n     %+v\nwant %+v", got, want)
	}
}

func TestEveryVerbIsUnderstoodAndDone(t *testing.T) {
	for verb := range grammar {
		if _, known := deeds[verb]; !known {
			t.Errorf("%s is understood and never done", verb)
		}
	}
	for verb := range deeds {
		if _, known := grammar[verb]; !known && verb != VerbHome && verb != VerbModel {
			t.Errorf("%s is done and never understood", verb)
		}
	}
}
