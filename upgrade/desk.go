package upgrade

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Ask is a person's wish for a rollout or a plan, as typed or filled into a form. Pointers are nil
// where nothing was said: the policy's value holds.
type Ask struct {
	Set            string   // a name or resourcegroup/name; of several sets a pattern, or a group's name
	Without        []string // of several sets: the names of those that are left out
	Target         string   // a version, "latest", "model", the id of an image, or the address of a VHD
	SKU            string   // of the platform image, where it is to be another than now
	Size           string   // of a resize, which has no target
	Which          Selection
	Order          Order
	MaxUnavailable *Limit
	MaxFailures    *int
	OnFailure      OnFailure // "" = as the policy says
	Soak           *time.Duration
	Bake           *time.Duration
	Window         string // of the policy's; "" = any of them
	At             string // when it may start at the earliest, as [Moment] reads it; "" = at once
	Note           string
	Channel        string // where it was asked; a set is driven in its own channel only
}

// Desk turns what people want into plans, changes and answers. It reads Azure and the journal and
// writes nothing: the caller commits the Change together with the delivery it came from, and asks
// again when the journal answers ErrStale or ErrLocked.
type Desk struct {
	Fleet     Fleet
	Catalogue Catalogue
	Journal   Reader
	People    People // who a rollout may be handed over to
	Policies  func() []Policy
	Groups    func() []Group // nil = there are none
	Now       func() time.Time
	ID        func() string // unguessable, at least 128 bits, letters and digits only
}

// Plan makes the plan for an ask and changes nothing.
func (d Desk) Plan(ctx context.Context, by Person, ask Ask) (Plan, error) {
	set, pol, err := d.find(ctx, by, ask.Set, MayRead)
	if err != nil {
		return Plan{}, err
	}
	return d.plan(ctx, by, ask, set, pol)
}

// Open makes the plan and the change that opens its rollout, under the name of who asked.
func (d Desk) Open(ctx context.Context, by Person, ask Ask) (Change, Plan, error) {
	set, pol, err := d.find(ctx, by, ask.Set, MayRequest)
	if err != nil {
		return Change{}, Plan{}, err
	}
	if no := driveable(set, pol, ask.Channel); no != nil {
		return Change{}, Plan{}, no
	}
	if err := d.free(ctx, set); err != nil {
		return Change{}, Plan{}, err
	}
	p, err := d.plan(ctx, by, ask, set, pol)
	if err != nil {
		return Change{}, Plan{}, err
	}
	return *opening("r-"+d.ID()[:6], p, pol.Channel, by.ID, by.Name, d.Now(), nil), p, nil
}

// opening is the change that opens the rollout of a plan, alone or in its place among others.
func opening(id string, p Plan, channel, by, name string, now time.Time, w *Wave) *Change {
	events := At(now, by, Requested{Digest: p.Digest, Sum: p.Sum(), Channel: channel, Name: name, Wave: w})
	number(events, 0)
	return &Change{Rollout: id, Open: &p, Events: events, Posts: Posts(Fold(id, events), events)}
}

func driveable(set SetSummary, pol Policy, channel string) *Refusal {
	switch {
	case pol.Channel == "":
		return Refuse(CodePolicy, "", "%s has no channel in the configuration: it cannot be driven from Slack", set.Name)
	case channel != pol.Channel:
		return Refuse(CodeRole, "", "%s is driven in <#%s> only", set.Name, pol.Channel)
	}
	return nil
}

// free refuses a set that another rollout holds, naming holder, reason, since, state and the way
// out (R16).
func (d Desk) free(ctx context.Context, set SetSummary) error {
	rec, err := d.Journal.Holder(ctx, set.ID)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return inside("read the lock of "+set.Name, err)
	}
	return Locked(rec)
}

// Locked is the refusal for a set that rec holds.
func Locked(rec Record) *Refusal {
	what := fmt.Sprintf("%s is being rolled by %s (%s, since %s", rec.Plan.Name, rec.ID, rec.Rollout.OwnerName, DateToken(rec.Rollout.At))
	if rec.Plan.Note != "" {
		what += ", “" + rec.Plan.Note + "”"
	}
	what += "): " + cmp.Or(LastDecided(rec.Events).Text, "just planned")
	return &Refusal{Code: CodeLocked, What: what, Next: "/vmss why " + rec.ID, Rollout: rec.ID}
}

// DateToken writes a moment so that the view can show it in each reader's zone.
func DateToken(t time.Time) string { return fmt.Sprintf("\x02%d\x03", t.Unix()) }

// find resolves a set by name and checks the right. What the person may not read does not exist
// for them.
func (d Desk) find(ctx context.Context, by Person, name string, do Right) (SetSummary, Policy, error) {
	sets, err := d.readable(ctx, by)
	if err != nil {
		return SetSummary{}, Policy{}, err
	}
	matches := named(sets, name)
	switch {
	case len(matches) == 0:
		return SetSummary{}, Policy{}, unknownSet(sets, name)
	case len(matches) > 1:
		return SetSummary{}, Policy{}, ambiguous(matches, name)
	}
	set := matches[0]
	pol := PolicyFor(d.Policies(), set.ID)
	if who := pol.Refuses(by, do, ""); who != "" {
		return set, pol, Refuse(CodeRole, "/vmss show "+set.Name, "to %s an upgrade of %s takes %s", do, set.Name, who)
	}
	return set, pol, nil
}

// readable lists the sets that the person may read.
func (d Desk) readable(ctx context.Context, by Person) ([]SetSummary, error) {
	sets, err := d.Catalogue.Sets(ctx)
	if err != nil {
		return nil, azure("list the scale sets", err)
	}
	return slices.DeleteFunc(sets, func(s SetSummary) bool { return PolicyFor(d.Policies(), s.ID).Refuses(by, MayRead, "") != "" }), nil
}

func named(sets []SetSummary, name string) []SetSummary {
	var out []SetSummary
	for _, s := range sets {
		if strings.EqualFold(s.Name, name) || strings.EqualFold(s.ResourceGroup+"/"+s.Name, name) {
			out = append(out, s)
		}
	}
	return out
}

func ambiguous(matches []SetSummary, name string) *Refusal {
	var full []string
	for _, m := range matches {
		full = append(full, m.ResourceGroup+"/"+m.Name)
	}
	return Refuse(CodeArg, "/vmss show "+full[0], "%s is the name of several scale sets: %s", name, strings.Join(full, ", "))
}

func unknownSet(sets []SetSummary, name string) *Refusal {
	var names []string
	for _, s := range sets {
		if !strings.EqualFold(s.Name, EverySet) { // a freeze would take it for all of them
			names = append(names, s.Name)
		}
	}
	no := Refuse(CodeUnknown, "/vmss list", "I know no scale set `%s` that you may see", name)
	if near := Nearest(name, names); near != "" {
		no.What += fmt.Sprintf(". Did you mean `%s`?", near)
	}
	return no
}

// Nearest returns the candidate that a slip of the fingers turns into word, "" if none is near.
func Nearest(word string, candidates []string) string {
	best, at := "", len(word)/3+1
	word = strings.ToLower(word)
	for _, c := range candidates {
		low := strings.ToLower(c)
		if len(low)-len(word) > at || len(word)-len(low) > at {
			continue // so many letters more are so many edits
		}
		if d := editDistance(word, low); d <= at && (best == "" || d < at) {
			best, at = c, d
		}
	}
	return best
}

// editDistance is Levenshtein's, over bytes; the words are names. Over-long words are not near.
func editDistance(a, b string) int {
	const most = 100
	if len(a) > most || len(b) > most {
		return most
	}
	var rows [most + 1]int
	row := rows[:len(b)+1]
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			last, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, last+cost)
		}
	}
	return row[len(b)]
}

func (d Desk) plan(ctx context.Context, by Person, ask Ask, set SetSummary, pol Policy) (Plan, error) {
	seen, err := d.Fleet.Observe(ctx, set.ID, Free)
	if err != nil {
		return Plan{}, azure("read "+set.Name, err)
	}
	if no := Drivable(seen); seen.Owner != "" { // whatever was asked for
		return Plan{}, no
	}
	wish := Wish{Which: ask.Which, Order: ask.Order, Note: ask.Note, By: by.ID, Window: ask.Window}
	if ask.At != "" {
		var no *Refusal
		if wish.After, no = Moment(ask.At, by.Zone, d.Now()); no != nil {
			return Plan{}, no
		}
	}
	if no := wish.limit(ask, pol, len(seen.Instances)); no != nil {
		return Plan{}, no
	}
	if err := d.pin(ctx, &wish, ask, seen, pol); err != nil {
		return Plan{}, err
	}
	wish.Hazards = append(wish.Hazards, d.autoscale(ctx, set.ID)...)
	if wish.Past, err = d.past(ctx, set.ID); err != nil {
		return Plan{}, err
	}
	p, no := NewPlan(seen, pol, wish, d.Now())
	if no != nil {
		return Plan{}, no
	}
	return p, nil
}

// limit takes what was asked for where it is no looser than the policy.
func (w *Wish) limit(ask Ask, pol Policy, total int) *Refusal {
	w.Limits = Limits{MaxUnavailable: pol.MaxUnavailable.Of(total), BatchCap: pol.BatchCap, MaxFailures: pol.MaxFailures, OnFailure: cmp.Or(pol.OnFailure, HoldOnFailure),
		Soak: pol.Soak, Bake: pol.Bake, Deadline: pol.Deadline}
	if l := ask.MaxUnavailable; l != nil {
		if l.Of(total) > w.Limits.MaxUnavailable {
			return Refuse(CodePolicy, "", "the policy lets %s instances out of service at once, not %s. Smallest change: max-unavailable=%d", pol.MaxUnavailable, l, w.Limits.MaxUnavailable)
		}
		w.Limits.MaxUnavailable = l.Of(total)
	}
	if n := ask.MaxFailures; n != nil {
		if *n > pol.MaxFailures {
			return Refuse(CodePolicy, "", "the policy goes on with %d failed instances, not %d. Smallest change: max-failures=%d", pol.MaxFailures, *n, pol.MaxFailures)
		}
		w.Limits.MaxFailures = *n
	}
	if ask.OnFailure != "" && ask.OnFailure.tighter(w.Limits.OnFailure) != ask.OnFailure {
		return Refuse(CodePolicy, "", "the policy holds at a failed instance too many and sets none aside by itself. Smallest change: on-failure=hold")
	}
	w.Limits.OnFailure = cmp.Or(ask.OnFailure, w.Limits.OnFailure)
	for _, rest := range []struct {
		name      string
		want      *time.Duration
		at, least *time.Duration
	}{{"soak", ask.Soak, &w.Limits.Soak, &pol.Soak}, {"bake", ask.Bake, &w.Limits.Bake, &pol.Bake}} {
		if rest.want == nil {
			continue
		}
		if *rest.want < *rest.least {
			return Refuse(CodePolicy, "", "the policy has a %s of %s at least. Smallest change: %s=%s", rest.name, *rest.least, rest.name, *rest.least)
		}
		*rest.at = *rest.want
	}
	return nil
}

func number(events []Event, after int) {
	for i := range events {
		events[i].Seq = after + 1 + i
	}
}

// record loads a rollout the person may read; what they may not read does not exist for them.
func (d Desk) record(ctx context.Context, by Person, id string) (Record, error) {
	rec, err := d.Journal.Record(ctx, id)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Record{}, inside("read rollout "+id, err)
	}
	if err != nil || PolicyFor(d.Policies(), rec.Plan.Set).Refuses(by, MayRead, "") != "" {
		return Record{}, d.unknownRollout(ctx, by, id)
	}
	return rec, nil
}

func (d Desk) unknownRollout(ctx context.Context, by Person, id string) *Refusal {
	no := Refuse(CodeUnknown, "/vmss status", "I know no rollout `%s` that you may see", id)
	if open, err := d.open(ctx, by); err == nil {
		var ids []string
		for _, r := range open {
			ids = append(ids, r.ID)
		}
		if near := Nearest(id, ids); near != "" {
			no.What += fmt.Sprintf(". Did you mean `%s`?", near)
		}
	}
	return no
}

func (d Desk) open(ctx context.Context, by Person) ([]Record, error) {
	all, err := d.Journal.Open(ctx)
	if err != nil {
		return nil, inside("list the open rollouts", err)
	}
	return slices.DeleteFunc(all, func(r Record) bool { return PolicyFor(d.Policies(), r.Plan.Set).Refuses(by, MayRead, "") != "" }), nil
}

// azure turns a failed reading into an answer for the person; the cause is for the log.
func azure(what string, err error) *Refusal {
	f := AsFault(err, what)
	said := f.Message
	if f.Code != "" {
		said = f.Code + ": " + f.Message
	}
	return &Refusal{Code: CodeAzure, What: fmt.Sprintf("Azure did not let me %s: %s", what, cmp.Or(said, string(f.Kind))), Next: "/vmss list", Cause: err}
}

func inside(what string, err error) *Refusal {
	return &Refusal{Code: CodeInside, What: "I could not " + what + "; nothing was changed", Next: "/vmss status", Cause: err}
}
