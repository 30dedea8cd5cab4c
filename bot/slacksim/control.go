package slacksim

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// request is the body of every control call; each takes the fields it needs.
type request struct {
	User, Channel, Command, Text string
	TS                           string
	ThreadTS                     string `json:"thread_ts"`
	ActionID                     string `json:"action_id"`
	BlockID                      string `json:"block_id"`
	ViewID                       string `json:"view_id"`
	CallbackID                   string `json:"callback_id"`
	Value                        string
	Values                       map[string]map[string]string
	Force, Clear                 bool
	Scale                        *float64
	Reason                       string
	Socket                       int
	// Wait is how long to wait, after the acknowledgement, for a private answer to the person; 0: not at all.
	Wait Duration
}

// reply is an Outcome with what the person was shown privately since.
type reply struct {
	Outcome
	Ephemerals []Message `json:"ephemerals"`
}

// event is what a person sees who does not wait for the app: what was said, or the Home tab as it is.
type event struct {
	Message    *Message  `json:"message,omitempty"`
	View       *View     `json:"view,omitempty"`
	Ephemerals []Message `json:"ephemerals"`
}

// posts are the control calls that act; each returns what to answer.
var posts = map[string]func(*Sim, request) (any, error){
	"command":    func(s *Sim, q request) (any, error) { return s.Command(q.User, q.Channel, q.Command, q.Text) },
	"message":    func(s *Sim, q request) (any, error) { return s.Say(q.User, q.Channel, q.Text, q.ThreadTS) },
	"open-home":  func(s *Sim, q request) (any, error) { return s.OpenHome(q.User) },
	"shortcut":   func(s *Sim, q request) (any, error) { return s.Shortcut(q.User, q.CallbackID, q.Channel, q.TS) },
	"close-view": func(s *Sim, q request) (any, error) { return s.CloseView(q.User, q.ViewID, q.Clear) },
	"submit": func(s *Sim, q request) (any, error) {
		return s.SubmitView(Submission{User: q.User, ViewID: q.ViewID, Values: q.Values})
	},
	"interact": func(s *Sim, q request) (any, error) {
		return s.Interact(Interaction{User: q.User, Channel: q.Channel, TS: q.TS, ViewID: q.ViewID, ActionID: q.ActionID, BlockID: q.BlockID,
			Value: q.Value, Values: q.Values, Force: q.Force})
	},
	"disconnect": func(s *Sim, q request) (any, error) {
		return object{"ok": true}, s.Inject(Fault{Kind: "disconnect", Reason: q.Reason, Socket: q.Socket})
	},
	"limits": func(s *Sim, q request) (any, error) {
		if q.Scale == nil {
			return nil, errNoScale
		}
		s.SetRateScale(*q.Scale)
		return object{"ok": true}, nil
	},
	"reset": func(s *Sim, _ request) (any, error) { s.Reset(); return object{"ok": true}, nil },
}

// serveControl is the control API: what a person can do and what a test wants to know, as JSON over HTTP. Names
// do as well as ids. An error is {"error": "…"} with a 4xx status. With "wait":"2s" an answer waits, after the
// acknowledgement, until the person is shown something privately.
//
//	POST command     {user, channel, command, text}                           POST fault      a Fault
//	POST interact    {user, channel, ts | view_id, action_id, block_id,       POST disconnect {reason, socket}
//	                  value, values, force}                                   POST limits     {scale}
//	POST submit      {user, view_id, values}                                  POST reset      {}
//	POST message     {user, channel, text, thread_ts}                         GET  state
//	POST open-home   {user}                                                   GET  log?since=SEQ
//	POST shortcut    {user, callback_id, channel, ts}                         GET  messages/CHANNEL
//	POST close-view  {user, view_id, clear}
func (s *Sim) serveControl(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/_control/")
	if err := sameOrigin.Check(r); err != nil {
		controlError(w, http.StatusForbidden, err.Error())
		return
	}
	if r.Method == http.MethodGet {
		s.controlGet(w, r, path)
		return
	}
	do, known := posts[path]
	switch {
	case r.Method != http.MethodPost || !known && path != "fault":
		controlError(w, http.StatusNotFound, "no control call "+r.Method+" "+path)
		return
	case path == "fault":
		s.controlFault(w, r)
		return
	}
	var q request
	if err := decodeBody(r, &q); err != nil {
		controlError(w, http.StatusBadRequest, err.Error())
		return
	}
	from := s.logEnd()
	out, err := do(s, q)
	if err != nil {
		controlError(w, http.StatusBadRequest, err.Error())
		return
	}
	if o, acted := out.(Outcome); acted {
		private := s.privateSince(r.Context(), q, from)
		out = reply{o, private}
		if path == "message" || path == "open-home" || path == "close-view" {
			out = event{o.Message, o.View, private}
		}
	}
	writeJSON(w, http.StatusOK, encode(out))
}

func (s *Sim) controlFault(w http.ResponseWriter, r *http.Request) {
	var f Fault
	err := decodeBody(r, &f)
	if err == nil {
		err = s.Inject(f)
	}
	if err != nil {
		writeJSON(w, http.StatusBadRequest, encode(object{"error": err.Error(), "kinds": FaultKinds()}))
		return
	}
	writeJSON(w, http.StatusOK, encode(object{"ok": true}))
}

// decodeBody reads a JSON body and refuses fields it does not know; an empty body is an empty request.
func decodeBody(r *http.Request, into any) error {
	r.Body = http.MaxBytesReader(nil, r.Body, maxBody)
	if r.ContentLength == 0 {
		return nil
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	return d.Decode(into)
}

func controlError(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, encode(object{"error": message}))
}

// logEnd returns a ts that every later message exceeds.
func (s *Sim) logEnd() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ts()
}

// privateSince returns the ephemerals shown to the person after a ts, waiting for the first one if so asked.
func (s *Sim) privateSince(ctx context.Context, q request, ts string) []Message {
	since := func() []Message {
		return slices.DeleteFunc(s.Ephemerals(q.User), func(m Message) bool { return m.TS <= ts })
	}
	if q.Wait > 0 {
		ctx, cancel := context.WithTimeout(ctx, time.Duration(q.Wait))
		defer cancel()
		_ = s.Wait(ctx, func() bool { return len(since()) > 0 }) // nothing in time is an answer, too
	}
	return append([]Message{}, since()...)
}

func (s *Sim) controlGet(w http.ResponseWriter, r *http.Request, path string) {
	name, isMessages := strings.CutPrefix(path, "messages/")
	switch {
	case isMessages:
		s.controlMessages(w, name)
	case path == "log":
		since, _ := strconv.Atoi(r.URL.Query().Get("since"))
		entries := slices.DeleteFunc(s.Log(), func(e Entry) bool { return e.Seq <= since })
		writeJSON(w, http.StatusOK, encode(object{"entries": append([]Entry{}, entries...)}))
	case path == "state":
		writeJSON(w, http.StatusOK, encode(s.State()))
	default:
		controlError(w, http.StatusNotFound, "no control call GET "+path)
	}
}

// controlMessages answers with a conversation: messages with their threads inside, and everybody's ephemerals.
func (s *Sim) controlMessages(w http.ResponseWriter, name string) {
	s.mu.Lock()
	c := s.channel(name)
	if u := s.user(name); c == nil && u != nil {
		c = s.im(u.ID)
	}
	if c == nil {
		s.mu.Unlock()
		controlError(w, http.StatusNotFound, "channel "+strconv.Quote(name)+" does not exist")
		return
	}
	top, private := []Message{}, []Message{}
	for _, m := range c.messages {
		switch {
		case !m.listed:
			private = append(private, s.snapshot(c, m))
		case m.ThreadTS == "" || m.Broadcast || m.ThreadTS == m.TS:
			t := s.snapshot(c, m)
			for _, r := range c.replies(m.TS) {
				t.Replies = append(t.Replies, s.snapshot(c, r))
			}
			top = append(top, t)
		case c.find(m.ThreadTS) == nil:
			top = append(top, s.snapshot(c, m))
		}
	}
	s.mu.Unlock()
	writeJSON(w, http.StatusOK, encode(object{"channel": c.ID, "name": c.display(), "messages": top, "ephemerals": private}))
}

// State is the workspace at one moment, without what was said.
type State struct {
	Team     Team           `json:"team"`
	AppID    string         `json:"app_id"`
	BotUser  string         `json:"bot_user"`
	Commands []SlashCommand `json:"commands"`
	Users    []User         `json:"users"`
	Channels []Channel      `json:"channels"`
	Groups   []UserGroup    `json:"user_groups"`
	Views    []View         `json:"views"`
	Homes    []View         `json:"homes"`
	Files    []File         `json:"files"`
	Sockets  []SocketState  `json:"sockets"`
	Faults   []Fault        `json:"faults"`
	Revoked  bool           `json:"token_revoked"`
}

// SocketState is one connection of the app.
type SocketState struct {
	ID       int  `json:"id"`
	Retiring bool `json:"retiring"` // was asked to reconnect
	Deaf     bool `json:"deaf"`
}

// State returns the workspace as it is now.
func (s *Sim) State() State {
	files := s.Files()
	s.mu.Lock()
	defer s.mu.Unlock()
	st := State{Team: s.opt.Team, AppID: s.opt.AppID, BotUser: BotUser, Commands: s.opt.Commands, Users: []User{}, Channels: []Channel{},
		Groups: []UserGroup{}, Views: []View{}, Homes: []View{}, Files: append([]File{}, files...), Sockets: []SocketState{},
		Faults: []Fault{}, Revoked: s.revoked}
	for _, u := range s.users {
		st.Users = append(st.Users, *u)
	}
	for _, c := range s.channels {
		ch := c.Channel
		ch.Members = slices.Clone(ch.Members)
		st.Channels = append(st.Channels, ch)
	}
	for _, g := range s.groups {
		st.Groups = append(st.Groups, *g)
	}
	for _, v := range s.views {
		st.Views = append(st.Views, *v)
	}
	for _, v := range s.homes {
		st.Homes = append(st.Homes, *v)
	}
	byAge := func(a, b View) int { return a.seq - b.seq }
	slices.SortFunc(st.Views, byAge)
	slices.SortFunc(st.Homes, byAge)
	for _, k := range s.sockets {
		st.Sockets = append(st.Sockets, SocketState{k.id, k.retiring, k.deaf})
	}
	for _, f := range s.faults {
		st.Faults = append(st.Faults, *f)
	}
	return st
}
