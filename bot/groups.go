package bot

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// Every group is read once a minute; when there are many, one every four seconds, because Slack allows
// about twenty readings a minute for all of them together. A reading is believed for five minutes: up
// to 75 groups can be kept.
const (
	groupsEvery = time.Minute
	groupEvery  = 4 * time.Second
	groupFor    = 5 * time.Minute
)

// members is what was last read of a user group.
type members struct {
	ids  []string
	at   time.Time // of the last reading that succeeded; zero = never
	miss string    // why the last reading failed; "" = it did not
}

// GroupsOf lists the user groups (S…) that policies name, each once.
func GroupsOf(policies []upgrade.Policy) []string {
	var out []string
	for _, p := range policies {
		for _, id := range slices.Concat(p.Readers, p.Requesters, p.Approvers, p.Escalate) {
			if strings.HasPrefix(id, "S") {
				out = append(out, id)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (p *People) counted() []string {
	if p.Groups == nil {
		return nil
	}
	return p.Groups()
}

// meet is called once the workspace is known: it reads every group for the first time.
func (p *People) meet(ctx context.Context, team string, log *slog.Logger) {
	p.log = log
	first, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	for _, id := range p.counted() {
		p.read(first, id)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.team = team
}

// keep reads the groups again and again, one after the other, until the context ends.
func (p *People) keep(ctx context.Context) {
	for ctx.Err() == nil {
		ids := p.counted()
		if len(ids) == 0 {
			sleep(ctx, groupsEvery)
		}
		for _, id := range ids {
			sleep(ctx, max(groupEvery, groupsEvery/time.Duration(len(ids))))
			p.read(ctx, id)
		}
	}
}

// read reads one group. What was known of it stays when that fails, until it is too old.
func (p *People) read(ctx context.Context, id string) {
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	ids, err := p.API.GetUserGroupMembersContext(call, id)
	if ctx.Err() != nil {
		return
	}
	if after, limited := rateLimit(err); limited {
		sleep(ctx, after)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.groups == nil {
		p.groups = map[string]members{}
	}
	m := p.groups[id]
	if err == nil {
		m = members{ids: ids, at: p.Now()}
	} else if miss := groupTrouble(err); miss != m.miss {
		m.miss = miss
		p.log.Warn("slack: a user group could not be read; its members count for at most five minutes more", "group", id, "err", miss)
	}
	p.groups[id] = m
}

// groupTrouble says in a sentence what keeps a group from being read.
func groupTrouble(err error) string {
	switch {
	case is(err, "plan_upgrade_required", "paid_teams_only"):
		return "this workspace has no user groups (Slack's paid plans have): name people by their ids in the configuration"
	case is(err, "no_such_subteam"):
		return "Slack knows no user group of that id"
	}
	return explain(err)
}

// grouped fills in the groups the person is in; nil when none of them could be read.
func (p *People) grouped(who upgrade.Person) upgrade.Person {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, id := range p.counted() {
		m := p.groups[id]
		if p.Now().Sub(m.at) >= groupFor {
			who.Unread = append(who.Unread, id)
			continue
		}
		if who.Groups == nil {
			who.Groups = []string{}
		}
		if slices.Contains(m.ids, who.ID) {
			who.Groups = append(who.Groups, id)
		}
	}
	return who
}

// blindness says which groups cannot be read, "" when all can: whoever is refused by a group must
// know that it was not asked.
func (p *People) blindness() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var blind []string
	for _, id := range p.counted() {
		if m := p.groups[id]; p.Now().Sub(m.at) >= groupFor {
			blind = append(blind, fmt.Sprintf("%s (%s)", id, m.miss))
		}
	}
	if len(blind) == 0 {
		return ""
	}
	return fmt.Sprintf("The members of user group %s could not be read, so only people named by their ids count. ", strings.Join(blind, ", "))
}
