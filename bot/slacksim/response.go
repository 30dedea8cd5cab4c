package slacksim

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"time"
)

const (
	responseUses = 5                // docs.slack.dev/interactivity/handling-user-interaction
	responseLife = 30 * time.Minute // same page
)

// responseURL is an address by which an app may answer an interaction.
type responseURL struct {
	channel string
	user    string
	ts      string // the message the interaction came from; empty for commands
	left    int
	expires time.Time
}

// newResponseURL makes an address; kind is commands or actions. The lock is held.
func (s *Sim) newResponseURL(kind string, r responseURL) string {
	if len(s.responses) >= keepLimit {
		maps.DeleteFunc(s.responses, func(_ string, r *responseURL) bool { return s.now().After(r.expires) })
	}
	r.left, r.expires = responseUses, s.now().Add(responseLife)
	path := "/response/" + kind + "/" + s.opt.Team.ID + "/" + s.ids.text(12, digits) + "/" + s.ids.secret()
	s.responses[path] = &r
	return strings.TrimSuffix(s.base, "/") + path
}

// serveResponse takes a post to a response_url. It needs no token; a wrong content type does not matter.
func (s *Sim) serveResponse(w http.ResponseWriter, r *http.Request) {
	f := s.httpFault("response_url", "")
	if f != nil && s.troubleBefore(w, r, f, "response_url", args{}) {
		return
	}
	var a args
	a.vals = map[string]json.RawMessage{}
	bad := a.json(http.MaxBytesReader(nil, r.Body, maxBody))
	status, answer := http.StatusOK, "ok"
	s.mu.Lock()
	to := s.responses[r.URL.Path]
	switch {
	case r.Method != http.MethodPost:
		status, answer = http.StatusMethodNotAllowed, "invalid_post_type"
	case to == nil:
		status, answer = http.StatusNotFound, "no_such_url"
	case !s.now().Before(to.expires):
		status, answer = http.StatusNotFound, "expired_url"
	case to.left == 0:
		status, answer = http.StatusNotFound, "used_url"
	case bad != "":
		status, answer = http.StatusBadRequest, "invalid_payload"
	default:
		if code := s.respond(to, a); code != "" {
			status, answer = http.StatusBadRequest, code
		} else {
			to.left--
		}
	}
	s.record(Entry{Kind: LogResponse, Method: "response_url", Args: a.public(), Status: status, Answer: encode(answer), Error: failure(status, answer)})
	s.mu.Unlock()
	body := []byte(answer)
	if f != nil {
		body = troubleAfter(f, body)
	}
	w.WriteHeader(status)
	w.Write(body) //nolint:errcheck // the caller went away
}

func failure(status int, answer string) string {
	if status == http.StatusOK {
		return ""
	}
	return answer
}

// respond carries out an answer to an interaction: a new message, or the replacement or removal of the one the
// interaction came from. The result is an error code or "". The lock is held.
func (s *Sim) respond(to *responseURL, a args) string {
	ch := s.channel(to.channel)
	m := ch.find(to.ts)
	if a.flag("delete_original") {
		if m == nil {
			return "message_not_found"
		}
		s.remove(ch, m)
		return ""
	}
	b, bad := s.content(a)
	switch {
	case bad != nil:
		return errorOf(bad)
	case b.empty():
		return "no_text"
	case ch.Archived:
		return "is_archived"
	case a.flag("replace_original") && m != nil:
		s.edit(ch, m, func() { s.put(m, b) })
		return ""
	}
	s.answerPerson(ch, to.user, a, b)
	return ""
}

// answerPerson posts what a response_url or an acknowledgement carries: for the person only, or for the channel.
func (s *Sim) answerPerson(ch *channel, user string, a args, b body) *message {
	n := &message{}
	n.User, n.ViaURL, n.ThreadTS = BotUser, true, a.str("thread_ts")
	if a.str("response_type") != "in_channel" {
		n.EphemeralTo = user
	}
	s.put(n, b)
	s.add(ch, n)
	if n.listed {
		s.announce(ch, n)
	}
	return n
}
