package view

import "testing"

func BenchmarkGallery(b *testing.B) {
	for b.Loop() {
		Gallery()
	}
}

func BenchmarkHostile(b *testing.B) {
	for b.Loop() {
		for _, s := range gallery(hostile, 50) {
			faults(s.Message, true)
			faults(Reduce(s.Message), true)
		}
	}
}
