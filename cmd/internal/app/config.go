package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"regexp"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/azure"
	"github.com/vmssbot/vmssbot/upgrade/store"
)

// Config is vmssbot.yaml. Unknown keys are errors: a misspelt limit must not be a missing one.
type Config struct {
	Journal  string    `yaml:"journal,omitempty"` // path of the SQLite file, whose directory must exist; or the URL of a PostgreSQL database
	Health   string    `yaml:"health,omitempty"`  // address and port on this machine where health is told; "" = nowhere
	Slack    Slack     `yaml:"slack,omitempty"`
	Azure    Azure     `yaml:"azure,omitempty"`
	Pace     Pace      `yaml:"pace,omitempty"`
	Windows  []Window  `yaml:"windows,omitempty"`  // change windows, which sets name
	Freezes  []Freeze  `yaml:"freezes,omitempty"`  // dated stretches in which nothing starts
	Groups   []Group   `yaml:"groups,omitempty"`   // sets that one command rolls out in waves
	Gates    []Gate    `yaml:"gates,omitempty"`    // external gates, which sets name
	Webhooks []Webhook `yaml:"webhooks,omitempty"` // receivers outside of Slack
	Budget   Budget    `yaml:"budget,omitempty"`   // of an hour; left out = no limit
	Sets     []Set     `yaml:"sets,omitempty"`     // the first entry that matches a set holds; a set without one is nobody's

	from source
}

// Window is a recurring change window.
type Window struct {
	Name       string        `yaml:"name,omitempty"`
	Zone       string        `yaml:"zone,omitempty"`       // IANA name
	Recurrence string        `yaml:"recurrence,omitempty"` // five cron fields
	Length     time.Duration `yaml:"length,omitempty"`
}

// Freeze is a dated stretch in which nothing starts, such as a holiday.
type Freeze struct {
	Name string   `yaml:"name,omitempty"`
	Zone string   `yaml:"zone,omitempty"` // of from and to; "" = UTC
	From string   `yaml:"from,omitempty"` // a date, or a date and a time: 2026-12-24 or 2026-12-24T18:00
	To   string   `yaml:"to,omitempty"`   // a date, whose day belongs to it, or a date and a time, which does not
	Sets []string `yaml:"sets,omitempty"` // patterns as of match; empty = all
}

// Budget is what may be started within an hour; zero = no limit.
type Budget struct {
	Sets            int `yaml:"sets,omitempty"`
	Instances       int `yaml:"instances,omitempty"`
	PersonSets      int `yaml:"person_sets,omitempty"` // that one person asked for or agreed to
	PersonInstances int `yaml:"person_instances,omitempty"`
}

// Slack says how to reach the workspace. Tokens come from the environment or from files, never
// from this file.
type Slack struct {
	APIURL       string `yaml:"api_url,omitempty"` // "" = Slack
	Team         string `yaml:"team,omitempty"`    // the workspace's id; "" = the one the bot token belongs to
	App          string `yaml:"app,omitempty"`     // the app's id; "" = the one the app token belongs to
	BotTokenEnv  string `yaml:"bot_token_env,omitempty"`
	BotTokenFile string `yaml:"bot_token_file,omitempty"`
	AppTokenEnv  string `yaml:"app_token_env,omitempty"`
	AppTokenFile string `yaml:"app_token_file,omitempty"`
}

// Azure says which sets are in reach and as whom.
type Azure struct {
	Subscription   string   `yaml:"subscription,omitempty"`
	ResourceGroups []string `yaml:"resource_groups,omitempty"` // empty = the whole subscription
	Cloud          string   `yaml:"cloud,omitempty"`           // public (default), usgov, china
	Auth           string   `yaml:"auth,omitempty"`            // default, workload, managed, env, cli, local
	ClientID       string   `yaml:"client_id,omitempty"`
	Endpoint       string   `yaml:"endpoint,omitempty"` // "" = the cloud's; http only to this machine, with auth: local
}

// Pace shortens the engine's waits. Only an installation against local servers may have it.
type Pace struct {
	Refresh time.Duration `yaml:"refresh,omitempty"`
	Idle    time.Duration `yaml:"idle,omitempty"`
	Confirm time.Duration `yaml:"confirm,omitempty"`
	Settle  time.Duration `yaml:"settle,omitempty"`
	Agree   time.Duration `yaml:"agree,omitempty"`
	Unheard time.Duration `yaml:"unheard,omitempty"`
	Edit    time.Duration `yaml:"edit,omitempty"` // between two edits of one message
}

// Load reads and checks a configuration file. Errors name the file, and the line where there is one.
func Load(path string) (Config, error) {
	body, err := guarded(path, 0o002, "lets everybody write it: chmod o-w") // whoever can makes himself an approver
	if err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	return Parse(path, body)
}

// Parse reads a configuration and checks all that can be checked without asking anybody. The file is what
// complaints call it.
func Parse(file string, body []byte) (Config, error) {
	c := Config{from: source{file: file}}
	if err := yaml.Unmarshal(body, &c.from.root); err != nil {
		return c, c.from.unread(err)
	}
	d := yaml.NewDecoder(bytes.NewReader(body))
	d.KnownFields(true)
	faults := complaints{source: c.from}
	if err := d.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		if faults.illegible = illegible(err); faults.illegible == nil {
			return Config{}, c.from.unread(err)
		}
		faults.errs = apart(c.from.unread(err))
	}
	var second yaml.Node
	if err := d.Decode(&second); !errors.Is(err, io.EOF) { // what stands there would hold for nothing
		faults.add(at(&second), "there is a second document in it (behind a line ---), which nobody would read: want one")
	}
	c.check(&faults)
	return c, errors.Join(faults.errs...)
}

func (c Config) check(faults *complaints) {
	bad := faults.add
	if c.Journal == "" {
		bad(at("journal"), "journal: name the file the journal is kept in, such as journal: /var/lib/vmssbot/journal.db")
	}
	if store.Remote(c.Journal) && given(c.from.file) {
		bad(at("journal"), "journal: in a database, and the configuration comes through a pipe: beside neither a file FREEZE could be put. Give the configuration in a file")
	}
	if !subscriptionID.MatchString(c.Azure.Subscription) {
		bad(at("azure", "subscription"), "azure.subscription: %q is no subscription id", c.Azure.Subscription)
	}
	if err := checkHealth(c.Health); err != nil {
		bad(at("health"), "health: %w", err)
	}
	c.checkSlack(bad)
	if err := checkURL(c.Azure.Endpoint); err != nil {
		bad(at("azure", "endpoint"), "azure.endpoint: %w", err)
	}
	if c.Pace != (Pace{}) && !(loopback(c.Slack.APIURL) && loopback(c.Azure.Endpoint)) {
		bad(at("pace"), "pace: only an installation against local servers may shorten the waits that make the bot safe")
	}
	if len(c.Sets) == 0 {
		bad(at("sets"), "sets: no scale set may be driven; add an entry with match, channel, requesters and approvers")
	}
	for _, err := range apart(azure.Check(c.azure(), c.Azure.Auth, c.Azure.ClientID)) {
		key := strings.FieldsFunc(err.Error(), func(r rune) bool { return r == ':' || r == ' ' })[0]
		bad(at("azure", key), "azure: %w", err)
	}
	c.windows(bad)
	c.freezes(bad)
	c.checkGroups(bad)
	c.checkGates(bad)
	c.checkWebhooks(bad)
	c.Budget.check(bad)
	c.checkSets(bad)
}

func (c Config) checkSlack(bad complain) {
	if err := checkURL(c.Slack.APIURL); err != nil {
		bad(at("slack", "api_url"), "slack.api_url: %w", err)
	}
	for _, field := range []struct{ name, value string }{{"bot_token_env", c.Slack.BotTokenEnv}, {"bot_token_file", c.Slack.BotTokenFile}, {"app_token_env", c.Slack.AppTokenEnv}, {"app_token_file", c.Slack.AppTokenFile}} {
		if strings.HasPrefix(field.value, "xoxb-") || strings.HasPrefix(field.value, "xapp-") {
			bad(at("slack", field.name), "slack.%s: that is a token, not where one is: put it into a variable or a file of its own, and have Slack make another one", field.name)
		}
	}
}

var subscriptionID = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

func checkURL(s string) error {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return errors.New("that is no address") // the error would repeat it, with what is secret in it
	case u.Scheme == "https" && u.Host != "" && u.User == nil:
		return nil
	case u.Scheme == "http" && loopback(s):
		return nil
	}
	return fmt.Errorf("%q: want https, or http to this machine", u.Redacted())
}

// loopback reports whether the URL cannot leave this machine: an address, not a name that
// somebody else could resolve otherwise.
func loopback(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.User != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || (ip != nil && ip.IsLoopback())
}

func (p Pace) pace() upgrade.Pace {
	d := upgrade.DefaultPace()
	for _, f := range []struct{ at, given *time.Duration }{{&d.Refresh, &p.Refresh}, {&d.Idle, &p.Idle}, {&d.Confirm, &p.Confirm}, {&d.Settle, &p.Settle}, {&d.Agree, &p.Agree}, {&d.Unheard, &p.Unheard}} {
		if *f.given > 0 {
			*f.at = *f.given
		}
	}
	return d
}
