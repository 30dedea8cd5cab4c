package upgrade

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/upgrade/window"
)

// filled returns a value of the type in which no field is zero, so that one lost on the way shows.
func filled(t reflect.Type, depth int) reflect.Value {
	v := reflect.New(t).Elem()
	if t == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(night))
		return v
	}
	if t == reflect.TypeFor[window.Window]() { // which reads no nonsense
		w, err := window.New("x", "UTC", "0 2 * * *", time.Hour)
		if err != nil {
			panic(err)
		}
		return reflect.ValueOf(w)
	}
	switch t.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Pointer:
		v.Set(filled(t.Elem(), depth+1).Addr())
	case reflect.Slice:
		v.Set(reflect.Append(v, filled(t.Elem(), depth+1)))
	case reflect.Map:
		v.Set(reflect.MakeMap(t))
		v.SetMapIndex(filled(t.Key(), depth+1), filled(t.Elem(), depth+1))
	case reflect.Struct:
		for i := range t.NumField() {
			if t.Field(i).Tag.Get("json") == "-" {
				continue
			}
			v.Field(i).Set(filled(t.Field(i).Type, depth+1))
		}
	default:
		panic("filled: " + t.String())
	}
	return v
}

func TestEveryFactIsReadBackAsItWasWritten(t *testing.T) {
	for kind, typ := range facts {
		t.Run(kind, func(t *testing.T) {
			want := filled(typ, 0).Interface().(Fact)
			wrote, body, err := EncodeFact(want)
			if err != nil || wrote != kind {
				t.Fatalf("written as %q: %v", wrote, err)
			}
			got, err := DecodeFact(kind, body)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("read %+v (%v)\nwant %+v", got, err, want)
			}
			zero, err := DecodeFact(kind, []byte("{}"))
			if err != nil || !reflect.DeepEqual(zero, reflect.Zero(typ).Interface()) {
				t.Errorf("R40: an entry from before its fields were added is read as %+v (%v)", zero, err)
			}
		})
	}
}

func TestEveryFactTypeIsRegistered(t *testing.T) {
	for _, f := range []Fact{Requested{}, Asked{}, AskedAgain{}, Voted{}, Granted{}, Denied{}, Paused{}, Resumed{}, AbortAsked{}, ModelAsked{}, ModelAnswered{}, Intended{},
		Sending{}, Unanswered{}, Accepted{}, Refused{}, Dropped{}, Looked{}, Settled{}, ModelSet{}, ModelReverted{}, InstanceSeen{}, Declined{}, Born{}, Pictured{}, Serving{}, Decided{}, Ended{}} {
		if facts[FactKind(f)] != reflect.TypeOf(f) {
			t.Errorf("%s would not be read back", FactKind(f))
		}
	}
}

func TestAnUnknownEntryIsKeptAndHolds(t *testing.T) {
	got, err := DecodeFact("Suspended", []byte(`{"Since":1}`))
	if err != nil {
		t.Fatal(err)
	}
	kind, body, err := EncodeFact(got)
	if err != nil || kind != "Suspended" || string(body) != `{"Since":1}` {
		t.Errorf("written back as %s %s: %v", kind, body, err)
	}
	if d := (decideRow{tale: tale{begun, got}}).decide(); d.Kind != Hold || d.Reason != ReasonUnread {
		t.Errorf("decided %s %q", d.Kind, d.Reason)
	}
}

func TestABrokenEntryIsAnError(t *testing.T) {
	for _, body := range []string{"", "{", "[]", `{"Gate":1}`, `{} {}`} {
		if f, err := DecodeFact("Voted", []byte(body)); err == nil {
			t.Errorf("entry %q was read as %+v", body, f)
		}
	}
}

func FuzzDecodeFact(f *testing.F) {
	for kind, typ := range facts {
		body, err := json.Marshal(filled(typ, 0).Interface())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(kind, body)
	}
	f.Add("Suspended", []byte("{"))
	f.Add("Voted", []byte("null"))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		fact, err := DecodeFact(kind, body)
		if err != nil {
			return
		}
		wrote, again, err := EncodeFact(fact)
		if err != nil || wrote != kind {
			t.Fatalf("%s %q is written back as %s: %v", kind, body, wrote, err)
		}
		// What was read is written the same however often: but for a list that is there and empty where we would leave
		// it out, it is the same fact, too.
		back, err := DecodeFact(wrote, again)
		if err != nil {
			t.Fatalf("%s %q is written as %q, which is not read: %v", kind, body, again, err)
		}
		if _, last, err := EncodeFact(back); err != nil || !bytes.Equal(last, again) {
			t.Fatalf("%s %q is written as %q, then as %q (%v)", kind, body, again, last, err)
		}
		// Whatever an entry says, folding and deciding must not panic.
		r := Fold("r-1", []Event{{Seq: 1, Fact: requested.fact}, {Seq: 2, At: night, Fact: fact}, {Seq: 3, At: night, Fact: fact}})
		Decide(webPlan(), r, seenAfter(webPlan(), r), night)
	})
}
