package commands

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestEveryVerbHasHelp(t *testing.T) {
	for verb := range grammar {
		if _, found := helpOf(verb); !found {
			t.Errorf("%s has no help", verb)
		}
	}
	for _, topic := range topics {
		if _, known := grammar[topic.Verb]; !known {
			t.Errorf("there is help for %s, which is not understood", topic.Verb)
		}
		if topic.brief == "" || topic.Says == "" || topic.Who == "" || !strings.HasPrefix(topic.Usage[0], string(topic.Verb)) {
			t.Errorf("the help of %s has a gap: %+v", topic.Verb, topic)
		}
	}
}

func TestEveryExampleIsUnderstood(t *testing.T) {
	for _, verb := range append(slices.Collect(verbsOf), VerbHome) {
		h, _ := helpOf(verb)
		distinct := slices.Compact(slices.Sorted(slices.Values(h.Examples)))
		if len(distinct) != 3 && verb != VerbPending && verb != VerbShift {
			t.Errorf("%s has %d examples, want three", verb, len(distinct))
		}
		for _, example := range h.Examples {
			req, no := Parse(example)
			switch {
			case no != nil:
				t.Errorf("the example %q is refused: %s", example, no.What)
			case verb != VerbHome && req.Verb != verb && !(verb == VerbAbort && req.Verb == VerbModel):
				t.Errorf("the example %q of %s is of %s", example, verb, req.Verb)
			}
		}
	}
}

func verbsOf(yield func(Verb) bool) {
	for _, topic := range topics {
		if !yield(topic.Verb) {
			return
		}
	}
}

func TestTheOverviewFitsOnOneScreenAndNamesEveryVerb(t *testing.T) {
	text := render(overview())
	if n := utf8.RuneCountInString(text); n >= 3000 {
		t.Errorf("the overview has %d characters, want fewer than 3000", n)
	}
	for verb := range verbsOf {
		if !strings.Contains(text, root+string(verb)) {
			t.Errorf("the overview does not name %s", verb)
		}
	}
}

func TestEveryOptionIsInTheHelp(t *testing.T) {
	for verb := range verbsOf {
		if !verb.plans() {
			continue
		}
		h, _ := helpOf(verb)
		for key := range options {
			told := slices.ContainsFunc(h.Usage, func(line string) bool { return strings.Contains(line, " "+key+"=") })
			if told != slices.Contains(keysOf(verb), key) {
				t.Errorf("the help of %s tells of %s=: %v", verb, key, told)
			}
		}
	}
	for verb := range laterVerbs {
		if _, built := grammar[Verb(verb)]; built {
			t.Errorf("%s is built and planned", verb)
		}
	}
}

func TestHelpIsWhatPeopleAreToldOnRequest(t *testing.T) {
	for text, want := range map[string]Verb{"help": VerbHome, "help abort": VerbAbort} {
		reply, changes, err := Do(t.Context(), parsed(t, text), ana, "C0OPS", time.Time{}, &desk{})
		if err != nil || len(changes) > 0 || reply.Help == nil || reply.Help.Verb != want {
			t.Errorf("Do(%q) = %+v, %v, %v, want the help of %q", text, reply, changes, err, want)
		}
	}
}

func TestHelpReadsAsIntended(t *testing.T) {
	text := render(overview())
	for verb := range verbsOf {
		h, _ := helpOf(verb)
		text += "\n" + render(h)
	}
	golden := filepath.Join("testdata", "help.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("the help reads\n%s\nwant\n%s\n(-update writes the file anew)", text, want)
	}
}

func render(h Help) string {
	return fmt.Sprintf("# %s\n%s\n%s\nFor example:\n%s\nWho may: %s\n", h.Verb, strings.Join(h.Usage, "\n"), h.Says, strings.Join(h.Examples, "\n"), h.Who)
}
