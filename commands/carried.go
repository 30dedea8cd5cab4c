package commands

import (
	"slices"

	"github.com/vmssbot/vmssbot/upgrade"
)

// Carried is what a form takes along unseen. It names what is meant and proves nothing: the domain
// checks every right and every card when the form comes back.
type Carried struct {
	Verb    Verb   `json:"verb"`
	Rollout string `json:"rollout,omitempty"`
	Nonce   string `json:"nonce,omitempty"`
	Part    string `json:"part,omitempty"` // of show
	Rest    bool   `json:"rest,omitempty"` // of approve
	Some    string `json:"some,omitempty"` // [Request.Unclear], with commas between: what must be said
}

func (c Carried) request() Request {
	unclear, _ := unsaid(c.Some)
	return Request{Verb: c.Verb, Rollout: c.Rollout, Nonce: c.Nonce, Part: c.Part, Rest: c.Rest, Unclear: unclear}
}

// Check refuses what no form of ours carries. It is a matter of shapes: whether the rollout or the
// card is there, and whose it is, is the domain's to say.
func (c Carried) Check() *upgrade.Refusal {
	if f, known := NewForm(Request{Verb: c.Verb}, Lists{}); known && c.fits(f) {
		return nil
	}
	return upgrade.Refuse(upgrade.CodeArg, root+"help", "I do not know that form: another version of me may have opened it")
}

// fits reports whether the form of the verb, as it is with nothing known, takes such along.
func (c Carried) fits(f Form) bool {
	about := slices.ContainsFunc(f.Fields, func(f Field) bool { return f.Name == fieldRollout })
	several := isGroup(c.Rollout) && c.Verb.ofSeveral() || c.Rollout == upgrade.EverySet && c.Verb.ofAll()
	_, ours := unsaid(c.Some)
	switch {
	case c.Rollout != "":
		ours = ours && about && c.Nonce == "" && (isRollout(c.Rollout) || several)
	case c.Nonce != "":
		ours = ours && about && isNonce(c.Nonce)
	}
	return ours && (c.Part == "" || c.Verb == VerbShow && isPart(c.Part)) && (!c.Rest || c.Verb == VerbApprove) &&
		(c.Some == "" || c.Verb.plans() || c.Verb.ofInstances())
}
