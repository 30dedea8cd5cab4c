package commands

import (
	"fmt"
	"slices"
	"strings"
)

// Format writes a request as its canonical text, without the root command: what a person could
// have typed. Parse reads it back to the same request. A request from a card's button names its
// rollout only by the card, so its text names none and cannot be typed.
func Format(r Request) string {
	verb := r.Verb
	if verb == VerbModel {
		verb = VerbAbort
	}
	parts := []string{string(verb), r.About, r.Part, r.Set, r.Target, r.Rollout, string(r.Answer)}
	if r.Rest {
		parts = append(parts, "rest")
	}
	if r.Domains != nil {
		parts = append(parts, "ud="+formatDomains(r.Domains))
	}
	parts = append(parts, r.Options.words()...)
	if r.Reason != "" {
		parts = append(parts, quote(r.Reason))
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " ")
}

func (o Options) words() []string {
	var out []string
	if o.MaxUnavailable != nil {
		out = append(out, "max-unavailable="+o.MaxUnavailable.String())
	}
	if o.MaxFailures != nil {
		out = append(out, fmt.Sprintf("max-failures=%d", *o.MaxFailures))
	}
	if o.Soak != nil {
		out = append(out, "soak="+formatSpan(*o.Soak))
	}
	if o.Bake != nil {
		out = append(out, "bake="+formatSpan(*o.Bake))
	}
	if o.Note != "" {
		out = append(out, "note="+quote(o.Note))
	}
	return out
}
