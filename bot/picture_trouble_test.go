package bot

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade"
)

// without runs the bot as an app that was installed before it might do something.
func without(scope string) func(*office) {
	return func(o *office) {
		o.sim = slacksim.New(slacksim.Options{Scopes: slices.DeleteFunc(slices.Clone(scopes), func(s string) bool { return s == scope })})
	}
}

func TestAnAppThatMayNotUploadFilesRollsAllTheSame(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.rolled()
		o.milestone(id, upgrade.PictureStart)
		o.tell(id, upgrade.Paused{Name: "ana"})
		o.soon(5*time.Second, "what comes after it is there", func() bool { return o.find("paused", "ana") != nil })
		o.milestone(id, "ud-0")
		o.pass(time.Hour)
		if n := o.log.count("files:write"); n != 2 {
			t.Errorf("%d tries of two pictures, want one of each", n)
		}
		if u := o.unsent(id); !u.Since.IsZero() {
			t.Errorf("people miss it: %+v", u)
		}
		o.clean()
	}, without("files:write"))
}

func TestWhoAskedForAPictureIsToldWhyItDoesNotCome(t *testing.T) {
	for _, scope := range []string{"files:write", "im:write"} {
		t.Run(scope, func(t *testing.T) {
			inBubble(t, func(o *office) {
				o.command("ana", "ops", "show web map")
				o.until("she is told", func() bool { return len(o.conversation(slacksim.Ana)) == 1 })
				if m := o.conversation(slacksim.Ana)[0]; !has(m, "the file you asked for does not come", "the app needs the scope "+strings.ReplaceAll(scope, ":", "∶")) {
					t.Errorf("she is told %s %s", m.Text, m.Blocks)
				}
				o.pass(time.Hour)
				if n := len(o.conversation(slacksim.Ana)); n != 1 {
					t.Errorf("she is told %d times", n)
				}
				o.clean()
			}, without(scope))
		})
	}
}

func TestAPictureIsGivenUpInTheEnd(t *testing.T) {
	for name, f := range map[string]slacksim.Fault{
		"archived":         {Kind: "channel_archived", Channel: "ops"},
		"never answered":   {Kind: "slow", Method: "upload", Delay: slacksim.Duration(time.Hour), Times: -1},
		"the thread is no": {Kind: "error", Method: "files.completeUploadExternal", Error: "thread_not_found", Times: -1},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(o *office) {
				id := o.rolled()
				o.tell(id, upgrade.Pictured{Of: []string{upgrade.PictureStart}})
				o.pass(time.Second)
				o.fault(f)
				o.tell(id, upgrade.Pictured{Of: []string{"ud-0"}})
				o.pass(6 * time.Minute)
				tries := o.log.count("slot=picture/")
				o.pass(time.Hour)
				if n := o.log.count("slot=picture/"); tries >= n || n != pictureTries {
					t.Errorf("%d tries, %d of them in the first six minutes; want %d in all", n, tries, pictureTries)
				}
				if n := len(o.threaded()); n != 1 {
					t.Errorf("%d pictures, want that of before", n)
				}
				o.fault(slacksim.Fault{Kind: "channel_unarchived", Channel: "ops"})
				o.fault(slacksim.Fault{Kind: "clear"})
				o.pass(5 * time.Minute)
				o.clean()
				o.tell(id, upgrade.Pictured{Of: []string{"ud-1"}})
				o.soon(3*time.Second, "the next one is there", func() bool { return len(o.threaded()) == 2 })
			})
		})
	}
}

func TestAPictureWhoseThreadIsGoneStandsInTheNextOne(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.rolled()
		old := o.root(id).TS
		o.fault(slacksim.Fault{Kind: "message_deleted", Channel: "ops", TS: old})
		o.fault(slacksim.Fault{Kind: "error", Method: "files.completeUploadExternal", Error: "thread_not_found", Times: 3})
		o.milestone(id, upgrade.PictureStart)
		o.tell(id, upgrade.Paused{Name: "ana"}) // an edit of the live message, which is posted anew
		o.until("it is there", func() bool { return len(o.threaded()) == 1 })
		if root, p := o.root(id).TS, o.threaded()[0]; p.ThreadTS != root || root == old {
			t.Errorf("it stands in %q, want in %q, the thread after %q", p.ThreadTS, root, old)
		}
	})
}

func TestNoMessageWaitsForAPicture(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.rolled()
		o.fault(slacksim.Fault{Kind: "slow", Method: "upload", Delay: slacksim.Duration(25 * time.Second), Times: 2})
		o.milestone(id, upgrade.PictureStart)
		o.milestone(id, "ud-0")
		o.pass(time.Second)
		o.tell(id, upgrade.Paused{Name: "ana"})
		o.soon(2*time.Second, "the word is there", func() bool { return o.find("paused", "ana") != nil })
		o.command("bo", "ops", "help")
		o.soon(2*time.Second, "an answer is there", func() bool { return o.answered("bo", "upgrade") })
		if len(o.threaded()) != 0 {
			t.Error("a picture is there before it was uploaded")
		}
		o.soon(25*time.Second, "one picture is there", func() bool { return len(o.threaded()) == 1 })
		o.soon(30*time.Second, "the other one is there", func() bool { return len(o.threaded()) == 2 })
		if all := o.threaded(); !strings.Contains(all[0].Text, "before it starts") {
			t.Errorf("%q came first", all[0].Text)
		}
	})
}

func TestABotThatEndsBetweenAPicturesCallsSendsItInItsNextLife(t *testing.T) {
	for _, method := range uploads {
		t.Run(method, func(t *testing.T) {
			inBubble(t, func(o *office) {
				id := o.rolled()
				o.fault(slacksim.Fault{Kind: "slow", Method: method, Delay: slacksim.Duration(time.Hour), Times: -1})
				o.milestone(id, upgrade.PictureStart)
				o.pass(time.Second)
				if took, err := o.stop(); err != nil || took > 10*time.Second {
					t.Errorf("Run = %v after %s", err, took)
				}
				o.fault(slacksim.Fault{Kind: "clear"})
				o.restart()
				o.pass(time.Hour)
				if n := len(o.threaded()); n != 1 && (method != uploads[2] || n != 2) {
					t.Errorf("it is there %d times", n)
				}
				o.clean()
			})
		})
	}
}

func TestAPictureThatWasNotRecordedIsThereTwiceAtMost(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.rolled()
		o.journal.refuseRecords(errors.New("disk full"))
		o.owe(id, upgrade.PictureStart)
		o.pass(10 * time.Minute)
		if n := len(o.threaded()); n != 1 {
			t.Errorf("%d pictures while nothing could be recorded, want 1", n)
		}
		if took, err := o.stop(); err != nil || took > 10*time.Second { // as if it had been killed after the last call
			t.Errorf("Run = %v after %s", err, took)
		}
		o.journal.refuseRecords(nil)
		for range 2 {
			o.restart()
			o.pass(time.Minute)
		}
		if n := len(o.threaded()); n != 2 {
			t.Errorf("%d pictures, want 2", n)
		}
	})
}

func TestARevokedTokenThatAPictureMeetsEndsTheBot(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.rolled()
		o.journal.refuseRecords(errors.New("disk full")) // which keeps nobody from ending
		o.fault(slacksim.Fault{Kind: "error", Method: uploads[0], Error: "token_revoked", Times: -1})
		o.owe(id, upgrade.PictureStart)
		o.soon(15*time.Second, "it ends", func() bool { return len(o.ended) == 1 })
		if err := <-o.ended; err == nil || !strings.Contains(err.Error(), "token_revoked") {
			t.Errorf("Run = %v", err)
		}
		o.ended <- nil
	})
}

// clumsy is a reader that panics about one rollout's events.
type clumsy struct{ upgrade.Reader }

func (c clumsy) Record(ctx context.Context, id string) (upgrade.Record, error) {
	rec, err := c.Reader.Record(ctx, id)
	if last := len(rec.Events) - 1; last >= 0 && upgrade.FactKind(rec.Events[last].Fact) == "Pictured" {
		panic("a mistake about " + id)
	}
	return rec, err
}

func TestAPanicOverAPictureIsThePicturesOwn(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.rolled()
		o.want(upgrade.Post{Rollout: id, Slot: "picture/x", Channel: slacksim.Ops}, upgrade.Post{Slot: "picture/reply/x", User: slacksim.Ana, Want: []byte(`{"Verb":7}`)})
		o.pass(time.Minute)
		o.owe(id, upgrade.PictureStart)
		o.until("it is noticed", func() bool { return o.log.has("a picture could not be drawn") })
		o.tell(id, upgrade.Paused{Name: "ana"})
		o.soon(5*time.Second, "what comes after it is there", func() bool { return o.find("paused", "ana") != nil })
		o.pass(time.Hour)
		if n := o.log.count("there is no picture to be had"); n != 3 || len(o.threaded()) != 0 {
			t.Errorf("%d tries of three, %d pictures; want one try of each", n, len(o.threaded()))
		}
		o.clean()
	}, func(o *office) { o.reader = func(r upgrade.Reader) upgrade.Reader { return clumsy{r} } })
}
