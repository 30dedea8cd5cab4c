package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/upgrade"
)

// People resolves user ids through users.info, and knows who is in the user groups that the policies
// name. An answer about a person is believed for a minute; when Slack does not answer, an older one is
// not: what cannot be checked is denied (R23). Fill in the fields; a Bot that runs brings it to life,
// and until then nobody is known.
type People struct {
	API *slack.Client
	Now func() time.Time
	// Groups lists the ids of the user groups that count, such as by [GroupsOf]; nil = none.
	Groups func() []string

	log    *slog.Logger
	mu     sync.Mutex // guards the rest
	team   string     // "" = not met yet
	known  map[string]acquaintance
	groups map[string]members
}

type acquaintance struct {
	person upgrade.Person
	at     time.Time
}

const (
	freshFor   = time.Minute
	mostPeople = 10_000 // a workspace's worth; beyond it the cache starts anew
)

var errNotMet = errors.New("slack: who is who is not known before Slack was reached")

// Person says who the id is. It implements [upgrade.People].
func (p *People) Person(ctx context.Context, id string) (upgrade.Person, error) {
	team, who, fresh := p.recall(id)
	switch {
	case team == "":
		return upgrade.Person{}, errNotMet
	case fresh:
		return p.grouped(who), nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	user, err := p.API.GetUserInfoContext(ctx, id)
	if err != nil {
		return upgrade.Person{}, fmt.Errorf("slack: users.info %s: %w", id, err)
	}
	who = person(user, team)
	p.remember(who)
	return p.grouped(who), nil
}

func person(u *slack.User, home string) upgrade.Person {
	name := u.Profile.DisplayName
	if name == "" {
		name = u.Name
	}
	return upgrade.Person{
		ID: u.ID, Team: u.TeamID, Name: name, Zone: u.TZ,
		Guest:    u.IsRestricted || u.IsUltraRestricted,
		Bot:      u.IsBot || u.ID == "USLACKBOT",
		Deleted:  u.Deleted,
		Stranger: u.IsStranger || u.TeamID != home,
	}
}

func (p *People) recall(id string) (team string, who upgrade.Person, fresh bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a, ok := p.known[id]
	return p.team, a.person, ok && p.Now().Sub(a.at) < freshFor
}

func (p *People) remember(who upgrade.Person) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil || len(p.known) >= mostPeople {
		p.known = map[string]acquaintance{}
	}
	p.known[who.ID] = acquaintance{who, p.Now()}
}
