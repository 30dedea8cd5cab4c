package commands

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/window"
)

// schedule takes what upgrade takes, and when: more than that it is not.
func (c *command) schedule() *upgrade.Refusal {
	unquoted := c.gather()
	no := c.plan()
	if slices.Contains(c.given, "tz") && c.req.Options.TZ == "" {
		c.req.Options.Cron = "" // by whose clock was not understood: the form asks for the times anew, not by another
	}
	switch {
	case no != nil:
		return no
	case unquoted:
		return c.refuse(c.with(0, 0), "the five fields of `cron=` stand between quotes")
	case c.req.Options.Cron == "":
		return c.lacks("", "`schedule` needs to know when: `cron=\"0 2 * * SUN\"` (minute, hour, day of the month, month, day of the week)")
	}
	return nil
}

// gather makes one word of times that were said without quotes, so that the other four fields are taken
// for nothing else.
func (c *command) gather() bool {
	at := slices.IndexFunc(c.words, func(w word) bool { return w.option() && strings.EqualFold(w.text[:w.eq], fieldCron) })
	if at < 0 || len(c.words) < at+5 {
		return false
	}
	one := c.words[at]
	for _, w := range c.words[at+1 : at+5] {
		one.text += " " + w.text
	}
	if _, err := readCron(&Request{}, one.text[one.eq+1:]); err != nil {
		return false
	}
	c.words = slices.Replace(c.words, at, at+5, one)
	return true
}

// readCron takes five fields. Whether they come too often is said when it is known by whose clock.
func readCron(r *Request, s string) (string, error) {
	said := strings.Join(strings.Fields(s), " ")
	if _, err := window.New("cron", "UTC", said, time.Minute); err != nil || len(said) > maxSet {
		return "", errors.New("it takes five fields between quotes (minute, hour, day of the month, month, day of the week), such as `cron=\"0 2 * * SUN\"`")
	}
	r.Options.Cron = said
	return "", nil
}

var zoneName = regexp.MustCompile(`^[A-Za-z]+([/_+-][A-Za-z0-9]+)*$`)

func readTZ(r *Request, s string) (string, error) {
	if len(s) > maxSet || !zoneName.MatchString(s) {
		return "", errors.New("it takes the IANA name of a time zone, such as `tz=Europe/Prague`; leave it out for your own")
	}
	r.Options.TZ = s
	return "", nil
}

func scheduling(ctx context.Context, t turn) (Reply, []upgrade.Change, error) {
	ask := upgrade.ScheduleAsk{Why: t.req.Reason}
	if t.req.Verb == VerbUnschedule {
		ask.Lift = t.req.Set
	} else {
		said := t.req
		said.Verb, said.Options.Cron, said.Options.TZ = VerbUpgrade, "", ""
		ask.Ask, ask.Said, ask.Cron, ask.Zone = t.ask(), Format(said), t.req.Options.Cron, t.req.Options.TZ
	}
	s, err := t.rollouts.Schedule(ctx, t.by, ask)
	if err != nil {
		return Reply{}, nil, err
	}
	done := &Scheduled{Schedule: s.Schedule, Next: s.Next}
	if ask.Lift != "" {
		done.Lifted, done.By, done.Why = true, t.by.Name, ask.Why
	}
	return Reply{Schedule: done}, []upgrade.Change{s.Change}, nil
}
