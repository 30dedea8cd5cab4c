package upgradetest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

// teller writes down what comes of each step, in the order of time: what reached Azure, what the
// bot decided, what people saw. Messages are shown as they stand when the step is over; of a message
// that was there before, the first line and what is new in it.
type teller struct {
	w         *World
	out       strings.Builder
	items     []item
	seen      map[string]Seen
	forms     map[string][]string // by view id
	calls     int
	decisions int
	office    int
}

// item is one thing that happened.
type item struct {
	at   time.Time
	rank int // at the same moment: decisions, calls, messages, remarks
	head string
	body []string
}

func newTeller(w *World) teller {
	return teller{w: w, seen: map[string]Seen{}, forms: map[string][]string{}}
}

func (t *teller) String() string { return t.out.String() }

func (t *teller) begin(s Step) {
	if t.out.Len() > 0 {
		t.out.WriteByte('\n')
	}
	if s.Verb == "#" {
		fmt.Fprintln(&t.out, s.Text)
		return
	}
	fmt.Fprintln(&t.out, "> "+s.Text)
}

// note adds a remark about this moment.
func (t *teller) note(who, what string) {
	t.items = append(t.items, item{time.Now(), 3, fmt.Sprintf("%-6s %s", who, what), nil})
}

// question shows the dialog with which Slack asks before a click counts.
func (t *teller) question(user string, element []byte) {
	var e struct {
		Confirm struct{ Title, Text, Confirm json.RawMessage }
	}
	if json.Unmarshal(element, &e) == nil && e.Confirm.Title != nil {
		w := t.w
		t.note("slack", fmt.Sprintf("asks %s: %s %s [%s]", user, w.text(e.Confirm.Title), w.text(e.Confirm.Text), w.text(e.Confirm.Confirm)))
	}
}

// end prints what happened in the step.
func (t *teller) end() {
	t.hearDecisions()
	t.hearCalls()
	t.hearOffice()
	t.hearMessages()
	t.hearForms()
	slices.SortStableFunc(t.items, func(a, b item) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.rank, b.rank)) })
	for _, i := range t.items {
		fmt.Fprintf(&t.out, "%s  %s\n", elapsed(i.at.Sub(t.w.Began)), i.head)
		for _, l := range i.body {
			fmt.Fprintln(&t.out, "            "+l)
		}
	}
	t.items = nil
}

func elapsed(d time.Duration) string {
	s := int(d / time.Second)
	return fmt.Sprintf("+%d:%02d:%02d", s/3600, s/60%60, s%60)
}

func (t *teller) hearDecisions() {
	all := t.w.Decisions()
	for _, d := range all[t.decisions:] {
		t.items = append(t.items, item{d.At, 0, fmt.Sprintf("bot    %s: %s", d.name(), dated(d.Text)), nil})
	}
	t.decisions = len(all)
}

func (t *teller) hearCalls() {
	all := t.w.Calls()
	for _, c := range all[t.calls:] {
		t.items = append(t.items, item{c.Time, 1, "azure  " + describe(c), nil})
	}
	t.calls = len(all)
}

func describe(c Call) string {
	set := c.Set[strings.LastIndexByte(c.Set, '/')+1:]
	what := fmt.Sprintf("%s %s %s", c.Action, set, strings.Join(c.ids(), " "))
	switch {
	case c.Action != c.Method:
	case c.SizeAfter != "":
		what = fmt.Sprintf("%s %s: size %s -> %s", c.Method, set, c.SizeBefore, c.SizeAfter)
	case c.ImageAfter != "" && c.ImageAfter != c.ImageBefore:
		what = fmt.Sprintf("%s %s: image %s -> %s", c.Method, set, version(c.ImageBefore), version(c.ImageAfter))
	default:
		what = fmt.Sprintf("%s %s", c.Method, set)
	}
	if c.By != "" {
		what = "somebody else: " + what
	}
	switch {
	case c.Status == 0:
		return what + ": lost on the way"
	case !c.Accepted:
		return what + fmt.Sprintf(": refused (%d %s)", c.Status, c.Code)
	case !c.Answered:
		return what + ": accepted, but the answer was lost"
	}
	return what + ": accepted"
}

// from and to are what a write to the model changed: its image, or its size.
func (c Call) from() string { return cmp.Or(c.SizeBefore, c.ImageBefore) }
func (c Call) to() string   { return cmp.Or(c.SizeAfter, c.ImageAfter) }

// ids are the instances of a call, also of one that the endpoint never looked at.
func (c Call) ids() []string {
	if c.Instances != nil {
		return c.Instances
	}
	return c.asked()
}

// version is the last part of an image's name.
func version(image string) string { return image[strings.LastIndexAny(image, ":/")+1:] }

func (t *teller) hearMessages() {
	for _, m := range t.w.Messages() {
		was, known := t.seen[m.key()]
		if known && was.Deleted == m.Deleted && slices.Equal(was.Lines, m.Lines) {
			continue
		}
		t.seen[m.key()] = m
		head, body, at := m.place(t.w), m.Lines, m.At
		switch posted := moment(m.TS); {
		case known:
			head += ", edited"
			body = fresh(was, m)
		case at.Sub(posted) <= settling: // the first edits of a message are no news
			at = posted
		}
		t.items = append(t.items, item{at, 2, head, body})
	}
}

// hearForms shows what is open in front of somebody, with what was wrong in it.
func (t *teller) hearForms() {
	for _, v := range t.w.Slack.State().Views {
		lines := t.w.form(v)
		for _, field := range slices.Sorted(maps.Keys(v.Errors)) {
			lines = append(lines, fmt.Sprintf("%s: %s", field, v.Errors[field]))
		}
		if !slices.Equal(t.forms[v.ID], lines) {
			t.forms[v.ID] = lines
			t.items = append(t.items, item{time.Now(), 2, "a form before " + t.w.name(v.User), lines})
		}
	}
}

// fresh is the first line of a message and all others that were not in it before.
func fresh(was, now Seen) []string {
	var out []string
	for i, l := range now.Lines {
		if i == 0 || !slices.Contains(was.Lines, l) {
			out = append(out, l)
		}
	}
	return out
}

// truth lists a set's instances by update domain.
func (t *teller) truth(s azuresim.SetState) {
	body := []string{fmt.Sprintf("model %s, mode %s", version(s.Image), s.Mode)}
	domains := map[int][]azuresim.InstanceState{}
	var order []int
	for _, i := range s.Instances {
		if domains[i.UD] == nil {
			order = append(order, i.UD)
		}
		domains[i.UD] = append(domains[i.UD], i)
	}
	slices.Sort(order)
	for _, ud := range order {
		body = append(body, fmt.Sprintf("UD %d: %s", ud, states(domains[ud])))
	}
	t.items = append(t.items, item{time.Now(), 3, "truth  " + s.Name, body})
}

// states gathers instances of which the same is to be said.
func states(list []azuresim.InstanceState) string {
	ids := map[string][]string{}
	var order []string
	for _, i := range list {
		what := strings.Join(slices.DeleteFunc([]string{i.Version, i.Provisioning, i.Power, i.Health},
			func(s string) bool { return s == "" || s == "succeeded" || s == "running" || s == "healthy" }), " ")
		if ids[what] == nil {
			order = append(order, what)
		}
		ids[what] = append(ids[what], i.ID)
	}
	var out []string
	for _, what := range order {
		out = append(out, strings.Join(ids[what], " ")+" on "+what)
	}
	return strings.Join(out, " · ")
}

var dateToken = regexp.MustCompile(`\x02(\d+)\x03`)

// dated writes the moments in a decision's words as a reader in UTC sees them.
func dated(s string) string {
	return dateToken.ReplaceAllStringFunc(s, func(token string) string {
		seconds, _ := strconv.ParseInt(strings.Trim(token, "\x02\x03"), 10, 64) // digits, as the pattern wants
		return time.Unix(seconds, 0).UTC().Format("2006-01-02 15:04 UTC")
	})
}
