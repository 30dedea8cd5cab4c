package upgradetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing/synctest"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

// fault reads `fault azure {json}` and `fault slack {json}`.
func (p *Play) fault(rest string) error {
	side, text, _ := strings.Cut(rest, " ")
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	switch side {
	case "azure":
		var f azuresim.Fault
		if err := d.Decode(&f); err != nil {
			return err
		}
		if f.Kind == "lag" {
			p.World.lag = max(p.World.lag, time.Duration(f.Delay))
		}
		if f.Kind == "slow" {
			p.World.slow += time.Duration(f.Delay) * time.Duration(max(1, f.Times))
		}
		return p.World.Azure.Inject(f)
	case "slack":
		var f slacksim.Fault
		if err := d.Decode(&f); err != nil {
			return err
		}
		p.World.reckon(f)
		return p.World.Slack.Inject(f)
	}
	return errors.New("trouble comes from azure or slack")
}

// reckon keeps what the observer must allow for.
func (w *World) reckon(f slacksim.Fault) {
	switch f.Kind {
	case "user_deactivated":
		w.left[w.id(f.User)] = time.Now()
	case "user_restored":
		delete(w.left, w.id(f.User))
	default:
		w.troubled = true
	}
}

// freeze reads `freeze "why"`.
func (p *Play) freeze(rest string) error {
	why, err := strconv.Unquote(rest)
	if err != nil || why == "" {
		return fmt.Errorf("say in quotes why everything is frozen")
	}
	p.World.Freeze(why)
	return nil
}

func (p *Play) unfreeze(string) error {
	if p.World.why() == "" {
		return errors.New("nothing is frozen")
	}
	p.World.Unfreeze()
	return nil
}

// disk reads "disk full" and "disk free".
func (p *Play) disk(rest string) error {
	if rest != "full" && rest != "free" {
		return fmt.Errorf("a disk is full or free, not %q", rest)
	}
	p.World.Fill(rest == "full")
	return nil
}

// crash reads "crash", and "crash before POST manualupgrade" or "crash at 17": a point at which the bot
// dies later, by its name or by how many there are until then.
func (p *Play) crash(rest string) error {
	if rest == "" {
		return p.World.Crash()
	}
	words := strings.Fields(rest)
	if n, err := strconv.Atoi(words[len(words)-1]); err == nil {
		p.World.Trap(func(int, string) bool { n--; return n < 0 })
		return nil
	}
	p.World.Trap(func(_ int, point string) bool {
		for i, word := range words {
			if i == 0 && !strings.HasPrefix(point, word+" ") || !strings.Contains(point, word) {
				return false
			}
		}
		return true
	})
	return nil
}

func (p *Play) restart(string) error {
	if err := p.World.Stop(); err != nil {
		return err
	}
	if err := p.World.Start(); err != nil {
		return err
	}
	p.settle()
	return nil
}

func (p *Play) stopped(string) error {
	err := p.World.Stop()
	synctest.Wait()
	return err
}

// clock reads "clock 1h".
func (p *Play) clock(rest string) error {
	by, err := time.ParseDuration(rest)
	if err != nil || by <= 0 {
		return fmt.Errorf("%q is no time to be ahead", rest)
	}
	p.World.Skew(by)
	return nil
}

// backup keeps the journal of a program that does not run.
func (p *Play) backup(string) (err error) {
	p.kept, err = os.ReadFile(p.World.cfg.Journal)
	p.keptAt = time.Now()
	return err
}

// restore puts it back.
func (p *Play) restore(string) error {
	if p.World.run != nil || p.kept == nil {
		return errors.New("a backup is restored where the bot does not run")
	}
	p.World.forget(p.keptAt)
	return os.WriteFile(p.World.cfg.Journal, p.kept, 0o600)
}
