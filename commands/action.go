package commands

import (
	"cmp"
	"reflect"
	"strings"

	"github.com/vmssbot/vmssbot/upgrade"
)

// ActionMore is the action id of every overflow menu: the values of its options are made by
// [Option], the verb before the value.
const ActionMore = "more"

// place is where the value of a button goes.
type place int

const (
	onCard   place = iota // a card's nonce: the answer to what was asked there
	rollout               // a rollout's id, or the nonce of a card about it
	byID                  // a rollout's id
	instance              // a rollout's id and one of its instances, such as r-4f2k9a/8
	toLookAt              // a rollout's id, only to be shown
	nowhere               // there is none
)

// buttons are the names under which buttons go to Slack and come back. They live as long as the
// messages they stand in: none is ever given another meaning.
var buttons = []struct {
	id    string
	says  Request
	place place
}{
	{"approve", Request{Verb: VerbApprove}, onCard},
	{"approve-rest", Request{Verb: VerbApprove, Rest: true}, onCard},
	{"deny", Request{Verb: VerbDeny}, onCard},
	{"model-revert", Request{Verb: VerbModel, Answer: upgrade.Revert}, onCard},
	{"model-keep", Request{Verb: VerbModel, Answer: upgrade.Keep}, onCard},
	{"pause", Request{Verb: VerbPause}, rollout},
	{"resume", Request{Verb: VerbResume}, rollout},
	{"abort", Request{Verb: VerbAbort}, rollout},
	{"ask", Request{Verb: VerbAsk}, rollout},
	{"retry", Request{Verb: VerbRetry}, byID},
	{"retry-one", Request{Verb: VerbRetry}, instance},
	{"skip", Request{Verb: VerbSkip}, byID},
	{"skip-one", Request{Verb: VerbSkip}, instance},
	{"quarantine", Request{Verb: VerbQuarantine}, byID},
	{"quarantine-one", Request{Verb: VerbQuarantine}, instance},
	{"resolve", Request{Verb: VerbResolve}, byID},
	{"resolve-started", Request{Verb: VerbResolve, Verdict: upgrade.Started}, byID},
	{"resolve-not-started", Request{Verb: VerbResolve, Verdict: upgrade.NotStarted}, byID},
	{"resolve-ok", Request{Verb: VerbResolve, Verdict: upgrade.IsOK}, instance},
	{"resolve-failed", Request{Verb: VerbResolve, Verdict: upgrade.IsFailed}, instance},
	{"resolve-passed", Request{Verb: VerbResolve, Verdict: upgrade.Passes}, byID},
	{"replan", Request{Verb: VerbReplan}, byID},
	{"rollback", Request{Verb: VerbRollback}, byID},
	{"handover", Request{Verb: VerbHandover}, byID},
	{"evidence", Request{Verb: VerbShow, Part: partEvidence}, toLookAt},
	{"status", Request{Verb: VerbStatus}, toLookAt},
	{"open", Request{Verb: VerbStatus}, toLookAt},
	{"why", Request{Verb: VerbWhy}, toLookAt},
	{"instances", Request{Verb: VerbShow, Part: "instances"}, toLookAt},
	{"report", Request{Verb: VerbReport}, toLookAt},
	{"plan", Request{Verb: VerbPlan}, nowhere},
	{"help", Request{Verb: VerbHelp}, nowhere},
}

// Action writes a request as a button: the id of the action and its value. Both are "" for a
// request that no button can make.
func Action(r Request) (actionID, value string) {
	value = cmp.Or(r.Nonce, r.Rollout, r.About)
	if len(r.Instances) == 1 {
		value += "/" + r.Instances[0]
	}
	for _, b := range buttons {
		if said, ok := filled(b.says, b.place, value); ok && reflect.DeepEqual(said, r) {
			return b.id, value
		}
	}
	return "", ""
}

// Option writes a request as the value of an option of an overflow menu; "" when it cannot be one.
func Option(r Request) string {
	id, value := Action(r)
	if value == "" {
		return ""
	}
	return id + ":" + value
}

// ParseAction understands a pressed button, or a chosen option of an overflow menu. It takes
// nothing but the names and shapes that Action and Option write: what the value points to, and
// whether it still stands, is the domain's to say.
func ParseAction(actionID, value string) (Request, *upgrade.Refusal) {
	id, value := actionID, value
	if id == ActionMore {
		id, value, _ = strings.Cut(value, ":")
	}
	for _, b := range buttons {
		if b.id != id {
			continue
		}
		if said, ok := filled(b.says, b.place, value); ok {
			return said, nil
		}
	}
	return Request{}, upgrade.Refuse(upgrade.CodeArg, root+"status", "I do not know the button %s: another version of me may have posted it", echo(id))
}

func filled(r Request, p place, value string) (Request, bool) {
	switch nonce, id := isNonce(value), isRollout(value); {
	case p == nowhere:
		return r, value == ""
	case p == instance:
		of, vm, _ := strings.Cut(value, "/")
		r.Rollout, r.Instances = of, []string{vm}
		return r, isRollout(of) && isInstance(vm)
	case nonce && (p == onCard || p == rollout):
		r.Nonce = value
	case id && (p == rollout || p == byID):
		r.Rollout = value
	case id && p == toLookAt:
		r.About = value
	default:
		return Request{}, false
	}
	return r, true
}
