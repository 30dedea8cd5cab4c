//go:build postgres

package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/vmssbot/vmssbot/cmd/internal/app"
	"github.com/vmssbot/vmssbot/upgrade/store"
	"github.com/vmssbot/vmssbot/upgrade/store/storetest/pgtest"
)

// inPostgres puts the journal into a schema of its own.
func inPostgres(t *testing.T) func(*app.Config) {
	place := pgtest.Schema(t)
	return func(c *app.Config) { c.Journal = place }
}

// place is where the process has its journal.
func (p *apart) place() string {
	p.t.Helper()
	c, err := app.Load(p.w.configFile())
	p.must(err)
	return c.Journal
}

// cut ends the session of whoever has the journal.
func (p *apart) cut() {
	p.t.Helper()
	pgtest.Cut(p.t, p.place())
}

// standby starts a second process on the same journal, as another machine would.
func (p *apart) standby() *apart {
	p.t.Helper()
	c, err := app.Load(p.w.configFile())
	p.must(err)
	c.Health, err = freeAddr()
	p.must(err)
	body, err := yaml.Marshal(c)
	file := filepath.Join(p.t.TempDir(), "vmssbot.yaml")
	p.must(errors.Join(err, os.WriteFile(file, body, 0o600)))
	second := &apart{stage: &stage{ctx: p.ctx, w: p.w, out: p.out, seen: map[string]string{}}, t: p.t, said: &saying{}}
	second.outer, err = startProcess(file, second.said)
	p.must(err)
	p.t.Cleanup(second.stopBot)
	second.says("standing by")
	for path, want := range map[string]int{"/healthz": http.StatusOK, "/readyz": http.StatusServiceUnavailable} {
		answer, err := http.Get("http://" + c.Health + path)
		p.must(err)
		answer.Body.Close()
		if answer.StatusCode != want {
			p.t.Errorf("while it stands by %s is %d, want %d", path, answer.StatusCode, want)
		}
	}
	return second
}

func TestWithItsJournalInPostgreSQLItIsKilledAgainAndAgainAndLosesNothing(t *testing.T) {
	killedIn(t, 0, *kills, inPostgres(t))
}

func TestOneThatStandsByGoesOnWhereTheOtherWasKilled(t *testing.T) {
	p := processOf(t, inPostgres(t))
	last := p.underway()
	second := p.standby()
	p.startedNoMore()
	p.must(p.outer.kill())
	second.says("taking over")
	p.must(p.w.connected(p.ctx, nil))
	p.finishes(last)
	a, err := store.VerifyAt(p.ctx, p.place())
	if err != nil || a.Rollouts != 1 {
		t.Errorf("the audit: %+v %v", a, err)
	}
	p.must(second.outer.cmd.Process.Signal(syscall.SIGTERM))
	second.ends(0, 10*time.Second, "")
}

func TestOneThatStandsByEndsWhenItIsAskedTo(t *testing.T) {
	p := processOf(t, inPostgres(t))
	second := p.standby()
	p.must(second.outer.cmd.Process.Signal(syscall.SIGTERM))
	second.ends(0, 5*time.Second, "")
	p.feels(http.StatusOK, `"ok":true`)
}

func TestCutOffFromTheDatabaseAgainAndAgainItGoesOn(t *testing.T) {
	p := processOf(t, inPostgres(t))
	cutting, stop := context.WithCancel(p.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := 0; (&stage{ctx: cutting}).pause(between(n, 200*time.Millisecond, 2*time.Second)) == nil; n++ {
			p.cut()
		}
	}()
	agreed, err := p.roll("myvmss", target)
	stop()
	<-done
	p.must(err)
	p.must(judge(p.starts(), p.domains("myvmss"), agreed))
	p.feels(http.StatusOK, `"ok":true`)
}

func TestWhoLosesTheJournalToOneThatStoodByEndsAndSaysSo(t *testing.T) {
	p := processOf(t, inPostgres(t))
	last := p.underway()
	second := p.standby()
	for !strings.Contains(second.said.String(), "taking over") { // until the one that waits is faster
		p.cut()
		p.must(p.pause(500 * time.Millisecond))
	}
	p.ends(1, time.Minute, "in use by another process")
	p.must(p.w.connected(p.ctx, nil))
	p.finishes(last)
}

// A machine that sleeps keeps the journal until its sessions are ended; when it wakes up nothing it thinks counts.
func TestWhoSleptWhileAnotherTookOverWritesNothingMore(t *testing.T) {
	p := processOf(t, inPostgres(t))
	last := p.underway()
	second := p.standby()
	p.must(p.outer.cmd.Process.Signal(syscall.SIGSTOP))
	p.cut()
	second.says("taking over")
	p.must(p.outer.cmd.Process.Signal(syscall.SIGCONT))
	p.ends(1, time.Minute, "in use by another process")
	p.must(p.w.connected(p.ctx, nil))
	p.finishes(last)
	if a, err := store.VerifyAt(p.ctx, p.place()); err != nil || a.Rollouts != 1 {
		t.Errorf("the audit: %+v %v", a, err)
	}
}
