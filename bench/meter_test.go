package bench

import (
	"database/sql"
	"fmt"
	"math"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
)

// meter measures what a stretch of a simulated stage costs: processor and memory of the whole world, the
// simulators included, and the calls of each minute.
type meter struct {
	s     stage
	cpu   time.Duration
	alloc uint64
	stop  chan struct{}
	ended chan map[string]float64
}

func (s stage) meter() *meter {
	m := &meter{s: s, cpu: processor(), alloc: allocated(), stop: make(chan struct{}), ended: make(chan map[string]float64)}
	go m.watch()
	return m
}

// watch notes of each bucket of Azure's the most calls that were charged in a minute, by its name; of those
// that are kept for each resource the busiest counts.
func (m *meter) watch() {
	before, most := map[string]int{}, map[string]float64{}
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		for _, b := range m.s.azure.Snapshot().Buckets {
			key := b.Name + " " + b.Scope
			most[b.Name] = max(most[b.Name], float64(b.Taken-before[key]))
			before[key] = b.Taken
		}
		select {
		case <-tick.C:
		case <-m.stop:
			m.ended <- most
			return
		}
	}
}

// report adds the figures of the stretch, which ends with it.
func (m *meter) report(f figures) {
	close(m.stop)
	for name, n := range <-m.ended {
		f["minute:"+name] = n
	}
	f["cpu-s"] = (processor() - m.cpu).Seconds()
	f["alloc-MB"] = float64(allocated()-m.alloc) / (1 << 20)
	f["arm:429"] = float64(m.s.azure.Stats().Throttled)
	f.calls(m.s.azure, 1)
	f["slack:429"] = 0
	minutes := map[string]float64{}
	for _, e := range m.s.slack.Log() {
		if e.Kind != slacksim.LogAPI {
			continue
		}
		f["slack:all"]++
		f["slack:"+e.Method]++
		if e.Status == 429 {
			f["slack:429"]++
		}
		minute := "minute:" + e.Method
		minutes[minute+e.Time.Format(" 15:04")]++
		f[minute] = max(f[minute], minutes[minute+e.Time.Format(" 15:04")])
		if strings.HasPrefix(e.Method, "chat.") {
			f["largest-message-kB"] = max(f["largest-message-kB"], float64(len(e.Args))/1000)
		}
	}
}

// holds counts the decisions to wait because of Azure's limits: they are seen by people.
func (f figures) holds(s stage) {
	f["holds"] = 0
	for _, d := range s.world.Decisions() {
		if d.Reason == "throttled" || d.Reason == "incomplete" {
			f["holds"]++
		}
	}
}

// journal adds what the journal of a world that was stopped holds.
func (f figures) journal(t *testing.T, path string) {
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	f["journal-kB"] = float64(info.Size()) / 1000
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for unit, query := range map[string]string{
		"plan-kB":   `select max(length(body))/1000.0 from plans`,
		"outbox-kB": `select max(length(want))/1000.0 from outbox`,
		"events":    `select count(*) from events`,
	} {
		var n float64
		if err := db.QueryRow(query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		f[unit] = n
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// growth reports the exponents by which figures grow where they grow most, from one size to the next: 1 =
// in proportion, 2 = quadratic.
func growth(b *testing.B, sizes []int, found map[int]figures, units ...string) {
	if len(found) < len(sizes) {
		return // some were not asked for
	}
	b.Run("growth", func(b *testing.B) {
		f := figures{}
		for n, size := range sizes[1:] {
			for _, unit := range units {
				more := math.Log(found[size][unit]/found[sizes[n]][unit]) / math.Log(float64(size)/float64(sizes[n]))
				f[unit] = max(f[unit], more)
			}
		}
		for b.Loop() {
		}
		f.report(b)
	})
}

func named(n int) string { return fmt.Sprint("instances=", n) }
