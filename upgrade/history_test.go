package upgrade

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
)

// tookRecord is an ended rollout of one batch for each duration; a negative one failed.
func tookRecord(id string, took ...time.Duration) Record {
	r := Rollout{ID: id, Instances: map[string]InstanceStatus{}, Ended: &Ended{Outcome: OutcomeSucceeded}}
	for n, d := range took {
		b := BatchStatus{N: n + 1, Instances: []string{string(rune('a' + n))}, Op: OpStatus{Operation: Operation{ID: "op"}, SentAt: night}}
		state := OK
		if d < 0 {
			state, d = Broken, -d
		}
		r.Batches = append(r.Batches, b)
		r.Instances[b.Instances[0]] = InstanceStatus{State: state, Batch: n + 1, Started: night, At: night.Add(d)}
	}
	return Record{ID: id, Plan: Plan{Set: webPlan().Set, Policy: webPolicy()}, Rollout: r}
}

func TestWhatBatchesTookIsMeasuredOnThoseThatCameOutWell(t *testing.T) {
	for _, row := range []struct {
		name string
		took []time.Duration
		want Took
	}{
		{"nothing is known", nil, Took{}},
		{"one", []time.Duration{3 * time.Minute}, Took{1, 3 * time.Minute, 3 * time.Minute}},
		{"the slowest of three is what nine in ten take at most", []time.Duration{4 * time.Minute, 2 * time.Minute, 3 * time.Minute}, Took{3, 3 * time.Minute, 4 * time.Minute}},
		{"one in ten may be slower", []time.Duration{1, 2, 3, 4, 5, 6, 7, 8, 9, 100}, Took{10, 5, 9}},
		{"what failed tells nothing", []time.Duration{-30 * time.Minute, 2 * time.Minute}, Took{1, 2 * time.Minute, 2 * time.Minute}},
	} {
		if got := TookOf([]Record{tookRecord("r-1", row.took...)}); got != row.want {
			t.Errorf("%s: %+v, want %+v", row.name, got, row.want)
		}
	}
}

func TestWhatEachGateTookIsMeasuredByItself(t *testing.T) {
	rec := tookRecord("r-2", 4*time.Minute, 2*time.Minute)
	rec.Plan.Gates = []Gate{{Key: "ud-0", Title: "UD 0"}, {Key: "ud-1", Title: "UD 1"}, {Key: "ud-2", Title: "UD 2"}}
	rec.Rollout.Batches[0].Gate, rec.Rollout.Batches[1].Gate = "ud-0", "ud-1"
	older := tookRecord("r-1", 6*time.Minute)
	older.Rollout.Batches[0].Gate = "ud-0"
	want := []GateTook{{"UD 0", Took{2, 4 * time.Minute, 6 * time.Minute}}, {"UD 1", Took{1, 2 * time.Minute, 2 * time.Minute}}}
	if got := GatesTook([]Record{rec, older}); !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v: nothing is known of UD 2", got, want)
	}
	if got := GatesTook(nil); got != nil {
		t.Errorf("of nothing %+v", got)
	}
}

func TestAPlanForetellsByWhatTheSetsLastBatchesTook(t *testing.T) {
	for _, row := range []struct {
		name     string
		took     []time.Duration
		batch    time.Duration
		measured int
	}{
		{"two batches are too few to tell", []time.Duration{9 * time.Minute, 9 * time.Minute}, usual, 0},
		{"R12 three are enough", []time.Duration{9 * time.Minute, 8 * time.Minute, 7 * time.Minute}, 9 * time.Minute, 3},
	} {
		t.Run(row.name, func(t *testing.T) {
			d, _, m := deskAt(night)
			rec := tookRecord("r-old", row.took...)
			m.past = append(m.past, rec)
			p, err := d.Plan(context.Background(), ana, ask("2.0"))
			if err != nil {
				t.Fatal(err)
			}
			if p.Batch != row.batch || p.Measured != row.measured {
				t.Errorf("a batch is said to take %s by %d, want %s by %d", p.Batch, p.Measured, row.batch, row.measured)
			}
			if need := p.needs(time.Minute); need != 2*row.batch {
				t.Errorf("R12: a start needs %s, want a batch and its way back: %s", need, 2*row.batch)
			}
		})
	}
}

func TestHistoryShowsOnlyWhatAPersonMayRead(t *testing.T) {
	d, _, m := deskAt(night)
	m.past = append(m.past, tookRecord("r-old", time.Minute))
	sight, err := d.Look(context.Background(), ana, Query{Kind: QueryHistory})
	if err != nil || len(sight.Rollouts) != 1 {
		t.Errorf("ana sees %d, %v", len(sight.Rollouts), err)
	}
	if sight, err := d.Look(context.Background(), stray, Query{Kind: QueryHistory}); err != nil || len(sight.Rollouts) != 0 {
		t.Errorf("an outsider sees %d, %v", len(sight.Rollouts), err)
	}
	if _, err := d.Look(context.Background(), stray, Query{Kind: QueryHistory, About: "web"}); err == nil || !strings.Contains(err.Error(), "no scale set") {
		t.Errorf("an outsider is told of web: %v", err)
	}
}
