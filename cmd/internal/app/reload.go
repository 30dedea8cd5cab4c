package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vmssbot/vmssbot/bot"
	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/gate"
	"github.com/vmssbot/vmssbot/upgrade/pager"
)

// governor keeps in force what the configuration says of sets, windows and freezes, gates, webhooks and groups: read
// at the start and once more whenever it is told to. It takes a file wholly or not at all.
type governor struct {
	running Config // as it was started with: what else of it changes takes a restart
	keys    keyring
	prober  *gate.Prober
	pager   *pager.Pager
	groups  *atomic.Pointer[[]Group] // of the file that was taken last
	rules   *upgrade.Rules
	journal policyBook
	now     func() time.Time
	log     *slog.Logger
}

// policyBook is where it is written down which policies are in force since when.
type policyBook interface {
	Policies(ctx context.Context) (list []upgrade.Policy, known bool, err error)
	Commit(ctx context.Context, c upgrade.Change) error
}

// begin puts the policies of the configuration in force that the program was started with. That it changed
// while the program was down is told like any other change. One that stood by, perhaps for weeks, and was signalled
// meanwhile reads the file before anything is in force: what it was started with may be what somebody took back.
func (g governor) begin(ctx context.Context, signalled <-chan os.Signal) error {
	c := g.running
	select {
	case <-signalled:
		var err error
		if c, err = Load(g.running.from.file); err != nil {
			return err
		}
	default:
	}
	before, known, err := g.journal.Policies(ctx)
	if err != nil {
		return err
	}
	return g.take(ctx, c, before, known)
}

// take puts a configuration in force, and says what of it is not.
func (g governor) take(ctx context.Context, c Config, before []upgrade.Policy, known bool) error {
	gates, hooks, err := c.outside(g.keys)
	if err != nil {
		return err
	}
	if err := g.pager.Subscribe(ctx, hooks); err != nil {
		return err
	}
	if err := g.govern(ctx, before, known, c.Policies()); err != nil {
		return fmt.Errorf("what changed could not be written down: %w", err)
	}
	g.prober.Use(gates)
	g.pager.Use(hooks)
	g.groups.Store(&c.Groups)
	if other := restart(g.running, c); len(other) > 0 {
		g.log.Warn("what else changed in the configuration takes a restart", "keys", other)
	}
	return nil
}

// outside are what is asked and what is told outside of Azure and Slack, with their secrets.
func (c Config) outside(keys keyring) ([]gate.Gate, []pager.Hook, error) {
	gates, err := c.gates(keys)
	hooks, no := c.hooks(keys)
	return gates, hooks, errors.Join(err, no)
}

// govern puts policies in force, once it is in the journal what changed and whom to tell.
func (g governor) govern(ctx context.Context, before []upgrade.Policy, known bool, to []upgrade.Policy) error {
	var changes []upgrade.PolicyChange
	if known {
		changes = upgrade.Compare(before, to)
	}
	return g.rules.Change(to, func() error {
		if known && len(changes) == 0 {
			return nil
		}
		at := g.now()
		fact := upgrade.Governed{Policies: to, Changes: changes}
		err := g.journal.Commit(ctx, upgrade.Change{Events: upgrade.At(at, "", fact), Posts: bot.Ruled(at, changes)})
		if err == nil {
			for _, c := range changes {
				g.log.Info("policy changed", "match", c.Pattern, "from", c.From, "to", c.To, "what", c.What)
			}
		}
		return err
	})
}

// watch reads the configuration once more for each signal, until the context ends.
func (g governor) watch(ctx context.Context, signalled <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-signalled:
			g.reload(ctx)
		}
	}
}

// reload takes the configuration as it stands in the file now, or says why not.
func (g governor) reload(ctx context.Context) {
	file := g.running.from.file
	c, err := Load(file)
	if given(file) {
		err = errors.New("it came through a pipe, which cannot be read twice: restart the bot")
	}
	if err == nil {
		err = g.take(ctx, c, g.rules.Policies(), true)
	}
	if err != nil {
		g.refuse(ctx, strings.ReplaceAll(err.Error(), file, filepath.Base(file)))
		return
	}
	g.log.Info("the configuration was read once more", "entries", len(c.Sets))
}

// refuse tells everybody whose sets may not be driven as somebody thinks they are.
func (g governor) refuse(ctx context.Context, why string) {
	g.log.Error("the configuration was changed and is not taken; what held before holds", "err", why)
	at, lines := g.now(), strings.Split(why, "\n")
	fact := upgrade.Declined{Code: upgrade.CodePolicy, What: why[:min(len(why), 1000)], Said: "another configuration"}
	if err := g.journal.Commit(ctx, upgrade.Change{Events: upgrade.At(at, "", fact), Posts: bot.Unruled(at, g.rules.Policies(), lines)}); err != nil {
		g.log.Error("journal: note that a configuration was not taken", "err", err)
	}
}

// restart lists the keys of what differs and is not taken while the bot runs.
func restart(running, now Config) []string {
	taken := map[string]bool{"windows": true, "freezes": true, "budget": true, "groups": true, "gates": true, "webhooks": true, "sets": true}
	var keys []string
	a, b := reflect.ValueOf(running), reflect.ValueOf(now)
	for i := range a.NumField() {
		key := keyOf(a.Type().Field(i))
		if key != "" && !taken[key] && !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
			keys = append(keys, key)
		}
	}
	return keys
}

// keyOf is what a field is called in the file, "" if it is not in it.
func keyOf(f reflect.StructField) string {
	key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return key
}
