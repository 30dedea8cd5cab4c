package upgradetest_test

import (
	"errors"
	"flag"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade/upgradetest"
)

var crashes = flag.Int("crashes", 30, "at how many of the points of a rollout the bot is killed, evenly spread; 0: at every one")

// determined plays people who want a rollout to succeed and do, every few seconds, the next thing
// that is left to do: start a dead bot, type the command until a rollout is there, press Approve
// while there is such a button. Nothing else is asked of them, wherever the bot dies.
func determined(p *upgradetest.Play) error {
	for range 400 {
		var err error
		switch {
		case p.World.Down():
			err = p.Do("restart")
		case p.World.Shows("2 planned · *"):
			return nil
		case len(p.World.Rollouts()) == 0:
			err = p.Do("type ana upgrade web 4.0.20160229")
		case approvable(p.World):
			err = p.Do("click bo approve")
		default:
			err = p.Do("advance 5s")
		}
		if err != nil {
			return err
		}
	}
	return errors.New("the rollout does not come to its end")
}

// approvable reports whether a card has its button.
func approvable(w *upgradetest.World) bool {
	for _, m := range w.Slack.Messages(slacksim.Ops) {
		for _, a := range m.Actions() {
			if a.ActionID == "approve" {
				return true
			}
		}
	}
	return false
}

// survive tells the rollout with a crash at one point, which the next life goes on from.
func survive(t *testing.T, s upgradetest.Story, at int) (points []string, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p, failed := upgradetest.NewPlay(s, "sweep", journal(t), product)
		if failed != nil {
			err = failed
			return
		}
		p.World.Trap(func(n int, _ string) bool { return n == at })
		err = determined(p)
		points = p.World.Points()
		if err == nil {
			err = upgraded(p.World)
		}
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, p.Transcript())
		}
		err = errors.Join(err, p.Close())
	})
	return points, err
}

// upgraded looks at Azure's own books: every instance is on the image and was started once, and the
// model was written once.
func upgraded(w *upgradetest.World) error {
	starts, patches := map[string]int{}, 0
	for _, k := range w.Calls() {
		if k.Accepted && k.Method == "PATCH" {
			patches++
		}
		for _, id := range k.Started {
			if k.Accepted {
				starts[id]++
			}
		}
	}
	if patches != 1 {
		return fmt.Errorf("the model was written %d times", patches)
	}
	for _, i := range w.Azure.Snapshot().Sets[0].Instances {
		if i.Version != "4.0.20160229" || i.Health != "healthy" || starts[i.ID] != 1 {
			return fmt.Errorf("instance %s is on %s, %s, started %d times", i.ID, i.Version, i.Health, starts[i.ID])
		}
	}
	return nil
}

func TestARolloutComesToAGoodEndWhereverTheBotIsKilled(t *testing.T) {
	_, s := read(t, "crash-before-the-call")
	points, err := survive(t, s, -1)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d points between start and end", len(points))
	tries := min(*crashes, len(points))
	if tries == 0 {
		tries = len(points)
	}
	for n := range tries {
		at := n * len(points) / tries
		point := points[at]
		t.Run(fmt.Sprintf("%d %s", at, strings.ReplaceAll(point, "/", " ")), func(t *testing.T) {
			t.Parallel()
			if _, err := survive(t, s, at); err != nil {
				t.Errorf("killed %s: %v", point, err)
			}
		})
	}
}
