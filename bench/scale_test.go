package bench

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

// sizes of sets. Azure allows no more than a thousand instances.
var sizes = []int{10, 100, 1000}

// pageSize is how many instances Azure lists at once. It documents no figure.
const pageSize = 100

// wide is a set of n instances in five update domains, in as many placement groups as there are hundreds,
// in an Azure that enforces its published limits.
func wide(n int) azuresim.Fleet {
	f := fleet(n, domains, "web")
	f.Throttle, f.PageSize = true, pageSize
	f.Sets[0].PlacementGroups = max(1, n/100)
	return f
}

// BenchmarkScale is a rollout of sets of many sizes with a person who first looks at the map and at the
// plan, all of it within the limits of Azure and Slack, which are enforced. Its makespan is measured by the
// calls that Azure was sent, each of up to 50 instances, instead of by domains. cpu-s and alloc-MB are of
// the whole world; "minute:" is the most calls in a minute, of a bucket of Azure's or of a method of Slack's.
func BenchmarkScale(b *testing.B) {
	found := map[int]figures{}
	for _, n := range sizes {
		b.Run(named(n), func(b *testing.B) {
			for b.Loop() {
				found[n] = figures{}
				bubble(b, func(t *testing.T) { found[n].scale(t, n) })
			}
			found[n].report(b)
		})
	}
	growth(b, sizes, found, "cpu-s", "alloc-MB", "journal-kB", "arm:all", "slack:all")
}

func (f figures) scale(t *testing.T, n int) {
	s := simulated(t, wide(n))
	s.patience = 12 * time.Hour
	m := s.meter()
	for _, look := range []string{"show web map", "plan web " + target} {
		took, err := s.answered(look)
		if err != nil {
			t.Fatal(err)
		}
		f[strings.Fields(look)[0]+"-s"] = took.Seconds()
		time.Sleep(5 * time.Minute) // Azure's counts fill up again
	}
	_, _, err := s.agreed()
	if err == nil {
		var ended time.Time
		if ended, err = s.ends("succeeded"); err == nil {
			f["makespan"], err = s.span(ended)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Minute) // the last picture
	m.report(f)
	f.holds(s)
	f["picture-kB"] = s.picture()
	if err := s.world.Stop(); err != nil {
		t.Fatal(err)
	}
	f.journal(t, s.journal)
}

// answered types a command and waits until its answer is there, with the picture if there is to be one.
func (s stage) answered(text string) (time.Duration, error) {
	before, pictures := len(s.slack.Ephemerals(slacksim.Ana)), s.picture()
	typed, _, err := s.command(slacksim.Ana, text)
	if err != nil {
		return 0, err
	}
	err = s.until("an answer to "+text, func() bool {
		return len(s.slack.Ephemerals(slacksim.Ana)) > before && (!strings.HasSuffix(text, "map") || s.picture() > pictures)
	})
	return time.Since(typed), err
}

// picture is the size of the largest picture so far, in kB.
func (s stage) picture() (most float64) {
	for _, e := range s.slack.Log() {
		if e.Kind == slacksim.LogAPI && e.Method == "files.getUploadURLExternal" {
			size, _ := strconv.Atoi(strings.Trim(textOf(e.Args, "length"), `"`))
			most = max(most, float64(size)/1000)
		}
	}
	return most
}

// span is the makespan of a rollout that ended then, over the sum of what Azure took for each of its
// calls. As in ownTime every instance must have been started once and run the target, healthy.
func (s stage) span(ended time.Time) (float64, error) {
	if _, err := s.ownTime(); err != nil {
		return 0, err
	}
	healthy := map[string]time.Time{}
	for _, i := range s.truth().Instances {
		healthy[i.ID] = i.HealthSince
	}
	var own time.Duration
	for _, w := range s.starts() {
		last := slices.MaxFunc(w.Instances, func(a, b string) int { return healthy[a].Compare(healthy[b]) })
		own += healthy[last].Sub(w.Time)
	}
	return float64(ended.Sub(s.starts()[0].Time)) / float64(own), nil
}

// BenchmarkLargeProcess is what the program itself takes for a rollout, as a process of its own, sixty times
// as fast as life, Azure's counts of calls too: processor time and the most memory it ever had.
func BenchmarkLargeProcess(b *testing.B) {
	found := map[int]figures{}
	for _, n := range sizes {
		b.Run(named(n), func(b *testing.B) {
			f := figures{}
			for b.Loop() {
				o := overTCP(b, quick, azuresim.Options{Fleet: wide(n), Speed: speed, RetryAfter: unsaid})
				s := o.of("web")
				s.patience = 15 * time.Minute
				_, err := s.whole()
				o.must(err)
				f["cpu-s"], f["peak-MB"] = o.costs()
			}
			found[n] = f
			f.report(b)
		})
	}
	growth(b, sizes, found, "cpu-s", "peak-MB")
}

// costs are the processor time in seconds that the bot has used and the most memory it had, in MB; zero
// where the system does not tell.
func (o *outer) costs() (cpu, peak float64) {
	proc := fmt.Sprintf("/proc/%d/", o.bot.Process.Pid)
	if stat, err := os.ReadFile(proc + "stat"); err == nil {
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		for _, ticks := range fields[11:13] { // of user and of system, a hundred a second
			n, _ := strconv.ParseFloat(ticks, 64)
			cpu += n / 100
		}
	}
	if status, err := os.ReadFile(proc + "status"); err == nil {
		_, rest, _ := strings.Cut(string(status), "VmHWM:")
		fmt.Sscan(rest, &peak)
	}
	return cpu, peak / 1024
}
