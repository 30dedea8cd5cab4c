package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/pager"
)

// Webhook is a receiver outside of Slack. Its key comes from the environment or from a file, never from this one.
type Webhook struct {
	Name           string        `yaml:"name,omitempty"`
	URL            pager.Address `yaml:"url,omitempty"`    // https, or http to this machine; may be left out for PagerDuty
	Format         pager.Format  `yaml:"format,omitempty"` // json (the default) or pagerduty
	SecretEnv      string        `yaml:"secret_env,omitempty"`
	SecretFile     string        `yaml:"secret_file,omitempty"`
	RoutingKeyEnv  string        `yaml:"routing_key_env,omitempty"`
	RoutingKeyFile string        `yaml:"routing_key_file,omitempty"`
	On             []string      `yaml:"on,omitempty"`   // hold, failure, expiry, end; left out = all of them
	Sets           []string      `yaml:"sets,omitempty"` // patterns as of match; empty = all
}

var (
	hookName  = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,39}$`)
	variable  = regexp.MustCompile(`^[A-Z_][A-Z0-9_]*$`)
	pageKinds = []upgrade.PageKind{upgrade.PageHold, upgrade.PageFailure, upgrade.PageExpiry, upgrade.PageEnd}
)

func (c Config) checkWebhooks(bad complain) {
	for i, w := range c.Webhooks {
		mine := func(where place, format string, args ...any) {
			bad(append(at("webhooks", i), where...), "webhooks[%d] (name %q): %w", i, w.Name, fmt.Errorf(format, args...))
		}
		w.check(mine)
		if slices.ContainsFunc(c.Webhooks[:i], func(o Webhook) bool { return o.Name == w.Name }) {
			mine(at("name"), "name: there is a webhook of that name before it")
		}
	}
}

func (w Webhook) check(bad complain) {
	if !hookName.MatchString(w.Name) {
		bad(at("name"), "name: want small letters, digits, - and _, such as noc")
	}
	mine, others := [][2]string{{"secret_env", w.SecretEnv}, {"secret_file", w.SecretFile}}, [][2]string{{"routing_key_env", w.RoutingKeyEnv}, {"routing_key_file", w.RoutingKeyFile}}
	switch w.Format {
	case "", pager.JSON:
		if w.URL == "" {
			bad(at("url"), "url: it is missing")
		}
	case pager.PagerDuty:
		mine, others = others, mine
		if len(w.On) > 0 && !slices.ContainsFunc(w.On, func(k string) bool { return k != string(upgrade.PageEnd) }) {
			bad(at("on"), "on: an end only resolves an incident, and nothing here makes one: add hold, failure or expiry")
		}
	default:
		bad(at("format"), "format: %q: want json or pagerduty", w.Format)
	}
	if err := checkReceiver(string(w.URL)); w.URL != "" && err != nil {
		bad(at("url"), "url: %w", err)
	}
	if (mine[0][1] == "") == (mine[1][1] == "") {
		bad(at(), "%s, %s: want one of the two: where its key is", mine[0][0], mine[1][0])
	}
	if mine[1][1] != "" && !strings.ContainsAny(mine[1][1], `/\`) { // what follows would repeat it
		bad(at(mine[1][0]), "%s: that names no folder: want a path such as /etc/vmssbot/webhook.key; if it is the key itself, put that into a file, and make another one", mine[1][0])
	}
	if mine[0][1] != "" && !variable.MatchString(mine[0][1]) {
		bad(at(mine[0][0]), "%s: that is no name of a variable; if it is the key itself, put that into a variable or a file of its own, and make another one", mine[0][0])
	}
	for _, o := range others {
		if o[1] != "" {
			bad(at(o[0]), "%s: a webhook of this format has none", o[0])
		}
	}
	for _, kind := range w.On {
		if !slices.Contains(pageKinds, upgrade.PageKind(kind)) {
			bad(at("on"), "on: %q: want any of hold, failure, expiry, end", kind)
		}
	}
	for _, pattern := range w.Sets {
		if !matchesSomething(pattern) {
			bad(at("sets"), "sets: no scale set can have such a name: want one, or a pattern such as web-* or rg-shop/web-*")
		}
	}
}

// checkReceiver is [checkURL] for addresses that are secret from the host on.
func checkReceiver(s string) error {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Hostname() == "":
		return errors.New("that is no address")
	case u.User != nil:
		return errors.New("there is a name or a password in it: events are signed instead")
	case u.Fragment != "":
		return errors.New("what stands behind # is never sent")
	case u.Scheme == "https", u.Scheme == "http" && pager.Here(u.Hostname()):
		return nil
	}
	return errors.New("want https, or http to this machine")
}

// leastKey is how long a key must be that signs events: a short one can be found by trying.
const leastKey = 16

// hook reads the key, and fills in what was left out.
func (w Webhook) hook(keys keyring) (pager.Hook, error) {
	h := pager.Hook{Name: w.Name, URL: w.URL, Format: cmp.Or(w.Format, pager.JSON), Sets: w.Sets}
	for _, kind := range w.On {
		h.On = append(h.On, upgrade.PageKind(kind))
	}
	if len(h.On) == 0 {
		h.On = pageKinds
	}
	env, file := w.SecretEnv, w.SecretFile
	if h.Format == pager.PagerDuty {
		h.URL = cmp.Or(h.URL, pager.PagerDutyURL)
		env, file = w.RoutingKeyEnv, w.RoutingKeyFile
	}
	key := keys.env(env)
	if file != "" {
		var err error
		if key, err = keys.file(file); err != nil {
			return h, fmt.Errorf("webhook %s: read its key: %w", w.Name, err)
		}
	}
	switch key = strings.TrimSpace(key); {
	case key == "":
		return h, fmt.Errorf("webhook %s: its key is missing: %s is empty", w.Name, cmp.Or(file, named))
	case len(key) < leastKey:
		return h, fmt.Errorf("webhook %s: its key has %d characters: want %d at least, such as what openssl rand -hex 32 prints", w.Name, len(key), leastKey)
	}
	h.Key = pager.Key(key)
	return h, nil
}

// hooks are all receivers with their keys.
func (c Config) hooks(keys keyring) (hooks []pager.Hook, err error) {
	for _, w := range c.Webhooks {
		h, no := w.hook(keys)
		hooks, err = append(hooks, h), errors.Join(err, no)
	}
	return hooks, err
}

// checkFiles reads the keys that are kept in files.
func (w Webhook) checkFiles(bad complain) {
	wrong := w.SecretFile == "" && w.RoutingKeyFile == ""
	w.check(func(place, string, ...any) { wrong = true })
	if wrong {
		return
	}
	if _, err := w.hook(nil); err != nil {
		bad(at(), "%w", err)
	}
}

// TestWebhook tells the receiver of that name that nothing has happened. It needs no journal, and no Slack.
func TestWebhook(ctx context.Context, c Config, name string, out io.Writer) error {
	i := slices.IndexFunc(c.Webhooks, func(w Webhook) bool { return w.Name == name })
	if i < 0 {
		var names []string
		for _, w := range c.Webhooks {
			names = append(names, w.Name)
		}
		return fmt.Errorf("there is no webhook %q in the configuration; there are: %s", name, cmp.Or(strings.Join(names, ", "), "none"))
	}
	h, err := c.Webhooks[i].hook(nil)
	if err != nil {
		return err
	}
	return try(ctx, h, out)
}

// try tells a receiver of a rollout that there is none of, and PagerDuty that it is over, too.
func try(ctx context.Context, h pager.Hook, out io.Writer) error {
	client, now := pager.Client(), time.Now()
	p := upgrade.Page{Rollout: "r-test-" + ID()[:8], Seq: 1, At: now, Kind: upgrade.PageTest, Name: "test", Text: "this is a test: nothing has happened, and nothing is to be done"}
	pages := []upgrade.Page{p}
	if h.Format == pager.PagerDuty {
		over := p
		over.Seq, over.Kind, over.Of = 2, upgrade.PageCleared, upgrade.PageTest
		pages = append(pages, over)
	}
	for _, p := range pages {
		if _, err := h.Send(ctx, client, p, now); err != nil {
			return fmt.Errorf("webhook %s (%s): %w", h.Name, h.URL, err)
		}
	}
	fmt.Fprintf(out, "webhook %s (%s) took the test event %s\n", h.Name, h.URL, p.ID())
	return nil
}
