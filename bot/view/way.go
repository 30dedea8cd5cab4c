package view

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// way is one way out of what is in the way: what to type, and what it was understood as, by which the
// same becomes a button. The zero request says that it was not understood.
type way struct {
	typed string
	req   commands.Request
}

// waysOf are a blocker's ways out, the foremost first.
func waysOf(b upgrade.Blocker) []way {
	typed := append([]string{b.Next}, b.Also...)
	if back, is := strings.CutSuffix(b.Next, " revert"); is && b.Reason == upgrade.ReasonModel {
		typed = append(typed, back+" keep")
	}
	var out []way
	for _, words := range typed {
		if words == "" {
			continue
		}
		req, no := commands.Parse(words)
		if no != nil {
			req = commands.Request{}
		}
		out = append(out, way{words, req})
	}
	return out
}

// line is the command for people to type or copy, runs of instances as ranges. One that is longer than
// most characters by its instances names none: they stand above it.
func (w way) line(most int) string {
	if w.req.Verb == commands.VerbHome {
		return code(w.typed)
	}
	said := "/vmss " + commands.Format(w.req)
	if len(w.req.Instances) > 1 && utf8.RuneCountInString(said) > most {
		few := w.req
		few.Instances = []string{"…"}
		said = "/vmss " + commands.Format(few)
	}
	return "`" + mono(said, 200) + "`"
}

// effect says what typing it comes to.
func (w way) effect() string {
	switch w.req.Verb {
	case commands.VerbShow:
		if w.req.Part == "evidence" {
			return "all that Azure said"
		}
		return "see how it is"
	case commands.VerbRetry:
		return "try once more; nothing happens before somebody agrees to it"
	case commands.VerbQuarantine:
		return "set aside for repair, and go on without"
	case commands.VerbSkip:
		return "leave as it is, and go on without"
	case commands.VerbResolve:
		return "you looked: " + found[w.req.Verdict]
	case commands.VerbReplan:
		return "plan it for the set as it is now: every yes is void"
	case commands.VerbRollback:
		return "end this, and take back what was changed"
	case commands.VerbAbort:
		return "end this, and start nothing more"
	case commands.VerbModel:
		return map[upgrade.ModelAnswer]string{upgrade.Revert: "put the old one back into the model", upgrade.Keep: "leave the new one there"}[w.req.Answer]
	}
	return ""
}

// found is what somebody found who looked, as they say it.
var found = map[upgrade.Verdict]string{
	upgrade.Started: "it did happen", upgrade.NotStarted: "it did not happen", upgrade.IsOK: "all is well", upgrade.IsFailed: "all is not well", upgrade.Passes: "all is well",
}

// offer is the way as a button or a line of a menu. What takes a reason opens a form; so does what takes
// instances, except for a single one, which the button names. A retry of several cannot be a button: one
// without instances means all that failed.
func (w way) offer() (c choice, ok bool) {
	r := w.req
	several := len(r.Instances) > 1
	r.Reason = ""
	if several {
		r.Instances = nil
	}
	one := ""
	if len(r.Instances) == 1 {
		one = " " + r.Instances[0]
	}
	switch {
	case r.Verb == commands.VerbResolve && several:
		r.Verdict = ""
		c.label = "Say what you found…"
	case r.Verb == commands.VerbResolve:
		c.label = map[upgrade.Verdict]string{upgrade.Started: "It started…", upgrade.NotStarted: "It did not start…", upgrade.IsOK: "It is well…", upgrade.IsFailed: "It failed…", upgrade.Passes: "I looked, it passes…"}[r.Verdict]
	case r.Verb == commands.VerbRetry && !several:
		c.label = "Retry" + one
	case r.Verb == commands.VerbQuarantine:
		c.label = "Quarantine" + one + "…"
	case r.Verb == commands.VerbSkip && one != "":
		c.label = "Skip" + one
	default:
		c.label = labels[r.Verb]
	}
	id, _ := commands.Action(r)
	c.r = r
	return c, id != "" && c.label != ""
}

var labels = map[commands.Verb]string{
	commands.VerbSkip: "Skip…", commands.VerbReplan: "Plan anew", commands.VerbRollback: "Roll back…", commands.VerbAbort: "Abort…",
	commands.VerbAsk: "Ask again", commands.VerbResume: "Resume",
}

// button is the way as a button. What ends the rollout for another one, or voids what people said, asks
// once more (R25).
func (c choice) button(rec upgrade.Record) slack.BlockElement {
	b := button(c.label, strings.TrimSuffix(c.label, "…")+" of "+rec.Plan.Name, c.r)
	switch c.r.Verb {
	case commands.VerbRollback:
		b.WithConfirm(confirm("Roll back?", fmt.Sprintf("%s ends, and a rollout back to what was before opens over the %s it has touched. Its cards ask before each gate.",
			esc(rec.ID, 20), upgrade.Count(len(touched(rec.Rollout)), "instance")), "Roll back"))
	case commands.VerbReplan:
		b.WithConfirm(confirm("Plan anew?", fmt.Sprintf("%s is planned for %s as it is now. Every yes so far is void.", esc(rec.ID, 20), name(rec.Plan.Name)), "Plan anew"))
	}
	return b
}

// touched are the instances that were named in a call that Azure may have carried out.
func touched(r upgrade.Rollout) []string {
	var out []string
	for _, b := range r.Batches {
		out = append(out, b.Instances...)
	}
	slices.SortFunc(out, upgrade.CompareIDs)
	return slices.Compact(out)
}

// waysOut are the buttons of a blocker: the foremost way for all to see, with whatever asks once more or
// answers the same question; the rest behind the dots, where looking comes first and ending it last.
func waysOut(b upgrade.Blocker, rec upgrade.Record) []slack.BlockElement {
	var row []slack.BlockElement
	var rest []choice
	ending := []choice{abort(rec)}
	for i, w := range waysOf(b) {
		c, ok := w.offer()
		switch verb := c.r.Verb; {
		case !ok:
		case i == 0, verb == commands.VerbRollback, verb == commands.VerbResolve && c.r.Verdict != "":
			row = append(row, c.button(rec))
			if verb == commands.VerbAbort {
				ending = nil
			}
		case verb != commands.VerbAbort && verb != commands.VerbResolve:
			rest = append(rest, c)
		}
	}
	if evident(rec) {
		rest = append(rest, askEvidence(rec))
	}
	rest = append(rest, askWhy(rec), askInstances(rec))
	return append(row, more(append(rest[:min(4, len(rest))], ending...)...))
}

func askEvidence(rec upgrade.Record) choice {
	return choice{"Evidence", commands.Request{Verb: commands.VerbShow, About: rec.ID, Part: partEvidence}}
}

// evident reports whether what Azure said of failed instances was kept.
func evident(rec upgrade.Record) bool {
	return slices.ContainsFunc(rec.Events, func(e upgrade.Event) bool { _, is := e.Fact.(upgrade.Evidence); return is })
}
