package commands

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// Do carries a request out. The channel is where it was said, at is when (zero = now). The changes are not made yet: the
// caller commits them together with the delivery the request came from, and calls Do again when
// the journal has moved on meanwhile. Who may what is checked by r, for every verb.
//
// A refusal is a Reply like any other. An error beside it is its cause, for the log; it is nil for
// the usual ones, such as a person without the right. Only when ctx is over there is no Reply.
func Do(ctx context.Context, req Request, by upgrade.Person, channel string, at time.Time, r Rollouts) (Reply, []upgrade.Change, error) {
	do, known := deeds[req.Verb]
	if !known {
		return Refused(req, upgrade.Refuse(upgrade.CodeArg, root+"help", "I do not know the verb %s", echo(string(req.Verb)))), nil, nil
	}
	if len(req.Unclear) > 0 { // without what was not understood, all would be meant
		no := upgrade.Refuse(upgrade.CodeArg, helpFor(req.Verb), "I did not understand which instances are meant, or when (`%s=`)", strings.Join(req.Unclear, "=`, `"))
		return Refused(req, no), nil, nil
	}
	reply, changes, err := do(ctx, turn{req, by, channel, at, r})
	switch {
	case err == nil:
		reply.Verb, reply.Request = req.Verb, cmp.Or(reply.Request, typed(req))
		return reply, changes, nil
	case ctx.Err() != nil:
		return Reply{}, nil, ctx.Err()
	}
	no := refusal(err)
	reply = Refused(req, no)
	reply.Request, reply.Refusal.Next = typed(req), meant(req, no)
	return reply, nil, no.Cause
}

// Refused is the reply that says no to a request that was not understood. It does not write the
// request: that is only a part of what was meant. Where another word or name may help, it offers the
// form with what was understood.
func Refused(req Request, no *upgrade.Refusal) Reply {
	refusal := &Refusal{Code: no.Code, What: no.What, Next: no.Next, Rollout: no.Rollout}
	switch {
	case no.Code == upgrade.CodeUnknown && no.Rollout == "":
		req.Rollout = "" // a form with the id has nothing to choose from
		if bare := req.Reason == ""; bare && req.Verb.lifts() {
			req.Set = "" // with a reason, that would be read in the place of the name
		}
		refusal.Form = Started(req)
	case no.Code == upgrade.CodeArg || no.Code == upgrade.CodeUnknown:
		refusal.Form = Started(req)
	}
	return Reply{Verb: req.Verb, Refusal: refusal}
}

// nearly is how the domain ends a refusal of a name when it knows one that is near.
var nearly = regexp.MustCompile("Did you mean `([^`]+)`\\?$")

// meant is the next step after a refusal: where one name in the request was not known and another is
// near, the whole command with that one in its place, else what the domain proposes. A set is not
// looked for outside the resource group that was named.
func meant(req Request, no *upgrade.Refusal) string {
	near := nearly.FindStringSubmatch(no.What)
	if near == nil || req.Nonce != "" {
		return no.Next
	}
	if mended(&req, no, near[1]) {
		return root + Format(req)
	}
	if no.Code != upgrade.CodeUnknown {
		return no.Next
	}
	for _, name := range []struct {
		said  *string
		fits  func(string) bool
		known string // how the domain says that it knows none of that name
	}{
		{&req.Rollout, isRollout, "no rollout `%s`"},
		{&req.About, isRollout, "no rollout `%s`"},
		{&req.About, isSet, "no scale set `%s`"},
		{&req.Set, isSet, "no scale set `%s`"},
		{&req.Target, isVersion, "no version %s in "},
		{&req.Size, isSize, "no VM size %s to "},
	} {
		if *name.said != "" && name.fits(near[1]) && !strings.Contains(*name.said, "/") && strings.Contains(no.What, fmt.Sprintf(name.known, *name.said)) {
			*name.said = near[1]
			return root + Format(req)
		}
	}
	return no.Next
}

// mended puts what is near in the place of a part of a word that was not known: of the version of an
// image's id, and of an instance in a list.
func mended(req *Request, no *upgrade.Refusal, near string) bool {
	image, named := upgrade.ImageNamed(req.Target)
	if named && strings.Contains(no.What, "no version "+image.Running()+" in ") && isVersion(near) {
		req.Target = image.At(near).ID
		return isImage(req.Target)
	}
	known, found := strings.CutPrefix(near, "vm=")
	_, unknown, _ := strings.Cut(no.What, " has no instance ")
	unknown, _, _ = strings.Cut(unknown, ". ")
	return found && isInstance(known) && otherInstance(&req.Which, unknown, known)
}

// typed is the request as text; the button of a card has none until its rollout is known.
func typed(req Request) string {
	if req.Nonce != "" {
		return ""
	}
	return Format(req)
}

// refusal is the answer for the person to any error: one that was not meant for people says only
// that nothing happened.
func refusal(err error) *upgrade.Refusal {
	var no *upgrade.Refusal
	if errors.As(err, &no) {
		return no
	}
	return &upgrade.Refusal{Code: upgrade.CodeInside, What: "something inside me went wrong; nothing was changed", Next: root + "status", Cause: err}
}

// turn is one request with everything it is carried out with.
type turn struct {
	req      Request
	by       upgrade.Person
	channel  string
	at       time.Time
	rollouts Rollouts
}

type deed func(context.Context, turn) (Reply, []upgrade.Change, error)

// deeds has what each verb does.
var deeds = map[Verb]deed{
	VerbHome:    looking(home),
	VerbHelp:    looking(help),
	VerbUpgrade: open,
	VerbResize:  open,
	VerbPlan:    looking(plan),
	VerbList:    looking(list),
	VerbShow:    looking(show),
	VerbImages:  looking(images),
	VerbStatus:  looking(status),
	VerbWhy:     looking(status),
	VerbPending: looking(pending),
	VerbHistory: looking(history),
	VerbReport:  looking(report),
	VerbAudit:   looking(audit),
	VerbShift:   looking(shift),
	VerbApprove: saying(upgrade.WordApprove),
	VerbDeny:    saying(upgrade.WordDeny),
	VerbPause:   saying(upgrade.WordPause),
	VerbResume:  saying(upgrade.WordResume),
	VerbAbort:   saying(upgrade.WordAbort),
	VerbAsk:     saying(upgrade.WordAsk),
	VerbModel:   saying(upgrade.WordModel),

	VerbRetry:      saying(upgrade.WordRetry),
	VerbSkip:       saying(upgrade.WordSkip),
	VerbQuarantine: saying(upgrade.WordQuarantine),
	VerbResolve:    saying(upgrade.WordResolve),
	VerbReplan:     saying(upgrade.WordReplan),
	VerbRollback:   saying(upgrade.WordRollback),
	VerbHandover:   saying(upgrade.WordHandover),

	VerbFreeze:   freezing,
	VerbUnfreeze: freezing,
	VerbWindows:  looking(windows),

	VerbSchedule:   scheduling,
	VerbUnschedule: scheduling,
}

// looking makes a deed of what changes nothing.
func looking(at func(context.Context, turn) (Reply, error)) deed {
	return func(ctx context.Context, t turn) (Reply, []upgrade.Change, error) {
		reply, err := at(ctx, t)
		return reply, nil, err
	}
}

// saying makes a deed of a word about a rollout. A word that was said before changes nothing.
func saying(verb upgrade.WordVerb) deed {
	return func(ctx context.Context, t turn) (Reply, []upgrade.Change, error) {
		word := upgrade.Word{
			Verb: verb, Rollout: t.req.Rollout, Nonce: t.req.Nonce, Channel: t.channel, At: t.at,
			Rest: t.req.Rest, Reason: t.req.Reason, Answer: t.req.Answer, IDs: t.req.Instances, Verdict: t.req.Verdict, To: t.req.To,
		}
		if t.req.severally() {
			return sayingAll(ctx, t, word)
		}
		change, answer, err := t.rollouts.Say(ctx, t.by, word)
		if err != nil {
			return Reply{}, nil, err
		}
		known := t.req
		known.Nonce, known.Rollout = "", cmp.Or(known.Rollout, change.Rollout)
		reply := Reply{Text: answer, Request: Format(known)}
		if len(change.Events) == 0 {
			return reply, nil, nil
		}
		return reply, []upgrade.Change{change}, nil
	}
}

func (t turn) ask() upgrade.Ask {
	o := t.req.Options
	return upgrade.Ask{
		Set: t.req.Set, Without: t.req.Without, Target: t.req.Target, SKU: t.req.SKU, Size: t.req.Size, Which: t.req.Which, Order: t.req.Order,
		MaxUnavailable: o.MaxUnavailable, MaxFailures: o.MaxFailures, OnFailure: o.OnFailure, Soak: o.Soak, Bake: o.Bake, Window: o.Window, At: o.At, Note: o.Note,
		Channel: t.channel,
	}
}

func open(ctx context.Context, t turn) (Reply, []upgrade.Change, error) {
	if reply, changes, ok, err := planSeveral(ctx, t, true); ok {
		return reply, changes, err
	}
	change, p, err := t.rollouts.Open(ctx, t.by, t.ask())
	if err != nil {
		return Reply{}, nil, err
	}
	return Reply{Plan: &p, Rollout: change.Rollout}, []upgrade.Change{change}, nil
}

func plan(ctx context.Context, t turn) (Reply, error) {
	if reply, _, ok, err := planSeveral(ctx, t, false); ok {
		return reply, err
	}
	p, err := t.rollouts.Plan(ctx, t.by, t.ask())
	if err != nil {
		return Reply{}, err
	}
	return Reply{Plan: &p}, nil
}

func help(_ context.Context, t turn) (Reply, error) {
	h, found := helpOf(Verb(t.req.About))
	if !found {
		return Reply{}, upgrade.Refuse(upgrade.CodeArg, root+"help", "I do not know the verb %s", echo(t.req.About))
	}
	return Reply{Help: &h}, nil
}

func (t turn) look(ctx context.Context, kind upgrade.QueryKind, about string) (upgrade.Sight, error) {
	return t.rollouts.Look(ctx, t.by, upgrade.Query{Kind: kind, About: about})
}

// Home is what concerns one person: open rollouts that wait for their yes, and the others that are
// theirs: they asked for them, or took them over.
type Home struct{ Waiting, Mine []upgrade.Record }

// ReadHome reads what concerns this person.
func ReadHome(ctx context.Context, by upgrade.Person, r Rollouts) (Home, error) {
	t := turn{by: by, rollouts: r}
	waiting, err := t.look(ctx, upgrade.QueryPending, "")
	if err != nil {
		return Home{}, err
	}
	all, err := t.look(ctx, upgrade.QueryRollouts, "")
	h := Home{Waiting: waiting.Rollouts}
	ids := named(waiting.Rollouts)
	for _, rec := range all.Rollouts {
		if rec.Rollout.Owner == by.ID && !slices.Contains(ids, rec.ID) {
			h.Mine = append(h.Mine, rec)
		}
	}
	return h, err
}

// home lists what waits for this person, then what is theirs.
func home(ctx context.Context, t turn) (Reply, error) {
	h, err := ReadHome(ctx, t.by, t.rollouts)
	if err != nil {
		return Reply{}, err
	}
	return listed(append(named(h.Waiting), named(h.Mine)...), "Nothing of yours is being rolled out, and nothing waits for your yes."), nil
}

// status shows rollouts; so does show for the evidence, which is a rollout's and not its set's.
func status(ctx context.Context, t turn) (Reply, error) {
	sight, err := t.look(ctx, upgrade.QueryRollouts, t.req.About)
	empty := "No rollout is open."
	if t.req.About != "" {
		empty = fmt.Sprintf("No rollout of %s is open.", t.req.About)
	}
	reply := listed(named(sight.Rollouts), empty)
	reply.Part, reply.Group = t.req.Part, sight.Group(t.req.About)
	return reply, err
}

func pending(ctx context.Context, t turn) (Reply, error) {
	sight, err := t.look(ctx, upgrade.QueryPending, "")
	return listed(named(sight.Rollouts), "Nothing waits for your yes."), err
}

func history(ctx context.Context, t turn) (Reply, error) {
	name, err := t.set(ctx)
	if err != nil {
		return Reply{}, err
	}
	sight, err := t.look(ctx, upgrade.QueryHistory, name)
	empty := "Nothing that you may see has been rolled out yet."
	if name != "" {
		empty = fmt.Sprintf("Nothing has been rolled out to %s yet.", name)
	}
	return listed(named(sight.Rollouts), empty), err
}

func listed(ids []string, empty string) Reply {
	if len(ids) == 0 {
		return Reply{Empty: empty}
	}
	return Reply{Rollouts: ids}
}

func named(records []upgrade.Record) []string {
	var ids []string
	for _, rec := range records {
		ids = append(ids, rec.ID)
	}
	return ids
}

func list(ctx context.Context, t turn) (Reply, error) {
	sight, err := t.look(ctx, upgrade.QuerySets, t.req.About)
	if err != nil {
		return Reply{}, err
	}
	var lines []SetLine
	for _, set := range sight.Sets {
		line := SetLine{Set: set}
		if i := slices.IndexFunc(sight.Rollouts, func(r upgrade.Record) bool { return r.Plan.Set == set.ID }); i >= 0 {
			line.Rollout, line.State = sight.Rollouts[i].ID, state(sight.Rollouts[i])
			if w := sight.Rollouts[i].Rollout.Wave; w != nil {
				line.Group = w.Group
			}
		}
		lines = append(lines, line)
	}
	switch {
	case len(lines) > 0:
		return Reply{Sets: lines}, nil
	case t.req.About != "":
		return Reply{Empty: fmt.Sprintf("You may see no scale set with %s in its name.", t.req.About)}, nil
	}
	return Reply{Empty: "You may see no scale set: the configuration says who may."}, nil
}

// state is where a rollout stands, as it was last decided.
func state(rec upgrade.Record) string {
	return cmp.Or(upgrade.LastDecided(rec.Events).Text, "just planned")
}

func show(ctx context.Context, t turn) (Reply, error) {
	if t.req.Part == partEvidence {
		return status(ctx, t)
	}
	name, err := t.set(ctx)
	if err != nil {
		return Reply{}, err
	}
	sight, err := t.look(ctx, upgrade.QuerySet, name)
	if err != nil {
		return Reply{}, err
	}
	s := &SetSight{Part: t.req.Part, Set: *sight.Set, Policy: sight.Policy}
	if s.Part == partPolicy {
		s.Holds = sight.Holdings()
	}
	if len(sight.Rollouts) > 0 {
		s.Rollout = sight.Rollouts[0].ID
	}
	return Reply{Set: s}, nil
}

// set is the name of the set to show: what was said, or the set of the rollout that was said. A
// scale set that is named like a rollout is said with its resource group.
func (t turn) set(ctx context.Context) (string, error) {
	if !isRollout(t.req.About) {
		return t.req.About, nil
	}
	sight, err := t.look(ctx, upgrade.QueryRollouts, t.req.About)
	if err != nil || len(sight.Rollouts) == 0 {
		return t.req.About, err
	}
	p := sight.Rollouts[0].Plan
	return p.ResourceGroup + "/" + p.Name, nil
}
