package slacksim

import (
	"fmt"
	"hash/fnv"
	"html/template"
	"strconv"
	"strings"
)

// scene is a window's content as HTML: parts that are swapped as wholes, and regions that are lists of items.
type scene struct {
	Title   string
	Parts   map[string]template.HTML
	Regions map[string][]item
	log     []Entry
}

// partNames and regionNames are the ids of elements of page.html, in the order they are sent in.
var (
	partNames   = []string{"bar", "side", "head", "foot", "thread-head", "thread-foot"}
	regionNames = []string{"messages", "thread", "views"}
)

// item is one message, form or Home tab. Version changes with the content.
type item struct {
	ID, Version string
	HTML        template.HTML
}

// painter makes the scenes of one window and remembers what it made of messages that did not change.
type painter struct {
	sim    *Sim
	window window
	read   *string // how far the person had read when the window came here
	cache  map[string]painted
}

type painted struct {
	raw   *byte // identity of the encoded message
	flags string
	item  item
}

// scene paints what the window shows now.
func (p *painter) scene() scene {
	g := p.sim.see(p.window)
	if p.read == nil {
		p.read = new(string)
		*p.read = p.sim.readUntil(g.at)
	}
	out := scene{Title: p.title(g), log: g.log, Parts: map[string]template.HTML{}, Regions: map[string][]item{
		"messages": p.column(g), "thread": p.pane(g), "views": p.forms(g)}}
	for _, name := range partNames {
		out.Parts[name] = p.part(name, g)
	}
	return out
}

func (p *painter) title(g sight) string {
	where := g.app
	if g.place.Name != "" {
		where = "#" + g.place.Name
	}
	return where + " · " + g.team.Name
}

// partView is what the templates of page.html see.
type partView struct {
	sight
	Me     face
	People []person
}

type person struct {
	face
	Handle string
	Href   string
	Here   bool
}

func (p *painter) part(name string, g sight) template.HTML {
	v := partView{sight: g, Me: g.face(g.me.ID, "")}
	for _, u := range g.people {
		href := "/?as=" + template.URLQueryEscaper(u.Name)
		if u.sees {
			href += "&in=" + template.URLQueryEscaper(g.at.in)
		}
		v.People = append(v.People, person{g.face(u.ID, ""), u.Name, href, u.ID == g.me.ID})
	}
	return execute(name, v)
}

func execute(name string, data any) template.HTML {
	var b strings.Builder
	if err := templates().ExecuteTemplate(&b, name, data); err != nil {
		panic("slacksim: page: " + err.Error()) // the page's own templates fit their data; blocks go through piece.Show
	}
	return template.HTML(b.String()) //nolint:gosec // made by a template
}

// The names that page.html uses.

// Here is the place's id.
func (g sight) Here() string { return g.at.in }

// Home reports whether the window shows the app's Home tab.
func (g sight) Home() bool { return g.at.in == home }

// Place is the conversation shown.
func (g sight) Place() Channel { return g.place }

// Side is the list of places, the app's own direct message left out.
func (g sight) Side() []sideLine { return g.side[:len(g.side)-1] }

// Direct is the direct message with the app.
func (g sight) Direct() sideLine { return g.side[len(g.side)-1] }

// Connected reports whether the app holds a socket.
func (g sight) Connected() bool { return g.connected }

// App and Workspace are names.
func (g sight) App() string { return g.app }

// Workspace is the workspace's name.
func (g sight) Workspace() string { return g.team.Name }

// Thread reports whether a thread is open.
func (g sight) Thread() bool { return g.at.thread != "" }

// Href is the address of a place.
func (g sight) Href(in string) string { return g.href(in) }

func (p *painter) column(g sight) []item {
	if g.at.in == home {
		return []item{p.homeTab(g)}
	}
	var out []item
	if g.earlier > 0 {
		out = append(out, finish("earlier", execute("earlier", g.earlier)))
	}
	var before *Message
	first := true
	for i := range g.messages {
		m := &g.messages[i]
		fresh := first && *p.read != "" && m.TS > *p.read && m.User != g.me.ID && m.EphemeralTo == ""
		first = first && !fresh
		out = append(out, p.message(g, m, "msg-", follows(before, m) && !fresh, fresh))
		before = m
	}
	return out
}

func (p *painter) pane(g sight) []item {
	var out []item
	var before *Message
	for i := range g.thread {
		m := &g.thread[i]
		out = append(out, p.message(g, m, "thr-", i > 1 && follows(before, m), false))
		before = m
	}
	return out
}

// follows reports whether a message continues the one before it: the same author within five minutes.
func follows(before, m *Message) bool {
	if before == nil || before.User != m.User || before.Deleted || before.EphemeralTo != m.EphemeralTo || m.Broadcast {
		return false
	}
	return seconds(m.TS)-seconds(before.TS) < 300
}

func seconds(ts string) int64 {
	whole, _, _ := strings.Cut(ts, ".")
	n, _ := strconv.ParseInt(whole, 10, 64) // our own ts values
	return n
}

// messageView is what the message template sees.
type messageView struct {
	*reader
	Message
	raw
	Face                         face
	Surface                      string
	Compact, First, Private, App bool
	InThread                     bool
	ThreadHref                   string
}

// message paints one message, or takes what it painted before.
func (p *painter) message(g sight, m *Message, prefix string, compact, first bool) item {
	id := prefix + m.TS
	flags := fmt.Sprint(compact, first, m.Deleted)
	if old, ok := p.cache[id]; ok && old.raw == &m.Raw[0] && old.flags == flags {
		return old.item
	}
	body, err := readRaw(m.Raw)
	if err != nil {
		body = raw{Text: m.Text}
	}
	v := messageView{reader: g.reader, Message: *m, raw: body, Face: g.face(m.User, body.Username), Surface: id, Compact: compact, First: first,
		Private: m.EphemeralTo != "", InThread: prefix == "thr-", ThreadHref: g.href(m.Channel) + "&thread=" + m.TS}
	if m.ThreadTS != "" {
		v.ThreadHref = g.href(m.Channel) + "&thread=" + m.ThreadTS
	}
	out := finish(id, execute("message", v))
	if p.cache == nil {
		p.cache = map[string]painted{}
	}
	p.cache[id] = painted{&m.Raw[0], flags, out}
	return out
}

// finish gives an item its version.
func finish(id string, body template.HTML) item {
	h := fnv.New64a()
	h.Write([]byte(body))
	return item{ID: id, Version: strconv.FormatUint(h.Sum64(), 36), HTML: body}
}

// homeTab paints the app's Home tab.
func (p *painter) homeTab(g sight) item {
	var body template.HTML
	if g.homeTab != nil {
		blocks, _ := readBlocks(g.homeTab.Doc["blocks"])
		body = g.pieces(blocks, "home", true)
	}
	return finish("home-"+g.me.ID, execute("home", object{"App": g.app, "Body": body, "Published": g.homeTab != nil}))
}

// forms paints the modal on top, if one is open.
func (p *painter) forms(g sight) []item {
	if g.form == nil {
		return nil
	}
	v := *g.form
	doc := piece{reader: g.reader, Doc: map[string]any{}}
	for _, name := range []string{"title", "submit", "close"} {
		doc.Doc[name], _ = decode(v.Doc[name])
	}
	blocks, _ := readBlocks(v.Doc["blocks"])
	disabled := string(v.Doc["submit_disabled"]) == "true"
	return []item{finish("view-"+v.ID, execute("view", object{"ID": v.ID, "Doc": doc, "Body": g.pieces(blocks, v.ID, true), "App": g.app,
		"Pushed": v.Previous != "", "Disabled": disabled}))}
}

// readUntil is the ts of the last message the person has seen in the window's place.
func (s *Sim) readUntil(at window) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads[at.as+" "+at.in]
}
