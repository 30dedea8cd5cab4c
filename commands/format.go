package commands

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vmssbot/vmssbot/upgrade"
)

// Format writes a request as its canonical text, without the root command: what a person could
// have typed. Parse reads it back to the same request. A request from a card's button names its
// rollout only by the card, so its text names none and cannot be typed.
func Format(r Request) string {
	verb := r.Verb
	if verb == VerbModel {
		verb = VerbAbort
	}
	parts := []string{string(verb), r.About, r.Part, r.Set, r.Target}
	if r.Size != "" {
		parts = append(parts, "to", r.Size)
	}
	parts = append(parts, r.Rollout, string(r.Answer))
	if r.Rest {
		parts = append(parts, "rest")
	}
	if r.SKU != "" {
		parts = append(parts, "sku="+r.SKU)
	}
	parts = append(parts, r.which()...)
	parts = append(parts, ordered(r.Order)...)
	parts = append(parts, r.when()...)
	if r.Options.Cron != "" {
		parts = append(parts, "cron="+quote(r.Options.Cron))
	}
	if r.Options.TZ != "" {
		parts = append(parts, "tz="+r.Options.TZ)
	}
	parts = append(parts, string(r.Verdict), r.To)
	parts = append(parts, r.Options.words()...)
	if r.Reason != "" {
		parts = append(parts, quote(r.Reason))
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " ")
}

func ordered(o upgrade.Order) []string {
	var out []string
	if o.By != "" {
		out = append(out, "by="+string(o.By))
	}
	if o.Batch != (upgrade.Limit{}) {
		out = append(out, "batch="+o.Batch.String())
	}
	if o.Canary != 0 {
		out = append(out, fmt.Sprintf("canary=%d", o.Canary))
	}
	if o.Approve != "" {
		out = append(out, "approve="+string(o.Approve))
	}
	return out
}

// when writes what says when something may start; of what was not understood only the key.
func (r Request) when() []string {
	var out []string
	for i, value := range []string{r.Options.Window, r.Options.At} {
		if key := whenKeys[i]; value != "" || r.isUnclear(key) {
			out = append(out, key+"="+value)
		}
	}
	return out
}

func (o Options) words() []string {
	var out []string
	if o.MaxUnavailable != nil {
		out = append(out, "max-unavailable="+o.MaxUnavailable.String())
	}
	if o.MaxFailures != nil {
		out = append(out, fmt.Sprintf("max-failures=%d", *o.MaxFailures))
	}
	if o.OnFailure != "" {
		out = append(out, "on-failure="+string(o.OnFailure))
	}
	if o.Soak != nil {
		out = append(out, "soak="+formatSpan(*o.Soak))
	}
	if o.Bake != nil {
		out = append(out, "bake="+formatSpan(*o.Bake))
	}
	if o.For != nil {
		out = append(out, "for="+formatSpan(*o.For))
	}
	if o.Until != "" {
		out = append(out, "until="+o.Until)
	}
	if o.Note != "" {
		out = append(out, "note="+quote(o.Note))
	}
	return out
}

// sentence writes words as a command.
func sentence(words []word, _ bool) string {
	if len(words) == 0 {
		return helpFor(VerbHome)
	}
	c := command{words: words}
	return c.with(0, 0)
}

// String writes the word so that it is read as the same one.
func (w word) String() string {
	switch {
	case w.quoted:
		return quote(w.text)
	case w.eq >= 0:
		return w.text[:w.eq+1] + bare(w.text[:w.eq+1], w.text[w.eq+1:])
	}
	return bare("", w.text)
}

// bare leaves a value without quotes where it is read the same without; before stands before it.
func bare(before, value string) string {
	words, whole := split(before + value)
	if whole && len(words) == 1 && words[0] == (word{text: before + value, eq: len(before) - 1}) {
		return value
	}
	return quote(value)
}

var (
	escapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	markups = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
)

// quote writes a value between quotes. What would be read as markup is escaped as Slack does;
// otherwise & and < stay as they are, for people to read.
func quote(value string) string {
	text := fmt.Sprintf(`"%s"`, escapes.Replace(value))
	if words, whole := split(text); whole && len(words) == 1 && words[0].text == value {
		return text
	}
	return markups.Replace(text)
}
