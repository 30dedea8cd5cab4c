package bot

import (
	"bytes"
	"context"
	"image/png"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/bot/view"
	"github.com/vmssbot/vmssbot/upgrade"
)

// uploads are the calls that bring a picture into a thread, in order.
var uploads = []string{"files.getUploadURLExternal", "upload", "files.completeUploadExternal"}

// tell adds facts to a rollout, with the posts that they want.
func (o *office) tell(id string, facts ...upgrade.Fact) upgrade.Record {
	o.Helper()
	o.write(id, func(upgrade.Post) bool { return true }, facts...)
	return o.record(id)
}

// owe adds a milestone and wants nothing but its picture.
func (o *office) owe(id string, of ...string) {
	o.Helper()
	o.write(id, upgrade.Post.Picture, upgrade.Pictured{Of: of})
}

func (o *office) write(id string, wanted func(upgrade.Post) bool, facts ...upgrade.Fact) {
	o.Helper()
	rec := o.record(id)
	events := upgrade.At(time.Now(), "", facts...)
	for i := range events {
		events[i].Seq = rec.Rollout.Seq + 1 + i
	}
	posts := slices.DeleteFunc(upgrade.Posts(rec.Rollout.With(events...), events), func(p upgrade.Post) bool { return !wanted(p) })
	o.append(upgrade.Change{Rollout: id, Seq: rec.Rollout.Seq, Events: events, Posts: posts})
}

func (o *office) record(id string) upgrade.Record {
	o.Helper()
	rec, err := o.journal.Record(context.Background(), id)
	if err != nil {
		o.Fatal(err)
	}
	return rec
}

// milestone has a rollout owe people a picture, and returns the picture.
func (o *office) milestone(id string, of ...string) file {
	o.Helper()
	rec := o.tell(id, upgrade.Pictured{Of: of})
	m, caption, ok := view.Picture(rec, rec.Rollout.Seq)
	if !ok {
		o.Fatalf("event %d is no milestone", rec.Rollout.Seq)
	}
	f, err := pictureFile(m, caption)
	if err != nil {
		o.Fatal(err)
	}
	return f
}

// rolled opens a rollout and lets its first messages come.
func (o *office) rolled() (id string) {
	o.Helper()
	id = o.opened("web")
	o.pass(10 * time.Second)
	return id
}

// picture is a message with a file.
type picture struct {
	slacksim.Message
	slacksim.File
}

func (o *office) pictures(messages []slacksim.Message) []picture {
	o.Helper()
	var out []picture
	for _, m := range messages {
		for _, f := range o.sim.Files() {
			if slices.Contains(m.Files, f.ID) {
				out = append(out, picture{m, f})
			}
		}
	}
	return out
}

// threaded are the pictures in #ops.
func (o *office) threaded() []picture { return o.pictures(o.sim.Messages("ops")) }

// clean fails unless nothing waits to be sent.
func (o *office) clean() {
	o.Helper()
	p, next, ok, err := o.journal.NextPost(context.Background(), true, true)
	if err != nil || ok || !next.IsZero() {
		o.Errorf("%q of %q is in the outbox, or something at %s: %v", p.Slot, p.Rollout, next, err)
	}
}

func TestAMilestonesPictureStandsInTheThreadOnce(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.rolled()
		want := o.milestone(id, upgrade.PictureStart)
		o.soon(2*time.Second, "the picture is there", func() bool { return len(o.threaded()) == 1 })
		o.pass(time.Hour)
		all := o.threaded()
		if len(all) != 1 || o.calls(uploads[2]) != 1 {
			t.Fatalf("%d pictures, want one", len(all))
		}
		p := all[0]
		if p.ThreadTS != o.root(id).TS || p.Broadcast || p.Text != want.Caption || !strings.Contains(p.Text, "before it starts · 0/3") {
			t.Errorf("%q stands in thread %q, broadcast %v; want %q in %q", p.Text, p.ThreadTS, p.Broadcast, want.Caption, o.root(id).TS)
		}
		if p.Title != want.Title || p.AltText != want.alt || !strings.Contains(p.AltText, "3 instances") || p.Type != "image/png" {
			t.Errorf("%s, title %q, described as %q", p.Type, p.Title, p.AltText)
		}
		if im, err := png.Decode(bytes.NewReader(p.Content)); err != nil || im.Bounds().Dx() < 300 {
			t.Errorf("it is no picture: %v", err)
		}
		o.clean()
	})
}

func TestAPictureThatComesLateShowsItsOwnMoment(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.rolled()
		o.fault(slacksim.Fault{Kind: "http_status", Method: "upload", Times: 3})
		first := o.milestone(id, upgrade.PictureStart)
		o.pass(time.Second)
		o.tell(id, upgrade.Skipped{IDs: []string{"0", "5"}, Reason: "for a test"})
		second := o.milestone(id, "ud-0")
		if bytes.Equal(first.Body, second.Body) {
			t.Fatal("both moments look the same")
		}
		o.until("both are there", func() bool { return len(o.threaded()) == 2 })
		for _, want := range []file{first, second} {
			if !slices.ContainsFunc(o.threaded(), func(p picture) bool { return p.Text == want.Caption && bytes.Equal(p.Content, want.Body) }) {
				t.Errorf("no picture is as it was then: %q", want.Caption)
			}
		}
	})
}

func TestAReportAndAnAuditComeAsFilesToWhoeverAskedOnly(t *testing.T) {
	inBubble(t, func(o *office) {
		id := o.rolled()
		for n, ask := range []struct{ says, named, has string }{
			{"report " + id, "web-" + id + ".md", "## Gates"},
			{"report " + id + " csv", "web-" + id + ".csv", "rollout,set,gate,instance"},
			{"audit " + id + " json", "audit.json", "of web to"},
		} {
			o.command("ana", "ops", ask.says)
			o.until("she has it", func() bool { return len(o.pictures(o.conversation(slacksim.Ana))) == n+1 })
			if f := o.pictures(o.conversation(slacksim.Ana))[n]; f.Name != ask.named || !strings.Contains(string(f.Content), ask.has) || f.ThreadTS != "" {
				t.Errorf("%s brings %s in thread %q: %.200s", ask.says, f.Name, f.ThreadTS, f.Content)
			}
		}
		for _, says := range []string{"report " + id, "audit " + id + " csv", "audit csv"} {
			o.command("olaf", "ops", says)
		}
		o.pass(time.Minute)
		if n := len(o.conversation(slacksim.Olaf)); n != 1 { // of what was refused to him
			t.Errorf("an outsider has %d files", n)
		}
		if got := o.pictures(o.conversation(slacksim.Olaf)); len(got) == 1 && strings.Contains(string(got[0].Content), id+",") {
			t.Errorf("an outsider reads of %s: %s", id, got[0].Content)
		}
	})
}

func TestThePictureOfASetGoesToWhoeverAskedOnly(t *testing.T) {
	inBubble(t, func(o *office) {
		o.command("ana", "ops", "show web map")
		o.until("she has it", func() bool { return len(o.pictures(o.conversation(slacksim.Ana))) == 1 })
		p := o.pictures(o.conversation(slacksim.Ana))[0]
		if p.ThreadTS != "" || p.Title != "web" || !strings.Contains(p.Text, "*web*: 3 instances") || !strings.Contains(p.AltText, "3 instances") {
			t.Errorf("%q in thread %q, title %q, described as %q", p.Text, p.ThreadTS, p.Title, p.AltText)
		}
		if !o.answered("ana", "conversation with me") {
			t.Errorf("the answer does not say where the picture is: %q", o.answers("ana"))
		}
		o.command("ana", "ops", "show web")
		o.until("that is answered", func() bool { return len(o.answers("ana")) == 2 })
		o.pass(time.Minute)
		if n := len(o.sim.Files()); n != 1 || len(o.threaded()) != 0 || len(o.conversation(slacksim.Bo)) != 0 {
			t.Errorf("%d pictures, %d in the channel", n, len(o.threaded()))
		}
		o.clean()
	})
}

func TestAConversationThatDoesNotOpenAtOnceIsOpenedLater(t *testing.T) {
	for _, f := range []slacksim.Fault{{Kind: "http_status"}, {Kind: "slow", Delay: slacksim.Duration(2 * time.Minute)}, {Kind: "ratelimit", RetryAfter: 50}, {Kind: "broken_json"}} {
		t.Run(f.Kind, func(t *testing.T) {
			inBubble(t, func(o *office) {
				f.Method = "conversations.open"
				o.fault(f)
				o.command("ana", "ops", "show web map")
				o.soon(time.Minute, "she has it", func() bool { return len(o.pictures(o.conversation(slacksim.Ana))) == 1 })
				o.pass(10 * time.Minute)
				if n := len(o.conversation(slacksim.Ana)); n != 1 {
					t.Errorf("%d messages, want the picture", n)
				}
			})
		})
	}
}

func TestAPictureOutlivesAMomentOfTroubleInEachOfItsCalls(t *testing.T) {
	for _, method := range uploads {
		for _, f := range []slacksim.Fault{{Kind: "http_status", Status: 500}, {Kind: "html"}, {Kind: "reset_before"}, {Kind: "slow", Delay: slacksim.Duration(2 * time.Minute)},
			{Kind: "error", Error: "internal_error"}, {Kind: "reset_after"}, {Kind: "broken_json"}} {
			t.Run(method+" "+f.Kind, func(t *testing.T) {
				most := 1
				if method == "files.completeUploadExternal" && slices.Contains([]string{"slow", "reset_after", "broken_json"}, f.Kind) {
					most = 2 // it was done, and nobody said so
				}
				inBubble(t, func(o *office) {
					id := o.rolled()
					f.Method, f.Times = method, 1
					o.fault(f)
					want := o.milestone(id, upgrade.PictureStart)
					o.soon(time.Minute, "it is there", func() bool { return len(o.threaded()) == most })
					o.pass(10 * time.Minute)
					for _, p := range o.threaded() {
						if p.Text != want.Caption || p.ThreadTS != o.root(id).TS || !bytes.Equal(p.Content, want.Body) {
							t.Errorf("%q in thread %q", p.Text, p.ThreadTS)
						}
					}
					if n := len(o.threaded()); n != most {
						t.Errorf("it is there %d times, want %d", n, most)
					}
					if o.log.has("/upload/F") {
						t.Errorf("the log holds an upload's address:\n%s", o.log)
					}
					o.clean()
				})
			})
		}
	}
}

func TestSlackThatWantsFewerPicturesKeepsNothingElseWaiting(t *testing.T) {
	for _, method := range uploads {
		t.Run(method, func(t *testing.T) {
			inBubble(t, func(o *office) {
				id := o.rolled()
				const rounds = 2 * pictureTries // more than it has tries
				o.fault(slacksim.Fault{Kind: "ratelimit", Method: method, RetryAfter: 40, Times: rounds})
				began := time.Now()
				o.milestone(id, upgrade.PictureStart)
				o.pass(5 * time.Second)
				o.command("ana", "ops", "pause "+id)
				o.soon(2*time.Second, "the word is there", func() bool { return o.find("paused", "ana") != nil })
				o.until("the picture is there", func() bool { return len(o.threaded()) == 1 })
				if took := time.Since(began); took < rounds*40*time.Second || took > rounds*42*time.Second {
					t.Errorf("it took %s, want %d times 40 s", took, rounds)
				}
			})
		})
	}
}
