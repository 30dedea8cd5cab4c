package bench

import (
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

// BenchmarkRecovery is how long after its start a process that finds a rollout with an operation in
// flight asks Azure about that operation, at worst. It is at the pace of production, and the process
// before it has ended a pass when it is killed: its next look was seconds away.
func BenchmarkRecovery(b *testing.B) {
	const kills = 5
	b.Run("tcp", func(b *testing.B) {
		found := figures{}
		for b.Loop() {
			o := overTCP(b, "{}", azuresim.Options{Fleet: fleet(4, 2, "web")})
			s := o.of("web")
			_, _, err := s.agreed()
			o.must(err)
			o.must(s.until("the start", func() bool { return len(s.starts()) > 0 }))
			for range kills {
				time.Sleep(500 * time.Millisecond) // a pass takes less
				o.kill()
				began := o.start()
				found.worst("first-poll-s", o.asked().Sub(began))
			}
			if n := len(s.starts()); n != 1 {
				b.Fatalf("%d starts", n)
			}
		}
		found.report(b)
	})
}
