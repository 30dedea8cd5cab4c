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

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/bot"
	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/azure"
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
	edge := &bot.Bot{API: api, Journal: disk, Reader: disk, People: people, Now: time.Now, Log: s.Log,
		Rollouts: upgrade.Desk{Fleet: fleet, Catalogue: fleet, Journal: disk, People: people, Policies: policies, Now: time.Now, ID: s.ID},
		Dial:     s.Dial, NewDeliveries: journal.Deliveries(), NewPosts: journal.Posts()}
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

func (f formDisk) Receive(ctx context.Context, x ...upgrade.Delivery) (fresh int, err error) {
	f.desk.mu.Lock()
	closed := f.desk.closed
	f.desk.mu.Unlock()
	if closed {
		return 0, errors.New("the disk is full")
	}
	err = f.life.Disk("journal.Receive", func() (err error) { fresh, err = f.Store.Receive(ctx, x...); return err })
	f.desk.mu.Lock()
	defer f.desk.mu.Unlock()
	f.desk.kept += len(x)
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

// choice is the first value on offer in a person's form that begins so.
func (d *formDesk) choice(user, prefix string) string {
	d.t.Helper()
	open := d.Slack.Views(user)
	for _, a := range open[len(open)-1].Actions() {
		for _, o := range a.Options {
			if strings.HasPrefix(o, prefix) {
				return o
			}
		}
	}
	d.t.Fatalf("the form offers nothing that begins with %q", prefix)
	return ""
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

// opened brings a rollout to its first card.
func opened(d *formDesk) {
	d.t.Helper()
	d.types(slacksim.Ana, "upgrade myvmss "+image+" ud=0")
	d.sees("Approve UD 0 of myvmss?")
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

// home is what a person's Home tab says.
func (d *formDesk) home(user string) string {
	v, _ := d.Slack.Home(user)
	return string(v.Doc["blocks"])
}
