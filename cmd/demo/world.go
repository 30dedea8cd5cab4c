package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/cmd/internal/app"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
	"github.com/vmssbot/vmssbot/upgrade/pager"
	"github.com/vmssbot/vmssbot/upgrade/store"
)

// world is the two local servers and the folder the bot keeps its journal in.
type world struct {
	slack      *slacksim.Sim
	azure      *azuresim.Sim
	fleet      azuresim.Fleet
	slackURL   string
	azureURL   string
	webhookURL string // of the receiver that prints what it is told
	health     string // the address at which the bot tells how it is
	data       string
	temporary  bool
	servers    []*http.Server
}

func newWorld(f flags, errs io.Writer) (*world, error) {
	w := &world{fleet: fleet()}
	if len(f.fleet) > 0 {
		var err error
		if w.fleet, err = readFleet(f.fleet, errs); err != nil {
			return nil, err
		}
	}
	err := w.folder(f.data)
	if err == nil {
		err = w.open(f, errs)
	}
	if err != nil {
		w.close()
		return nil, err
	}
	return w, w.writeConfig()
}

// readFleet makes a fleet of files, and says on the terminal what in it is not from them.
func readFleet(files []string, errs io.Writer) (azuresim.Fleet, error) {
	var sources []azuresim.Source
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return azuresim.Fleet{}, err
		}
		sources = append(sources, azuresim.Source{Name: name, Data: data})
	}
	fleet, notes, err := azuresim.ImportFleet(sources...)
	if err != nil {
		return fleet, fmt.Errorf("fleet: %w", err)
	}
	for _, note := range notes {
		fmt.Fprintf(errs, "demo: %s\n", note)
	}
	return fleet, nil
}

// fleet is the simulator's own with two scale sets more: of one an instance fails by itself, once, in the second
// of its three update domains; the other one may be changed in a window only (see [world.config]).
func fleet() azuresim.Fleet {
	f := azuresim.DefaultFleet()
	jammy := azuresim.ImageRef{Publisher: "Canonical", Offer: "0001-com-ubuntu-server-jammy", SKU: "22_04-lts-gen2", Version: "22.04.202310190"}
	f.Sets = append(f.Sets,
		azuresim.Set{Name: "mail-relay", ResourceGroup: "rg-mail", Capacity: 6, UpdateDomains: 3, Image: jammy, Tags: map[string]string{"env": "prod", "team": "mail"}},
		azuresim.Set{Name: windowed, ResourceGroup: "rg-ledger", Capacity: 4, UpdateDomains: 2, Image: jammy, Tags: map[string]string{"env": "prod", "team": "books"}})
	f.Faults = append(f.Faults, azuresim.Fault{Kind: "fail-instance", Set: "mail-relay", Instance: "4", Code: "VMExtensionProvisioningError",
		Message: "VM has reported a failure when processing extension 'MailAgent'. Error message: \"Enable failed: port 25 is in use\"."})
	return f
}

// windowed is the set that is changed in a window only, which opens this long after the demo has started.
const (
	windowed = "ledger"
	opensIn  = 2 * time.Minute
)

func (w *world) folder(data string) (err error) {
	if w.data = data; data == "" {
		w.temporary = true
		w.data, err = os.MkdirTemp("", "vmssbot-demo-")
		return err
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	return store.Free(w.journal()) // else another demo's configuration and tokens would be overwritten
}

func (w *world) journal() string { return filepath.Join(w.data, "journal.db") }

// open makes the two servers, each knowing where the other one is, and serves them.
func (w *world) open(f flags, errs io.Writer) error {
	here, err := listen("workspace", f.addr, errs)
	if err != nil {
		return err
	}
	there, err := listen("Azure", f.azureAddr, errs)
	if err != nil {
		return errors.Join(err, here.Close())
	}
	if w.health, err = freeAddr(); err != nil {
		return errors.Join(err, here.Close(), there.Close())
	}
	w.slackURL, w.azureURL = "http://"+here.Addr().String(), "http://"+there.Addr().String()
	installation := slacksim.Options{Welcome: w.hints(len(f.fleet) > 0), RateScale: f.rates}
	if !f.noBot { // somebody else's bot may need more than ours
		installation = installed(installation)
	}
	w.slack = slacksim.New(installation)
	if w.azure, err = azuresim.New(azuresim.Options{Fleet: w.fleet, Speed: f.speed, Home: w.slackURL}); err != nil {
		return errors.Join(err, here.Close(), there.Close())
	}
	w.serve(here, w.withGallery())
	w.serve(there, w.azure)
	return w.receiver(errs)
}

// listen takes the address it was asked for, or any port when that one is taken, and says so.
func listen(what, addr string, errs io.Writer) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err == nil {
		return l, nil
	}
	host, port, bad := net.SplitHostPort(addr)
	if bad != nil || port == "0" {
		return nil, fmt.Errorf("the %s cannot listen on %s: %w", what, addr, err)
	}
	if l, err = net.Listen("tcp", net.JoinHostPort(host, "0")); err != nil {
		return nil, fmt.Errorf("the %s cannot listen on %s: %w", what, addr, err)
	}
	fmt.Fprintf(errs, "demo: %s is taken, the %s listens on %s instead\n", addr, what, l.Addr())
	return l, nil
}

// freeAddr is an address nobody listens on: the bot, which may be another process and die and come
// again, is told it beforehand.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func (w *world) serve(l net.Listener, h http.Handler) {
	if at, err := netip.ParseAddrPort(l.Addr().String()); err == nil && at.Addr().IsLoopback() { // else somebody wants it seen
		h = app.LocalOnly(h)
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	w.servers = append(w.servers, s)
	go s.Serve(l)
}

// hints are the five things a newcomer is told to try, or with a fleet of his own what goes with any.
func (w *world) hints(own bool) []string {
	if own {
		return []string{"These are the scale sets of your files: type `/vmss list`, as Ana, then `/vmss plan SET latest` and `/vmss upgrade SET latest`, and approve as Bo. " +
			"Nothing goes to Azure; <" + w.azureURL + "|the simulated one> shows what happens, and makes trouble."}
	}
	return []string{
		"Type `/vmss upgrade myvmss 4.0.20160229 ud=0` here, as Ana, and read the plan and the card.",
		"Switch to Bo at the top right and press *Approve UD 0*. Olaf may press it, too: see what he is told.",
		"Type `/vmss upgrade myvmss latest` without `ud=`: one card for each update domain. *Pause* and *Why* are in the menus, pictures in the thread. " +
			"`/vmss show myvmss map` sends one to you alone; `/vmss images checkout-gal` lists versions.",
		"Type `/vmss upgrade mail-relay latest`: instance 4 fails by itself in the second domain. See the bot hold, say why, and offer the ways out. More trouble is in <" + w.azureURL + "|the simulated Azure>.",
		"Type `/vmss upgrade ledger latest` and approve it: its window opens two minutes after the demo has started, and a yes given before waits for it. `/vmss windows ledger` says when; " +
			"`/vmss freeze all for=10m \"lunch\"` stops every start, until `/vmss unfreeze all`.",
	}
}

func (w *world) close() {
	if w.slack != nil {
		w.slack.Close()
	}
	for _, s := range w.servers {
		s.Close()
	}
	if w.temporary {
		os.RemoveAll(w.data)
	}
}

func (w *world) configFile() string { return filepath.Join(w.data, "vmssbot.yaml") }

// config is the bot's configuration for this world. Only here, against servers on this machine, are
// the waits shorter than the safety rules' own.
func (w *world) config() app.Config {
	short, one := 3*time.Second, 1
	set := func(match string, images ...string) app.Set {
		return app.Set{Match: match, Channel: slacksim.Ops, Readers: []string{slacksim.Olaf}, Requesters: []string{slacksim.Ana},
			Approvers: []string{slacksim.Bo, slacksim.Eva}, Approvals: &one, Soak: &short, Bake: &short, AllowedImages: images}
	}
	opens := time.Now().UTC().Add(opensIn)
	books := set(windowed)
	books.Windows = []string{"books-closed"}
	return app.Config{
		Windows:  []app.Window{{Name: "books-closed", Zone: "UTC", Recurrence: fmt.Sprintf("%d %d * * *", opens.Minute(), opens.Hour()), Length: 2 * time.Hour}},
		Journal:  w.journal(),
		Health:   w.health,
		Webhooks: []app.Webhook{{Name: "terminal", URL: pager.Address(w.webhookURL), SecretFile: w.webhookKey()}}, // a URL with a path would not be written out
		Slack:    app.Slack{APIURL: w.slackURL + "/api/", BotTokenFile: filepath.Join(w.data, "bot-token"), AppTokenFile: filepath.Join(w.data, "app-token")},
		Azure:    app.Azure{Subscription: w.fleet.Subscription, Endpoint: w.azureURL, Auth: "local"},
		Pace: app.Pace{Refresh: 500 * time.Millisecond, Idle: 2 * time.Second, Confirm: time.Second, Settle: 5 * time.Second,
			Agree: 2 * time.Second, Unheard: 30 * time.Second, Edit: 2 * time.Second},
		Sets: []app.Set{set("myvmss", "canonical:ubuntuserver:*"), set("legacy-img", "/subscriptions/*"), books, set("*")},
	}
}

// writeConfig leaves what a bot of its own process needs: `vmssbot run --config DIR/vmssbot.yaml`
// works as well.
func (w *world) writeConfig() error {
	c := w.config()
	body, err := yaml.Marshal(c)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(w.configFile(), body, 0o600),
		os.WriteFile(c.Slack.BotTokenFile, []byte(w.slack.BotToken()), 0o600),
		os.WriteFile(c.Slack.AppTokenFile, []byte(w.slack.AppToken()), 0o600))
}

// connected waits until the bot holds a socket, or has ended.
func (w *world) connected(ctx context.Context, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	ready := make(chan error, 1)
	go func() { ready <- w.slack.Wait(ctx, func() bool { return len(w.slack.State().Sockets) > 0 }) }()
	select {
	case err := <-ready:
		return err
	case <-ended:
		return errors.New("the bot stopped")
	}
}

// card is the line --json prints.
type card struct {
	URL           string            `json:"url"`
	SlackAPIURL   string            `json:"slack_api_url"`
	AzureURL      string            `json:"azure_url"`
	HealthURL     string            `json:"health_url"` // of the bot; there is also /readyz
	Subscription  string            `json:"subscription"`
	ResourceGroup string            `json:"resource_group"`
	BotToken      string            `json:"bot_token"`
	AppToken      string            `json:"app_token"`
	Team          string            `json:"team"`
	Channel       string            `json:"channel"`
	Users         map[string]string `json:"users"`
	Config        string            `json:"config"` // a vmssbot.yaml for this world
}

func (w *world) card() card {
	group := ""
	if len(w.fleet.Sets) > 0 {
		group = w.fleet.Sets[0].ResourceGroup
	}
	return card{URL: w.slackURL, SlackAPIURL: w.slackURL + "/api/", AzureURL: w.azureURL, HealthURL: "http://" + w.health + "/healthz", Subscription: w.fleet.Subscription, ResourceGroup: group,
		BotToken: w.slack.BotToken(), AppToken: w.slack.AppToken(), Team: w.slack.State().Team.ID, Channel: slacksim.Ops, Config: w.configFile(),
		Users: map[string]string{"requester": slacksim.Ana, "approver": slacksim.Bo, "outsider": slacksim.Olaf, "guest": slacksim.Gus}}
}

func (w *world) welcome(out io.Writer, f flags) {
	fmt.Fprintf(out, `The first build takes about a minute; from now on this starts at once.

Open  %s   a local Slack workspace: click and type there
      %s   the simulated Azure: watch its machines, make trouble
%s
Everything the bot ever says, on one page:  %[1]s/gallery

%[4]s
The same without a browser:  curl -s %[1]s/_control/command -d '{"user":"ana","channel":"ops","command":"/vmss","text":"help","wait":"2s"}'
Both listen on this machine only. What would call somebody out of bed comes to this terminal, by a webhook. Ctrl-C ends it.
`, w.slackURL, w.azureURL, map[bool]string{true: "\nNo bot runs (--no-bot). Start yours, or:  vmssbot run --config " + w.configFile() + "\n", false: ""}[f.noBot],
		map[bool]string{true: tryOwn, false: tryDemo}[len(f.fleet) > 0])
}

// What the terminal says to try: with the demo's sets, and with those of files.
const (
	tryDemo = `Five things to try in the workspace:
  1. as Ana (top right), type   /vmss upgrade myvmss 4.0.20160229 ud=0
  2. switch to Bo and press [Approve UD 0]; as Olaf the same button is refused
  3. type   /vmss upgrade myvmss latest   for all update domains, one card each; [Pause], Why and Abort are in the menus, pictures in the thread.
     /vmss show myvmss map   sends one to you alone;   /vmss images checkout-gal   lists versions
  4. type   /vmss upgrade mail-relay latest   and approve twice: an instance fails by itself; see the bot hold, say why and offer the ways out.
     More trouble of any kind is in the simulated Azure
  5. type   /vmss upgrade ledger latest   and approve: its window opens two minutes after the demo has started, and a yes given before waits for it.
     /vmss windows ledger   says when;   /vmss freeze all for=10m "lunch"   stops every start, until   /vmss unfreeze all
`
	tryOwn = `The scale sets are those of your files. As Ana (top right), type   /vmss list   then   /vmss upgrade SET latest   and approve as Bo.
Nothing goes to Azure; more trouble of any kind is in the simulated one.
`
)
