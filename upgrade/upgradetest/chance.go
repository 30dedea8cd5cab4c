package upgradetest

// chance is the luck of one simulated rollout. The n-th question of a kind has the same answer whenever
// it is asked, and no question shifts the luck of another kind.
type chance struct {
	seed  string
	asked map[string]int
}

func newChance(seed string) *chance { return &chance{seed: seed, asked: map[string]int{}} }

// below is a number from 0 to n-1; 0 when n is not positive.
func (c *chance) below(about string, n int) int {
	c.asked[about]++
	if n <= 0 {
		return 0
	}
	return int(hash(c.seed, " ", about, " ", c.asked[about]) % uint64(n))
}

// hit is true so many times in a hundred.
func (c *chance) hit(about string, percent int) bool { return c.below(about, 100) < percent }

// pick is one of them, each as often as it stands there; the zero value when there is none.
func pick[T any](c *chance, about string, from ...T) (one T) {
	if n := c.below(about, len(from)); len(from) > 0 {
		one = from[n]
	}
	return one
}
