package bot

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/upgrade"
)

// People resolves user ids through users.info. An answer is believed for a minute; when Slack does
// not answer, an older one is not: what cannot be checked is denied (R23).
type People struct {
	API *slack.Client
	Now func() time.Time

	team  string
	mu    sync.Mutex
	known map[string]acquaintance
}

type acquaintance struct {
	person upgrade.Person
	at     time.Time
}

const (
	freshFor   = time.Minute
	mostPeople = 10_000 // a workspace's worth; beyond it the cache starts anew
)

// Person says who the id is. It implements [upgrade.People].
func (p *People) Person(ctx context.Context, id string) (upgrade.Person, error) {
	if who, ok := p.recall(id); ok {
		return who, nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	user, err := p.API.GetUserInfoContext(ctx, id)
	if err != nil {
		return upgrade.Person{}, fmt.Errorf("slack: users.info %s: %w", id, err)
	}
	who := person(user, p.team)
	p.remember(who)
	return who, nil
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

func (p *People) recall(id string) (upgrade.Person, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a, ok := p.known[id]
	return a.person, ok && p.Now().Sub(a.at) < freshFor
}

func (p *People) remember(who upgrade.Person) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known == nil || len(p.known) >= mostPeople {
		p.known = map[string]acquaintance{}
	}
	p.known[who.ID] = acquaintance{who, p.Now()}
}
