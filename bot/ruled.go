package bot

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// Ruled are the messages about changed policies: to each channel one, of those whose sets are driven there.
func Ruled(at time.Time, changes []upgrade.PolicyChange) []upgrade.Post {
	var channels []string
	for _, c := range changes {
		for _, channel := range c.Channels {
			if !slices.Contains(channels, channel) {
				channels = append(channels, channel)
			}
		}
	}
	return tell(at, channels, func(channel string) commands.Ruled {
		return commands.Ruled{Changes: slices.DeleteFunc(slices.Clone(changes), func(c upgrade.PolicyChange) bool { return !slices.Contains(c.Channels, channel) })}
	})
}

// Unruled are the messages about a configuration that was not taken, to every channel in which sets are driven.
func Unruled(at time.Time, inForce []upgrade.Policy, why []string) []upgrade.Post {
	var channels []string
	for _, p := range inForce {
		if p.Channel != "" && !slices.Contains(channels, p.Channel) {
			channels = append(channels, p.Channel)
		}
	}
	return tell(at, channels, func(string) commands.Ruled { return commands.Ruled{Refused: why} })
}

func tell(at time.Time, channels []string, what func(channel string) commands.Ruled) []upgrade.Post {
	var out []upgrade.Post
	for n, channel := range channels {
		ruled := what(channel)
		want, err := json.Marshal(answer{Reply: commands.Reply{Ruled: &ruled}})
		if err == nil { // strings only
			out = append(out, upgrade.Post{Slot: fmt.Sprintf("told/rules/%d/%d", at.UnixNano(), n), Channel: channel, Want: want})
		}
	}
	return out
}
