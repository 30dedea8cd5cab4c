package upgradetest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
	"golang.org/x/tools/txtar"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
	"github.com/vmssbot/vmssbot/upgrade/window"
)

// Story is a rollout as people live through it: who types and clicks what, what goes wrong, and
// what came of each step. See the package comment for its language.
type Story struct {
	Title      string
	Steps      []Step
	Transcript string // as it was when it was last read and found right
	Fleet      azuresim.Fleet
	Azure      azuresim.Options
	Ahead      time.Duration // of Azure's clock
	Policy     upgrade.Policy
	Groups     []upgrade.Group
	Office     bool   // there is a receiver outside of Slack
	Seed       string // of the world's luck; "" = the teller's
}

// Step is one line of a story.
type Step struct {
	Line int
	Text string // as written
	Verb string
	Rest string // what follows the verb
}

// parts of a story's file.
const (
	partStory      = "story"
	partTranscript = "transcript"
	partFleet      = "fleet.json"
	partPolicy     = "policy.yaml"
)

// ParseStory reads a story's file.
func ParseStory(file []byte) (Story, error) {
	a := txtar.Parse(file)
	s := Story{Title: strings.TrimSpace(string(a.Comment)), Policy: defaultPolicy()}
	for _, f := range a.Files {
		var err error
		switch f.Name {
		case partStory:
			s.Steps = steps(string(f.Data))
		case partTranscript:
			s.Transcript = string(f.Data)
		case partFleet:
			s.Fleet, err = azuresim.LoadFleet(bytes.NewReader(f.Data))
		case partPolicy:
			err = s.house(f.Data)
		default:
			err = errors.New("no part of a story has that name")
		}
		if err != nil {
			return s, fmt.Errorf("story part %s: %w", f.Name, err)
		}
	}
	if s.Title == "" || len(s.Steps) == 0 {
		return s, fmt.Errorf("a story has a title and a part %q with its steps", partStory)
	}
	return s, nil
}

// WithTranscript returns the story's file with another transcript.
func WithTranscript(file []byte, transcript string) []byte {
	a := txtar.Parse(file)
	for i, f := range a.Files {
		if f.Name == partTranscript {
			a.Files[i].Data = []byte(transcript)
			return txtar.Format(a)
		}
	}
	a.Files = append(a.Files, txtar.File{Name: partTranscript, Data: []byte(transcript)})
	return txtar.Format(a)
}

func steps(text string) []Step {
	var out []Step
	for n, l := range strings.Split(text, "\n") {
		if l = strings.TrimSpace(l); l == "" {
			continue
		}
		verb, rest, _ := strings.Cut(l, " ")
		out = append(out, Step{n + 1, l, verb, strings.TrimSpace(rest)})
	}
	return out
}

// defaultPolicy lets ana ask and bo and eva agree; ana is an approver, too, so that what keeps her
// from agreeing to her own rollout is that she asked for it.
func defaultPolicy() upgrade.Policy {
	p := upgrade.DefaultPolicy()
	p.Pattern, p.Channel = "*", slacksim.Ops
	p.Requesters = []string{slacksim.Ana}
	p.Approvers = []string{slacksim.Ana, slacksim.Bo, slacksim.Eva}
	return p
}

// rules are what a story may change of the policy, and of Azure's habits.
type rules struct {
	Requesters      []string
	Approvers       []string
	Escalate        []string
	Approvals       *int
	MaxUnavailable  string             `yaml:"max-unavailable"`
	BatchCap        *int               `yaml:"batch-cap"`
	MaxFailures     *int               `yaml:"max-failures"`
	OnFailure       *upgrade.OnFailure `yaml:"on-failure"`
	Soak            *time.Duration
	Bake            *time.Duration
	HealthyDeadline *time.Duration `yaml:"healthy-deadline"`
	ApprovalLife    *time.Duration `yaml:"approval-life"`
	EscalateAfter   *time.Duration `yaml:"escalate-after"`
	SelfApproval    *time.Duration `yaml:"self-approval"`
	UnstartedLife   *time.Duration `yaml:"unstarted-life"`
	WholeLife       *time.Duration `yaml:"whole-life"`
	AllowedImages   []string       `yaml:"allowed-images"`
	Downgrades      *bool
	Watch           bool
	Budget          *upgrade.Budget
	Windows         []opening
	Groups          []upgrade.Group
	Freezes         []struct {
		Why      string
		From, To time.Time
	}
	Gates []struct { // external ones
		Name     string
		Patience time.Duration
	}
	Seed     string        // of the world
	Office   bool          // somebody outside of Slack is told
	Throttle bool          // Azure enforces its request limits
	Ahead    time.Duration `yaml:"azure-ahead"` // of Azure's clock
}

// opening is a window of the policy.
type opening struct {
	Name, Zone, Recurrence string
	Length                 time.Duration
}

// house reads the part policy.yaml.
func (s *Story) house(data []byte) error {
	var r rules
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&r); err != nil {
		return err
	}
	p := &s.Policy
	s.Groups, p.Watch = r.Groups, r.Watch
	s.Seed, s.Office, s.Azure.Throttle, s.Ahead = r.Seed, r.Office, r.Throttle, r.Ahead
	if r.AllowedImages != nil {
		p.AllowedImages = r.AllowedImages
	}
	set(&p.Downgrades, r.Downgrades)
	if r.MaxUnavailable != "" {
		limit, err := upgrade.ParseLimit(r.MaxUnavailable)
		if err != nil {
			return err
		}
		p.MaxUnavailable = limit
	}
	set(&p.Approvals, r.Approvals)
	set(&p.BatchCap, r.BatchCap)
	set(&p.MaxFailures, r.MaxFailures)
	set(&p.OnFailure, r.OnFailure)
	set(&p.Soak, r.Soak)
	set(&p.Bake, r.Bake)
	set(&p.Deadline, r.HealthyDeadline)
	set(&p.ApprovalLife, r.ApprovalLife)
	set(&p.EscalateAfter, r.EscalateAfter)
	set(&p.SelfApproval, r.SelfApproval)
	set(&p.UnstartedLife, r.UnstartedLife)
	set(&p.WholeLife, r.WholeLife)
	set(&p.Budget, r.Budget)
	if r.Windows != nil {
		p.Windows = nil
	}
	if r.Freezes != nil {
		p.Freezes = nil
	}
	for _, w := range r.Windows {
		made, err := window.New(w.Name, w.Zone, w.Recurrence, w.Length)
		if err != nil {
			return err
		}
		p.Windows = append(p.Windows, made)
	}
	for _, f := range r.Freezes {
		p.Freezes = append(p.Freezes, upgrade.Freeze{Why: f.Why, Start: f.From, End: f.To})
	}
	for _, g := range r.Gates {
		p.Probes = append(p.Probes, gateOf(g.Name, g.Patience).Probe())
	}
	return s.roles(r)
}

func set[T any](at *T, to *T) {
	if to != nil {
		*at = *to
	}
}

var seeded = map[string]string{"ana": slacksim.Ana, "bo": slacksim.Bo, "eva": slacksim.Eva, "olaf": slacksim.Olaf,
	"gus": slacksim.Gus, "hal": slacksim.Hal, "sam": slacksim.Stranger, "dora": slacksim.Dora}

// roles puts ids in the place of names.
func (s *Story) roles(r rules) error {
	for _, role := range []struct {
		names []string
		at    *[]string
	}{{r.Requesters, &s.Policy.Requesters}, {r.Approvers, &s.Policy.Approvers}, {r.Escalate, &s.Policy.Escalate}} {
		if role.names == nil {
			continue
		}
		*role.at = nil
		for _, name := range role.names {
			id, known := seeded[name]
			if !known {
				return fmt.Errorf("nobody is called %q", name)
			}
			*role.at = append(*role.at, id)
		}
	}
	return nil
}
