package upgradetest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// ErrDead is what a dead process gets for everything it still tries.
var ErrDead = errors.New("this process is dead")

// Life is one incarnation of the program, from its start to its end. It ends like kill -9 would end
// it: from one moment on nothing of it reaches the journal, Azure or Slack; what was committed or
// sent before stays. Whatever reaches outside passes a [Life.Point] before and after.
type Life struct {
	seed  string
	death func() // cancels the program's context
	full  func() bool
	spill func() // hears that it refused something

	mu     sync.Mutex
	dead   bool
	deadAt time.Time // the program may take a while to notice
	conns  []net.Conn
	counts map[string]int
	points []string
	trap   func(n int, point string) bool
	fatal  string // the point at which it died; "" of one that was killed from outside
}

func newLife(seed string, death func(), full func() bool, spill func()) *Life {
	return &Life{seed: seed, death: death, full: full, spill: spill, counts: map[string]int{}}
}

// Point is passed right before and right after everything that reaches outside. It returns
// [ErrDead] when the process has ended, also when it ends just here because a trap was laid.
func (l *Life) Point(name string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return ErrDead
	}
	l.points = append(l.points, name)
	if l.trap != nil && l.trap(len(l.points)-1, name) {
		l.fatal = name
		l.end()
		return ErrDead
	}
	return nil
}

// Disk is what a journal call passes: points around it and a little time before it, outside of any
// transaction.
func (l *Life) Disk(name string, call func() error) error {
	if err := l.Point("before " + name); err != nil {
		return err
	}
	time.Sleep(l.lag(name, time.Millisecond))
	if err := l.Point("at " + name); err != nil { // it may have died while it waited
		return err
	}
	err := call()
	if dead := l.Point("after " + name); dead != nil {
		return dead
	}
	return err
}

// errFull is what SQLite says of a full disk.
var errFull = errors.New("database or disk is full (13)")

// Write is [Life.Disk] for a call that changes the journal, which fails while the disk is full.
func (l *Life) Write(name string, call func() error) error {
	return l.Disk(name, func() error {
		if l.full() {
			l.spill()
			return errFull
		}
		return call()
	})
}

// lag is how long the next thing of that name takes: between one and two times d, a function of the
// seed, the name and how often it was done.
func (l *Life) lag(name string, d time.Duration) time.Duration {
	l.mu.Lock()
	l.counts[name]++
	n := l.counts[name]
	l.mu.Unlock()
	return d + time.Duration(hash(l.seed, name, n)%uint64(d))
}

// Trap ends the life at the next point that matches.
func (l *Life) Trap(match func(n int, point string) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trap = match
}

// Kill ends the life now.
func (l *Life) Kill() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end()
}

func (l *Life) end() {
	if !l.dead {
		l.dead, l.deadAt = true, time.Now()
	}
	for _, c := range l.conns {
		c.Close() // a pipe: it never fails
	}
	l.death()
}

// Dead reports whether the life has ended by a kill.
func (l *Life) Dead() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dead
}

// Points are the names of all points passed so far.
func (l *Life) Points() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.points...)
}

// holds keeps a connection to be cut at the end; false when that was already.
func (l *Life) holds(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return false
	}
	l.conns = append(l.conns, c)
	return true
}

// hash is the only source of chance in a world: the same parts give the same number, and nothing
// that happens shifts the luck of anything else.
func hash(parts ...any) uint64 {
	sum := sha256.Sum256(fmt.Append(nil, parts...))
	return binary.BigEndian.Uint64(sum[:])
}

// identify makes the n-th id of a world: unguessable to look at, the same in every run.
func identify(seed string, n int64) string {
	sum := sha256.Sum256(fmt.Append(nil, "id ", seed, " ", n))
	return hex.EncodeToString(sum[:16])
}

// died is what the life died of: the kind of the point, such as "crash before commit", or "crash".
func (l *Life) died() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	when, what, _ := strings.Cut(l.fatal, " ")
	switch {
	case l.fatal == "":
		return "crash"
	case strings.HasPrefix(what, "journal."):
		return "crash " + when + " a commit"
	}
	return "crash " + when + " a call"
}
