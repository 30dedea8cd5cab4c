package upgradetest_test

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/upgradetest"
)

func TestTheAuditSeesWhatTheBookDoesNotSay(t *testing.T) {
	_, s := read(t, "all-domains")
	path := journal(t)
	var e upgradetest.Evidence
	synctest.Test(t, func(t *testing.T) {
		var err error
		if _, e, err = upgradetest.Tell(s, "story", path, product); err != nil {
			t.Fatal(err)
		}
	})
	kept, err := books(t, path, e)
	if err != nil || len(kept) != 1 {
		t.Fatalf("%d books, %v", len(kept), err)
	}
	observer := upgradetest.Observer{Policy: s.Policy}
	if found := observer.Audit(e, kept); len(found) > 0 {
		t.Fatalf("nothing is wrong and it found %v", found)
	}
	without := func(gone func(upgrade.Fact) bool) []upgrade.Record {
		r := kept[0]
		r.Events = slices.DeleteFunc(slices.Clone(r.Events), func(e upgrade.Event) bool { return gone(e.Fact) })
		return []upgrade.Record{r}
	}
	backwards := without(func(upgrade.Fact) bool { return false })
	for i := range backwards[0].Events {
		backwards[0].Events[i].Seq = -i
	}
	double := clone(t, e)
	double.Calls = append(double.Calls, *start(t, e, 0))
	for name, row := range map[string]struct {
		e     upgradetest.Evidence
		books []upgrade.Record
	}{
		"no book at all":            {e, nil},
		"a write that is not in it": {e, without(func(f upgrade.Fact) bool { _, is := f.(upgrade.Sending); return is })},
		"a yes that is not in it":   {e, without(func(f upgrade.Fact) bool { _, is := f.(upgrade.Voted); return is })},
		"another order":             {e, backwards},
		"one record for two writes": {double, kept},
	} {
		if found := observer.Audit(row.e, row.books); len(found) == 0 || found[0].Rule != "I14" {
			t.Errorf("%s: it found %v", name, found)
		}
	}
}
