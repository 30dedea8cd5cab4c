package slacksim

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// call is one Web API call being answered.
type call struct {
	*Sim
	args
	base string // scheme and host by which the app called
}

// method is one Web API method: the scope it needs ("a|b": one of them suffices), its rate tier, the kind of
// token it takes and what it does. run is called with the lock held and returns the answer.
type method struct {
	scope string
	tier  tier
	token tokenKind
	run   func(c call) object
}

type tokenKind int

const (
	botToken tokenKind = iota
	appToken
	noToken
)

// methods is every Web API method that exists here. Scopes and tiers are those of the methods' reference pages.
var methods = map[string]method{
	"api.test":                     {"", tier4, noToken, call.apiTest},
	"auth.test":                    {"", tierSpecial, botToken, call.authTest},
	"apps.connections.open":        {"connections:write", tier1, appToken, call.connectionsOpen},
	"blocks.validate":              {"", tierSpecial, noToken, call.blocksValidate},
	"bots.info":                    {"users:read", tier3, botToken, call.botsInfo},
	"chat.delete":                  {"chat:write", tier3, botToken, call.chatDelete},
	"chat.getPermalink":            {"", tierSpecial, botToken, call.chatGetPermalink},
	"chat.postEphemeral":           {"chat:write", tier4, botToken, call.chatPostEphemeral},
	"chat.postMessage":             {"chat:write", tierPost, botToken, call.chatPostMessage},
	"chat.update":                  {"chat:write", tier3, botToken, call.chatUpdate},
	"conversations.history":        {"channels:history|groups:history|im:history", tier3, botToken, call.conversationsHistory},
	"conversations.info":           {"channels:read|groups:read|im:read", tier3, botToken, call.conversationsInfo},
	"conversations.list":           {"channels:read|groups:read|im:read", tier2, botToken, call.conversationsList},
	"conversations.members":        {"channels:read|groups:read|im:read", tier4, botToken, call.conversationsMembers},
	"conversations.open":           {"im:write", tier3, botToken, call.conversationsOpen},
	"conversations.replies":        {"channels:history|groups:history|im:history", tier3, botToken, call.conversationsReplies},
	"files.completeUploadExternal": {"files:write", tier4, botToken, call.filesComplete},
	"files.getUploadURLExternal":   {"files:write", tier4, botToken, call.filesUploadURL},
	"files.info":                   {"files:read", tier4, botToken, call.filesInfo},
	"reactions.add":                {"reactions:write", tier3, botToken, call.reactionsAdd},
	"reactions.get":                {"reactions:read", tier3, botToken, call.reactionsGet},
	"reactions.remove":             {"reactions:write", tier2, botToken, call.reactionsRemove},
	"team.info":                    {"team:read", tier3, botToken, call.teamInfo},
	"usergroups.list":              {"usergroups:read", tier2, botToken, call.usergroupsList},
	"usergroups.users.list":        {"usergroups:read", tier2, botToken, call.usergroupsUsersList},
	"users.info":                   {"users:read", tier4, botToken, call.usersInfo},
	"users.list":                   {"users:read", tier2, botToken, call.usersList},
	"users.lookupByEmail":          {"users:read.email", tier3, botToken, call.usersLookupByEmail},
	"views.open":                   {"", tier4, botToken, call.viewsOpen},
	"views.publish":                {"", tier4, botToken, call.viewsPublish},
	"views.push":                   {"", tier4, botToken, call.viewsPush},
	"views.update":                 {"", tier4, botToken, call.viewsUpdate},
}

// fail is an answer of ok:false.
func fail(code string) object { return object{"ok": false, "error": code} }

// ok makes an answer of ok:true from further fields.
func ok(fields object) object {
	fields["ok"] = true
	return fields
}

// serveAPI answers one call: arguments, ordered trouble, token, scope, rate, method, in this order.
func (s *Sim) serveAPI(w http.ResponseWriter, r *http.Request, name string) {
	start := s.now()
	a, bad := parseArgs(r)
	c := call{Sim: s, args: a, base: s.baseOf(r)}
	f := s.httpFault(name, a.str("channel"))
	if f != nil && s.troubleBefore(w, r, f, name, a) {
		return
	}
	h := w.Header()
	status, answer := http.StatusOK, fail(bad)
	if bad == "" {
		status, answer = s.answer(c, name, bearer(r, a), h)
	}
	if a.warning != "" {
		warn(answer, a.warning)
	}
	body := encode(answer)
	s.mu.Lock()
	s.record(Entry{Kind: LogAPI, Method: name, Args: a.public(), Status: status, Answer: body, Error: errorOf(answer), Took: s.now().Sub(start)})
	h.Set("X-Slack-Req-Id", s.ids.text(32, hexDigits))
	s.mu.Unlock()
	if f != nil {
		body = troubleAfter(f, body)
	}
	writeJSON(w, status, body)
}

// answer runs the method unless token, scope or rate forbid it.
func (s *Sim) answer(c call, name, token string, h http.Header) (int, object) {
	m, known := methods[name]
	if !known {
		return http.StatusOK, fail("unknown_method")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return http.StatusServiceUnavailable, fail("service_unavailable")
	}
	if bad := s.refuse(m, token, h); bad != nil {
		return http.StatusOK, bad
	}
	target := c.str("channel")
	if ch := s.channel(target); ch != nil {
		target = ch.ID
	}
	if wait := s.limits.take(name, m.tier, target, s.now()); wait > 0 {
		h.Set("Retry-After", strconv.Itoa(wait))
		return http.StatusTooManyRequests, fail("ratelimited")
	}
	return http.StatusOK, m.run(c)
}

// refuse checks the token and the scope; nil means allowed.
func (s *Sim) refuse(m method, token string, h http.Header) object {
	if m.token == noToken {
		return nil
	}
	granted := s.opt.Scopes
	switch {
	case token == "":
		return fail("not_authed")
	case token != s.opt.BotToken && token != s.opt.AppToken:
		return fail("invalid_auth")
	case s.revoked:
		return fail("token_revoked")
	case (token == s.opt.AppToken) != (m.token == appToken):
		return fail("not_allowed_token_type")
	case m.token == appToken:
		granted = []string{"connections:write"}
	}
	h.Set("X-OAuth-Scopes", strings.Join(granted, ","))
	if m.scope == "" {
		return nil
	}
	needed := strings.Split(m.scope, "|")
	h.Set("X-Accepted-OAuth-Scopes", strings.Join(needed, ","))
	if slices.ContainsFunc(needed, func(n string) bool { return slices.Contains(granted, n) }) {
		return nil
	}
	return object{"ok": false, "error": "missing_scope", "needed": strings.Join(needed, ","), "provided": strings.Join(granted, ",")}
}

// bearer returns the token from the Authorization header, else from the arguments. As in Slack, a token inside
// a JSON body does not count.
func bearer(r *http.Request, a args) string {
	if t, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return strings.TrimSpace(t)
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return r.URL.Query().Get("token")
	}
	return a.str("token")
}

// baseOf returns the scheme and host by which the caller reached us, unless Options.PublicURL says otherwise.
func (s *Sim) baseOf(r *http.Request) string {
	if s.opt.PublicURL != "" {
		return strings.TrimSuffix(s.opt.PublicURL, "/")
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	return cmp.Or(r.Header.Get("X-Forwarded-Proto"), scheme) + "://" + r.Host
}

// warn adds a warning to an answer, in both of the places where Slack puts it.
func warn(o object, code string) {
	if old, ok := o["warning"].(string); ok {
		o["warning"] = old + "," + code
	} else {
		o["warning"] = code
	}
	meta, _ := o["response_metadata"].(object)
	if meta == nil {
		meta = object{}
		o["response_metadata"] = meta
	}
	list, _ := meta["warnings"].([]string)
	meta["warnings"] = append(list, code)
}

func errorOf(o object) string {
	code, _ := o["error"].(string)
	return code
}

func writeJSON(w http.ResponseWriter, status int, body json.RawMessage) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	w.Write(body) //nolint:errcheck // the caller went away; there is nobody to tell
}

func (c call) apiTest() object {
	o := object{}
	if len(c.vals) > 0 {
		o["args"] = json.RawMessage(c.public())
	}
	if code := c.str("error"); code != "" {
		o["ok"], o["error"] = false, code
		return o
	}
	return ok(o)
}

func (c call) authTest() object {
	return ok(object{"url": c.base + "/", "team": c.opt.Team.Name, "user": c.opt.AppName, "team_id": c.opt.Team.ID,
		"user_id": BotUser, "bot_id": botID, "is_enterprise_install": false})
}

func (c call) teamInfo() object {
	return ok(object{"team": object{"id": c.opt.Team.ID, "name": c.opt.Team.Name, "domain": c.opt.Team.Domain, "url": c.base + "/",
		"email_domain": c.opt.Team.Domain + ".example", "icon": object{"image_default": true}, "avatar_base_url": c.base + "/",
		"is_verified": false, "locale": "en-US"}})
}

func (c call) botsInfo() object {
	if b := c.str("bot"); b != botID {
		return fail("bot_not_found")
	}
	p := c.botProfile()
	delete(p, "team_id")
	p["user_id"] = BotUser
	return ok(object{"bot": p})
}
