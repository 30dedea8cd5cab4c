package commands

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/vmssbot/vmssbot/upgrade"
)

// What a file can be in.
const (
	Markdown = "md"
	JSON     = "json"
	CSV      = "csv"
)

var (
	reportFormats = []string{Markdown, JSON, CSV}
	auditFormats  = []string{JSON, CSV}
)

// report takes what it is about, and the file's format; Markdown is not said.
func (c *command) report() *upgrade.Refusal {
	switch {
	case len(c.words) == 1:
		return c.lacks(root+string(VerbHistory), "`report` needs a rollout, or a scale set for its last one")
	case !isSet(c.words[1].text):
		return c.refuse(root+string(VerbHistory), "%s is neither a rollout's id nor a scale set's name", echo(c.words[1].text))
	}
	c.req.About = c.words[1].text
	if len(c.words) == 2 {
		return nil
	}
	format := c.words[2].keyword()
	if !slices.Contains(reportFormats, format) {
		return c.unknown(2, "the format ", reportFormats)
	}
	if format != Markdown {
		c.req.Part = format
	}
	return c.atMost(2)
}

// audit takes a rollout or a set, a person, instances and a format, in any order. It is never corrected by
// leaving words out: they narrow what is meant.
func (c *command) audit() *upgrade.Refusal {
	for i := 1; i < len(c.words); i++ {
		w := c.words[i]
		text := w.text
		switch {
		case w.option():
			if no := c.option(i); no != nil {
				return no
			}
		case c.req.Part == "" && slices.Contains(auditFormats, w.keyword()):
			c.req.Part = w.keyword()
		case c.req.To == "" && (isUser(text) || strings.HasPrefix(w.keyword(), "@")):
			if _, err := readTo(&c.req, text); err != nil {
				return c.refuse("", "%s is nobody's id: %v", echo(text), err)
			}
		case c.req.About == "" && isSet(text):
			c.req.About = text
		default:
			return c.refuse("", "`audit` does not know what to do with %s", echo(text))
		}
	}
	if c.req.Instances != nil && c.req.About == "" {
		return c.refuse("", "`vm=` is of one scale set or rollout: name it, such as `audit web-prod vm=6`")
	}
	return nil
}

// report shows the report of a rollout, or of a group's; it comes as a file to who asked.
func report(ctx context.Context, t turn) (Reply, error) {
	sight, err := t.look(ctx, upgrade.QueryReport, t.req.About)
	reply := listed(named(sight.Rollouts), "Nothing has been rolled out there yet.")
	reply.Part, reply.Group = cmp.Or(t.req.Part, Markdown), sight.Group(t.req.About)
	return reply, err
}

// Audit is what was asked of the audit; the rollouts stand beside it.
type Audit struct {
	About     string          `json:",omitempty"` // as said
	Person    string          `json:",omitempty"` // user id; "" = everybody
	Instances []string        `json:",omitempty"` // nil = all
	Others    []upgrade.Entry `json:",omitempty"` // of no rollout
}

func audit(ctx context.Context, t turn) (Reply, error) {
	sight, err := t.rollouts.Look(ctx, t.by, upgrade.Query{Kind: upgrade.QueryAudit, About: t.req.About, Person: t.req.To, Instances: t.req.Instances})
	if err != nil {
		return Reply{}, err
	}
	if len(sight.Rollouts)+len(sight.System) == 0 {
		return Reply{Empty: "The audit has nothing of that which you may see."}, nil
	}
	a := Audit{About: t.req.About, Person: t.req.To, Instances: t.req.Instances, Others: upgrade.SystemTrail(sight.System)}
	return Reply{Rollouts: named(sight.Rollouts), Audit: &a, Part: t.req.Part}, nil
}

// Shift is what whoever comes on call must know; the rollouts stand beside it.
type Shift struct {
	Calendar
	Half []string `json:",omitempty"` // of the rollouts, those that have left their set on two images
}

func shift(ctx context.Context, t turn) (Reply, error) {
	sight, err := t.look(ctx, upgrade.QueryShift, "")
	if err != nil {
		return Reply{}, err
	}
	s := Shift{Calendar: Calendar{Freezes: sight.Freezes, Schedules: sight.Schedules, At: sight.At}}
	for _, rec := range sight.Rollouts {
		if rec.HalfNew() {
			s.Half = append(s.Half, rec.ID)
		}
	}
	for _, pol := range sight.Policies {
		for _, o := range opens(pol, sight.At) {
			o.Of = pol.Pattern
			s.Windows = append(s.Windows, o)
		}
	}
	slices.SortStableFunc(s.Windows, func(a, b Opens) int { return a.Next.Start.Compare(b.Next.Start) })
	return Reply{Rollouts: named(sight.Rollouts), Shift: &s}, nil
}
