// Command mutants plants bugs and has the tests find them: what nobody would notice if it broke is not
// tested. A mutant is a file in planted: some lines of the product, what a bug would make of them, the
// rules that this breaks, and the test or story that must fail then. It is compiled in with
// `go test -overlay`: the product has no hooks for it, and no file of it is touched.
//
// Run it from the module's root, or by `make mutants`.
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"slices"
	"sync"
	"time"
)

const planted = "upgrade/upgradetest/mutants/planted"

func main() {
	few := flag.Int("n", 0, "plant only so many, which the day chooses; 0 = all")
	day := flag.Int("day", time.Now().YearDay(), "the day of the year that chooses")
	named := flag.String("run", "", "plant only those whose name matches the pattern")
	flag.Parse()
	all, err := readAll(planted)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(2)
	}
	some, err := matching(all, *named)
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(2)
	}
	lacking := unhunted(all)
	for _, what := range lacking {
		fmt.Println(what)
	}
	some = chosen(some, *few, *day)
	if *few > 0 {
		fmt.Printf("%d of %d, by day %d: again with -n %d -day %d\n", len(some), len(all), *day, *few, *day)
	}
	if len(some) == len(all) {
		tell()
	}
	caught := huntAll(some)
	fmt.Printf("mutants: planted=%d caught=%d\n", len(some), caught)
	if caught < len(some) || len(lacking) > 0 {
		os.Exit(1)
	}
}

// matching are those whose name matches the pattern. That there is none is a slip of whoever wrote it, and no
// proof of anything.
func matching(all []mutant, named string) ([]mutant, error) {
	pattern, err := regexp.Compile(named)
	if err != nil {
		return nil, err
	}
	some := slices.DeleteFunc(slices.Clone(all), func(m mutant) bool { return !pattern.MatchString(m.name) })
	if len(some) == 0 {
		return nil, fmt.Errorf("the name of none of the %d matches %q", len(all), named)
	}
	return some, nil
}

// chosen are n of them in a row, which move on by n each day: all have had their turn when the row is
// through.
func chosen(all []mutant, n, day int) []mutant {
	if n <= 0 || n >= len(all) {
		return all
	}
	var out []mutant
	for i := range n {
		out = append(out, all[(day*n+i)%len(all)])
	}
	return out
}

// huntAll tries one mutant per processor at a time and returns how many were caught. A survivor is told as
// it is found.
func huntAll(all []mutant) (caught int) {
	var mu sync.Mutex
	var hunts sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for _, m := range all {
		slots <- struct{}{}
		hunts.Go(func() {
			defer func() { <-slots }()
			began := time.Now()
			escaped, err := hunt(".", m)
			took := time.Since(began).Round(100 * time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				fmt.Printf("BROKEN   %-40s %6s  %v\n", m.name, took, err)
			case escaped != "":
				fmt.Printf("SURVIVED %-40s %6s  %s: %s\n", m.name, took, m.says, escaped)
			default:
				caught++
				fmt.Printf("caught   %-40s %6s  %s\n", m.name, took, m.says)
			}
		})
	}
	hunts.Wait()
	return caught
}
