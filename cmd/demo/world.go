package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/cmd/internal/app"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

// world is the two local servers and the folder the bot keeps its journal in.
type world struct {
	slack     *slacksim.Sim
	azure     *azuresim.Sim
	fleet     azuresim.Fleet
	slackURL  string
	azureURL  string
	data      string
	temporary bool
	servers   []*http.Server
}

func newWorld(f flags, errs io.Writer) (*world, error) {
	w := &world{fleet: azuresim.DefaultFleet()}
	if f.fleet != "" {
		file, err := os.Open(f.fleet)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		if w.fleet, err = azuresim.LoadFleet(file); err != nil {
			return nil, fmt.Errorf("fleet %s: %w", f.fleet, err)
		}
	}
	var err error
	if w.azure, err = azuresim.New(azuresim.Options{Fleet: w.fleet, Speed: f.speed}); err != nil {
		return nil, err
	}
	w.slack = slacksim.New(slacksim.Options{})
	if err := errors.Join(w.folder(f.data), w.listen(f, errs)); err != nil {
		w.close()
		return nil, err
	}
	return w, w.writeConfig()
}

func (w *world) folder(data string) (err error) {
	if w.data = data; data == "" {
		w.temporary = true
		w.data, err = os.MkdirTemp("", "vmssbot-demo-")
		return err
	}
	return os.MkdirAll(data, 0o700)
}

func (w *world) listen(f flags, errs io.Writer) (err error) {
	if w.slackURL, err = w.serve("workspace", f.addr, w.slack, errs); err != nil {
		return err
	}
	w.azureURL, err = w.serve("Azure", f.azureAddr, w.azure, errs)
	return err
}

// serve listens where it was asked to, or on any port when that one is taken, and says so.
func (w *world) serve(what, addr string, h http.Handler, errs io.Writer) (string, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		host, port, bad := net.SplitHostPort(addr)
		if bad != nil || port == "0" {
			return "", fmt.Errorf("the %s cannot listen on %s: %w", what, addr, err)
		}
		if l, err = net.Listen("tcp", net.JoinHostPort(host, "0")); err != nil {
			return "", fmt.Errorf("the %s cannot listen on %s: %w", what, addr, err)
		}
		fmt.Fprintf(errs, "demo: %s is taken, the %s listens on %s instead\n", addr, what, l.Addr())
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	w.servers = append(w.servers, s)
	go s.Serve(l)
	return "http://" + l.Addr().String(), nil
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
	return app.Config{
		Journal: filepath.Join(w.data, "journal.db"),
		Slack:   app.Slack{APIURL: w.slackURL + "/api/", BotTokenFile: filepath.Join(w.data, "bot-token"), AppTokenFile: filepath.Join(w.data, "app-token")},
		Azure:   app.Azure{Subscription: w.fleet.Subscription, Endpoint: w.azureURL, Auth: "local"},
		Pace: app.Pace{Refresh: 500 * time.Millisecond, Idle: 2 * time.Second, Confirm: time.Second, Settle: 5 * time.Second,
			Agree: 2 * time.Second, Edit: 2 * time.Second},
		Sets: []app.Set{{Match: "*", Channel: slacksim.Ops, Readers: []string{slacksim.Olaf}, Requesters: []string{slacksim.Ana},
			Approvers: []string{slacksim.Bo, slacksim.Eva}, Approvals: &one, Soak: &short, Bake: &short}},
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

// connected waits until the bot holds a socket.
func (w *world) connected(ctx context.Context, failed <-chan error) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	ready := make(chan error, 1)
	go func() { ready <- w.slack.Wait(ctx, func() bool { return len(w.slack.State().Sockets) > 0 }) }()
	select {
	case err := <-ready:
		return err
	case err := <-failed:
		return cmp.Or(err, errors.New("the bot stopped"))
	}
}

// card is the line --json prints.
type card struct {
	URL           string            `json:"url"`
	SlackAPIURL   string            `json:"slack_api_url"`
	AzureURL      string            `json:"azure_url"`
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
	return card{URL: w.slackURL, SlackAPIURL: w.slackURL + "/api/", AzureURL: w.azureURL, Subscription: w.fleet.Subscription, ResourceGroup: group,
		BotToken: w.slack.BotToken(), AppToken: w.slack.AppToken(), Team: w.slack.State().Team.ID, Channel: slacksim.Ops, Config: w.configFile(),
		Users: map[string]string{"requester": slacksim.Ana, "approver": slacksim.Bo, "outsider": slacksim.Olaf, "guest": slacksim.Gus}}
}

func (w *world) welcome(out io.Writer, f flags) {
	fmt.Fprintf(out, `A local Slack workspace   %s
A local Azure             %s
The bot                   %s

Try, in another terminal (the answers come as JSON; the conversation is at the last address):

  curl -s %[1]s/_control/command -d '{"user":"ana","channel":"ops","command":"/vmss","text":"list"}'
  curl -s %[1]s/_control/command -d '{"user":"ana","channel":"ops","command":"/vmss","text":"plan myvmss 4.0.20160229 ud=0"}'
  curl -s %[1]s/_control/command -d '{"user":"ana","channel":"ops","command":"/vmss","text":"upgrade myvmss 4.0.20160229 ud=0"}'
  curl -s %[1]s/_control/messages/ops

Everything listens on this machine only. Ctrl-C ends it.
`, w.slackURL, w.azureURL, map[bool]string{true: "not started (--no-bot): vmssbot run --config " + w.configFile(), false: "running"}[f.noBot])
}
