package upgradetest

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// Leak is something that got where it must not.
type Leak struct {
	At   time.Time
	Rule string
	What string
}

// keep adds a token to what nobody may ever show.
func (w *World) keep(header string) {
	_, token, _ := strings.Cut(header, " ")
	w.mu.Lock()
	defer w.mu.Unlock()
	if token != "" && !slices.Contains(w.secrets, token) {
		w.secrets = append(w.secrets, token)
	}
}

// sniff looks for tokens in what was written somewhere.
func (w *World) sniff(where, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, secret := range w.secrets {
		if strings.Contains(text, secret) {
			w.leaks = append(w.leaks, Leak{time.Now(), "I15", "a token stands in " + where})
		}
	}
}

// stray notes that the program wants to talk to a host that is none of its own.
func (w *World) stray(host string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leaks = append(w.leaks, Leak{time.Now(), "I16", fmt.Sprintf("the program called %q", host)})
}

// sniffJournal looks for tokens in the journal's files.
func (w *World) sniffJournal() {
	for _, end := range []string{"", "-wal"} {
		if body, err := os.ReadFile(w.cfg.Journal + end); err == nil { // a log need not be there
			w.sniff("the journal", string(body))
		}
	}
}

// judgeLeaks: I15 and I16.
func (c *cases) judgeLeaks() {
	for _, l := range c.e.Leaks {
		c.blame(l.Rule, l.At, "%s", l.What)
	}
}

// powers are the verbs that change something.
var powers = []string{"approve", "deny", "ask", "pause", "resume", "abort", "retry", "skip", "quarantine", "resolve", "replan", "rollback", "handover", "upgrade", "model-revert", "model-keep"}

// judgeOutsiders: I17, who may neither ask nor approve is never told that it was done.
func (c *cases) judgeOutsiders() {
	for _, w := range c.words {
		may := slices.Contains(c.Policy.Requesters, w.User) || slices.Contains(c.Policy.Approvers, w.User) || slices.Contains(c.Policy.Escalate, w.User)
		if !may && slices.Contains(powers, w.verb) && w.obeyed() && strings.Contains(w.answer, "understood as `/vmss "+w.verb) {
			c.blame("I17", w.At, "%s may not %s, and was told: %s", w.User, w.verb, w.answer)
		}
	}
}
