package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/azure"
	"github.com/vmssbot/vmssbot/upgrade/store"
)

// Config is vmssbot.yaml. Unknown keys are errors: a misspelt limit must not be a missing one.
type Config struct {
	Journal string   `yaml:"journal"` // path of the SQLite file; its directory must exist
	Health  string   `yaml:"health"`  // address and port on this machine where health is told; "" = nowhere
	Slack   Slack    `yaml:"slack"`
	Azure   Azure    `yaml:"azure"`
	Pace    Pace     `yaml:"pace"`
	Windows []Window `yaml:"windows"` // change windows, which sets name
	Freezes []Freeze `yaml:"freezes"` // dated stretches in which nothing starts
	Sets    []Set    `yaml:"sets"`    // the first entry that matches a set holds; a set without one is nobody's
}

// Window is a recurring change window.
type Window struct {
	Name       string        `yaml:"name"`
	Zone       string        `yaml:"zone"`       // IANA name
	Recurrence string        `yaml:"recurrence"` // five cron fields
	Length     time.Duration `yaml:"length"`
}

// Freeze is a dated stretch in which nothing starts, such as a holiday.
type Freeze struct {
	Name string   `yaml:"name"`
	Zone string   `yaml:"zone"` // of from and to; "" = UTC
	From string   `yaml:"from"` // a date, or a date and a time: 2026-12-24 or 2026-12-24T18:00
	To   string   `yaml:"to"`   // a date, whose day belongs to it, or a date and a time, which does not
	Sets []string `yaml:"sets"` // patterns as of match; empty = all
}

// Slack says how to reach the workspace. Tokens come from the environment or from files, never
// from this file.
type Slack struct {
	APIURL       string `yaml:"api_url"` // "" = Slack
	Team         string `yaml:"team"`    // the workspace's id; "" = the one the bot token belongs to
	App          string `yaml:"app"`     // the app's id; "" = the one the app token belongs to
	BotTokenEnv  string `yaml:"bot_token_env"`
	BotTokenFile string `yaml:"bot_token_file"`
	AppTokenEnv  string `yaml:"app_token_env"`
	AppTokenFile string `yaml:"app_token_file"`
}

// Azure says which sets are in reach and as whom.
type Azure struct {
	Subscription   string   `yaml:"subscription"`
	ResourceGroups []string `yaml:"resource_groups"` // empty = the whole subscription
	Cloud          string   `yaml:"cloud"`           // public (default), usgov, china
	Auth           string   `yaml:"auth"`            // default, workload, managed, env, cli, local
	ClientID       string   `yaml:"client_id"`
	Endpoint       string   `yaml:"endpoint"` // "" = the cloud's; http only to this machine, with auth: local
}

// Pace shortens the engine's waits. Only an installation against local servers may have it.
type Pace struct {
	Refresh time.Duration `yaml:"refresh"`
	Idle    time.Duration `yaml:"idle"`
	Confirm time.Duration `yaml:"confirm"`
	Settle  time.Duration `yaml:"settle"`
	Agree   time.Duration `yaml:"agree"`
	Unheard time.Duration `yaml:"unheard"`
	Edit    time.Duration `yaml:"edit"` // between two edits of one message
}

// Set is the policy of the scale sets its pattern matches. Pointers keep "not said" apart from zero.
type Set struct {
	Match          string         `yaml:"match"`
	Channel        string         `yaml:"channel"`
	Readers        []string       `yaml:"readers"`
	Requesters     []string       `yaml:"requesters"`
	Approvers      []string       `yaml:"approvers"`
	Approvals      *int           `yaml:"approvals"`
	MaxUnavailable *string        `yaml:"max_unavailable"`
	BatchCap       *int           `yaml:"batch_cap"`
	MaxFailures    *int           `yaml:"max_failures"`
	OnFailure      string         `yaml:"on_failure"` // hold (the default), quarantine or abort
	Soak           *time.Duration `yaml:"soak"`
	Bake           *time.Duration `yaml:"bake"`
	Deadline       *time.Duration `yaml:"healthy_deadline"`
	ApprovalLife   *time.Duration `yaml:"approval_life"`
	AllowedImages  []string       `yaml:"allowed_images"`
	Watch          bool           `yaml:"watch"` // the channel is told of newer versions of the sets' images
	Downgrades     bool           `yaml:"downgrades"`
	Windows        []string       `yaml:"windows"`  // names; empty = at any time
	Escalate       []string       `yaml:"escalate"` // who is called in when nobody answers a card
	EscalateAfter  *time.Duration `yaml:"escalate_after"`
}

// Load reads and checks a configuration file. Errors name the file.
func Load(path string) (Config, error) {
	body, err := guarded(path, 0o002, "lets everybody write it: chmod o-w") // whoever can makes himself an approver
	if err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	c, err := Parse(body)
	if err != nil {
		return c, fmt.Errorf("configuration %s: %w", path, err)
	}
	return c, nil
}

// guarded reads a file, but not one with one of the mode's bits, nor one that everybody could put another
// in the place of, where its name leads or where it lies. Windows has no modes.
func guarded(path string, bits os.FileMode, why string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat() // of what is read, whatever the name leads to by then
	if err != nil {
		return nil, err
	}
	if info.Mode()&bits != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("mode %04o of %s %s %s", info.Mode().Perm(), path, why, path)
	}
	if given(path) {
		return io.ReadAll(f)
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	for _, dir := range []string{filepath.Dir(path), filepath.Dir(real)} {
		if store.OpenToAll(dir) {
			return nil, fmt.Errorf("everybody can put another file in the place of %s: chmod o-w %s", path, dir)
		}
	}
	return io.ReadAll(f)
}

// given reports whether the name is of something that was open when this process began, such as what a shell
// makes of <(sops -d vmssbot.yaml): it lies nowhere, and nobody can put another in its place.
func given(path string) bool {
	path = filepath.ToSlash(filepath.Clean(path))
	return path == "/dev/stdin" || strings.HasPrefix(path, "/dev/fd/") || strings.HasPrefix(path, "/proc/self/fd/")
}

// Parse reads a configuration and checks all that can be checked without asking anybody.
func Parse(body []byte) (Config, error) {
	var c Config
	d := yaml.NewDecoder(bytes.NewReader(body))
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return Config{}, err
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) { // what stands there would hold for nothing
		return c, errors.Join(errors.New("there is a second document in it (behind a line ---), which nobody would read: want one"), c.check())
	}
	return c, c.check()
}

func (c Config) check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Journal == "" {
		bad("journal: name the file the journal is kept in, such as journal: /var/lib/vmssbot/journal.db")
	}
	if !subscriptionID.MatchString(c.Azure.Subscription) {
		bad("azure.subscription: %q is no subscription id", c.Azure.Subscription)
	}
	if err := checkHealth(c.Health); err != nil {
		bad("health: %w", err)
	}
	for _, field := range []struct{ name, value string }{{"slack.api_url", c.Slack.APIURL}, {"azure.endpoint", c.Azure.Endpoint}} {
		if err := checkURL(field.value); err != nil {
			bad("%s: %w", field.name, err)
		}
	}
	for _, field := range []struct{ name, value string }{{"bot_token_env", c.Slack.BotTokenEnv}, {"bot_token_file", c.Slack.BotTokenFile}, {"app_token_env", c.Slack.AppTokenEnv}, {"app_token_file", c.Slack.AppTokenFile}} {
		if strings.HasPrefix(field.value, "xoxb-") || strings.HasPrefix(field.value, "xapp-") {
			bad("slack.%s: that is a token, not where one is: put it into a variable or a file of its own, and have Slack make another one", field.name)
		}
	}
	if c.Pace != (Pace{}) && !(loopback(c.Slack.APIURL) && loopback(c.Azure.Endpoint)) {
		bad("pace: only an installation against local servers may shorten the waits that make the bot safe")
	}
	if len(c.Sets) == 0 {
		bad("sets: no scale set may be driven; add an entry with match, channel, requesters and approvers")
	}
	if err := azure.Check(c.azure(), c.Azure.Auth, c.Azure.ClientID); err != nil {
		bad("azure: %w", err)
	}
	if _, err := c.windows(); err != nil {
		bad("windows: %w", err)
	}
	if _, err := c.freezes(); err != nil {
		bad("freezes: %w", err)
	}
	for i, s := range c.Sets {
		if err := errors.Join(s.check(), s.within(c.Azure.ResourceGroups), c.knows(s.Windows)); err != nil {
			bad("sets[%d] (match %q): %w", i, s.Match, err)
		}
		if j := slices.IndexFunc(c.Sets[:i], func(before Set) bool { return shadows(before.Match, s.Match) }); j >= 0 {
			bad("sets[%d] (match %q): sets[%d] (match %q) comes before it and holds for every set that it could be for: change their order", i, s.Match, j, c.Sets[j].Match)
		}
	}
	return errors.Join(errs...)
}

var (
	subscriptionID = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	slackPerson    = regexp.MustCompile(`^[UWS][A-Z0-9]{2,20}$`)
	slackChannel   = regexp.MustCompile(`^[CG][A-Z0-9]{2,20}$`)
)

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

func (s Set) check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !matchesSomething(s.Match) { // its sets would be driven by the rules of a later entry
		bad("match: no scale set can have such a name: want one, or a pattern such as web-* or rg-shop/web-*")
	}
	switch {
	case s.Channel == "" && len(s.Requesters) > 0:
		bad("channel: it is missing, and nobody could ask for anything: name the id of the channel where these sets are driven")
	case s.Channel != "" && !slackChannel.MatchString(s.Channel):
		bad("channel: %q is no channel id (C…); names can be changed, ids can not", s.Channel)
	}
	for _, id := range slices.Concat(s.Readers, s.Requesters, s.Approvers, s.Escalate) {
		if !slackPerson.MatchString(id) {
			bad("%q is no user id (U…) or group id (S…); names can be changed, ids can not", id)
		}
	}
	p, err := s.policy()
	if errs = append(errs, err); err == nil {
		errs = append(errs, s.agreeable(p.Approvals), escalates(p))
	}
	return errors.Join(errs...)
}

// setPattern is what a pattern of scale sets' names is made of, which Azure lets be of Latin letters only.
var setPattern = regexp.MustCompile(`^[A-Za-z0-9_.*?^\[\]\\-]+$`)

func matchesSomething(pattern string) bool {
	group, name, both := strings.Cut(pattern, "/")
	if !both {
		name = pattern
	}
	_, err := path.Match(pattern, "")
	return err == nil && setPattern.MatchString(name) && (group != "" || !both)
}

// shadows reports whether an entry plainly takes all that a later one could match.
func shadows(before, later string) bool {
	before, later = strings.ToLower(before), strings.ToLower(later)
	if before == "*" || before == later {
		return true
	}
	if strings.ContainsAny(later, `*?[\`) {
		return false
	}
	if !strings.Contains(before, "/") {
		later = path.Base(later)
	}
	taken, err := path.Match(before, later)
	return err == nil && taken
}

// policy fills in the defaults.
func (s Set) policy() (upgrade.Policy, error) {
	p := upgrade.DefaultPolicy()
	p.Pattern, p.Channel = s.Match, s.Channel
	p.Readers, p.Requesters, p.Approvers, p.Escalate = s.Readers, s.Requesters, s.Approvers, s.Escalate
	p.AllowedImages, p.Downgrades, p.Watch = s.AllowedImages, s.Downgrades, s.Watch
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if s.MaxUnavailable != nil {
		limit, err := upgrade.ParseLimit(*s.MaxUnavailable)
		switch {
		case err != nil:
			bad("max_unavailable: %w", err)
		case limit.Of(1) < 1:
			bad("max_unavailable: %s: nothing could ever be upgraded; want at least 1 or 1%%", *s.MaxUnavailable)
		default:
			p.MaxUnavailable = limit
		}
	}
	switch on := upgrade.OnFailure(s.OnFailure); on {
	case "":
	case upgrade.HoldOnFailure, upgrade.QuarantineOnFailure, upgrade.AbortOnFailure:
		p.OnFailure = on
	default:
		bad("on_failure: %q: want hold, quarantine or abort (a rollback is each plan's to choose)", s.OnFailure)
	}
	for _, f := range []struct {
		name  string
		at    *int
		given *int
		least int
	}{{"approvals", &p.Approvals, s.Approvals, 1}, {"batch_cap", &p.BatchCap, s.BatchCap, 1}, {"max_failures", &p.MaxFailures, s.MaxFailures, 0}} {
		if f.given == nil {
			continue
		}
		if *f.given < f.least || *f.given > 1000 {
			bad("%s: %d: want %d to 1000", f.name, *f.given, f.least)
			continue
		}
		*f.at = *f.given
	}
	return p, errors.Join(append(errs, s.durations(&p))...)
}

func (s Set) durations(p *upgrade.Policy) error {
	var errs []error
	for _, f := range []struct {
		name  string
		at    *time.Duration
		given *time.Duration
		least time.Duration // below it nothing could ever succeed
	}{{"soak", &p.Soak, s.Soak, 0}, {"bake", &p.Bake, s.Bake, 0}, {"healthy_deadline", &p.Deadline, s.Deadline, time.Minute}, {"approval_life", &p.ApprovalLife, s.ApprovalLife, time.Minute},
		{"escalate_after", &p.EscalateAfter, s.EscalateAfter, time.Minute}} {
		if f.given == nil {
			continue
		}
		if *f.given < f.least || *f.given > 7*24*time.Hour {
			errs = append(errs, fmt.Errorf("%s: %s: want %s to 168h", f.name, *f.given, f.least))
			continue
		}
		*f.at = *f.given
	}
	return errors.Join(errs...)
}

// Policies are the set entries as the domain knows them.
func (c Config) Policies() []upgrade.Policy {
	out := make([]upgrade.Policy, len(c.Sets))
	windows, _ := c.windows() // checked when the configuration was read, as all of it was
	freezes, _ := c.freezes()
	for i, s := range c.Sets {
		out[i], _ = s.policy()
		out[i].Freezes = freezes
		for _, w := range windows {
			if slices.Contains(s.Windows, w.Name) {
				out[i].Windows = append(out[i].Windows, w)
			}
		}
	}
	return out
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

// Secret is a token. It prints as its kind, never as itself.
type Secret string

func (s Secret) String() string {
	kind, _, _ := strings.Cut(string(s), "-")
	return kind + "-…"
}

// Format keeps every printing verb from the token itself.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, s.String()) }

// MarshalText keeps encoders and slog from it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Tokens reads the two Slack tokens from where the configuration says.
func (s Slack) Tokens() (bot, app Secret, err error) {
	bot, err = secret("bot token", s.BotTokenFile, s.BotTokenEnv, "SLACK_BOT_TOKEN")
	if err != nil {
		return "", "", err
	}
	app, err = secret("app token", s.AppTokenFile, s.AppTokenEnv, "SLACK_APP_TOKEN")
	return bot, app, err
}

func secret(what, file, env, usual string) (Secret, error) {
	if file != "" {
		body, err := guarded(file, 0o007, "lets everybody in: chmod o-rwx")
		if err != nil {
			return "", fmt.Errorf("slack: read the %s: %w", what, err)
		}
		return Secret(strings.TrimSpace(string(body))), nil
	}
	if env == "" {
		env = usual
	}
	if v := strings.TrimSpace(os.Getenv(env)); v != "" {
		os.Unsetenv(env) // what is started from here, such as az, has no use for it
		return Secret(v), nil
	}
	return "", fmt.Errorf("slack: the %s is missing: set the environment variable %s or name a file in the configuration", what, env)
}
