package commands

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/window"
)

// schedule takes what upgrade takes, and when: more than that it is not.
func (c *command) schedule() *upgrade.Refusal {
	if no := c.plan(); no != nil {
		return no
	}
	if c.req.Options.Cron == "" {
		return c.refuse("", "`schedule` needs to know when: `cron=\"0 2 * * SUN\"` (minute, hour, day of the month, month, day of the week)")
	}
	return nil
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
