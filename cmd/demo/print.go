package main

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
)

// narrate prints messages as they come and change, as somebody with the channel open sees them.
func (s *stage) narrate(ctx context.Context) {
	changed, done := s.w.slack.Subscribe()
	defer done()
	tick := time.NewTicker(500 * time.Millisecond) // edits come in bursts: print where they settle
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
		s.print()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// print prints what is new or different since the last time.
func (s *stage) print() {
	s.mu.Lock()
	defer s.mu.Unlock()
	messages := s.w.slack.Messages(slacksim.Ops)
	for _, user := range []string{slacksim.Ana, slacksim.Bo, slacksim.Olaf} {
		messages = append(messages, s.w.slack.Ephemerals(user)...)
	}
	owners := map[string]string{} // of the conversations that people have with the bot
	for _, c := range s.w.slack.State().Channels {
		if c.IMWith != "" {
			owners[c.ID] = c.IMWith
			messages = append(messages, s.w.slack.Messages(c.ID)...)
		}
	}
	for _, m := range messages {
		text := flatten(m)
		was, known := s.seen[m.EphemeralTo+m.TS]
		if text == was {
			continue
		}
		s.seen[m.EphemeralTo+m.TS] = text
		fmt.Fprintln(s.out, heading(m, owners[m.Channel], known))
		fmt.Fprintln(s.out, indent(text))
	}
}

// heading says where a message stands; owner is whose own conversation with the bot that is, "" = nobody's.
func heading(m slacksim.Message, owner string, known bool) string {
	where := "#ops"
	switch {
	case owner != "":
		where = "to " + name(owner) + " alone"
	case m.EphemeralTo != "":
		where = "only you can see this, " + name(m.EphemeralTo)
	case m.ThreadTS != "" && m.ThreadTS != m.TS && m.Broadcast:
		where = "thread, also sent to #ops"
	case m.ThreadTS != "" && m.ThreadTS != m.TS:
		where = "thread"
	}
	if known {
		where += ", edited"
	}
	return "vmssbot (" + where + ")"
}

func indent(text string) string { return "    " + strings.ReplaceAll(text, "\n", "\n    ") }

// name is a person's short one, which ids of the workspace have in them: U0ANA00001.
func name(user string) string { return strings.ToLower(strings.Trim(user[2:], "0123456789")) }

// flatten is a message as plain text.
func flatten(m slacksim.Message) string {
	if len(m.Files) > 0 {
		return "[picture: " + plain(m.Text) + "]"
	}
	var blocks []map[string]any
	if json.Unmarshal(m.Blocks, &blocks) != nil || len(blocks) == 0 {
		return plain(m.Text)
	}
	var lines []string
	for _, b := range blocks {
		if line := strings.TrimRight(flattenBlock(b), "\n"); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

func flattenBlock(b map[string]any) string {
	var parts []string
	if b["type"] == "divider" {
		return "----"
	}
	if t := textOf(b["text"]); t != "" {
		parts = append(parts, t)
	}
	for _, key := range []string{"fields", "elements"} {
		list, _ := b[key].([]any)
		for _, e := range list {
			parts = append(parts, element(e))
		}
	}
	if a := b["accessory"]; a != nil {
		parts = append(parts, element(a))
	}
	return strings.Join(parts, "  ")
}

func element(v any) string {
	e, _ := v.(map[string]any)
	switch e["type"] {
	case "button":
		return "[" + textOf(e["text"]) + "]"
	case "overflow":
		var options []string
		list, _ := e["options"].([]any)
		for _, o := range list {
			option, _ := o.(map[string]any)
			options = append(options, textOf(option["text"]))
		}
		return "[⋮ " + strings.Join(options, " / ") + "]"
	}
	return textOf(v)
}

func textOf(v any) string {
	switch t := v.(type) {
	case string:
		return plain(t)
	case map[string]any:
		return textOf(t["text"])
	}
	return ""
}

var (
	date    = regexp.MustCompile(`<!date\^[^|>]*\|([^>]*)>`)
	group   = regexp.MustCompile(`<!subteam\^[A-Z0-9]+(\|([^>]*))?>`)
	channel = regexp.MustCompile(`<#[A-Z0-9]+(\|([^>]*))?>`)
)

// plain turns Slack's markup into what a reader sees.
func plain(s string) string {
	s = date.ReplaceAllString(s, "$1")
	s = group.ReplaceAllString(s, "@approvers")
	s = channel.ReplaceAllString(s, "#ops")
	for id, name := range map[string]string{slacksim.Ana: "ana", slacksim.Bo: "bo", slacksim.Eva: "eva", slacksim.Olaf: "olaf"} {
		s = strings.ReplaceAll(s, "<@"+id+">", "@"+name)
	}
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(s)
}
