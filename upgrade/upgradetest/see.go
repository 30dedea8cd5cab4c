package upgradetest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
)

// Seen is one message as one person, or everybody in a channel, sees it at a moment.
type Seen struct {
	slacksim.Message
	wording
	At time.Time // of the last change
}

// wording is what a version of a message says. It never changes, and takes long: each is read once.
type wording struct {
	Lines   []string
	blocks  []block // nil = not yet read
	group   string  // whose message it is, "" if it is none
	rollout string  // the last that it names
}

// key tells messages apart; ephemeral ones of two people may share a ts.
func (s Seen) key() string { return s.Channel + " " + s.TS + " " + s.EphemeralTo }

// Title is a message's first line.
func (s Seen) Title() string {
	if len(s.Lines) == 0 {
		return ""
	}
	return s.Lines[0]
}

// says reports whether the text stands anywhere in the message.
func (s Seen) says(text string) bool { return strings.Contains(strings.Join(s.Lines, "\n"), text) }

// place is where the message stands, as people would say it.
func (s Seen) place(w *World) string {
	switch reply := s.ThreadTS != "" && s.ThreadTS != s.TS; {
	case s.EphemeralTo != "":
		return "only " + w.name(s.EphemeralTo) + " sees"
	case s.Deleted:
		return "deleted"
	case reply && s.Broadcast:
		return "thread, also in " + w.place(s.Channel)
	case reply:
		return "thread"
	}
	return w.place(s.Channel)
}

// place is a channel as people call it.
func (w *World) place(channel string) string {
	for _, c := range w.Slack.State().Channels {
		switch {
		case c.ID == channel && c.IMWith != "":
			return w.name(c.IMWith) + " and vmssbot"
		case c.ID == channel:
			return "#" + c.Name
		}
	}
	return channel
}

// Messages are all messages of the bot as they stand now, in every channel and for every person,
// oldest first. They are read anew only when something has changed in Slack.
func (w *World) Messages() []Seen {
	if now := w.Slack.Changes(); now != w.page.at {
		w.page.messages = w.read()
		w.page.at = now
	}
	return slices.Clone(w.page.messages)
}

// page is what was last read in Slack.
type page struct {
	at       <-chan struct{} // closed at the next change
	messages []Seen
	versions map[string]Seen // by message and number
}

func (w *World) read() []Seen {
	var out []Seen
	state := w.Slack.State()
	for _, c := range state.Channels {
		for _, m := range w.Slack.Messages(c.ID) {
			if m.User == state.BotUser {
				out = append(out, w.see(m))
			}
		}
	}
	for _, u := range state.Users {
		for _, m := range w.Slack.Ephemerals(u.ID) {
			out = append(out, w.see(m))
		}
	}
	slices.SortStableFunc(out, func(a, b Seen) int { return strings.Compare(a.TS, b.TS) })
	return out
}

func (w *World) see(m slacksim.Message) Seen {
	at := m.TS
	if n := len(m.Edits); n > 0 {
		at = m.Edits[n-1].TS
	}
	s := Seen{Message: m, At: moment(at)}
	key := fmt.Sprint(s.key(), " ", len(m.Edits))
	was, known := w.page.versions[key]
	if !known {
		s.wording = w.wording(m.Blocks, m.Text)
		w.page.versions[key] = s
		w.sniff("a message", string(m.Blocks)+m.Text)
		return s
	}
	s.wording = was.wording
	return s
}

// versions are all states a message ever had, newest first.
func (w *World) versions(m Seen) []Seen {
	out := []Seen{m}
	for n := len(m.Edits) - 1; n >= 0; n-- {
		out = append(out, w.version(m, n))
	}
	return out
}

// version is a message as it was until its n-th edit.
func (w *World) version(m Seen, n int) Seen {
	key := fmt.Sprint(m.key(), " ", n)
	was, known := w.page.versions[key]
	if !known {
		var old struct {
			Text   string
			Blocks json.RawMessage
		}
		_ = json.Unmarshal(m.Edits[n].Raw, &old) // the workspace wrote it
		was = m
		was.Text, was.Blocks = old.Text, old.Blocks
		was.wording = w.wording(old.Blocks, old.Text)
		w.page.versions[key] = was
	}
	m.Text, m.Blocks, m.wording, m.At = was.Text, was.Blocks, was.wording, moment(m.TS)
	if n > 0 {
		m.At = moment(m.Edits[n-1].TS)
	}
	return m
}

// first is the message as it was posted.
func (w *World) first(m Seen) Seen {
	if len(m.Edits) == 0 {
		return m
	}
	return w.version(m, 0)
}

// moment reads a ts.
func moment(ts string) time.Time {
	sec, micro, _ := strings.Cut(ts, ".")
	s, _ := strconv.ParseInt(sec, 10, 64)
	us, _ := strconv.ParseInt(micro, 10, 64)
	return time.Unix(s, us*1000).UTC()
}

func (w *World) wording(blocks json.RawMessage, text string) (out wording) {
	out.blocks, out.Lines = w.lines(blocks, text)
	for n, l := range out.Lines {
		if m := titleGroup.FindStringSubmatch(l); m != nil && n == 0 {
			out.group = m[2]
		}
		out.rollout = cmp.Or(rolloutID.FindString(l), out.rollout)
	}
	return out
}

// lines is Block Kit as plain lines.
func (w *World) lines(blocks json.RawMessage, text string) (list []block, out []string) {
	if json.Unmarshal(blocks, &list) != nil || len(list) == 0 {
		return []block{}, strings.Split(w.plain(text), "\n")
	}
	for _, b := range list {
		for l := range strings.SplitSeq(w.flatten(b), "\n") {
			if l = strings.TrimRight(strings.ReplaceAll(l, "```", ""), " "); l != "" {
				out = append(out, l)
			}
		}
	}
	return list, out
}

// block is what is shown of a Block Kit block or element.
type block struct {
	Type      string
	BlockID   string `json:"block_id"`
	ActionID  string `json:"action_id"`
	Value     string
	Text      json.RawMessage // an object in most, a string in text objects
	Label     json.RawMessage // of an input
	Element   *block          // of an input
	Initial   string          `json:"initial_value"`
	Elements  []block
	Fields    []block
	Options   []block
	Accessory *block
}

func (w *World) flatten(b block) string {
	if b.Element != nil {
		return fmt.Sprintf("%s: [%s]", w.text(b.Label), w.element(*b.Element))
	}
	parts := []string{w.text(b.Text)}
	for _, e := range slices.Concat(b.Fields, b.Elements) {
		parts = append(parts, w.element(e))
	}
	if b.Accessory != nil {
		parts = append(parts, w.element(*b.Accessory))
	}
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), "  ")
}

func (w *World) element(e block) string {
	switch e.Type {
	case "button":
		return "[" + w.text(e.Text) + "]"
	case "plain_text_input":
		return e.Initial
	case "overflow":
		return "[⋮ " + w.options(e) + "]"
	case "static_select", "multi_static_select":
		return w.options(e)
	}
	return w.text(e.Text)
}

func (w *World) options(e block) string {
	var options []string
	for _, o := range e.Options {
		options = append(options, w.text(o.Text))
	}
	return strings.Join(options, " / ")
}

// form is an open form as its person sees it.
func (w *World) form(v slacksim.View) []string {
	_, lines := w.lines(v.Doc["blocks"], "")
	lines = append([]string{w.text(v.Doc["title"])}, lines...)
	if submit := w.text(v.Doc["submit"]); submit != "" {
		lines = append(lines, "["+submit+"]")
	}
	return lines
}

func (w *World) text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return w.plain(s)
	}
	var b block
	if json.Unmarshal(raw, &b) != nil {
		return ""
	}
	return w.text(b.Text)
}

var (
	dates    = regexp.MustCompile(`<!date\^[^|>]*\|([^>]*)>`)
	people   = regexp.MustCompile(`<@([A-Z0-9]+)(?:\|[^>]*)?>`)
	channels = regexp.MustCompile(`<#([A-Z0-9]+)(?:\|[^>]*)?>`)
	entities = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")
)

// plain is Slack's markup as a reader sees it; the day of dates is left out, every story has its own.
func (w *World) plain(s string) string {
	s = dates.ReplaceAllString(s, "$1")
	s = people.ReplaceAllStringFunc(s, func(m string) string { return "@" + w.name(people.FindStringSubmatch(m)[1]) })
	s = channels.ReplaceAllStringFunc(s, func(m string) string { return w.place(channels.FindStringSubmatch(m)[1]) })
	return entities.Replace(s)
}

// name is a person as people say it.
func (w *World) name(id string) string {
	for _, u := range w.Slack.State().Users {
		if u.ID == id {
			return u.Name
		}
	}
	return id
}

// id is a person's id by name.
func (w *World) id(name string) string {
	for _, u := range w.Slack.State().Users {
		if u.Name == name {
			return u.ID
		}
	}
	return ""
}

// button is something a person can press: an element of a message, or one choice of its menu.
type button struct {
	in    Seen
	act   slacksim.Interaction
	word  string // the action, or the word a menu's choice begins with
	value string
	gone  bool // it stood in an earlier state of the message only
}

// buttons lists what can be pressed in a message as it is or was.
func (m Seen) buttons() []button {
	if m.blocks == nil && json.Unmarshal(m.Blocks, &m.blocks) != nil {
		return nil
	}
	var out []button
	for _, b := range m.blocks {
		elements := b.Elements
		if b.Accessory != nil {
			elements = append(elements, *b.Accessory)
		}
		for _, e := range elements {
			at := slacksim.Interaction{Channel: m.Channel, TS: m.TS, ActionID: e.ActionID, BlockID: b.BlockID}
			switch e.Type {
			case "button":
				out = append(out, button{in: m, act: at, word: e.ActionID, value: e.Value})
			case "overflow":
				out = append(out, choices(m, at, e.Options)...)
			}
		}
	}
	return out
}

func choices(m Seen, at slacksim.Interaction, options []block) []button {
	var out []button
	for _, o := range options {
		word, value, _ := strings.Cut(o.Value, ":")
		at.Value = o.Value
		out = append(out, button{in: m, act: at, word: word, value: value})
	}
	return out
}

// find looks for a button: the newest that stands there now, else the newest that ever stood. on
// narrows it to messages whose first line, as posted, contains it.
func (w *World) find(user, word, on string) (button, bool) {
	var old *button
	for _, m := range slices.Backward(w.Messages()) {
		if m.EphemeralTo != "" && m.EphemeralTo != user || !strings.Contains(w.first(m).Title(), on) {
			continue
		}
		for n, v := range w.versions(m) {
			for _, b := range v.buttons() {
				if b.word != word {
					continue
				}
				if n == 0 && !m.Deleted {
					return b, true
				}
				if old == nil {
					b.gone = true
					old = &b
				}
			}
		}
	}
	if old == nil {
		return button{}, false
	}
	return *old, true
}
