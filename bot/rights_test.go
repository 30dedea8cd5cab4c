package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/azure"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

// Who may what, and where: every kind of person says every verb and presses every button, about two sets
// that are driven in two channels, in every kind of place. The bot, its people and its desk are the real
// ones, and so are their ways to Slack and Azure. Nothing of it is committed: each cell is what the words
// would come to.

// persona is somebody, and what the table expects of it. What is true of a set is that of "web" and of
// "api": their policies list different people, and those whom neither should ever count in both.
type persona struct {
	name, id string
	set      func(*payload) // how the payload says who it is, beyond the id; nil = as anybody's
	silent   bool           // nothing is answered: who we are and that we are here is none of their business
	unknown  bool           // users.info does not know the id
	may      map[string]rights
}

type rights struct{ read, ask, agree, stop bool }

var (
	nothing   = rights{}
	reader    = rights{read: true}
	requester = rights{read: true, ask: true, stop: true}
	approver  = rights{read: true, agree: true, stop: true}
	ofWeb     = func(r rights) map[string]rights { return map[string]rights{"web": r, "api": nothing} }
	ofAPI     = func(r rights) map[string]rights { return map[string]rights{"web": nothing, "api": r} }
)

const (
	cyd, rita, uma, tom = "U0CYD00010", "U0RITA0011", "U0UMA00012", "U0TOM00013"
	zoe, namesake       = "U0ZOE00014", "U0NAMESAKE"
)

var personae = []persona{
	{name: "who asked for the rollout", id: slacksim.Ana, may: ofWeb(requester)},
	{name: "another requester", id: cyd, may: ofWeb(requester)},
	{name: "an approver", id: slacksim.Bo, may: ofWeb(approver)},
	{name: "an approver and requester, who asked for the other rollout", id: zoe, may: ofAPI(requester)}, // R23: not to one's own
	{name: "a reader", id: rita, may: ofWeb(reader)},
	{name: "an outsider", id: slacksim.Olaf},
	{name: "an outsider with an approver's display name", id: namesake},
	{name: "a guest who is listed", id: slacksim.Gus},
	{name: "a single-channel guest who is listed", id: uma},
	{name: "somebody deleted who is listed", id: slacksim.Dora},
	{name: "nobody whom Slack knows, listed", id: "U0NOBODY99", unknown: true},
	{name: "a stranger of Slack Connect who is listed", id: slacksim.Stranger, silent: true},
	{name: "somebody of another workspace who is listed", id: tom, silent: true},
	{name: "another app's bot that is listed", id: slacksim.Hal, silent: true},
	{name: "the bot itself", id: slacksim.BotUser, silent: true},
	{name: "Slackbot, listed", id: "USLACKBOT", silent: true},
	{name: "an approver's id in a payload of another workspace", id: slacksim.Bo, set: func(p *payload) { p.TeamID, p.Team.ID = "T0OTHER", "T0OTHER" }, silent: true},
	{name: "an approver's id of another workspace", id: slacksim.Bo, set: func(p *payload) { p.User.TeamID = "T0OTHER" }, silent: true},
	{name: "an approver's id in a payload of an organisation", id: slacksim.Bo, set: func(p *payload) { p.Enterprise.ID, p.EnterpriseID = "E0OTHER", "E0OTHER" }, silent: true},
	{name: "an approver's id in a payload of another app", id: slacksim.Bo, set: func(p *payload) { p.APIAppID = "A0OTHER" }, silent: true},
}

// takes is what a verb takes.
type takes int

const (
	anything takes = iota // whoever is heard is answered, and sees what they may see
	reading
	asking   // in the set's channel
	stopping // in the set's channel, and so with the next
	agreeing
	halting // like stopping, anywhere: it may be about sets of several channels, and these are told
	lifting // the same; nothing is frozen, and so there is nothing to lift
)

// verbs are all typed verbs (SET, ROLLOUT and PERSON stand for one) and all buttons.
var verbs = []struct {
	takes
	typed string // "" = only a button
	press string // "" = only typed
	value string // of the button
}{
	{anything, "", "help", ""},
	{anything, "help upgrade", "", ""},
	{anything, "status", "", ""},
	{anything, "pending", "", ""},
	{anything, "list", "", ""},
	{reading, "status SET", "", ""},
	{reading, "status ROLLOUT", "status", "ROLLOUT"},
	{reading, "why ROLLOUT", "why", "ROLLOUT"},
	{reading, "", "open", "ROLLOUT"},
	{reading, "show SET", "", ""},
	{reading, "show SET map", "", ""},
	{reading, "show SET policy", "", ""},
	{reading, "show ROLLOUT evidence", "evidence", "ROLLOUT"},
	{reading, "show ROLLOUT instances", "instances", "ROLLOUT"},
	{reading, "images SET", "", ""},
	{reading, "plan SET latest", "", ""},
	{reading, "plan SET* latest", "", ""},
	{reading, "windows SET", "", ""},
	{reading, "history SET", "", ""},
	{reading, "report ROLLOUT", "report", "ROLLOUT"},
	{reading, "audit SET", "", ""},
	{reading, "audit ROLLOUT vm=0", "", ""},
	{anything, "shift", "", ""},
	{halting, `freeze SET "no"`, "", ""},
	{lifting, "unfreeze SET", "", ""},
	{asking, "upgrade SET latest", "", ""},
	{asking, "upgrade SET* latest", "", ""},
	{asking, `schedule SET latest cron="0 2 * * SUN"`, "", ""},
	{lifting, "unschedule SET", "", ""},
	{asking, "resize SET to Standard_D4s_v5", "", ""},
	{agreeing, "approve ROLLOUT", "approve", "NONCE"},
	{agreeing, "approve ROLLOUT rest", "approve-rest", "NONCE"},
	{agreeing, `resolve ROLLOUT started "seen"`, "resolve-started", "ROLLOUT"},
	{agreeing, `resolve ROLLOUT passed "seen"`, "resolve-passed", "ROLLOUT"},
	{agreeing, `resolve ROLLOUT not-started "seen"`, "resolve-not-started", "ROLLOUT"},
	{agreeing, `resolve ROLLOUT vm=0 ok "seen"`, "resolve-ok", "ROLLOUT/0"},
	{agreeing, `resolve ROLLOUT vm=0 failed "seen"`, "resolve-failed", "ROLLOUT/0"},
	{agreeing, `resolve ROLLOUT go-on "seen"`, "resolve-go-on", "ROLLOUT"},
	{stopping, `deny ROLLOUT "no"`, "", ""},
	{stopping, "pause ROLLOUT", "pause", "ROLLOUT"},
	{stopping, "", "pause", "NONCE"},
	{stopping, "resume ROLLOUT", "resume", "ROLLOUT"},
	{stopping, `abort ROLLOUT "no"`, "", ""},
	{stopping, `abort ROLLOUT revert "no"`, "model-revert", "NONCE"},
	{stopping, `abort ROLLOUT keep "no"`, "model-keep", "NONCE"},
	{stopping, "ask ROLLOUT", "ask", "ROLLOUT"},
	{stopping, "retry ROLLOUT", "retry", "ROLLOUT"},
	{stopping, "retry ROLLOUT vm=0", "retry-one", "ROLLOUT/0"},
	{stopping, "skip ROLLOUT vm=0", "skip-one", "ROLLOUT/0"},
	{stopping, `quarantine ROLLOUT vm=0 "ill"`, "", ""},
	{stopping, "replan ROLLOUT", "replan", "ROLLOUT"},
	{stopping, "rollback ROLLOUT", "rollback", "ROLLOUT"},
	{stopping, `handover ROLLOUT PERSON "you"`, "", ""},
}

// forms are the buttons that ask for what is missing before anything is said.
var forms = []string{"deny", "abort", "skip", "quarantine", "quarantine-one", "resolve", "handover", "plan"}

// outcomes of a cell.
const (
	hushed = "silence"                 // one line of audit, and no answer
	blind  = "answered with nothing"   // of what they may not see
	sees   = "answered"                //
	does   = "not for want of a right" // it is done, or refused for another reason
)

// expected is the whole rule.
func expected(p persona, set, place string, takes takes, nonce bool) string {
	may := p.may[set]
	home := map[string]string{"web": "the set's channel", "api": "another channel"}[set]
	switch {
	case p.silent:
		return hushed
	case p.unknown:
		return string(upgrade.CodeRole) // could not be checked
	case nonce && place != home:
		return string(upgrade.CodeStale) // a card answers where it stands
	case takes == anything && p.may["web"] == nothing && p.may["api"] == nothing:
		return blind
	case takes == anything:
		return sees
	case !may.read || takes == lifting:
		return string(upgrade.CodeUnknown) // what one may not read is not there
	case takes == reading:
		return sees
	case takes == halting && may.stop:
		return does
	case place != home, takes == asking && !may.ask, takes == stopping && !may.stop, takes == halting, takes == agreeing && !may.agree:
		return string(upgrade.CodeRole)
	}
	return does
}

var places = []struct{ name, id string }{
	{"the set's channel", slacksim.Ops}, {"another channel", slacksim.General}, {"a channel shared with another workspace", slacksim.Partners},
	{"a direct message", "D0DIRECT01"}, {"no channel", ""},
}

func TestWhoMaySayWhatAndWhere(t *testing.T) {
	inBubble(t, func(o *office) {
		stage := map[string]opening{"web": o.stage("search-edge", "ana", slacksim.Ops), "api": o.stage("queue-zonal", "zoe", slacksim.General)}
		if stage["web"].nonce == stage["api"].nonce {
			t.Fatal("both cards are one")
		}
		cells, seen := 0, map[string]int{}
		for _, p := range personae {
			for _, place := range places {
				for _, v := range verbs {
					for set, of := range stage {
						for _, d := range of.said(o, p, place.id, v.typed, v.press, v.value) {
							want := expected(p, set, place.name, v.takes, d.nonce)
							got := o.comesTo(d, p, stage)
							cells++
							if seen[want]++; got != want {
								t.Errorf("%s says %q about %s in %s: %s, want %s", p.name, d.words, set, place.name, got, want)
							}
						}
					}
				}
			}
		}
		for _, outcome := range []string{hushed, blind, sees, does, string(upgrade.CodeRole), string(upgrade.CodeUnknown), string(upgrade.CodeStale)} {
			if seen[outcome] == 0 {
				t.Errorf("nothing comes to %q", outcome)
			}
		}
		t.Logf("cells=%d persons=%d places=%d verbs=%d outcomes=%v", cells, len(personae), len(places), len(verbs), seen)
	}, realDesk)
}

// realDesk has what is said carried out by the real desk, on the simulated Azure, in a workspace with all
// of the table's people.
func realDesk(o *office) {
	o.sim.Close()
	people := []slacksim.User{
		{ID: slacksim.Ana, Name: "ana"}, {ID: slacksim.Bo, Name: "bo"}, {ID: slacksim.Eva, Name: "eva"}, {ID: slacksim.Olaf, Name: "olaf"},
		{ID: cyd, Name: "cyd"}, {ID: rita, Name: "rita"}, {ID: zoe, Name: "zoe"}, {ID: namesake, Name: "bo", RealName: "Bo Approver"},
		{ID: slacksim.Gus, Name: "gus", Guest: true}, {ID: uma, Name: "uma", UltraGuest: true}, {ID: slacksim.Dora, Name: "dora", Deleted: true},
		{ID: slacksim.Hal, Name: "hal", Bot: true}, {ID: slacksim.Stranger, Name: "sam", TeamID: "T0FOREIGN1", Stranger: true},
		{ID: tom, Name: "tom", TeamID: "T0FOREIGN2"}, {ID: "USLACKBOT", Name: "slackbot"},
	}
	all := []string{slacksim.Ana, slacksim.Bo, slacksim.Eva, cyd, rita, zoe, slacksim.BotUser}
	o.sim = slacksim.New(slacksim.Options{Scopes: scopes, RateScale: -1, Users: people, Channels: []slacksim.Channel{
		{ID: slacksim.Ops, Name: "ops", Members: all}, {ID: slacksim.General, Name: "general", Members: all}, {ID: slacksim.Partners, Name: "partners", ExtShared: true, Members: all}}})
	never := []string{slacksim.Gus, uma, slacksim.Dora, "U0NOBODY99", slacksim.Stranger, tom, slacksim.Hal, slacksim.BotUser, "USLACKBOT"}
	web, api := policyOf("search-edge"), policyOf("queue-zonal")
	web.Requesters, web.Approvers, web.Readers = slices.Concat([]string{slacksim.Ana, cyd}, never), slices.Concat([]string{slacksim.Bo, slacksim.Eva}, never), slices.Concat([]string{rita}, never)
	api.Requesters, api.Approvers, api.Readers = slices.Concat([]string{zoe}, never), slices.Concat([]string{zoe, slacksim.Eva}, never), never
	api.Channel = slacksim.General
	o.domain.policies = []upgrade.Policy{web, api}
	o.desk = func(d upgrade.Desk) upgrade.Desk {
		f := azuresim.DefaultFleet()
		f.Sets = slices.DeleteFunc(f.Sets, func(s azuresim.Set) bool { return s.Name != "search-edge" && s.Name != "queue-zonal" })
		for i := range f.Sets { // small, so that ten thousand readings are quick
			f.Sets[i].Capacity, f.Sets[i].Exceptions = 2, nil
		}
		sim, err := azuresim.New(azuresim.Options{Fleet: f, Now: time.Now})
		if err != nil {
			o.Fatal(err)
		}
		fleet, err := azure.New(azure.Config{Subscription: azuresim.DefaultFleet().Subscription, Endpoint: "http://127.0.0.1", Credential: azure.LocalCredential(),
			Now: time.Now, Transport: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				if r.Body == nil {
					r.Body = http.NoBody // a server's requests have one
				}
				w := httptest.NewRecorder()
				sim.ServeHTTP(w, r)
				// All of the table is said in one moment: how many calls Azure would still allow is not its subject.
				resp := w.Result()
				maps.DeleteFunc(resp.Header, func(name string, _ []string) bool { return strings.HasPrefix(name, "X-Ms-Ratelimit-") })
				return resp, nil
			})}})
		if err != nil {
			o.Fatal(err)
		}
		n := 0
		d.Fleet, d.Catalogue, d.ID = fleet, fleet, func() string { n++; return fmt.Sprintf("%06d0123456789abcdef", n) }
		return d
	}
}

// opening is a rollout that stands in its channel with the card of its first gate.
type opening struct{ set, id, nonce, channel string }

// stage has a person open a rollout, and asks for its first gate as the engine would.
func (o *office) stage(set, user, channel string) opening {
	o.Helper()
	o.command(user, channel, "upgrade "+set+" latest")
	ctx, at := context.Background(), opening{set: set, nonce: strings.ReplaceAll(set, "-", "") + "0123456789abcdef", channel: channel}
	var rec upgrade.Record
	o.until(set+" is opened", func() bool {
		all, err := o.journal.Open(ctx)
		i := slices.IndexFunc(all, func(r upgrade.Record) bool { return r.Plan.Name == set })
		if err == nil && i >= 0 {
			rec = all[i]
		}
		return i >= 0
	})
	at.id = rec.ID
	events := upgrade.At(time.Now(), "", upgrade.Asked{Gate: rec.Plan.Gates[0].Key, Asking: 1, Nonce: at.nonce, Expires: time.Now().Add(time.Hour)})
	events[0].Seq = rec.Rollout.Seq + 1
	l, _, ok, err := o.journal.Store.Claim(ctx)
	if err == nil && ok {
		_, err = o.journal.Store.Append(ctx, l, upgrade.Change{Rollout: rec.ID, Seq: rec.Rollout.Seq, Events: events, Posts: upgrade.Posts(rec.Rollout.With(events...), events)})
	}
	if err != nil || !ok { // the lease is kept, so that the next one claims the next rollout
		o.Fatalf("%s cannot be asked for: %v", set, err)
	}
	o.until("its card is in the channel", func() bool {
		c, err := o.journal.Card(ctx, at.nonce)
		return err == nil && c.TS != ""
	})
	return at
}

// cell is something said, as the inbox would hold it.
type cell struct {
	upgrade.Delivery
	words string
	nonce bool
	about string // the id or name in the words, "" = none
}

// said are the words typed, and the button pressed.
func (at opening) said(o *office, p persona, channel, typed, press, value string) (out []cell) {
	names := strings.NewReplacer("SET", at.set, "ROLLOUT", at.id, "NONCE", at.nonce, "PERSON", "<@"+slacksim.Eva+">")
	body := func(fill func(*payload)) json.RawMessage {
		var x payload
		x.APIAppID, x.TriggerID = o.bot.App, "" // without a trigger no form opens
		fill(&x)
		if p.set != nil {
			p.set(&x)
		}
		raw, err := json.Marshal(x)
		if err != nil {
			o.Fatal(err)
		}
		return raw
	}
	if typed != "" {
		words := names.Replace(typed)
		out = append(out, cell{upgrade.Delivery{Kind: kindCommand, Body: body(func(x *payload) {
			x.TeamID, x.UserID, x.ChannelID, x.Command, x.Text = o.bot.Team, p.id, channel, "/vmss", words
		})}, words, false, at.named(typed)})
	}
	if press != "" {
		out = append(out, cell{upgrade.Delivery{Kind: kindInteract, Body: body(func(x *payload) {
			x.Type, x.Team.ID, x.User.ID, x.User.TeamID, x.Channel.ID = "block_actions", o.bot.Team, p.id, o.bot.Team, channel
			raw, _ := json.Marshal([]map[string]string{{"action_id": press, "value": names.Replace(value)}})
			if err := json.Unmarshal(raw, &x.Actions); err != nil {
				o.Fatal(err)
			}
		})}, press + " " + names.Replace(value), value == "NONCE", at.named(value)})
	}
	return out
}

func (at opening) named(words string) string {
	switch {
	case strings.Contains(words, "SET"):
		return at.set
	case strings.Contains(words, "ROLLOUT"), strings.Contains(words, "NONCE"): // whoever has the nonce has seen the card
		return at.id
	}
	return ""
}

// comesTo is what the words would come to, in a word; what it is besides is judged here.
func (o *office) comesTo(c cell, p persona, stage map[string]opening) string {
	s, _ := o.bot.settlement(context.Background(), c.Delivery, o.bot.understand(c.Delivery))
	var no *upgrade.Declined
	for _, change := range s.Changes {
		for _, e := range change.Events {
			if d, ok := e.Fact.(upgrade.Declined); ok {
				no = &d
			}
			if e.By != p.id {
				return "written down as said by " + e.By
			}
		}
		if no != nil && (change.Rollout != "" || len(change.Events) != 1 || len(change.Posts) > 0) {
			return "refused, and something changes"
		}
	}
	for _, a := range s.Answers {
		if everybody := strings.HasPrefix(a.Slot, "told/") && (a.Channel == slacksim.Ops || a.Channel == slacksim.General); a.User != p.id && !everybody {
			return "answered to " + a.User
		}
	}
	told := ""
	if len(s.Answers) > 0 {
		told = string(s.Answers[0].Want)
	}
	for set, other := range stage { // what one may not read stands in no answer, but for one's own words
		rest := told
		if c.about != "" {
			rest = strings.ReplaceAll(rest, c.about, "")
		}
		if !p.may[set].read && (strings.Contains(rest, other.id) || strings.Contains(rest, other.set) || strings.Contains(rest, other.nonce)) {
			return "told of " + set + ": " + told
		}
	}
	switch {
	case no == nil && len(s.Answers) == 0:
		return "neither answered nor written down"
	case no == nil && len(s.Changes) > 0:
		return does
	case no == nil && p.may["web"] == nothing && p.may["api"] == nothing:
		return blind
	case no == nil:
		return sees
	case len(s.Answers) == 0:
		return hushed
	case no.Code == upgrade.CodeRole, no.Code == upgrade.CodeUnknown && strings.Contains(no.What, "that you may see"), no.Code == upgrade.CodeStale && strings.Contains(no.What, "another channel"):
		return string(no.Code)
	}
	return does
}

// A verb or button that is added needs its line in the table.
func TestTheTableHasEveryVerbAndButton(t *testing.T) {
	var typed, pressed []string
	for _, v := range verbs {
		verb, _, _ := strings.Cut(v.typed, " ")
		typed, pressed = append(typed, verb), append(pressed, v.press)
	}
	pressed = append(pressed, forms...)
	for file, row := range map[string]struct {
		pattern string
		have    []string
	}{
		"request.go": {`Verb = "([a-z]+)"`, append(typed, "model")}, // model is typed as abort
		"action.go":  {`(?m)^\t\{"([a-z-]+)", Request`, pressed},
	} {
		body, err := os.ReadFile("../commands/" + file)
		if err != nil {
			t.Fatal(err)
		}
		found := regexp.MustCompile(row.pattern).FindAllSubmatch(body, -1)
		if len(found) < 20 {
			t.Errorf("only %d are found in %s", len(found), file)
		}
		for _, m := range found {
			if !slices.Contains(row.have, string(m[1])) {
				t.Errorf("%s of commands/%s is not in the table", m[1], file)
			}
		}
	}
}
