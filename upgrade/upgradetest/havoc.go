package upgradetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

// havoc makes the lines of trouble of a simulated rollout.
type havoc struct {
	*chance
	w    *World
	skew time.Duration // of the program's clock, which only ever goes ahead
}

// Kinds of trouble by where they come from. Remedies are none of them.
var (
	azureKinds = []string{"http-status", "throttle", "slow", "drip", "reset", "half-body", "malformed", "wrong-type", "big-body", "html", "redirect", "foreign-host",
		"lag", "fail-instance", "stale-failed", "never-healthy", "health-unknown", "health-missing", "flap", "unhealthy-now", "vanish", "evict", "scale", "born", "move", "protect",
		"change-model", "foreign-upgrade", "foreign-rolling", "lro-fails", "lro-hangs", "lro-404", "lro-lies"}
	seldom     = []string{"lro-fails", "lro-hangs", "lro-404", "lro-lies"} // find an operation to strike in one case of three
	slackKinds = []string{"ratelimit", "http_status", "html", "error", "broken_json", "slow", "reset_before", "reset_after", "refuse_open", "duplicate", "retry", "hold",
		"drop", "deaf", "disconnect", "refresh", "message_deleted", "channel_archived", "bot_kicked", "user_deactivated", "token_revoked"}
	processKinds = []string{"crash", "crash before a commit", "crash at a commit", "crash after a commit", "crash before a call", "crash after a call",
		"stop", "disk full", "freeze", "clock", "restore", "gate fail", "gate hang", "gate redirect", "gate refuse"}
)

// trouble is trouble of a random kind; nothing when there is nothing to strike.
func (h *havoc) trouble() []string {
	if len(h.w.cfg.Policy.Probes) > 0 && h.hit("a gate strikes", 25) {
		return []string{"gate " + h.w.cfg.Policy.Probes[0].Name + " " + pick(h.chance, "gate", moods...)}
	}
	switch n := h.below("side", 100); {
	case n < 50:
		return h.azure(pick(h.chance, "azure", slices.Concat(azureKinds, seldom, seldom)...))
	case n < 85:
		return h.slack(pick(h.chance, "slack", slackKinds...))
	default:
		return h.process()
	}
}

// calls are patterns of calls to Azure.
func (h *havoc) calls() string {
	return pick(h.chance, "calls", "", "GET", "GET", "GET */virtualMachines", "POST *manualupgrade", "POST *manualupgrade", "POST *manualupgrade", "POST", "PATCH", "GET *operations")
}

func (h *havoc) azure(kind string) []string {
	state := h.w.Azure.Snapshot()
	set := pick(h.chance, "set", state.Sets...)
	switch { // what few sets can meet, they meet more often
	case set.Spot && h.hit("eviction", 15):
		kind = "evict"
	case set.Autoscale != nil && h.hit("autoscaling", 10):
		kind = "scale"
	}
	f := azuresim.Fault{Kind: kind, Set: set.Name}
	switch kind {
	case "http-status", "throttle", "slow", "drip", "reset", "half-body", "malformed", "wrong-type", "big-body", "html", "redirect", "foreign-host":
		h.wire(&f)
	case "lag":
		f.Delay = azuresim.Duration(h.span("lag", time.Second, time.Minute))
	case "scale":
		f.Count = pick(h.chance, "scale by", 1, -1, 2)
	case "born":
		f.Count = 1 + h.below("newborns", 2)
	case "change-model":
		h.change(&f, set)
	case "foreign-rolling":
		f.Delay = azuresim.Duration(h.span("rolling", 10*time.Second, 5*time.Minute))
	case "lro-fails", "lro-hangs", "lro-404", "lro-lies", "foreign-upgrade":
	default:
		i := pick(h.chance, "instance", set.Instances...)
		f.Instance = i.ID
		f.Delay = azuresim.Duration(h.span("flap", 10*time.Second, time.Minute))
		f.Count = h.below("new domain", 3)
		if kind != "flap" {
			f.Delay = 0
		}
	}
	return []string{"fault azure " + text(f)}
}

// wire shapes a fault of the wire.
func (h *havoc) wire(f *azuresim.Fault) {
	f.Match, f.Times = h.calls(), 1+h.below("times", 4)
	f.Set = ""
	f.When = pick(h.chance, "when", "before", "after")
	switch f.Kind {
	case "http-status":
		f.Status = pick(h.chance, "status", 500, 502, 503, 504, 429, 409, 412, 401, 403)
		f.When = ""
		if f.Status >= 500 {
			f.When = pick(h.chance, "when", "before", "after")
		}
	case "throttle": // whoever is throttled was not served
		f.When = ""
		f.RetryAfter = pick(h.chance, "retry after", "5", "30", "120")
	case "slow":
		f.Delay = azuresim.Duration(h.span("slow", time.Second, 90*time.Second))
	case "big-body":
		f.Count, f.Times = 20, 1
	}
}

// change is what somebody else writes into the model.
func (h *havoc) change(f *azuresim.Fault, set azuresim.SetState) {
	switch h.below("change", 5) {
	case 0, 1:
		f.Version = pick(h.chance, "version", platformVersions...)
		if strings.HasPrefix(set.Image, "/") {
			f.Version = pick(h.chance, "version", galleryVersions...)
		}
	case 2:
		f.Patch = json.RawMessage(`{"properties": {"virtualMachineProfile": {"licenseType": "UBUNTU_PRO"}}}`)
	case 3:
		f.Patch = json.RawMessage(`{"tags": {"owner": "somebody"}}`)
	default:
		f.Patch = json.RawMessage(`{"sku": {"name": "Standard_D4s_v5"}}`)
	}
}

func (h *havoc) slack(kind string) []string {
	f := slacksim.Fault{Kind: kind, Channel: "ops"}
	span := func(from, to time.Duration) slacksim.Duration {
		return slacksim.Duration(h.span("slack "+kind, from, to))
	}
	switch kind {
	case "duplicate", "retry", "hold":
		f.Channel, f.Type, f.Times = "", pick(h.chance, "envelope", "", "interactive", "slash_commands"), 1+h.below("times", 2)
		f.Delay, f.Attempt, f.Reason = span(500*time.Millisecond, 6*time.Second), 1, "timeout"
	case "drop", "deaf", "refresh", "token_revoked":
		f.Channel = ""
	case "disconnect":
		f.Channel, f.Reason = "", pick(h.chance, "disconnect", "warning", "refresh_requested", "too_many_websockets", "link_disabled")
	case "refuse_open":
		f.Channel, f.For = "", span(10*time.Second, 8*time.Minute)
	case "message_deleted":
		if f.TS = h.message(); f.TS == "" {
			return nil
		}
	case "user_deactivated":
		f.Channel, f.User = "", pick(h.chance, "leaver", slacksim.Ana, slacksim.Bo, slacksim.Eva)
	case "channel_archived", "bot_kicked":
	default:
		f.Channel, f.Method, f.Times = "", pick(h.chance, "method", "", "chat.postMessage", "chat.postMessage", "chat.update", "chat.postEphemeral", "users.info", "views.open", "files.completeUploadExternal"), 1+h.below("times", 3)
		f.RetryAfter, f.Delay, f.Error = 5+h.below("retry after", 60), span(time.Second, 20*time.Second), pick(h.chance, "error", "internal_error", "fatal_error", "invalid_blocks")
		if kind != "ratelimit" {
			f.RetryAfter = 0
		}
		if kind != "slow" {
			f.Delay = 0
		}
		if kind != "error" {
			f.Error = ""
		}
	}
	return []string{"fault slack " + text(f)}
}

// message is the ts of one of the bot's messages in #ops.
func (h *havoc) message() string {
	var all []string
	for _, m := range h.w.Messages() {
		if m.Channel == slacksim.Ops && m.EphemeralTo == "" && !m.Deleted {
			all = append(all, m.TS)
		}
	}
	return pick(h.chance, "message", all...)
}

// process is trouble with the program itself or with the machine it runs on.
func (h *havoc) process() []string {
	switch kind := pick(h.chance, "process", "disk full", "freeze", "stop", "stop", "clock", "restore"); kind {
	case "stop":
		return []string{"stop"}
	case "freeze":
		return []string{`freeze "the network is worked on"`}
	case "clock":
		h.skew += h.span("clock", time.Second, 20*time.Minute)
		return []string{"clock " + h.skew.String()}
	case "restore":
		return []string{"stop", "backup", "restart", "advance " + h.span("backup", time.Second, 5*time.Minute).String(), "stop", "restore"}
	default:
		return []string{"disk full"}
	}
}

// crash is how the program dies: now, at some point from now on, or right around a call or a commit.
func (h *havoc) crash() string {
	around := pick(h.chance, "around", "before", "at", "after")
	switch n := h.below("crash", 10); {
	case n < 2:
		return "crash"
	case n < 6:
		return fmt.Sprint("crash at ", 1+h.below("point", 400))
	case n < 8 && around != "at":
		return fmt.Sprintf("crash %s %s", around, pick(h.chance, "crash call", "POST manualupgrade", "POST manualupgrade", "PATCH", "POST chat.postMessage", "POST chat.update", "GET virtualMachines", "GET operations"))
	default:
		return fmt.Sprintf("crash %s journal.%s", around, pick(h.chance, "crash commit", "Append", "Append", "Settle", "Receive", "Sent", "Claim", "Extend", "Release"))
	}
}

func (h *havoc) span(about string, from, to time.Duration) time.Duration {
	return from + time.Duration(h.below(about+" lasts", int((to-from)/time.Millisecond)))*time.Millisecond
}

func text(f any) string {
	raw, err := json.Marshal(f)
	if err != nil {
		panic(err) // made of strings and numbers
	}
	return string(raw)
}

// remedies take away all trouble that lasts. What has happened stays.
func (h *havoc) remedies() []string {
	out := []string{"disk free"}
	if h.w.why() != "" {
		out = append(out, "unfreeze")
	}
	if len(h.w.cfg.Policy.Approvers) < 3 {
		out = append(out, "policy {approvers: [ana, bo, eva]}")
	}
	for _, p := range h.w.cfg.Policy.Probes {
		out = append(out, "gate "+p.Name+" pass")
	}
	for _, kind := range []string{"clear", "token_restored"} {
		out = append(out, "fault slack "+text(slacksim.Fault{Kind: kind}))
	}
	for _, kind := range []string{"channel_unarchived", "bot_invited"} {
		out = append(out, "fault slack "+text(slacksim.Fault{Kind: kind, Channel: "ops"}))
	}
	for _, user := range []string{slacksim.Ana, slacksim.Bo, slacksim.Eva} {
		out = append(out, "fault slack "+text(slacksim.Fault{Kind: "user_restored", User: user}))
	}
	return append(out, h.cures()...)
}

// cures are what Azure's people do about a fleet that is ill.
func (h *havoc) cures() []string {
	var out []string
	for _, s := range h.w.Azure.Snapshot().Sets {
		out = append(out, "fault azure "+text(azuresim.Fault{Kind: "lift", Set: s.Name}))
		for _, i := range s.Instances {
			if i.Health != "" && i.Health != "healthy" && i.Doing == "" && i.Power == "running" {
				out = append(out, "fault azure "+text(azuresim.Fault{Kind: "healthy-now", Set: s.Name, Instance: i.ID}))
			}
		}
	}
	return out
}
