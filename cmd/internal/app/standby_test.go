package app

import (
	"testing"
	"time"
)

func TestAMachineWhoseClockIsElsewhereDoesNotWork(t *testing.T) {
	for ahead, works := range map[time.Duration]bool{0: true, 3 * time.Second: true, -3 * time.Second: true, time.Minute: false, -time.Minute: false} {
		if err := together(ahead); (err == nil) != works {
			t.Errorf("%s ahead: %v", ahead, err)
		}
	}
}
