package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/azure"
)

// Survey prints for every scale set in reach whether it can be driven from Slack, and if not, why and the
// smallest change that helps. It only reads Azure, and needs no Slack and no journal. Its error says that
// the sets could not be listed, or how many could not be read.
func Survey(ctx context.Context, c Config, out io.Writer) error {
	fleet, err := newAzure(c.Azure)
	if err != nil {
		return err
	}
	return survey(ctx, fleet, c.Policies(), out)
}

func survey(ctx context.Context, fleet *azure.Azure, policies []upgrade.Policy, out io.Writer) error {
	sets, err := fleet.Sets(ctx)
	if err != nil {
		return err
	}
	good, blind := 0, 0
	for _, sum := range sets {
		seen, err := fleet.Observe(ctx, sum.ID, upgrade.Free)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		fmt.Fprintf(out, "%s  (%s, %s)  %s, %d instances, %s\n", Plain(sum.Name), Plain(sum.ResourceGroup), Plain(sum.Location), Plain(string(sum.Mode)), sum.Capacity, Plain(imageOf(sum.Image)))
		if err != nil {
			blind++
			fmt.Fprintf(out, "  ? it cannot be read: %s\n", Plain(upgrade.AsFault(err, "read it").Error()))
			continue
		}
		remarks := upgrade.Remarks(seen)
		switch a, err := fleet.Autoscale(ctx, sum.ID); {
		case err != nil:
			remarks = append(remarks, "whether autoscale is on cannot be read: "+upgrade.AsFault(err, "read autoscale").Message)
		case a.On:
			remarks = append(remarks, upgrade.Scaled(a))
		}
		obstacles := obstacles(seen, policies)
		if len(obstacles) == 0 {
			good++
			fmt.Fprintln(out, "  + can be driven")
		}
		for _, o := range obstacles {
			fmt.Fprintf(out, "  - %s\n", Plain(o))
		}
		for _, r := range remarks {
			fmt.Fprintf(out, "    %s\n", Plain(r))
		}
	}
	fmt.Fprintf(out, "%s: %d can be driven, %d can not, %d could not be read\n", upgrade.Count(len(sets), "scale set"), good, len(sets)-good-blind, blind)
	if blind > 0 {
		return errors.New("not all scale sets could be read")
	}
	return nil
}

// obstacles are those of the set and of its policy; before there is a configuration, of the set alone and
// with the limits that hold by default.
func obstacles(s upgrade.ScaleSet, policies []upgrade.Policy) []string {
	if len(policies) == 0 {
		return upgrade.Obstacles(s, upgrade.DefaultPolicy().MaxUnavailable)
	}
	pol := upgrade.PolicyFor(policies, s.ID)
	most := pol.MaxUnavailable
	if pol.Pattern == "" {
		most = upgrade.DefaultPolicy().MaxUnavailable
	}
	return slices.Concat(upgrade.Obstacles(s, most), upgrade.Unconfigured(s, pol))
}

func imageOf(i upgrade.Image) string { return cmp.Or(i.Running(), "an image that is not told") }

// Plain is foreign text for a terminal: nothing in it can move the cursor or begin a line.
func Plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x2028 || r == 0x2029 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '?'
		}
		return r
	}, s)
}
