package bot_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/vmssbot/vmssbot/bot"
	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/bot/view"
	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/azure"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
	"github.com/vmssbot/vmssbot/upgrade/store"
	"github.com/vmssbot/vmssbot/upgrade/upgradetest"
)

// formDesk is the product at work in a simulated world, with people who fill in forms.
type formDesk struct {
	*upgradetest.World
	t *testing.T

	mu     sync.Mutex
	kept   int  // deliveries that reached the journal
	closed bool // the journal takes none
}

// fillIn runs a test in such a world, in the time of a bubble.
func fillIn(t *testing.T, test func(*formDesk)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		d := &formDesk{t: t}
		pol := upgrade.DefaultPolicy()
		pol.Pattern, pol.Channel = "*", slacksim.Ops
		pol.Requesters, pol.Approvers = []string{slacksim.Ana}, []string{slacksim.Bo, slacksim.Eva}
		w, err := upgradetest.NewWorld(upgradetest.Config{Seed: t.Name(), Policy: pol, Journal: filepath.Join(t.TempDir(), "journal.db")}, d.product)
		if err != nil {
			t.Fatal(err)
		}
		d.World = w
		defer func() {
			if err := w.Close(); err != nil {
				t.Error(err)
			}
		}()
		if err := w.Start(); err != nil {
			t.Fatal(err)
		}
		test(d)
	})
}

// product is the bot and the engine, wired as the programs wire them.
func (d *formDesk) product(ctx context.Context, s upgradetest.Site) (err error) {
	fleet, err := azure.New(azure.Config{Subscription: s.Subscription, Endpoint: s.AzureURL, Credential: azure.LocalCredential(), Transport: s.HTTP, Now: time.Now})
	if err != nil {
		return err
	}
	journal, err := store.Open(s.Journal, time.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, journal.Close()) }()
	disk := formDisk{journal, s.Life, d}
	api := slack.New(s.BotToken, slack.OptionHTTPClient(s.HTTP), slack.OptionAppLevelToken(s.AppKey), slack.OptionAPIURL(s.SlackURL))
	policies := func() []upgrade.Policy { return s.Policies }
	people := &bot.People{API: api, Now: time.Now}
	engine := &upgrade.Engine{Fleet: fleet, Journal: disk, Reader: disk, People: people, Policies: policies, Pace: upgrade.DefaultPace(), Now: time.Now, ID: s.ID, Log: s.Log,
		Woken: journal.Passes()}
	dialer := &websocket.Dialer{NetDialContext: s.Dial, HandshakeTimeout: 10 * time.Second, WriteBufferSize: 32 << 10}
	edge := &bot.Bot{API: api, Journal: disk, Reader: disk, People: people, Now: time.Now, Log: s.Log,
		Rollouts: upgrade.Desk{Fleet: fleet, Catalogue: fleet, Journal: disk, Policies: policies, Now: time.Now, ID: s.ID},
		Options:  []socketmode.Option{socketmode.OptionDialer(dialer)}, NewDeliveries: journal.Deliveries(), NewPosts: journal.Posts()}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	passes := make(chan error, 1)
	go func() { passes <- engine.Run(ctx) }()
	err = edge.Run(ctx)
	stop()
	return errors.Join(err, <-passes)
}

// formDisk is the journal, with a look at what is kept; a process that died writes nothing more.
type formDisk struct {
	*store.Store
	life *upgradetest.Life
	desk *formDesk
}

func (f formDisk) Receive(ctx context.Context, x upgrade.Delivery) (fresh bool, err error) {
	f.desk.mu.Lock()
	closed := f.desk.closed
	f.desk.mu.Unlock()
	if closed {
		return false, errors.New("the disk is full")
	}
	err = f.life.Disk("journal.Receive", func() (err error) { fresh, err = f.Store.Receive(ctx, x); return err })
	f.desk.mu.Lock()
	defer f.desk.mu.Unlock()
	f.desk.kept++
	return fresh, err
}

func (f formDisk) Settle(ctx context.Context, x upgrade.Settlement) error {
	return f.life.Disk("journal.Settle", func() error { return f.Store.Settle(ctx, x) })
}

func (f formDisk) Append(ctx context.Context, l upgrade.Lease, c upgrade.Change) (seq int, err error) {
	err = f.life.Disk("journal.Append", func() (err error) { seq, err = f.Store.Append(ctx, l, c); return err })
	return seq, err
}

func (d *formDesk) received() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.kept
}

func (d *formDesk) full(is bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = is
}

func (d *formDesk) types(user, text string) slacksim.Outcome {
	d.t.Helper()
	out, err := d.Slack.Command(user, slacksim.Ops, "/vmss", text)
	if err != nil || !out.Acked {
		d.t.Fatalf("/vmss %s: acknowledged %v, %v", text, out.Acked, err)
	}
	d.Advance(5 * time.Second)
	return out
}

// form is the form a person has before them.
func (d *formDesk) form(user, title string) slacksim.View {
	d.t.Helper()
	open := d.Slack.Views(user)
	if len(open) == 0 {
		d.t.Fatalf("no form is open; want %q", title)
	}
	top := open[len(open)-1]
	if !strings.Contains(string(top.Doc["title"]), title) {
		d.t.Fatalf("the form is %s, want %q", top.Doc["title"], title)
	}
	return top
}

func (d *formDesk) noForm(user string) {
	d.t.Helper()
	if open := d.Slack.Views(user); len(open) > 0 {
		d.t.Fatalf("a form is open: %s", open[0].Doc["title"])
	}
}

// sends fills fields in by their names and sends the form.
func (d *formDesk) sends(user string, fields map[string]string) slacksim.Outcome {
	d.t.Helper()
	out, err := d.Slack.SubmitView(slacksim.Submission{User: user, Values: d.values(user, fields)})
	if err != nil {
		d.t.Fatal(err)
	}
	d.Advance(5 * time.Second)
	return out
}

func (d *formDesk) values(user string, fields map[string]string) map[string]map[string]string {
	open := d.Slack.Views(user)
	values := map[string]map[string]string{}
	for _, a := range open[len(open)-1].Actions() {
		if v, given := fields[a.ActionID]; given {
			values[a.BlockID] = map[string]string{a.ActionID: v}
		}
	}
	return values
}

// clicks presses a button, or takes a menu's choice, wherever it stands.
func (d *formDesk) clicks(user, word string) {
	d.t.Helper()
	for _, m := range d.Messages() {
		if m.EphemeralTo != "" && m.EphemeralTo != user {
			continue
		}
		for _, a := range m.Actions() {
			value := ""
			for _, o := range a.Options {
				if strings.HasPrefix(o, word+":") {
					value = o
				}
			}
			if a.ActionID != word && value == "" {
				continue
			}
			out, err := d.Slack.Interact(slacksim.Interaction{User: user, Channel: m.Channel, TS: m.TS, ActionID: a.ActionID, BlockID: a.BlockID, Value: value})
			if err != nil || !out.Acked {
				d.t.Fatalf("%s: acknowledged %v, %v", word, out.Acked, err)
			}
			d.Advance(5 * time.Second)
			return
		}
	}
	d.t.Fatalf("there is no button %q", word)
}

func (d *formDesk) sees(text string) {
	d.t.Helper()
	if !d.Shows(text) {
		d.t.Errorf("nobody sees %q; there is:\n%s", text, d.all())
	}
}

// public reports whether the channel sees the text.
func (d *formDesk) public(text string) bool {
	for _, m := range d.Messages() {
		if m.Channel == slacksim.Ops && m.EphemeralTo == "" && strings.Contains(strings.Join(m.Lines, "\n"), text) {
			return true
		}
	}
	return false
}

func (d *formDesk) all() string {
	var out []string
	for _, m := range d.Messages() {
		out = append(out, strings.Join(m.Lines, "\n"))
	}
	return strings.Join(out, "\n--\n")
}

func (d *formDesk) count(text string) int { return strings.Count(d.all(), text) }

const image = "4.0.20160229"

func TestWhatWasLeftOutIsAskedForInAFormAndItsListsFollow(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		d.types(slacksim.Ana, "upgrade note=CHG-1")
		v := d.form(slacksim.Ana, "Upgrade a scale set")
		out, err := d.Slack.Interact(slacksim.Interaction{User: slacksim.Ana, ViewID: v.ID, ActionID: "set", Value: "myvmss"})
		if err != nil || !out.Acked {
			t.Fatal(out, err)
		}
		d.Advance(5 * time.Second)
		blocks := string(d.form(slacksim.Ana, "Upgrade a scale set").Doc["blocks"])
		for _, says := range []string{image, "4.0.20160101 · current", "UD 0 · 4 instances", "latest: the newest", `"initial_value":"CHG-1"`} {
			if !strings.Contains(blocks, says) {
				t.Errorf("the form does not have %q: %s", says, blocks)
			}
		}
		if out := d.sends(slacksim.Ana, map[string]string{"target": image, "ud": "0,2"}); !out.Acked || len(out.Errors) > 0 {
			t.Fatalf("%+v", out)
		}
		d.noForm(slacksim.Ana)
		d.sees("8 instances in 2 gates")
		d.sees("CHG-1")
	})
}

func TestAFormIsTheCommandThatCouldHaveBeenTyped(t *testing.T) {
	told := func(ask func(*formDesk)) (said string) {
		fillIn(t, func(d *formDesk) {
			ask(d)
			for _, m := range d.Messages() {
				if m.EphemeralTo == slacksim.Ana {
					said += strings.Join(m.Lines, "\n")
				}
			}
		})
		return said
	}
	typed := told(func(d *formDesk) { d.types(slacksim.Ana, "plan myvmss "+image+" ud=0 note=\"a & b\"") })
	filled := told(func(d *formDesk) {
		d.types(slacksim.Ana, "plan myvmss")
		d.form(slacksim.Ana, "Plan an upgrade")
		d.sends(slacksim.Ana, map[string]string{"target": image, "ud": "0", "note": "a & b"})
	})
	if typed == "" || strings.Split(typed, "made at")[0] != strings.Split(filled, "made at")[0] {
		t.Errorf("typed:\n%s\nfilled in:\n%s", typed, filled)
	}
}

func TestAWrongFieldIsToldUnderItAndNothingIsKept(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		d.types(slacksim.Ana, "upgrade myvmss")
		before, messages := d.received(), len(d.Messages())
		out := d.sends(slacksim.Ana, map[string]string{"target": image, "soak": "10", "max-failures": "many"})
		if !out.Acked || len(out.Errors) != 2 || !strings.Contains(out.Errors["soak"], "Did you mean 10m?") || !strings.Contains(out.Errors["max-failures"], "a number of instances") {
			t.Errorf("acknowledged %v with %v", out.Acked, out.Errors)
		}
		if d.received() != before || len(d.Messages()) != messages {
			t.Errorf("%d deliveries kept, %d messages posted", d.received()-before, len(d.Messages())-messages)
		}
		d.form(slacksim.Ana, "Upgrade a scale set")
		d.sends(slacksim.Ana, map[string]string{"target": image, "soak": "10m"})
		d.noForm(slacksim.Ana)
		d.sees("waits for the yes")
	})
}

func TestAFormIsAcknowledgedOnlyAfterItWasKept(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		d.types(slacksim.Ana, "plan myvmss")
		d.full(true)
		if out := d.sends(slacksim.Ana, map[string]string{"target": image}); out.Acked || out.Notice == "" {
			t.Errorf("acknowledged %v, Slack said %q", out.Acked, out.Notice)
		}
		d.full(false)
		if out := d.sends(slacksim.Ana, map[string]string{"target": image}); !out.Acked {
			t.Error("the second try is not acknowledged")
		}
		if n := d.count("Nothing was asked or changed"); n != 1 {
			t.Errorf("answered %d times", n)
		}
	})
}

func TestAFormThatWasAcknowledgedIsCarriedOutAfterACrash(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		d.types(slacksim.Ana, "upgrade myvmss")
		d.Trap(func(_ int, point string) bool { return point == "before journal.Settle" })
		if out := d.sends(slacksim.Ana, map[string]string{"target": image, "ud": "0"}); !out.Acked {
			t.Fatal("not acknowledged")
		}
		if !d.Reap() {
			t.Fatal("the bot did not die")
		}
		if err := d.Start(); err != nil {
			t.Fatal(err)
		}
		d.Advance(10 * time.Second)
		d.sees("UD 0 waits for the yes")
		if n := d.count("is open: myvmss"); n != 1 {
			t.Errorf("opened %d times:\n%s", n, d.all())
		}
	})
}

func TestWhenAFormCannotBeOpenedThePersonIsToldWhatToType(t *testing.T) {
	for name, trouble := range map[string]slacksim.Fault{
		"the trigger is over":   {Kind: "error", Method: "views.open", Error: "expired_trigger_id"},
		"Slack does not answer": {Kind: "reset_before", Method: "views.open"},
		"Slack is slow":         {Kind: "slow", Method: "views.open", Delay: slacksim.Duration(9 * time.Second)},
	} {
		t.Run(name, func(t *testing.T) {
			fillIn(t, func(d *formDesk) {
				if err := d.Slack.Inject(trouble); err != nil {
					t.Fatal(err)
				}
				d.types(slacksim.Ana, "upgrade myvmss")
				d.sees("VMSS-ARG")
				d.sees("/vmss help upgrade")
				if name != "Slack is slow" { // that form may still come
					d.noForm(slacksim.Ana)
				}
				d.clicks(slacksim.Ana, "form")
				d.form(slacksim.Ana, "Upgrade a scale set")
			})
		})
	}
}

func TestAFormIsNotOpenedAgainAfterARestart(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		d.Trap(func(_ int, point string) bool { return point == "before POST /api/views.open" })
		d.types(slacksim.Ana, "upgrade myvmss")
		if !d.Reap() {
			t.Fatal("the bot did not die")
		}
		if err := d.Start(); err != nil {
			t.Fatal(err)
		}
		d.Advance(10 * time.Second)
		d.noForm(slacksim.Ana)
		d.sees("needs a target")
	})
}

func TestListsThatCannotBeReadLeaveAFormToTypeIn(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		if err := d.Slack.Inject(slacksim.Fault{Kind: "http_status", Method: "users.info", Times: -1}); err != nil {
			t.Fatal(err)
		}
		d.types(slacksim.Ana, "upgrade myvmss")
		blocks := string(d.form(slacksim.Ana, "Upgrade a scale set").Doc["blocks"])
		if !strings.Contains(blocks, "I could not check who you are") || !strings.Contains(blocks, `"initial_value":"myvmss"`) {
			t.Error(blocks)
		}
		if err := d.Slack.Inject(slacksim.Fault{Kind: "clear"}); err != nil {
			t.Fatal(err)
		}
		d.sends(slacksim.Ana, map[string]string{"target": image, "ud": "0"})
		d.sees("UD 0 waits for the yes")
	})
}

func TestAFormDoesNotWaitForItsAuthorsSlowPlan(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		opened(d)
		if err := d.Azure.Inject(azuresim.Fault{Kind: "slow", Match: "GET", Delay: azuresim.Duration(30 * time.Second), Times: -1}); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Slack.Command(slacksim.Ana, slacksim.Ops, "/vmss", "plan web-prod latest"); err != nil {
			t.Fatal(err)
		}
		d.clicks(slacksim.Ana, "abort")
		d.form(slacksim.Ana, "Abort a rollout")
	})
}

func TestAFormWhoseListsTakeTooLongSaysSo(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		if err := d.Azure.Inject(azuresim.Fault{Kind: "slow", Match: "GET", Delay: azuresim.Duration(time.Minute), Times: -1}); err != nil {
			t.Fatal(err)
		}
		d.types(slacksim.Ana, "upgrade myvmss")
		if blocks := string(d.form(slacksim.Ana, "Upgrade a scale set").Doc["blocks"]); !strings.Contains(blocks, "Reading what there is to choose from") {
			t.Errorf("while the lists are read: %s", blocks)
		}
		d.Advance(15 * time.Second)
		if blocks := string(d.form(slacksim.Ana, "Upgrade a scale set").Doc["blocks"]); !strings.Contains(blocks, ":warning:") || !strings.Contains(blocks, `"plain_text_input"`) {
			t.Errorf("when they took too long: %s", blocks)
		}
	})
}

func TestTheLastSetChosenIsTheOneWhoseListsStandThere(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		d.types(slacksim.Ana, "plan")
		v := d.form(slacksim.Ana, "Plan an upgrade")
		for _, set := range []string{"web-prod", "myvmss", "web-prod", "myvmss"} {
			if _, err := d.Slack.Interact(slacksim.Interaction{User: slacksim.Ana, ViewID: v.ID, ActionID: "set", Value: set}); err != nil {
				t.Fatal(err)
			}
		}
		d.Advance(20 * time.Second)
		if blocks := string(d.form(slacksim.Ana, "Plan an upgrade").Doc["blocks"]); !strings.Contains(blocks, `"target/myvmss"`) || strings.Contains(blocks, `"target/web-prod"`) {
			t.Error(blocks)
		}
	})
}

// opened brings a rollout to its first card.
func opened(d *formDesk) {
	d.t.Helper()
	d.types(slacksim.Ana, "upgrade myvmss "+image+" ud=0")
	d.sees("Approve UD 0 of myvmss?")
}

func TestDenyAsksForItsReasonInAForm(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		opened(d)
		d.clicks(slacksim.Bo, "deny")
		d.form(slacksim.Bo, "Deny")
		if out := d.sends(slacksim.Bo, map[string]string{"reason": "   "}); !strings.Contains(out.Errors["reason"], "this is needed") {
			t.Errorf("%+v", out)
		}
		d.sends(slacksim.Bo, map[string]string{"reason": "not <!channel> today"})
		d.noForm(slacksim.Bo)
		d.sees("bo denied UD 0")
	})
}

func TestAbortAsksForItsReasonAndWhatBecomesOfTheModel(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		opened(d)
		d.clicks(slacksim.Ana, "abort")
		d.form(slacksim.Ana, "Abort a rollout")
		d.sends(slacksim.Ana, map[string]string{"reason": "wrong image", "answer": "keep"})
		d.sees("wrong image")
		d.sees("aborted")
	})
}

func TestAnybodyMayOpenAFormAndNobodyGetsARightByIt(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		opened(d)
		d.clicks(slacksim.Olaf, "abort")
		d.form(slacksim.Olaf, "Abort a rollout")
		d.sends(slacksim.Olaf, map[string]string{"reason": "because I can"})
		d.sees("VMSS-")
		if d.public("because I can") {
			t.Error("the outsider's abort was heard")
		}
		d.types(slacksim.Olaf, "deny")
		if blocks := string(d.form(slacksim.Olaf, "Deny").Doc["blocks"]); strings.Contains(blocks, "myvmss") {
			t.Errorf("the outsider is shown rollouts: %s", blocks)
		}
	})
}

func TestAFormSentTwiceCountsOnce(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		if err := d.Slack.Inject(slacksim.Fault{Kind: "duplicate", Type: "interactive", After: 0}); err != nil {
			t.Fatal(err)
		}
		d.types(slacksim.Ana, "upgrade myvmss")
		d.sends(slacksim.Ana, map[string]string{"target": image, "ud": "0"})
		if n := d.count("is open: myvmss") + d.count("VMSS-LOCKED"); n != 1 {
			t.Errorf("answered %d times:\n%s", n, d.all())
		}
	})
}

// forge opens a view that is not the bot's, with a trigger nobody has used, and sends it.
func (d *formDesk) forge(user, callback, carried string) slacksim.Outcome {
	d.t.Helper()
	trigger, err := d.Slack.Command(user, slacksim.Ops, "/vmss", "help")
	if err != nil {
		d.t.Fatal(err)
	}
	input := slack.NewInputBlock("reason", slack.NewTextBlockObject("plain_text", "Reason", false, false), nil, slack.NewPlainTextInputBlockElement(nil, "reason"))
	m := slack.ModalViewRequest{Type: slack.VTModal, Title: slack.NewTextBlockObject("plain_text", "Forged", false, false), Submit: slack.NewTextBlockObject("plain_text", "Go", false, false),
		CallbackID: callback, PrivateMetadata: carried, Blocks: slack.Blocks{BlockSet: []slack.Block{input}}}
	body, err := json.Marshal(map[string]any{"trigger_id": trigger.TriggerID, "view": m})
	if err != nil {
		d.t.Fatal(err)
	}
	request, err := http.NewRequest("POST", "/api/views.open", strings.NewReader(string(body)))
	if err != nil {
		d.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+d.Slack.BotToken())
	answer := &answerRecorder{header: http.Header{}}
	d.Slack.ServeHTTP(answer, request)
	if !strings.Contains(answer.body.String(), `"ok":true`) {
		d.t.Fatal(answer.body.String())
	}
	return d.sends(user, map[string]string{"reason": "forged"})
}

// answerRecorder keeps what a handler answers.
type answerRecorder struct {
	header http.Header
	body   strings.Builder
}

func (a *answerRecorder) Header() http.Header         { return a.header }
func (a *answerRecorder) Write(b []byte) (int, error) { return a.body.Write(b) }
func (a *answerRecorder) WriteHeader(int)             {}

func TestAFormThatIsNoneOfOursIsRefused(t *testing.T) {
	for name, row := range map[string]struct{ callback, carried string }{
		"another callback":         {"other", `{"verb":"abort","rollout":"r-1","channel":"` + slacksim.Ops + `"}`},
		"nothing carried":          {view.FormCallback, ""},
		"no JSON":                  {view.FormCallback, "{"},
		"a verb without a form":    {view.FormCallback, `{"verb":"model","rollout":"r-1"}`},
		"a path for a rollout":     {view.FormCallback, `{"verb":"deny","rollout":"../r-1"}`},
		"a nonce and a rollout":    {view.FormCallback, `{"verb":"deny","rollout":"r-1","nonce":"0123456789abcdef"}`},
		"a person for a channel":   {view.FormCallback, `{"verb":"deny","rollout":"r-1","channel":"U0BO000002"}`},
		"a channel that is markup": {view.FormCallback, `{"verb":"deny","rollout":"r-1","channel":"<!channel>"}`},
	} {
		t.Run(name, func(t *testing.T) {
			fillIn(t, func(d *formDesk) {
				opened(d)
				if out := d.forge(slacksim.Ana, row.callback, row.carried); !out.Acked || len(out.Errors) > 0 {
					t.Errorf("acknowledged %v, errors %v", out.Acked, out.Errors)
				}
				d.sees("I do not know that form")
				if d.public("forged") {
					t.Error("the forged words were heard")
				}
			})
		})
	}
}

func TestAForgedFormHasNoMoreRightsThanTypedWords(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		opened(d)
		id := d.rollout()
		d.forge(slacksim.Olaf, view.FormCallback, `{"verb":"deny","rollout":"`+id+`","channel":"`+slacksim.Ops+`"}`)
		d.forge(slacksim.Ana, view.FormCallback, `{"verb":"deny","rollout":"`+id+`","channel":"`+slacksim.General+`"}`)
		if d.public("forged") {
			t.Errorf("a forged form was heard:\n%s", d.all())
		}
		d.forge(slacksim.Ana, view.FormCallback, `{"verb":"deny","rollout":"`+id+`","channel":"`+slacksim.Ops+`"}`)
		if !d.public("forged") {
			t.Errorf("she may deny it, however she says so:\n%s", d.all())
		}
	})
}

// rollout is the id of the one that is open.
func (d *formDesk) rollout() string {
	d.t.Helper()
	for _, word := range strings.FieldsFunc(d.all(), func(r rune) bool { return !(r == '-' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9') }) {
		if strings.HasPrefix(word, "r-") {
			return word
		}
	}
	d.t.Fatal("no rollout is open")
	return ""
}

func TestAClosedFormSaysNothing(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		d.types(slacksim.Ana, "upgrade myvmss")
		messages := len(d.Messages())
		if _, err := d.Slack.CloseView(slacksim.Ana, "", true); err != nil {
			t.Fatal(err)
		}
		d.Advance(10 * time.Second)
		if n := len(d.Messages()) - messages; n != 0 {
			t.Errorf("%d messages were posted", n)
		}
	})
}

// home is what a person's Home tab says.
func (d *formDesk) home(user string) string {
	v, _ := d.Slack.Home(user)
	return string(v.Doc["blocks"])
}

func TestTheHomeTabShowsWhatConcernsThePersonAndFollows(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		for _, user := range []string{slacksim.Ana, slacksim.Bo} {
			if _, err := d.Slack.OpenHome(user); err != nil {
				t.Fatal(err)
			}
		}
		d.Advance(5 * time.Second)
		if !strings.Contains(d.home(slacksim.Bo), "nothing waits for your yes") {
			t.Errorf("bo sees %s", d.home(slacksim.Bo))
		}
		opened(d)
		d.Advance(10 * time.Second)
		if h := d.home(slacksim.Bo); !strings.Contains(h, "Waiting for your yes") || !strings.Contains(h, "/archives/"+slacksim.Ops+"/p") {
			t.Errorf("bo sees %s", h)
		}
		if h := d.home(slacksim.Ana); !strings.Contains(h, "You asked for") || strings.Contains(h, "Waiting for your yes") {
			t.Errorf("ana sees %s", h)
		}
		if h := d.home(slacksim.Eva); h != "" {
			t.Errorf("eva never looked and has %s", h)
		}
		d.clicks(slacksim.Bo, "approve")
		d.Advance(10 * time.Second)
		if h := d.home(slacksim.Bo); strings.Contains(h, "Waiting for your yes") {
			t.Errorf("bo agreed and sees %s", h)
		}
	})
}

func TestWhatIsAskedInTheHomeTabIsAnsweredInMessages(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		if _, err := d.Slack.OpenHome(slacksim.Ana); err != nil {
			t.Fatal(err)
		}
		d.Advance(5 * time.Second)
		press := func(action string) {
			out, err := d.Slack.Interact(slacksim.Interaction{User: slacksim.Ana, ViewID: "home", ActionID: action})
			if err != nil || !out.Acked {
				t.Fatal(action, out, err)
			}
			d.Advance(5 * time.Second)
		}
		press("help")
		d.sees("What I can do")
		press("plan")
		d.form(slacksim.Ana, "Plan an upgrade")
		d.sends(slacksim.Ana, map[string]string{"set": "myvmss", "target": image})
		d.sees("Nothing was asked or changed")
		for _, m := range d.Messages() {
			if m.Channel == slacksim.Ops {
				t.Errorf("the channel heard of it: %s", m.Text)
			}
		}
	})
}

func TestAHomeTabThatCannotBePublishedIsDrawnWhenItIsOpenedAgain(t *testing.T) {
	fillIn(t, func(d *formDesk) {
		if err := d.Slack.Inject(slacksim.Fault{Kind: "http_status", Method: "views.publish"}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := d.Slack.OpenHome(slacksim.Ana); err != nil {
				t.Fatal(err)
			}
			d.Advance(5 * time.Second)
		}
		if !strings.Contains(d.home(slacksim.Ana), "VM scale set upgrades") {
			t.Errorf("ana sees %s", d.home(slacksim.Ana))
		}
	})
}
