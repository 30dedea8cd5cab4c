package upgrade

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// slots lists the slots that the last facts of a tale call for; "!" marks those the channel sees.
func slots(before tale, last ...any) string {
	told := append(tale{before}, last...)
	events := told.events()
	var out []string
	for _, p := range Posts(told.fold(), events[len(before.events()):]) {
		slot := p.Slot
		if p.Broadcast {
			slot += "!"
		}
		out = append(out, slot)
	}
	return strings.Join(out, " ")
}

func TestPosts(t *testing.T) {
	again := Asked{Gate: "ud-0", Asking: 2, Nonce: "n2", Expires: life}
	rest := tale{granted("ud-0"), Asked{Gate: "ud-1", Asking: 1, Expires: life}, by{"UBO", Voted{Gate: "ud-1", Asking: 1}}}
	for _, row := range []struct {
		name   string
		before tale
		last   tale
		want   string
	}{
		{"R40 nothing new, no message", begun, nil, ""},
		{"a picture is a file of its own in the thread", begun, tale{Pictured{Of: []string{"ud-0"}}}, "picture/10 live"},
		{"R34 an instance born meanwhile stands in the live message", begun, tale{Born{Member{ID: "6"}}}, "live"},
		{"a request posts the live message first, then the plan", nil, tale{requested}, "live plan"},
		{"R24 an asking posts its card to the channel", tale{requested}, tale{asked("ud-0")}, "card/ud-0/1! live"},
		{"R24 an asking that replaces another brings both cards up to date", tale{requested, asked("ud-0")}, tale{again}, "card/ud-0/1! card/ud-0/2! live"},
		{"R24 a vote brings the card up to date", tale{requested, asked("ud-0")}, tale{voted("UBO", "ud-0")}, "card/ud-0/1! live"},
		{"R7 gates agreed to in one breath have no card", tale{requested, rest}, tale{by{"UBO", Voted{Gate: "ud-1"}}, AskedAgain{"ud-1"}}, "live"},
		{"R24 a denial brings the card up to date", tale{requested, asked("ud-0")}, tale{by{"UBO", Denied{Gate: "ud-0"}}}, "card/ud-0/1! live"},
		{"R24 so does the wish to ask again", tale{requested, asked("ud-0")}, tale{by{"UBO", AskedAgain{"ud-0"}}}, "card/ud-0/1! live"},
		{"R2 what people say is told in the thread", begun, tale{by{"UBO", Paused{}}}, "said/10 live"},
		{"a call that is being sent is told with its answer", begun, write(batchOp(1, "0")), "live"},
		{"an accepted call is told in its batch's message", tale{begun, write(batchOp(1, "0"))}, tale{Accepted{Op: "op-1"}}, "batch/1 live"},
		{"instances are told in their batch's message, once for all", tale{begun, write(batchOp(1, "0", "3"))}, tale{InstanceSeen{ID: "0", State: Checking}, InstanceSeen{ID: "3", State: Checking}}, "batch/1 live"},
		{"R34 those of no batch are told in the live message only", begun, tale{InstanceSeen{ID: "5", State: Vanished}}, "live"},
		{"R34 a card of which nothing is left is brought up to date", tale{requested, asked("ud-0")}, tale{InstanceSeen{ID: "0", State: Left}, InstanceSeen{ID: "3", State: Left}, Decided{Kind: Wait, Reason: ReasonBusy, Gate: "ud-1"}}, "card/ud-0/1! live"},
		{"R40 not while its gate is the next one", tale{requested, asked("ud-0")}, tale{Decided{Kind: Wait, Reason: ReasonBusy, Gate: "ud-0"}}, "live"},
		{"R1 a hold is told to the channel", begun, tale{Decided{Kind: Hold, Reason: ReasonFailure}}, "card/ud-0/1! hold/10! live"},
		{"R40 a hold that people know is not told again", begun, tale{Decided{Kind: Hold, Reason: ReasonFailure, Quiet: true}}, "card/ud-0/1! live"},
		{"R1 a hold that is over is brought up to date", tale{begun, Decided{Kind: Hold, Reason: ReasonFailure}}, tale{Decided{Kind: Wait, Reason: ReasonSoak}}, "hold/10! live"},
		{"R1 so are the holds of a rollout that ends", tale{begun, Decided{Kind: Hold, Reason: ReasonDrift}}, tale{Ended{}}, "report! card/ud-0/1! hold/10! live"},
		{"R2 a pause is told in the thread only", begun, tale{Decided{Kind: Hold, Reason: ReasonPaused}}, "card/ud-0/1! live"},
		{"R31 an ill instance is told in the thread", begun, tale{Decided{Kind: Wait, Reason: ReasonHealth}}, "hold/10 live"},
		{"R40 other changes show in the live message", begun, tale{Decided{Kind: Wait, Reason: ReasonSoak}}, "live"},
		{"R4 the model question has a card of its own", begun, tale{ModelAsked{Nonce: "m"}, Decided{Kind: Hold, Reason: ReasonModel}}, "model! card/ud-0/1! live"},
		{"R4 its answer brings it up to date", tale{begun, ModelAsked{Nonce: "m"}}, tale{by{"UBO", ModelAnswered{Answer: Keep}}}, "model! live"},
		{"the end posts the report and closes every card", tale{udDone(1), ModelAsked{Nonce: "m"}}, tale{Ended{}}, "report! card/ud-0/1! card/ud-1/1! model! live"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := slots(row.before, row.last...); got != row.want {
				t.Errorf("posts %q, want %q", got, row.want)
			}
		})
	}
}

func TestPostsAreTheSameEachTime(t *testing.T) {
	want := slots(udDone(2), Ended{})
	for range 30 {
		if got := slots(udDone(2), Ended{}); got != want {
			t.Fatalf("posts %q, then %q", want, got)
		}
	}
}

func TestWhatPeopleSaidIsInThePost(t *testing.T) {
	for _, row := range []struct {
		fact Fact
		want SaidWant
	}{
		{Paused{Name: "bo", Reason: "lunch"}, SaidWant{By: "UBO", Name: "bo", Verb: WordPause, Reason: "lunch"}},
		{Resumed{Name: "bo"}, SaidWant{By: "UBO", Name: "bo", Verb: WordResume}},
		{AbortAsked{Name: "bo", Reason: "why", Answer: Keep}, SaidWant{By: "UBO", Name: "bo", Verb: WordAbort, Reason: "why", Answer: Keep}},
	} {
		told := tale{begun, by{"UBO", row.fact}}
		posts := Posts(told.fold(), told.events()[len(begun.events()):])
		var got SaidWant
		if err := json.Unmarshal(posts[0].Want, &got); err != nil || !reflect.DeepEqual(got, row.want) || posts[0].Channel != "C1" || posts[0].Rollout != "r-1" {
			t.Errorf("%s: post %+v says %+v (%v)", FactKind(row.fact), posts[0], got, err)
		}
	}
	if !reflect.DeepEqual(NewSaidWant(Event{Fact: Ended{}}), SaidWant{}) {
		t.Error("an end was said by somebody")
	}
	if !slices.Contains(strings.Fields(slots(begun, by{"UBO", Paused{}}, by{"UBO", Resumed{}})), "said/10") {
		t.Error("two words at once are one message")
	}
}

func TestPeopleAreCalledOnceForOneThing(t *testing.T) {
	failed := Decided{Kind: Hold, Reason: ReasonFailure, Gate: "ud-0", Text: "instance 3 failed"}
	other, blind := Decided{Kind: Wait, Reason: ReasonApproval}, Decided{Kind: Wait, Reason: ReasonIncomplete}
	for _, row := range []struct {
		name string
		told tale
		now  Decided
		want bool
	}{
		{"R40 nothing was said before", tale{begun}, failed, false},
		{"R40 the same again", tale{begun, failed}, failed, true},
		{"R40 the same when the next gate's turn has come", tale{begun, failed}, Decided{Kind: Hold, Reason: ReasonFailure, Gate: "ud-1", Text: "instance 3 failed"}, true},
		{"R40 another instance is news", tale{begun, failed}, Decided{Kind: Hold, Reason: ReasonFailure, Gate: "ud-0", Text: "instances 3 5 failed"}, false},
		{"R40 the same after somebody has spoken is news", tale{begun, failed, by{"UBO", Resumed{}}}, failed, false},
		{"R40 what comes and goes is told once", tale{begun, failed, time.Minute, other, time.Minute, failed, time.Minute, other, time.Minute}, failed, true},
		{"R40 what was over for a while is news", tale{begun, failed, time.Minute, other, 10 * time.Minute}, failed, false},
		{"R40 not while Azure could not be read", tale{begun, failed, time.Minute, blind, time.Hour}, failed, true},
		{"R40 another reason is news, whatever its words", tale{begun, Decided{Kind: Wait, Reason: ReasonHealth, Text: "instance 3"}}, Decided{Kind: Wait, Reason: ReasonChannel, Text: "silence"}, false},
		{"R40 nor after a call was sent", tale{begun, failed, other, Intended{batchOp(1, "0", "3")}}, failed, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := known(row.told.events(), row.now, row.told.ends()); got != row.want {
				t.Errorf("known is %v, want %v", got, row.want)
			}
		})
	}
}
