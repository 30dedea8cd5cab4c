package slacksim

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
)

// window is what one browser window shows, as its address says: who looks, at what, and since when.
type window struct {
	as     string // user id
	in     string // channel id, or home
	thread string // ts of the open thread's parent; empty: none
	born   string // ts at which the window was loaded: older ephemerals are gone, as in Slack
	log    int    // last log entry the inspector has; -1: the inspector is closed
}

const home = "home"

// windowOf reads ?as=bo&in=ops&thread=TS&born=TS&log=SEQ. Without in it is the first channel of which the person is a
// member; without as the first person of the workspace.
func (s *Sim) windowOf(r *http.Request) (window, error) {
	q := r.URL.Query()
	s.mu.Lock()
	defer s.mu.Unlock()
	at := window{thread: q.Get("thread"), born: q.Get("born"), log: -1}
	if n, err := strconv.Atoi(q.Get("log")); err == nil && n >= 0 {
		at.log = n
	}
	who := q.Get("as")
	if who == "" {
		who = s.users[0].ID
	}
	u, err := s.actor(who)
	if err != nil {
		return at, err
	}
	at.as = u.ID
	at.in, err = s.placeOf(u, q.Get("in"))
	if !tsShape.MatchString(at.thread) || at.in == home {
		at.thread = ""
	}
	if !tsShape.MatchString(at.born) {
		at.born = ""
	}
	return at, err
}

// placeOf resolves what a window's address calls its place. The lock is held.
func (s *Sim) placeOf(u *User, in string) (string, error) {
	if in == home {
		return home, nil
	}
	if in == "" {
		i := slices.IndexFunc(s.channels, func(c *channel) bool { return c.has(u.ID) })
		if i < 0 {
			return home, nil
		}
		return s.channels[i].ID, nil
	}
	_, c, err := s.where(u.ID, in)
	if err != nil {
		return "", err
	}
	return c.ID, nil
}

// sight is what a window can see now, copied out of the workspace.
type sight struct {
	*reader
	at        window
	place     Channel // zero on the Home tab
	side      []sideLine
	people    []mask
	messages  []Message
	thread    []Message
	earlier   int // messages that are not shown because there are too many
	homeTab   *View
	form      *View // the open modal on top
	connected bool  // the app holds a socket
	log       []Entry
}

// mask is a person one can act as, and whether that person sees the window's place, too.
type mask struct {
	User
	sees bool
}

// sideLine is a line of the list of places.
type sideLine struct {
	ID, Name string
	Channel  Channel
	Here     bool
	Unread   int
}

// shownMessages bounds how far back a window goes.
const shownMessages = 300

// see copies what the window shows.
func (s *Sim) see(at window) sight {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.user(at.as)
	g := sight{reader: s.newReader(u), at: at, connected: len(s.sockets) > 0, form: s.topForm(u)}
	for _, x := range s.users {
		if !x.Bot && !x.Deleted {
			c := s.channel(at.in)
			g.people = append(g.people, mask{*x, at.in == home || c != nil && c.IMWith == "" && c.sees(x)})
		}
	}
	s.seePlaces(&g, u)
	if v := s.homes[u.ID]; v != nil && at.in == home {
		copied := *v
		g.homeTab = &copied
	}
	if c := s.channel(at.in); c != nil && at.in != home {
		g.place = c.Channel
		g.place.Members = slices.Clone(c.Members)
		s.seeMessages(&g, c, u)
	}
	if at.log >= 0 {
		g.log = s.logSince(at.log)
	}
	return g
}

func (s *Sim) topForm(u *User) *View {
	if _, v, err := s.form(u.ID, ""); err == nil {
		copied := *v
		return &copied
	}
	return nil
}

// seePlaces lists the conversations, the direct message with the app last.
func (s *Sim) seePlaces(g *sight, u *User) {
	dm := s.im(u.ID)
	for _, c := range s.channels {
		if c.sees(u) && c.IMWith == "" {
			g.side = append(g.side, sideLine{ID: c.ID, Name: c.Name, Channel: c.Channel, Here: c.ID == g.at.in, Unread: s.unread(c, u)})
		}
	}
	g.side = append(g.side, sideLine{ID: dm.ID, Name: "Messages", Channel: dm.Channel, Here: dm.ID == g.at.in, Unread: s.unread(dm, u)})
}

// unread counts what others said in the conversation itself since the person looked last.
func (s *Sim) unread(c *channel, u *User) int {
	n, read := 0, s.reads[u.ID+" "+c.ID]
	for _, m := range slices.Backward(c.messages) {
		if m.TS <= read {
			break
		}
		if m.listed && !m.Deleted && m.User != u.ID && c.inColumn(m) {
			n++
		}
	}
	return n
}

// inColumn reports whether a message shows in the conversation itself and not only in a thread.
func (c *channel) inColumn(m *message) bool {
	return m.ThreadTS == "" || m.ThreadTS == m.TS || m.Broadcast || c.byTS[m.ThreadTS] == nil
}

func (s *Sim) seeMessages(g *sight, c *channel, u *User) {
	for _, m := range c.messages {
		gone := m.Deleted && len(c.replies(m.TS)) == 0
		private := m.EphemeralTo != "" && (m.EphemeralTo != u.ID || m.TS <= g.at.born)
		if gone || private {
			continue
		}
		copied := s.snapshot(c, m)
		if c.inColumn(m) {
			g.messages = append(g.messages, copied)
		}
		if g.at.thread != "" && (m.TS == g.at.thread || m.ThreadTS == g.at.thread) {
			g.thread = append(g.thread, copied)
		}
	}
	if n := len(g.messages) - shownMessages; n > 0 {
		g.messages, g.earlier = g.messages[n:], n
	}
}

// Hint is what the place says about itself under its name.
func (g sight) Hint() string {
	switch {
	case g.at.in == home:
		return "Home of the app, for you alone"
	case g.place.IMWith != "":
		return "You and " + g.app
	}
	hint := fmt.Sprintf("%d members", len(g.place.Members))
	if g.place.ExtShared {
		hint += " · shared with another workspace"
	}
	if g.place.Topic != "" {
		hint += " · " + g.place.Topic
	}
	return hint
}
