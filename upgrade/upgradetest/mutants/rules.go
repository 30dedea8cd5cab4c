package main

import (
	"fmt"
	"slices"
)

// lastRule is the last of the safety rules R1, R2, …
const lastRule = 48

// uncoded says why a rule has no mutant. It must go when the rule is coded.
var uncoded = map[string]string{
	"R36": "the bot suspends nothing yet",
}

// parts says what of a rule has no mutant though the rest has, as it is not coded yet.
var parts = map[string]string{
	"R25": "nothing that the bot does is bad enough yet to have a name typed",
}

// tell prints what has no mutant.
func tell() {
	for n := range lastRule {
		rule := fmt.Sprintf("R%d", n+1)
		if why := uncoded[rule]; why != "" {
			fmt.Printf("%s has none: %s\n", rule, why)
		}
		if why := parts[rule]; why != "" {
			fmt.Printf("%s has none for a part: %s\n", rule, why)
		}
	}
}

// unhunted lists the rules that have neither a mutant nor a reason, and those that have both.
func unhunted(all []mutant) []string {
	var out []string
	for n := range lastRule {
		rule := fmt.Sprintf("R%d", n+1)
		has := slices.ContainsFunc(all, func(m mutant) bool { return slices.Contains(m.rules, rule) })
		switch why := uncoded[rule]; {
		case !has && why == "":
			out = append(out, rule+" has no mutant")
		case has && why != "":
			out = append(out, fmt.Sprintf("%s has a mutant, and should have none: %s", rule, why))
		}
	}
	return out
}
