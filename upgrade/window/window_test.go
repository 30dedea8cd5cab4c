package window

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/vmssbot/vmssbot/upgrade/window/windowtest"
)

func must(t *testing.T, zone, recurrence string, length time.Duration) Window {
	t.Helper()
	w, err := New("w", zone, recurrence, length)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func at(t *testing.T, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestAWindowOpensWhenTheWallClockSaysSo(t *testing.T) {
	for _, row := range []struct{ name, zone, recurrence, after, start string }{
		{"an ordinary night", "Europe/Prague", "0 2 * * TUE", "2026-11-23T00:00:00Z", "2026-11-24T01:00:00Z"},
		{"summer time is an hour earlier in UTC", "Europe/Prague", "0 2 * * TUE", "2026-07-06T00:00:00Z", "2026-07-07T00:00:00Z"},
		{"a start in the spring gap is the first minute after it", "Europe/Prague", "30 2 * * *", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"},
		{"a repeated start counts at its first time", "Europe/Prague", "30 2 * * *", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"},
		{"and only once", "Europe/Prague", "30 2 * * *", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"},
		{"between both showings of a repeated start", "Europe/Prague", "30 2 * * *", "2026-10-25T01:00:00Z", "2026-10-26T01:30:00Z"},
		{"a half-hour change", "Australia/Lord_Howe", "15 2 * * *", "2026-10-03T00:00:00Z", "2026-10-03T15:30:00Z"},
		{"a zone that skipped a day", "Pacific/Apia", "0 2 * * *", "2011-12-29T13:00:00Z", "2011-12-30T10:00:00Z"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, ok := must(t, row.zone, row.recurrence, time.Hour).Next(at(t, row.after))
			if !ok || !s.Start.Equal(at(t, row.start)) || s.End.Sub(s.Start) != time.Hour {
				t.Errorf("next opening %s (%v), want %s", s.Start.UTC().Format(time.RFC3339), ok, row.start)
			}
		})
	}
}

func TestAWindowIsHalfOpenAndBelongsToItsStart(t *testing.T) {
	w := must(t, "UTC", "0 23 * * *", 3*time.Hour)
	for when, open := range map[string]bool{
		"2026-11-23T22:59:59Z": false, "2026-11-23T23:00:00Z": true, "2026-11-24T01:59:59Z": true, "2026-11-24T02:00:00Z": false,
	} {
		if _, ok := w.At(at(t, when)); ok != open {
			t.Errorf("at %s open is %v, want %v", when, ok, open)
		}
	}
}

func TestTheLengthIsRealTime(t *testing.T) {
	// 01:30 to 03:30 on the wall is three real hours on the night the clock goes back.
	w := must(t, "Europe/Prague", "30 1 * * *", 2*time.Hour)
	if _, ok := w.At(at(t, "2026-10-25T01:29:59Z")); !ok { // 01:30+2h real, 02:29:59 for the second time
		t.Error("closed before two hours were over")
	}
	if _, ok := w.At(at(t, "2026-10-25T01:30:00Z")); ok {
		t.Error("open after two hours")
	}
}

func TestWhatIsNoWindowIsRefused(t *testing.T) {
	for _, row := range []struct {
		name, zone, recurrence string
		length                 time.Duration
		says                   string
	}{
		{"w", "Europe/Prague", "@every 1h", time.Hour, "five fields"},
		{"w", "Europe/Prague", "CRON_TZ=UTC 0 2 * * *", time.Hour, "five fields"},
		{"w", "Europe/Prague", "0 2 * *", time.Hour, "five fields"},
		{"w", "Europe/Prague", "0 25 * * *", time.Hour, "0 25"},
		{"w", "Mars/Olympus", "0 2 * * *", time.Hour, "IANA"},
		{"w", "Local", "0 2 * * *", time.Hour, "IANA"},
		{"w", "", "0 2 * * *", time.Hour, "IANA"},
		{"w", "UTC", "0 2 * * *", 0, "length"},
		{"", "UTC", "0 2 * * *", time.Hour, "name"},
	} {
		if _, err := New(row.name, row.zone, row.recurrence, row.length); err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s %s: error %v, want %q in it", row.zone, row.recurrence, err, row.says)
		}
	}
	if _, ok := must(t, "UTC", "0 2 30 2 *", time.Hour).Next(at(t, "2026-01-01T00:00:00Z")); ok {
		t.Error("there is a 30th of February")
	}
	if _, ok := (Window{}).At(time.Unix(0, 0)); ok {
		t.Error("the zero window is open")
	}
}

// In every zone, over every change of its clock from 2024 to 2030: a daily window opens exactly once
// a day, on time, never earlier than the wall clock says; At and Next agree.
func TestEveryZoneOpensOnceADay(t *testing.T) {
	zones := windowtest.Zones(t)
	if len(zones) < 300 {
		t.Fatalf("only %d zones found", len(zones))
	}
	for _, zone := range zones {
		w := must(t, zone, "30 2 * * *", time.Hour)
		for now := at(t, "2024-01-01T00:00:00Z").In(w.zone); now.Year() < 2031; {
			_, end := now.ZoneBounds()
			if end.IsZero() {
				break
			}
			aroundChange(t, w, end)
			now = end.Add(time.Hour)
		}
	}
}

func aroundChange(t *testing.T, w Window, change time.Time) {
	t.Helper()
	seen := map[string]int{}
	after := change.Add(-60 * time.Hour)
	for after.Before(change.Add(60 * time.Hour)) {
		s, ok := w.Next(after)
		if !ok {
			t.Fatalf("%s: no opening after %s", w.Zone, after)
		}
		local := s.Start.In(w.zone)
		seen[local.Format(time.DateOnly)]++
		shows := local.Format("15:04")
		gap := onWall(s.Start.Add(-time.Second).In(w.zone)).Add(time.Minute).Before(onWall(local))
		if shows != "02:30" && !gap {
			t.Errorf("%s opens at %s", w.Zone, local)
		}
		if in, open := w.At(s.Start); !open || !in.Start.Equal(s.Start) {
			t.Errorf("%s: At and Next differ at %s", w.Zone, local)
		}
		if _, open := w.At(s.Start.Add(-time.Second)); open {
			t.Errorf("%s is open before %s", w.Zone, local)
		}
		after = s.Start
	}
	for day, n := range seen {
		if n != 1 {
			t.Errorf("%s opens %d times on %s", w.Zone, n, day)
		}
	}
	if len(seen) < 4 {
		t.Errorf("%s: openings on %d days only around %s", w.Zone, len(seen), change)
	}
}

func TestAWindowSurvivesTheJournal(t *testing.T) {
	w := must(t, "Europe/Prague", "0 2 * * TUE", time.Hour)
	body, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	var back Window
	if err := json.Unmarshal(body, &back); err != nil {
		t.Fatal(err)
	}
	now := at(t, "2026-11-23T00:00:00Z")
	was, _ := w.Next(now)
	if is, ok := back.Next(now); !ok || !is.Start.Equal(was.Start) {
		t.Errorf("opens at %s, before it was journaled at %s", is.Start, was.Start)
	}
	if err := json.Unmarshal([]byte(`{"Name":"w","Zone":"Mars","Recurrence":"0 2 * * *","Length":3600000000000}`), &back); err == nil {
		t.Error("a window of nowhere was read")
	}
}
