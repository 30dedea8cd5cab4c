package commands

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/vmssbot/vmssbot/upgrade"
)

// ErrIncomplete is the cause of a refusal of [Parse] when everything that was said was understood,
// and what was left out can be asked for in a form.
var ErrIncomplete = errors.New("something was left out")

// Form is what a person fills in to complete a request. It is a description: the view draws it, and
// [ParseForm] reads what came of it.
type Form struct {
	Carried
	Title   string
	Says    string // what sending it does
	Submit  string // the word on the button
	Typed   string // the command as known so far, for people who would rather type
	Trouble string // why lists are missing; "" = they are not
	Fields  []Field
}

// FieldKind is how a field is filled in.
type FieldKind string

const (
	FieldText    FieldKind = "text"
	FieldChoice  FieldKind = "choice"  // one of Choices
	FieldChoices FieldKind = "choices" // any of them, none included
	FieldPerson  FieldKind = "person"  // a member of the workspace; the value is their id
)

// Field is one thing a form asks for.
type Field struct {
	Name     string // the same for as long as there are forms
	Label    string
	Hint     string
	Kind     FieldKind
	Optional bool
	Value    string // what it starts with; values of FieldChoices are joined with commas
	Choices  []Choice
	Most     int    // characters a text may have; 0 = no limit of ours
	Listed   bool   // its choices are read from the journal or from Azure: it is a text until then
	About    string // the set or rollout its choices belong to; with another one the field begins anew
	Steers   bool   // another choice changes what other fields offer
}

// Choice is one of the values a field can have.
type Choice struct{ Value, Label string }

// Names of the fields; others that are options have their option's name.
const (
	fieldSet       = "set"
	fieldTarget    = "target"
	fieldRollout   = "rollout"
	fieldReason    = "reason"
	fieldAnswer    = "answer"
	fieldOnFailure = "on-failure"
	fieldInstances = "vm"
	fieldVerdict   = "verdict"
	fieldTo        = "to"
	fieldSize      = "size"
	fieldMore      = "more"
)

// What stands for a choice that says nothing: it cannot be empty in a form.
const (
	answerLater = "ask"    // [upgrade.ModelOpen]
	asPolicy    = "policy" // no [upgrade.OnFailure]
)

// face is how the form of a verb presents itself.
type face struct {
	title, submit, says string
	fields              func(Request, Lists) []Field
}

// faces has the verbs that can be asked for in a form. Slack allows 24 characters for a title and
// for a button.
var faces = map[Verb]face{
	VerbUpgrade: {"Upgrade a scale set", "Open the rollout", "Plans the upgrade, opens its rollout and asks before each gate, such as an update domain. Nothing is changed before somebody else approves.", planFields},
	VerbPlan:    {"Plan an upgrade", "Show the plan", "Shows the plan. Nothing is asked or changed.", planFields},
	VerbResize:  {"Resize a scale set", "Open the rollout", "Plans another VM size, opens its rollout and asks before each gate. Nothing is changed before somebody else approves. Instances keep their disks and restart.", planFields},
	VerbImages:  {"Images of a scale set", "Show them", "Reads what versions there are of the set's image.", showFields},
	VerbShow:    {"Show a scale set", "Show it", "Reads the scale set now.", showFields},
	VerbApprove: {"Approve", "Approve", "Says yes to the gate that is being asked, such as an update domain.", rolloutFields},
	VerbDeny:    {"Deny", "Deny", "Says no to the gate that is being asked, such as an update domain. The rollout is held until somebody asks again or aborts it.", denyFields},
	VerbAsk:     {"Ask once more", "Ask", "Asks once more for a gate that was denied, or whose approval ran out.", rolloutFields},
	VerbPause:   {"Pause a rollout", "Pause", "Starts nothing more until resume. A batch that Azure is at work on finishes.", pauseFields},
	VerbResume:  {"Resume a rollout", "Resume", "Ends a pause, and nothing else.", rolloutFields},
	VerbAbort:   {"Abort a rollout", "Abort", "Ends the rollout at once; what Azure is at work on is followed to its end.", abortFields},

	VerbRetry:      {"Retry instances", "Retry", "Puts instances that failed, or were set aside or skipped, back into the rollout. They are asked for anew; what Azure said of them is kept, as a retry replaces their disks.", retryFields},
	VerbSkip:       {"Skip instances", "Skip", "Leaves instances as they are, for this rollout.", asideFields},
	VerbQuarantine: {"Quarantine instances", "Quarantine", "Sets aside instances that need a person's hands: they hold the rollout no more.", asideFields},
	VerbResolve:    {"Say what you found", "Resolve", "Says what I cannot tell: whether a call without an answer happened, how instances came out, or whether external gates pass. Look in Azure first: I go by your word.", resolveFields},
	VerbReplan:     {"Plan a rollout anew", "Plan anew", "Puts a plan of the scale set as it is now in the place of the rollout's: for the same goal, with nothing added. Every yes so far is void.", rolloutFields},
	VerbRollback:   {"Roll back", "Roll back", "Ends the rollout, and opens one that takes the instances it has upgraded back to the image or size before, last first. One person's yes is enough for each gate, also yours.", pauseFields},
	VerbHandover:   {"Hand a rollout over", "Hand over", "Makes another person the one I call. It moves no right: who asked for the rollout still may not approve it.", handoverFields},

	VerbFreeze:     {"Freeze scale sets", "Freeze", "Starts nothing on a set, or on all that you may stop, whatever was approved. What Azure is at work on finishes.", freezeFields},
	VerbUnfreeze:   {"Lift a freeze", "Lift it", "Lifts a freeze that somebody said: what was approved goes on, if nothing else is in the way. One of the configuration is lifted there.", unfreezeFields},
	VerbSchedule:   {"Schedule an upgrade", "Schedule it", "Asks for the upgrade again and again, in your name. It approves nothing: the cards ask as ever.", scheduleFields},
	VerbUnschedule: {"Take a schedule away", "Take it away", "Asks for it no more. What it has opened goes on.", unscheduleFields},
}

// NewForm makes the form of a request: with what the request has, and with the choices that lists
// have. There is none for verbs that need nothing.
func NewForm(req Request, lists Lists) (Form, bool) {
	face, ok := faces[req.Verb]
	if !ok {
		return Form{}, false
	}
	f := Form{Carried: Carried{req.Verb, req.Rollout, req.Nonce, req.Part, req.Rest, strings.Join(req.Unclear, ",")}, Title: face.title, Says: face.says, Submit: face.submit}
	known := req
	known.Unclear = nil
	f.Typed = typed(known)
	if says := ofSeveral[req.Verb]; req.severally() && says != "" {
		f.Says = says
	}
	if req.Rest {
		f.Title, f.Says = "Approve the rest", "Says yes to the gate that is being asked, and to all that come after it."
	}
	f.Fields = face.fields(req, lists)
	return f, true
}

// Waits reports whether the form has choices that must be read first.
func (f Form) Waits() bool {
	for _, field := range f.Fields {
		if field.Listed {
			return true
		}
	}
	return false
}

// Unfinished reports whether the request lacks something that its form asks for.
func (r Request) Unfinished() bool {
	if len(r.Unclear) > 0 {
		return true
	}
	f, _ := NewForm(r, Lists{})
	for _, field := range f.Fields {
		if !field.Optional && field.Value == "" {
			return true
		}
	}
	return false
}

func showFields(r Request, l Lists) []Field { return []Field{setField(r.About, l, false)} }

func rolloutFields(r Request, l Lists) []Field {
	if r.Rollout != "" || r.Nonce != "" {
		return nil
	}
	return []Field{rolloutField(l, r.Verb.ofInstances())}
}

func pauseFields(r Request, l Lists) []Field { return append(rolloutFields(r, l), mayReason(r)) }

func denyFields(r Request, l Lists) []Field { return append(rolloutFields(r, l), mustReason(r)) }

func mayReason(r Request) Field {
	return Field{Name: fieldReason, Label: "Reason", Kind: FieldText, Optional: true, Value: r.Reason, Most: maxSaid}
}

func mustReason(r Request) Field {
	f := mayReason(r)
	f.Hint, f.Optional = "People will ask for it", false
	return f
}

func abortFields(r Request, l Lists) []Field {
	return append(denyFields(r, l), Field{Name: fieldAnswer, Label: "What the set's model names", Kind: FieldChoice, Value: cmp.Or(string(r.Answer), answerLater), Choices: []Choice{
		{answerLater, "Ask me when everything in flight has ended"},
		{string(upgrade.Revert), "Put back the image or size before"},
		{string(upgrade.Keep), "Keep the new one"},
	}})
}

// fieldReaders has how the value of each field that is not an option gets into the request. With an error
// comes the value that was perhaps meant, as for options.
var fieldReaders = map[string]func(*Request, string) (meant string, err error){
	fieldSet:       readSet,
	fieldTarget:    readTarget,
	fieldSize:      readSize,
	fieldWhich:     func(r *Request, s string) (string, error) { return readKeyed(r, whichKeys, s) },
	fieldMore:      func(r *Request, s string) (string, error) { return readKeyed(r, moreKeys, s) },
	fieldCron:      readChosenCron,
	fieldBy:        readChosenBy,
	fieldRollout:   readRollout,
	fieldReason:    readReason,
	fieldAnswer:    readAnswer,
	fieldOnFailure: readChosenFailure,
	fieldVerdict:   readVerdict,
	fieldTo:        readTo,
}

// ParseForm understands a form that was sent, by the names of its fields: the same values give the
// same request as typed text does. It reads nothing but its arguments. What is wrong is said by
// field; the request then holds the rest. What the form does not ask for is not looked at.
func ParseForm(c Carried, values map[string]string) (Request, map[string]string) {
	req := c.request()
	form, _ := NewForm(req, Lists{})
	wrong := map[string]string{}
	for _, field := range form.Fields {
		if err := req.fill(field, values[field.Name]); err != nil {
			wrong[field.Name] = err.Error()
		}
	}
	req.settled()
	for _, key := range req.Unclear {
		if field := fieldOf(key, req.Verb); wrong[field] == "" {
			wrong[field] = fmt.Sprintf("this is needed: say `%s=` anew, as what was said with it was not understood", key)
			if key == fieldWhich {
				wrong[field] = "this is needed, here or as update domains: what was said of them was not understood"
			}
		}
	}
	for _, field := range []string{"ud", fieldWhich, fieldInstances} {
		if wrong[field] != "" {
			req.unclear(field)
		}
	}
	if field, err := req.clash(); err != nil && len(wrong) == 0 {
		wrong[field] = err.Error()
	}
	return req, wrong
}

// fieldOf is the field of a form in which the key is said.
func fieldOf(key string, v Verb) string {
	switch {
	case key == "ud" || v.ofInstances():
		return key
	case slices.Contains(whenKeys, key):
		return fieldMore
	}
	return fieldWhich
}

func (r *Request) fill(f Field, raw string) error {
	value, err := entered(raw, f.Name == fieldReason || f.Name == "note")
	switch {
	case err != nil:
		return err
	case value == "" && f.Optional:
		return nil
	case value == "":
		return fmt.Errorf("this is needed: %s", lower(cmp.Or(f.Hint, f.Label)))
	}
	read, found := fieldReaders[f.Name]
	if !found {
		read = func(r *Request, s string) (string, error) { return r.take(f.Name, s) }
	}
	meant, err := read(r, value)
	if err != nil && meant != "" {
		return fmt.Errorf("%w. Did you mean `%s`?", err, meant)
	}
	return err
}

func lower(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// entered is what was filled in as typed text would have it: quotes are the typewriter's, and so are
// hyphens except in free text. What nobody can see is refused.
func entered(raw string, free bool) (string, error) {
	switch {
	case !utf8.ValidString(raw):
		return "", errors.New("that is not valid UTF-8 text: type it once more")
	case utf8.RuneCountInString(raw) > maxText:
		return "", fmt.Errorf("that is %d characters long: I read %d at most", utf8.RuneCountInString(raw), maxText)
	}
	if i := strings.IndexFunc(raw, unseen); i >= 0 {
		r, _ := utf8.DecodeRuneInString(raw[i:])
		return "", fmt.Errorf("there is a character nobody can see (%U): type it without", r)
	}
	return tidy(strings.Map(func(r rune) rune {
		if r = plain(r); dash(r) && !free {
			return '-'
		}
		return r
	}, raw)), nil
}

func readSet(r *Request, s string) (string, error) {
	switch {
	case !isSet(s) && !(r.Verb.plans() && isSets(s)):
		return "", errors.New("that is no scale set's name: say name or resourcegroup/name")
	case r.Verb == VerbFreeze || r.Verb.lifts():
		r.Set = heldSet(s)
	case r.Verb == VerbShow || r.Verb == VerbImages:
		r.About = s
	default:
		r.Set = s
	}
	return "", nil
}

func readRollout(r *Request, s string) (string, error) {
	if !isRollout(s) {
		return "", errors.New("that is no rollout's id: these look like r-4f2k9a")
	}
	r.Rollout = s
	return "", nil
}

func readReason(r *Request, s string) (string, error) {
	reason, err := remark(s)
	if err != nil {
		return "", fmt.Errorf("it is %w", err)
	}
	r.Reason = reason
	return "", nil
}

func readAnswer(r *Request, s string) (string, error) {
	switch a := upgrade.ModelAnswer(s); {
	case s == answerLater:
	case a == upgrade.Revert || a == upgrade.Keep:
		r.Answer = a
	default:
		return "", errors.New("it takes revert, keep, or ask")
	}
	return "", nil
}

func readChosenFailure(r *Request, s string) (string, error) {
	if s == asPolicy {
		return "", nil
	}
	return readOnFailure(r, s)
}

// ActionForm is the action id of buttons that open a form; their value is made by [Started].
const ActionForm = "form"

// maxStarted keeps a button's value within the 2,000 characters that Slack takes.
const maxStarted = 1900

// Started writes a request that is not whole yet as the value of a button that opens its form; ""
// when its form has nothing to ask.
func Started(req Request) string {
	f, _ := NewForm(req, Lists{})
	text := Format(req)
	if req.Nonce != "" || len(f.Fields) == 0 || len(text) > maxStarted {
		return ""
	}
	return text
}

// ParseStarted reads what Started wrote; false when it is none of that.
func ParseStarted(value string) (Request, bool) {
	req, _ := Parse(value)
	_, has := faces[req.Verb]
	return req, has
}
