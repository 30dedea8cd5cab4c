package main

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/vmssbot/vmssbot/cmd/internal/app"
)

// reconfigures writes another configuration and tells the bot of it, as whoever runs it does.
func (p *apart) reconfigures(change func(*app.Config)) {
	p.t.Helper()
	p.reconfigured(change)
	p.must(p.outer.cmd.Process.Signal(syscall.SIGHUP))
}

func TestSIGHUPReadsThePoliciesOnceMoreAndTighterOnesApplyAtOnce(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("it has no such signal")
	}
	p := processOf(t)
	last := p.underway()
	two, hour := 2, time.Hour
	p.reconfigures(func(c *app.Config) { c.Sets[0].Approvals, c.Sets[0].ApprovalLife = &two, &hour })
	p.must(p.posted("approvals 1 → 2 (applies at once)"))
	p.must(p.approve("bo", &last))
	p.must(p.posted("1 of 2"))
	p.startedNoMore()

	p.reconfigures(func(c *app.Config) { c.Sets[0].Match, c.Journal = "w\u0435b", "/elsewhere" })
	p.must(p.posted("The configuration was changed, and is not taken."))
	p.must(p.posted("no scale set can have such a name"))
	if p.reads(filepath.Dir(p.w.configFile())) {
		t.Error("the channel is told where the file lies")
	}
	p.startedNoMore()

	p.must(p.outer.cmd.Process.Signal(syscall.SIGTERM))
	p.ends(0, 10*time.Second, "is not taken")
	one := 1
	p.reconfigured(func(c *app.Config) { c.Sets[0].Approvals = &one })
	p.begin() // what changed while it was down is told, too, and looser policies are not for open rollouts
	p.must(p.posted("approvals 2 → 1 (not to open rollouts)"))
}

// reconfigured writes another configuration while no bot runs.
func (p *apart) reconfigured(change func(*app.Config)) {
	p.t.Helper()
	config := p.w.config()
	change(&config)
	body, err := yaml.Marshal(config)
	p.must(errors.Join(err, os.WriteFile(p.w.configFile(), body, 0o600)))
}
