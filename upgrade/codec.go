package upgrade

import (
	"encoding/json"
	"fmt"
	"reflect"
)

var facts = func() map[string]reflect.Type {
	m := map[string]reflect.Type{}
	for _, f := range []Fact{
		Requested{}, Asked{}, AskedAgain{}, Voted{}, Granted{}, Reminded{}, Escalated{}, Denied{}, Paused{}, Resumed{}, AbortAsked{},
		Retried{}, Skipped{}, Quarantined{}, Resolved{}, Replanned{}, HandedOver{}, Evidence{},
		ModelAsked{}, ModelAnswered{}, Intended{}, Sending{}, Unanswered{}, Accepted{}, Refused{}, Dropped{},
		Looked{}, Settled{}, ModelSet{}, ModelReverted{}, InstanceSeen{}, Declined{}, Froze{}, Unfroze{}, Scheduled{}, Unscheduled{}, Fired{}, Sighted{}, Probed{}, Governed{},
		Absent{}, Unfound{}, Born{}, Pictured{}, Serving{}, Decided{}, Ended{},
	} {
		m[FactKind(f)] = reflect.TypeOf(f)
	}
	return m
}()

// FactKind is the name a fact is journaled under.
func FactKind(f Fact) string {
	if u, ok := f.(Unread); ok {
		return u.Kind
	}
	return reflect.TypeOf(f).Name()
}

// EncodeFact returns the journal form of a fact.
func EncodeFact(f Fact) (kind string, body []byte, err error) {
	if u, ok := f.(Unread); ok {
		return u.Kind, u.Raw, nil
	}
	body, err = json.Marshal(f)
	return FactKind(f), body, err
}

// DecodeFact reads it back. An unknown kind is not an error: it becomes Unread, which holds the
// rollout.
func DecodeFact(kind string, body []byte) (Fact, error) {
	t, ok := facts[kind]
	if !ok {
		return Unread{Kind: kind, Raw: body}, nil
	}
	v := reflect.New(t)
	if err := json.Unmarshal(body, v.Interface()); err != nil {
		return nil, fmt.Errorf("journal entry %s: %w", kind, err)
	}
	return v.Elem().Interface().(Fact), nil
}
