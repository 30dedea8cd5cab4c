package commands

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/vmssbot/vmssbot/upgrade"
)

func TestFormat(t *testing.T) {
	for _, row := range []struct {
		name string
		req  Request
		want string
	}{
		{"home is nothing", Request{}, ""},
		{"options follow the target in a fixed order",
			Request{Verb: VerbUpgrade, Set: "rg/s", Target: "latest", Which: upgrade.Selection{UpdateDomains: []int{0, 1, 2, 5, 7, 8}}, Options: Options{
				MaxUnavailable: &upgrade.Limit{Percent: 20}, MaxFailures: count(1), OnFailure: upgrade.HoldOnFailure, Soak: span(10 * time.Minute), Bake: span(time.Hour), Note: "CHG 1"}},
			`upgrade rg/s latest ud=0-2,5,7,8 max-unavailable=20% max-failures=1 on-failure=hold soak=10m bake=1h note="CHG 1"`},
		{"what chooses instances and their order follows, the SKU first",
			Request{Verb: VerbPlan, Set: "s", Target: "latest", SKU: "16.04-LTS", Order: upgrade.Order{By: upgrade.ByBatch, Batch: upgrade.Limit{Percent: 20}, Canary: 2}, Which: upgrade.Selection{
				UpdateDomains: []int{0}, FaultDomains: []int{1, 2}, Zones: []string{"1", "2", "3"}, Instances: []string{"1", "4", "5", "6", "web_0"}, Skip: []string{"3", "9"}}, Options: Options{OnFailure: upgrade.RollbackOnFailure}},
			"plan s latest sku=16.04-LTS ud=0 fd=1,2 zone=1-3 vm=1,4-6,web_0 skip=vm:3,9 by=batch batch=20% canary=2 on-failure=rollback"},
		{"a plan of a size", Request{Verb: VerbPlan, Set: "s", Size: "Standard_D4s_v5"}, "plan s to Standard_D4s_v5"},
		{"a size", Request{Verb: VerbResize, Set: "s", Size: "Standard_D4s_v5", Which: upgrade.Selection{Zones: []string{"3"}}}, "resize s to Standard_D4s_v5 zone=3"},
		{"what was not understood is a key without a value", Request{Verb: VerbUpgrade, Set: "s", Which: upgrade.Selection{Zones: []string{"3"}}, Unclear: []string{"ud", "vm", "which"}}, "upgrade s ud= zone=3 vm= which="},
		{"zero is said where it was said", Request{Verb: VerbPlan, Set: "s", Target: "model", Options: Options{MaxFailures: count(0), Soak: span(0)}}, "plan s model max-failures=0 soak=0s"},
		{"when it is asked for follows when it may start", Request{Verb: VerbSchedule, Set: "s", Target: "latest", Options: Options{Window: "night", Cron: "0 2 * * SUN", TZ: "Europe/Prague", Note: "x"}}, `schedule s latest window=night cron="0 2 * * SUN" tz=Europe/Prague note="x"`},
		{"a reason has quotes", Request{Verb: VerbDeny, Rollout: "r-1", Reason: "no"}, `deny r-1 "no"`},
		{"a quote in a reason is escaped", Request{Verb: VerbDeny, Rollout: "r-1", Reason: `say "no" \o/`}, `deny r-1 "say \"no\" \\o/"`},
		{"an ampersand stays readable", Request{Verb: VerbDeny, Rollout: "r-1", Reason: "a & b < c"}, `deny r-1 "a & b < c"`},
		{"what looks like markup is escaped", Request{Verb: VerbDeny, Rollout: "r-1", Reason: "<@U1|bo> & &lt;"}, `deny r-1 "&lt;@U1|bo&gt; &amp; &amp;lt;"`},
		{"the answer stands before the reason", Request{Verb: VerbAbort, Rollout: "r-1", Answer: upgrade.Keep, Reason: "x"}, `abort r-1 keep "x"`},
		{"the answer to the model question is an abort without a reason", Request{Verb: VerbModel, Rollout: "r-1", Answer: upgrade.Revert}, "abort r-1 revert"},
		{"instances in runs, numbers before names", Request{Verb: VerbSkip, Rollout: "r-1", Instances: []string{"0", "3", "4", "5", "12", "a-1", "web_1a2b3c"}, Reason: "x"},
			`skip r-1 vm=0,3-5,12,a-1,web_1a2b3c "x"`},
		{"what was found stands before the reason", Request{Verb: VerbResolve, Rollout: "r-1", Instances: []string{"8"}, Verdict: upgrade.IsFailed, Reason: "no boot"}, `resolve r-1 vm=8 failed "no boot"`},
		{"who takes over is an id", Request{Verb: VerbHandover, Rollout: "r-1", To: "U012AB3CD", Reason: "UD 2 is next"}, `handover r-1 U012AB3CD "UD 2 is next"`},
		{"a card's button names no rollout", Request{Verb: VerbApprove, Nonce: "0123456789abcdef", Rest: true}, "approve rest"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := Format(row.req); got != row.want {
				t.Errorf("Format(%+v)\n got %s\nwant %s", row.req, got, row.want)
			}
		})
	}
}

func TestACardsButtonCannotBeTyped(t *testing.T) {
	for _, b := range buttons {
		if b.place != onCard {
			continue
		}
		req, _ := filled(b.says, b.place, "0123456789abcdef")
		if got, no := Parse(Format(req)); no == nil {
			t.Errorf("%s is written as %q, which is read as %+v", b.id, Format(req), got)
		}
	}
}

func TestParseReadsWhatFormatWrites(t *testing.T) {
	const seed, rounds = 20261123, 200_000
	for i := range uint64(rounds) {
		want := randomRequest(rand.New(rand.NewPCG(seed, i)))
		text := Format(want)
		got, no := Parse(text)
		if no != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("request %d of seed %d\n     %+v\n is written %s\n    read as %+v\n    refused %v", i, seed, want, text, got, no)
		}
	}
}

// randomRequest makes any request that can be typed.
func randomRequest(r *rand.Rand) Request {
	verbs := []Verb{VerbHome, VerbHelp, VerbUpgrade, VerbPlan, VerbResize, VerbList, VerbShow, VerbImages, VerbStatus, VerbWhy, VerbPending,
		VerbApprove, VerbDeny, VerbPause, VerbResume, VerbAbort, VerbAsk, VerbModel,
		VerbRetry, VerbSkip, VerbQuarantine, VerbResolve, VerbReplan, VerbRollback, VerbHandover,
		VerbFreeze, VerbUnfreeze, VerbSchedule, VerbUnschedule, VerbWindows, VerbHistory, VerbReport, VerbAudit, VerbShift}
	req := Request{Verb: verbs[r.IntN(len(verbs))]}
	switch req.Verb {
	case VerbHelp:
		req.About = pick(r, "", "upgrade", "abort", "help")
	case VerbUpgrade, VerbPlan, VerbResize, VerbSchedule:
		req.Set, req.Which, req.Order, req.Options = randomSet(r), randomSelection(r), randomOrder(r), randomOptions(r)
		if r.IntN(4) == 0 {
			req.Set = pick(r, "web-*", "*", "w?b", "rg-*/web", "group:web", "group:a.b_c")
		}
		if req.Which.Skip == nil && r.IntN(4) == 0 {
			req.Without = pick(r, []string{"web-b"}, []string{"rg-shop/web-b", "web-c"})
		}
		if req.Verb == VerbResize || req.Verb == VerbPlan && r.IntN(4) == 0 {
			req.Size = pick(r, "Standard_", "Basic_") + letters(r, "ABDEabds-_", 40) + "4s_v5"
			break
		}
		req.Target = randomTarget(r)
		if isVersion(req.Target) || req.Target == "latest" {
			req.SKU = pick(r, "", "16.04-LTS", "22_04-lts-gen2", "2022-Datacenter")
		}
		if req.Verb == VerbSchedule {
			req.Options.At, req.Options.Cron = "", pick(r, "0 2 * * SUN", "*/5 0-4,22 1 JAN ?", "0 0 29 2 *")
			req.Options.TZ = pick(r, "", "UTC", "Europe/Prague", "America/Argentina/Buenos_Aires", "Etc/GMT+3")
		}
		if len(Format(req)) > maxText {
			req.Which, req.Options.Note = upgrade.Selection{}, ""
		}
	case VerbList:
		req.About = pick(r, "", "web", "-", "..", "a.b_c")
	case VerbShow:
		req.About, req.Part = randomSet(r), pick(r, "", "map", "instances", "image", "policy", "evidence")
	case VerbImages:
		req.About = pick(r, randomSet(r), randomID(r))
	case VerbFreeze, VerbUnfreeze, VerbUnschedule:
		req.Set, req.Reason = pick(r, "all", randomSet(r)), randomRemark(r)
		if req.Verb == VerbFreeze && r.IntN(2) == 0 {
			req.Options.For = span(time.Minute + time.Duration(r.Int64N(int64(longestFor-time.Minute))))
		} else if req.Verb == VerbFreeze {
			req.Options.Until = randomMoment(r)
		}
	case VerbReport:
		req.About, req.Part = pick(r, randomSet(r), randomID(r)), pick(r, "", "json", "csv")
	case VerbAudit:
		req.About, req.Part = pick(r, "", randomSet(r), randomID(r)), pick(r, "", "json", "csv")
		if req.To = pick(r, "", "U"+letters(r, "ABCXYZ019", 12)+"0"); req.About != "" && r.IntN(2) == 0 {
			req.Instances = randomInstances(r)
		}
	case VerbWindows, VerbHistory:
		req.About = pick(r, "", randomSet(r), randomID(r))
	case VerbStatus, VerbWhy:
		req.About = pick(r, "", randomSet(r), randomID(r))
	case VerbApprove:
		req.Rollout, req.Rest = randomID(r), r.IntN(2) == 0
	case VerbDeny, VerbRollback:
		req.Rollout, req.Reason = randomID(r), randomRemark(r)
	case VerbPause:
		req.Rollout, req.Reason = pick(r, randomID(r), "g-4f2k9a", "all"), randomRemark(r)
	case VerbResume:
		req.Rollout = pick(r, randomID(r), "g-4f2k9a", "all")
	case VerbAsk, VerbReplan:
		req.Rollout = randomID(r)
	case VerbAbort:
		req.Rollout, req.Reason = pick(r, randomID(r), "g-4f2k9a"), randomRemark(r)
		if req.Reason != "" {
			req.Answer = pick(r, upgrade.ModelOpen, upgrade.Revert, upgrade.Keep)
		}
	case VerbModel:
		req.Rollout, req.Answer = randomID(r), pick(r, upgrade.Revert, upgrade.Keep)
	case VerbRetry:
		req.Rollout, req.Instances = randomID(r), pick(r, nil, randomInstances(r))
	case VerbSkip, VerbQuarantine:
		req.Rollout, req.Instances, req.Reason = randomID(r), randomInstances(r), randomRemark(r)
	case VerbResolve:
		req.Rollout, req.Reason, req.Verdict = randomID(r), randomRemark(r), pick(r, upgrade.Started, upgrade.NotStarted, upgrade.GoOn)
		if r.IntN(2) == 0 {
			req.Instances, req.Verdict = randomInstances(r), pick(r, upgrade.IsOK, upgrade.IsFailed)
		}
	case VerbHandover:
		req.Rollout, req.To, req.Reason = randomID(r), pick(r, "U", "W")+letters(r, "ABCXYZ019", 12)+"0", randomRemark(r)
	}
	return req
}

// randomInstances are some of a Uniform or of a Flexible set.
func randomInstances(r *rand.Rand) []string {
	var out []string
	if r.IntN(4) == 0 {
		for range 1 + r.IntN(5) {
			out = append(out, letters(r, "abcXYZ019-_", maxSet-1)+"x")
		}
	}
	for id := range 1 + r.IntN(30) {
		if r.IntN(3) > 0 {
			out = append(out, strconv.Itoa(id*(1+r.IntN(2))))
		}
	}
	slices.SortFunc(out, upgrade.CompareIDs)
	if out = slices.Compact(out); len(out) == 0 {
		out = []string{"0"}
	}
	return out
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

func letters(r *rand.Rand, alphabet string, most int) string {
	out := make([]byte, 1+r.IntN(most))
	for i := range out {
		out[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(out)
}

func randomID(r *rand.Rand) string {
	return "r-" + letters(r, "abcdefghijklmnopqrstuvwxyz0123456789", 32)
}

func randomSet(r *rand.Rand) string {
	name := letters(r, "abcXYZ019-_", maxSet-2)
	if r.IntN(2) == 0 {
		return "n" + name
	}
	return "g" + letters(r, "abcXYZ019-_", maxGroup-3) + ".1/" + "n" + name
}

const (
	subscription = "/subscriptions/0b1f6471-1bf0-4dda-aec3-cb9272f09590"
	compute      = subscription + "/resourceGroups/rg-images/providers/Microsoft.Compute"
)

// randomTarget is of any kind that there is.
func randomTarget(r *rand.Rand) string {
	name, version := letters(r, "abcXYZ019._-", 60)+"0", pick(r, "", "/versions/1.2.3", "/Versions/latest")
	name = "n" + name
	return pick(r, "latest", "model", "4.0.20160229", "22.04.202401170", "0.1", "1.2.3.4",
		compute+"/galleries/"+name+"/images/"+name+version,
		strings.ToLower(compute)+"/images/"+name,
		subscription+"/resourceGroups/gröup_(1).x/providers/Microsoft.Compute/images/"+name,
		"/CommunityGalleries/"+name+"/Images/"+name+version,
		"/SharedGalleries/"+name+"/Images/"+name+version,
		"https://acct1.blob.core.windows.net/$root/x"+letters(r, "abcXYZ019-_", 20)+"/disk.vhd")
}

func randomDomains(r *rand.Rand) []int {
	var out []int
	for d := range maxDomain + 1 {
		if r.IntN(1+d) == 0 && r.IntN(2) == 0 {
			out = append(out, d)
		}
	}
	return out
}

func randomSelection(r *rand.Rand) upgrade.Selection {
	var s upgrade.Selection
	for _, fill := range []func(){
		func() { s.UpdateDomains = randomDomains(r) },
		func() { s.FaultDomains = randomDomains(r) },
		func() { s.Zones = pick(r, []string{"1"}, []string{"1", "2", "3"}, []string{"2", "12"}) },
		func() { s.Instances = randomInstances(r) },
		func() { s.Skip = randomInstances(r) },
	} {
		if r.IntN(3) == 0 {
			fill()
		}
	}
	return s
}

func randomOrder(r *rand.Rand) upgrade.Order {
	var o upgrade.Order
	o.By = pick(r, "", upgrade.ByUpdateDomain, upgrade.ByFaultDomain, upgrade.ByZone, upgrade.ByBatch)
	o.Batch = pick(r, upgrade.Limit{}, upgrade.Limit{N: 1 + r.IntN(999)}, upgrade.Limit{Percent: 1 + r.IntN(100)})
	o.Canary = pick(r, 0, 0, 1, 1+r.IntN(maxListed))
	o.Approve = pick(r, upgrade.ApproveEach, upgrade.ApproveEach, upgrade.ApproveCanary, upgrade.ApproveOnce)
	return o
}

func randomOptions(r *rand.Rand) Options {
	var o Options
	if r.IntN(2) == 0 {
		o.MaxUnavailable = &upgrade.Limit{N: r.IntN(1000)}
	}
	if r.IntN(2) == 0 {
		o.MaxUnavailable = &upgrade.Limit{Percent: 1 + r.IntN(100)}
	}
	if r.IntN(2) == 0 {
		o.MaxFailures = count(r.IntN(1000))
	}
	if r.IntN(2) == 0 {
		o.Soak = span(time.Duration(r.Int64N(int64(maxSpan))))
	}
	if r.IntN(2) == 0 {
		o.Bake = span(time.Duration(r.IntN(7*24*60)) * time.Minute)
	}
	o.OnFailure = pick(r, "", upgrade.HoldOnFailure, upgrade.QuarantineOnFailure, upgrade.AbortOnFailure, upgrade.RollbackOnFailure)
	o.Note = randomRemark(r)
	o.Window, o.At = pick(r, "", "tue-night", "a.b_c"), randomMoment(r)
	return o
}

func randomMoment(r *rand.Rand) string {
	return pick(r, "", "22:00", "2026-11-24T22:00", "2026-11-24T22:00Z", "2026-11-24T22:00+05:30")
}

// randomRemark joins pieces that mean something to the reader, or once did.
func randomRemark(r *rand.Rand) string {
	pieces := []string{"CHG", "1", " ", " ", "é", "日本", "\"", "'", "\\", "\\\"", "&", "&amp;", "&lt;", "amp;", "<", ">", "<@U012|bo>", "<@U012>", "<!here>",
		"<http://h|x y>", "https://h", "|", "=", "ud=0", "revert", "keep", "rest", "—", "–", "--", "`", "*", "#", ";", "<#C1|", "😀", "\ufe0f", "\ufffd", "/vmss"}
	var b strings.Builder
	for range r.IntN(12) {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	if r.IntN(50) == 0 {
		b.WriteString(strings.Repeat("&", maxSaid))
	}
	s := []rune(b.String())
	return tidy(string(s[:min(len(s), maxSaid)]))
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"", "upgrade myvmss 4.0.20160229 ud=0", "upgrade ud=0,2 myvmss latest soak=10m note=\"CHG 1\"", "plan rg/s model ud=1-3 max-unavailable=20%",
		"deny r-1 “it’s <@U1|bo>” &amp; x", "abort r-1 revert bad \\\" image", "approve r-1 rest", "—ud=0 'a b'", "stop r-1", "images s", "vm poweroff s ud=0",
		"upgrade s latest ud:0 ud 1", "retry r-1 failed", "upgrade s " + gallery + "/versions/1.2.3 fd=1 zone=1,2 by=zone canary=1", "upgrade <" + vhdOf + "?sig=x> s", "plan s latest vm=1,4-7,web_1 skip=vm:3,9 batch=20% sku=16.04-LTS", "resize s to Standard_D4s_v5 skip=3",
		"upgrade s " + community + " sku=x", "images s", "upgrade s latest skip vm:3 d=0", "retry vm=3,8 r-1", "skip r-1 vm=4-7,web_1a2b3c it’s old", "quarantine r-1 “why” vm=8", "resolve r-1 not started x", "resolve r-1 vm=8 ok \"y\"",
		"handover r-1 <@U012AB3CD|bo> note", "rollback r-1 \"x\"", "replan r-1", "skip r-1 vm=0-999999999", "quarantine r-1 vm=all why", "show ../..", "\xff\"", "help help", "\u202e", "a=b=c", "upgarde latset 1.2 soak=10min",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		req, no := Parse(text)
		if no != nil {
			checkRefusal(t, text, no)
			return
		}
		again, no := Parse(Format(req))
		if no != nil || !reflect.DeepEqual(again, req) {
			t.Fatalf("%q is %+v, written %q, read as %+v, %v", text, req, Format(req), again, no)
		}
	})
}

// checkRefusal: every refusal has the code, says something readable of bounded length, and proposes
// a command that is understood.
func checkRefusal(t *testing.T, text string, no *upgrade.Refusal) {
	t.Helper()
	if n := utf8.RuneCountInString(no.What); no.Code != upgrade.CodeArg || n == 0 || n > 400 || !utf8.ValidString(no.What) || strings.ContainsFunc(no.What, unseen) {
		t.Fatalf("%q is refused with %s %q (%d characters)", text, no.Code, no.What, n)
	}
	if !strings.HasPrefix(no.Next, root) || len(no.Next) > maxNext {
		t.Fatalf("%q is refused with next step %q", text, no.Next)
	}
	if _, again := Parse(no.Next); again != nil {
		t.Fatalf("%q is refused with next step %q, which is refused: %s", text, no.Next, again.What)
	}
}

// Commands that are nearly right reach further into the grammar than random bytes.
func TestDamagedCommandsAreUnderstoodOrRefusedWithANextStep(t *testing.T) {
	const seed, rounds = 7, 100_000
	for i := range uint64(rounds) {
		r := rand.New(rand.NewPCG(seed, i))
		text := Format(randomRequest(r))
		for range 1 + r.IntN(3) {
			at := r.IntN(len(text) + 1)
			end := min(len(text), at+r.IntN(3))
			text = text[:at] + noise[r.IntN(len(noise))] + text[end:]
		}
		req, no := Parse(text)
		if no != nil {
			checkRefusal(t, text, no)
		} else if again, no := Parse(Format(req)); no != nil || !reflect.DeepEqual(again, req) {
			t.Fatalf("round %d: %q is %+v, written %q, read as %+v, %v", i, text, req, Format(req), again, no)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	for name, text := range map[string]string{
		"button-like": "approve r-4f2k9a",
		"upgrade":     "upgrade ud=0,2 myvmss 4.0.20160229 soak=10m max-unavailable=20% note=“CHG-1 it’s fine”",
		"mistakes":    "upgarde myvmss latset uds=0 soak=10",
		"hostile":     strings.Repeat("<@\"' ", 400),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Parse(text)
			}
		})
	}
}
