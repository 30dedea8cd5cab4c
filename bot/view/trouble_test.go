package view

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// constants are the values of all constants of a string type that package upgrade declares.
func constants(t *testing.T, kind string) []string {
	t.Helper()
	files, err := filepath.Glob("../../upgrade/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok {
				if is, named := spec.Type.(*ast.Ident); named && is.Name == kind {
					out = append(out, literals(spec.Values)...)
				}
			}
			return true
		})
	}
	if len(out) < 4 {
		t.Fatalf("only %d constants of type %s", len(out), kind)
	}
	return out
}

func literals(values []ast.Expr) []string {
	var out []string
	for _, v := range values {
		if lit, is := v.(*ast.BasicLit); is {
			value, _ := strconv.Unquote(lit.Value) // the compiler has read it
			out = append(out, value)
		}
	}
	return out
}

func TestEveryReasonThereIsHasAnAnswerToWhy(t *testing.T) {
	var told []string
	for _, w := range waitsFor {
		told = append(told, string(w.reason))
		if got := standingFor(believable, w.tell).reason(); got != w.reason {
			t.Errorf("the story of %q stands for %q", w.reason, got)
		}
	}
	for _, r := range constants(t, "Reason") {
		if !slices.Contains(told, r) {
			t.Errorf("no story and no golden shows what why says of reason %q", r)
		}
		if _, ok := reasonWords[upgrade.Reason(r)]; !ok && r != "" {
			t.Errorf("reason %q has no words", r)
		}
	}
	for _, o := range constants(t, "Outcome") {
		if _, ok := outcomes[upgrade.Outcome(o)]; !ok {
			t.Errorf("outcome %q has no emoji", o)
		}
	}
}

func TestEveryAnswerToWhySaysWhoOrWhatClearsEachThingInTheWay(t *testing.T) {
	for _, w := range waitsFor {
		s := standingFor(believable, w.tell)
		m := Answer(commands.Reply{Verb: commands.VerbWhy, Rollouts: []string{s.id}}, map[string]upgrade.Record{s.id: s.record()}, s.now)
		text := Reduce(m).Text
		if things, clears := strings.Count(text, "• "), strings.Count(text, "Cleared by: "); things != clears || things == 0 && w.reason != "" {
			t.Errorf("%s: %d things in the way, of %d it is said who clears them:\n%s", w.reason, things, clears, text)
		}
	}
}

var typedCommand = regexp.MustCompile("`(/vmss [^`]+)`")

// What holds takes a word, and the message has it: typed as it stands there, somebody with a role may
// say it, the domain hears it, and the rollout stands for that reason no more. (R1)
func TestEveryHoldHasAWayOutThatANamedRoleCanType(t *testing.T) {
	for _, w := range waitsFor {
		if !w.reason.Holds() || w.reason == upgrade.ReasonUnread { // that one takes another version of the bot
			continue
		}
		s := standingFor(believable, w.tell)
		m := Answer(commands.Reply{Verb: commands.VerbWhy, Rollouts: []string{s.id}}, map[string]upgrade.Record{s.id: s.record()}, s.now)
		ways := 0
		for _, typed := range typedCommand.FindAllStringSubmatch(strings.Split(Reduce(m).Text, "\n• ")[1], -1) {
			ways++
			req, no := commands.Parse(typed[1])
			if no != nil {
				t.Errorf("%s: %s is not understood: %v", w.reason, typed[1], no)
				continue
			}
			if req.Verb == commands.VerbShow { // only to look, and never the only one
				ways--
				continue
			}
			then := s.branch()
			word := upgrade.Word{Verb: upgrade.WordVerb(req.Verb), Reason: req.Reason, Answer: req.Answer, IDs: req.Instances, Verdict: req.Verdict}
			asRequester := then.hear("U0ANA", "ana", word)
			if asRequester != nil {
				if no := then.hear("U0BO", "bo", word); no != nil {
					t.Errorf("%s: %s: a requester is told %v, an approver %v", w.reason, typed[1], asRequester, no)
					continue
				}
			}
			if then.look(); then.reason() == w.reason {
				t.Errorf("%s: after %s it still stands for that", w.reason, typed[1])
			}
		}
		if ways == 0 {
			t.Errorf("%s: there is no way out in\n%s", w.reason, Reduce(m).Text)
		}
	}
}

func TestWhatAHoldHasToTypeItHasToPress(t *testing.T) {
	for _, w := range waitsFor {
		s := standingFor(believable, w.tell)
		d := upgrade.LastDecided(s.events)
		if d.Kind != upgrade.Hold {
			continue
		}
		var pressed []string
		for _, e := range elements(hold(fmt.Sprintf("hold/%d", len(s.events)), d, s.record())) {
			for _, p := range presses(e) {
				req, _ := commands.ParseAction(p[0], p[1])
				pressed = append(pressed, string(req.Verb)+string(req.Verdict))
			}
		}
		for _, way := range waysOf(foremost(d)) {
			if verb := string(way.req.Verb) + string(way.req.Verdict); !slices.Contains(pressed, verb) && w.reason != upgrade.ReasonModel { // which has a card of its own
				t.Errorf("%s: %s cannot be pressed, only %v", w.reason, way.line(200), pressed)
			}
		}
	}
}

func TestNoButtonPretendsToHelpWhereOnlyOthersCan(t *testing.T) {
	for _, w := range waitsFor {
		if w.reason != upgrade.ReasonFreeze && w.reason != upgrade.ReasonChannel && w.reason != upgrade.ReasonUnread {
			continue
		}
		s := standingFor(believable, w.tell)
		for _, e := range elements(hold(fmt.Sprintf("hold/%d", len(s.events)), upgrade.LastDecided(s.events), s.record())) {
			if b, is := e.(*slack.ButtonBlockElement); is {
				t.Errorf("%s: a button %q", w.reason, b.Text.Text)
			}
		}
	}
}

func TestWhatEndsTheRolloutOrVoidsAYesAsksOnceMore(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range Gallery() {
		for _, e := range elements(s.Message) {
			for _, p := range presses(e) {
				req, _ := commands.ParseAction(p[0], p[1])
				if req.Verb != commands.VerbRollback && req.Verb != commands.VerbReplan {
					continue
				}
				seen[string(req.Verb)] = true
				if !confirmed(e) {
					t.Errorf("%s: %s counts at once", s.Name, req.Verb)
				}
			}
		}
	}
	if len(seen) != 2 {
		t.Errorf("in the gallery there are only %v", seen)
	}
}

// failed is a story in which instances of a set of 1,000 failed, each for a reason of its own.
func failed(n int, why func(int) string) (upgrade.Decided, upgrade.Record) {
	rec := begin(believable, 1000, nil).record()
	b := upgrade.Blocker{Reason: upgrade.ReasonFailure, What: fmt.Sprintf("%d instances failed (max-failures 0)", n), Clears: "a requester or approver", Next: "/vmss retry r-4f2a9c"}
	var ids []string
	for i := range n {
		ids = append(ids, strconv.Itoa(i*7%1000))
		b.Details = append(b.Details, ids[i]+": "+why(i))
	}
	b.Also = []string{"/vmss quarantine r-4f2a9c vm=" + strings.Join(ids, ",") + ` "why"`}
	return upgrade.Decided{Kind: upgrade.Hold, Reason: b.Reason, Text: b.What, Blockers: []upgrade.Blocker{b}}, rec
}

func TestAThousandFailuresFitAndNoneOfThemIsLostInSilence(t *testing.T) {
	long := strings.Repeat("disk trouble ", 60)
	for _, c := range []struct {
		what string
		n    int
		why  func(int) string
		want []string
	}{
		{"all for the same reason", 1000, func(int) string { return long }, []string{"1000 instances (0 7 14 21 ", "disk trouble", "more)…"}},
		{"each for its own", 1000, func(i int) string { return fmt.Sprintf("disk %d %s", i, long) }, []string{"`0` disk 0 ", "… 995 instances more, for 995 other reasons", "`993` disk 999 "}},
		{"for two", 1000, func(i int) string { return fmt.Sprintf("disk %d", i%2) }, []string{"500 instances (0 14 28 ", "500 instances (7 21 35"}},
		{"a few", 6, func(i int) string { return fmt.Sprintf("disk %d", i) }, []string{"`35` disk 5"}},
	} {
		d, rec := failed(c.n, c.why)
		m := hold("hold/7", d, rec)
		for _, wrong := range append(faults(m, false), faults(Reduce(m), false)...) {
			t.Errorf("%s: %s", c.what, wrong)
		}
		text := Reduce(m).Text
		for _, want := range append(c.want, fmt.Sprintf("%d instances failed", c.n)) {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", c.what, want, text)
			}
		}
		if strings.Contains(text, "did not fit") {
			t.Errorf("%s: something did not fit:\n%s", c.what, text)
		}
		why := blockerLines(d.Blockers[0], rec)
		if n := len(strings.Join(why, "\n")); n > maxTotal-3000 {
			t.Errorf("%s: why takes %d characters", c.what, n)
		}
	}
}

func TestACommandIsShortenedToRangesAndNeverCutToAnother(t *testing.T) {
	var odd []string
	for i := range 300 {
		odd = append(odd, strconv.Itoa(2*i+1))
	}
	for _, c := range []struct{ typed, want string }{
		{`/vmss quarantine r-4f2a9c vm=1,2,3,4,9 "why"`, "`/vmss quarantine r-4f2a9c vm=1-4,9 \"why\"`"},
		{`/vmss skip r-4f2a9c vm=` + strings.Join(odd, ","), "`/vmss skip r-4f2a9c vm=…`"},
		{"/invite @vmssbot", "`/invite @vmssbot`"},
	} {
		w := waysOf(upgrade.Blocker{Next: c.typed})[0]
		if got := w.line(200); got != c.want {
			t.Errorf("%.60s: got %s, want %s", c.typed, got, c.want)
		}
	}
}

// A retry of some instances must not become a button: without them it is one of all that failed.
func TestNoButtonIsAboutOtherInstancesThanItsWords(t *testing.T) {
	for _, c := range []struct {
		typed string
		want  string // the button's value, "" = there is none
	}{
		{"/vmss retry r-4f2a9c", "r-4f2a9c"},
		{"/vmss retry r-4f2a9c vm=8", "r-4f2a9c/8"},
		{"/vmss retry r-4f2a9c vm=3,8", ""},
		{`/vmss quarantine r-4f2a9c vm=8 "why"`, "r-4f2a9c/8"},
		{`/vmss quarantine r-4f2a9c vm=3,8 "why"`, "r-4f2a9c"},
		{"/vmss skip r-4f2a9c vm=8", "r-4f2a9c/8"},
		{`/vmss resolve r-4f2a9c vm=8 ok "why"`, "r-4f2a9c/8"},
		{`/vmss resolve r-4f2a9c vm=3,8 ok "why"`, "r-4f2a9c"},
		{`/vmss resolve r-4f2a9c not-started "why"`, "r-4f2a9c"},
		{"/vmss show web-prod", ""},
		{"/vmss why r-4f2a9c", ""},
		{"/invite @vmssbot", ""},
	} {
		offer, ok := waysOf(upgrade.Blocker{Next: c.typed})[0].offer()
		_, value := commands.Action(offer.r)
		if ok != (c.want != "") || ok && value != c.want {
			t.Errorf("%s: value %q (%v), want %q", c.typed, value, ok, c.want)
		}
	}
}
