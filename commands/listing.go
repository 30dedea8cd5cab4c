package commands

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vmssbot/vmssbot/upgrade"
)

// listing is how a list such as 0,2 or 1-3 is read.
type listing struct {
	one   string // what one of them is called
	takes string // said where the list is not understood
	fits  func(string) bool
}

// maxListed is the most that a list may name: no scale set has more instances.
const maxListed = 1000

// read takes a list apart: sorted as people count, each one once. With an error comes the list that
// was perhaps meant, "" when that is not certain.
func (l listing) read(s string) (items []string, meant string, err error) {
	for part := range strings.SplitSeq(s, ",") {
		names, backwards := run(part)
		switch {
		case backwards != "":
			return nil, strings.Replace(s, part, backwards, 1), errors.New("the range goes backwards")
		case slices.ContainsFunc(names, func(name string) bool { return !l.fits(name) }):
			return nil, "", errors.New(l.takes)
		}
		if items = append(items, names...); len(items) > maxListed {
			return nil, "", fmt.Errorf("that is more than %d instances", maxListed)
		}
	}
	slices.SortFunc(items, upgrade.CompareIDs)
	once := slices.Compact(slices.Clone(items))
	if len(once) < len(items) {
		return nil, formatInstances(once), fmt.Errorf("%s is named twice", l.one)
	}
	return items, "", nil
}

// run is what stands between two commas: a name or a range of numbers. A range is not followed
// further than a list may be long.
func run(part string) (names []string, backwards string) {
	first, last, _ := strings.Cut(part, "-")
	a, b := number(first), number(last)
	switch {
	case a < 0 || b < 0:
		return []string{part}, ""
	case a > b:
		return nil, last + "-" + first
	}
	for ; a <= b && len(names) <= maxListed; a++ {
		names = append(names, strconv.Itoa(a))
	}
	return names, ""
}

// number is what digits say, -1 when they are not written as a number is.
func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || len(s) > 9 || strconv.Itoa(n) != s {
		return -1
	}
	return n
}

// formatNumbers writes runs of three and more as a range.
func formatNumbers(in []int) string {
	var parts []string
	for i := 0; i < len(in); {
		end := i + 1
		for end < len(in) && in[end] == in[end-1]+1 {
			end++
		}
		if end-i < 3 {
			end = i + 1
			parts = append(parts, strconv.Itoa(in[i]))
		} else {
			parts = append(parts, fmt.Sprintf("%d-%d", in[i], in[end-1]))
		}
		i = end
	}
	return strings.Join(parts, ",")
}

// formatInstances writes ids in the order they have, numbers before names.
func formatInstances(ids []string) string {
	var numbers []int
	for _, id := range ids {
		if n := number(id); n >= 0 {
			numbers = append(numbers, n)
		}
	}
	parts := slices.Clone(ids[len(numbers):])
	if len(numbers) > 0 {
		parts = slices.Insert(parts, 0, formatNumbers(numbers))
	}
	return strings.Join(parts, ",")
}
