package view

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/vmssbot/vmssbot/upgrade"
)

// wordEmoji tell people's words apart at a glance.
var wordEmoji = map[upgrade.WordVerb]string{
	upgrade.WordPause: ":double_vertical_bar:", upgrade.WordResume: ":arrow_forward:", upgrade.WordAbort: ":octagonal_sign:",
	upgrade.WordRetry: ":arrows_clockwise:", upgrade.WordSkip: ":fast_forward:", upgrade.WordQuarantine: ":construction:",
	upgrade.WordResolve: ":eyes:", upgrade.WordReplan: ":memo:", upgrade.WordRollback: ":rewind:", upgrade.WordHandover: ":handshake:",
}

// said shows a person's word in the thread, or what the bot did of that kind by itself.
func said(slot string, w upgrade.SaidWant, rec upgrade.Record) Message {
	line := deed(w, rec.Plan.Name)
	shown := line
	if w.Verb == upgrade.WordHandover && userID.MatchString(w.To) {
		// Beside what calls for a yes the one mention there is: whoever is to see to it from now on must hear of it.
		shown = handedTo(w, rec.Plan.Name, "<@"+w.To+">")
	}
	var p page
	p.para(append([]string{cmp.Or(wordEmoji[w.Verb], ":speech_balloon:") + " " + shown}, followed(w, rec)...)...)
	p.small(code(rec.ID))
	if w.Verb == upgrade.WordHandover && rec.Rollout.Owner == w.To {
		line = handedTo(w, rec.Plan.Name, name(rec.Rollout.OwnerName))
	}
	return p.done(slot, fmt.Sprintf("%s (%s)", flat(line), esc(rec.ID, 20)))
}

// deed says in a sentence who did what: to the set of that name, "" where it is clear which.
func deed(w upgrade.SaidWant, set string) string {
	who, why, of, it := name(w.Name), because(w.Reason), "", "it"
	if set != "" {
		of, it = " of "+name(set), name(set)
	}
	switch w.Verb {
	case upgrade.WordPause:
		return who + " paused " + it + why
	case upgrade.WordResume:
		return who + " resumed " + it
	case upgrade.WordAbort:
		if w.By == "" {
			return byPlan(it+" is aborted", w.Reason)
		}
		return who + " aborted " + it + why
	case upgrade.WordRollback:
		if w.By == "" {
			return byPlan(it+" ends, and the way back opens", w.Reason)
		}
		return who + " rolls " + it + " back" + why
	case upgrade.WordReplan:
		return who + " planned " + it + " anew"
	case upgrade.WordHandover:
		return handedTo(w, cmp.Or(set, "it"), code(w.To))
	case upgrade.WordRetry:
		if len(w.IDs) == 0 {
			return who + " has tried again what Azure refused" + of
		}
		return who + " wants " + those(w.IDs) + of + " tried once more"
	case upgrade.WordSkip:
		return who + " skipped " + those(w.IDs) + of + why
	case upgrade.WordQuarantine:
		if w.Name == "" {
			return "As the plan says, " + those(w.IDs) + of + " " + isAre(w.IDs) + " set aside" + why
		}
		return who + " set " + those(w.IDs) + of + " aside" + why
	case upgrade.WordResolve:
		return resolved(w, of) + why
	}
	return who + " said " + esc(string(w.Verb), 20) + " to " + it + why
}

func handedTo(w upgrade.SaidWant, set, to string) string {
	return name(w.Name) + " handed " + name(set) + " over to " + to + because(w.Reason)
}

func resolved(w upgrade.SaidWant, of string) string {
	if w.Verdict == upgrade.Passes {
		return fmt.Sprintf("%s looked at %s%s: %s", name(w.Name), esc("external gate "+and(w.Probes), 200), of, found[w.Verdict])
	}
	if len(w.IDs) == 0 {
		return fmt.Sprintf("%s looked what became of the call%s that brought no answer: %s", name(w.Name), of, found[w.Verdict])
	}
	return fmt.Sprintf("%s looked at %s%s: %s", name(w.Name), those(w.IDs), of, found[w.Verdict])
}

func isAre(ids []string) string {
	if len(ids) == 1 {
		return "is"
	}
	return "are"
}

// followed says what comes of a word.
func followed(w upgrade.SaidWant, rec upgrade.Record) []string {
	switch w.Verb {
	case upgrade.WordAbort:
		return []string{map[upgrade.ModelAnswer]string{upgrade.Revert: "The old one goes back into the model.", upgrade.Keep: "The new one stays in the model."}[w.Answer]}
	case upgrade.WordRollback:
		return []string{"This rollout ends once nothing is in flight. One back opens then, in its own thread; its cards ask before each gate, the last one first."}
	case upgrade.WordRetry:
		if len(w.IDs) > 0 {
			return []string{"Nothing happens before somebody agrees: a card asks."}
		}
	case upgrade.WordSkip, upgrade.WordQuarantine:
		return []string{fmt.Sprintf("The rollout goes on without %s. %s takes %s in again.", itThem(w.IDs), code("/vmss retry "+rec.ID+" vm=…"), itThem(w.IDs))}
	case upgrade.WordReplan:
		return different("Every yes so far is void. What is different:", w.Changes)
	case upgrade.WordHandover:
		return []string{"That is who I call from now on. It moves no right: who asked for the rollout still may not approve it."}
	}
	return nil
}

func itThem(ids []string) string {
	if len(ids) == 1 {
		return "it"
	}
	return "them"
}

// different lists what a new plan changes.
func different(head string, changes []string) []string {
	if len(changes) == 0 {
		return nil
	}
	return append([]string{head}, bullets(changes)...)
}

func bullets(changes []string) []string {
	const most = 14
	var out []string
	for _, c := range changes[:min(most, len(changes))] {
		out = append(out, "• "+change(c, 160))
	}
	if n := len(changes) - most; n > 0 {
		out = append(out, fmt.Sprintf("… %d more", n))
	}
	return out
}

// change is one difference in words; the path of a setting is for people to copy.
func change(s string, room int) string {
	path, did, is := strings.Cut(s, " was ")
	if is && !strings.ContainsAny(path, " ,") && slices.Contains([]string{"added", "changed", "removed"}, did) {
		return code(path) + " was " + did
	}
	return prose(middle(s, room))
}

func upperFirst(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}
