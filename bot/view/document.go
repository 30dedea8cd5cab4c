package view

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// Document is a file for one person, and what is said with it.
type Document struct {
	Name, Title, Caption string
	Body                 []byte
}

// File makes the file that belongs to a reply, of the rollouts as they are at this moment.
func File(reply commands.Reply, records map[string]upgrade.Record, now time.Time) (Document, error) {
	var known []upgrade.Record
	for _, id := range reply.Rollouts {
		if rec, ok := records[id]; ok {
			known = append(known, rec)
		}
	}
	switch {
	case reply.Verb == commands.VerbAudit && reply.Audit != nil:
		return auditFile(*reply.Audit, reply.Part, known)
	case reply.Verb == commands.VerbReport && reply.Group != "" && len(known) > 0:
		return groupFile(reply.Group, known, reply.Part, now)
	case reply.Verb == commands.VerbReport && len(known) == 1:
		return reportFile(known[0], reply.Part, now)
	}
	return Document{}, fmt.Errorf("no file belongs to %s", reply.Verb)
}

// summary is a rollout's report in JSON. Moments are in UTC, ids are Slack's and Azure's own.
type summary struct {
	Rollout     string         `json:"rollout"`
	Set         string         `json:"set"` // the resource id, in small letters
	Action      upgrade.Action `json:"action"`
	From        string         `json:"from"` // what the model named before
	To          string         `json:"to"`
	Note        string         `json:"note,omitempty"`
	Plan        string         `json:"plan"` // its digest
	By          personOf       `json:"requested_by"`
	At          time.Time      `json:"requested_at"`
	State       string         `json:"state"` // in words, as last decided
	Outcome     string         `json:"outcome,omitempty"`
	Reason      string         `json:"reason,omitempty"`
	EndedAt     *time.Time     `json:"ended_at,omitempty"`
	Gates       []gateDone     `json:"gates"`
	Instances   []instanceOf   `json:"instances"`
	Skipped     []skippedOf    `json:"skipped,omitempty"` // passed by when it was planned
	Trail       []trailLine    `json:"trail"`
	GeneratedAt time.Time      `json:"generated_at"`
}

type personOf struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type gateDone struct {
	Key       string       `json:"key"`
	Title     string       `json:"title"`
	Instances []string     `json:"instances"`
	Approvals []approvalOf `json:"approvals,omitempty"`
}

type approvalOf struct {
	personOf
	At     time.Time `json:"at"`
	Asking int       `json:"asking"` // which card of the gate it was said to
}

type instanceOf struct {
	ID          string     `json:"id"`
	Gate        string     `json:"gate"`
	Domain      int        `json:"update_domain"`
	Zone        string     `json:"zone,omitempty"`
	From        string     `json:"from"`
	Runs        string     `json:"runs,omitempty"` // as last seen
	State       string     `json:"state"`
	Detail      string     `json:"detail,omitempty"`
	Code        string     `json:"code,omitempty"` // Azure's own
	Tries       int        `json:"tries"`
	Started     *time.Time `json:"started_at,omitempty"`
	Ended       *time.Time `json:"ended_at,omitempty"`
	ApprovedBy  []string   `json:"approved_by,omitempty"`
	Correlation string     `json:"correlation_id,omitempty"` // of the last call
}

type skippedOf struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

type trailLine struct {
	At          time.Time `json:"at"`
	By          string    `json:"by,omitempty"` // user id; none = the bot
	Name        string    `json:"name,omitempty"`
	Rollout     string    `json:"rollout,omitempty"`
	Set         string    `json:"set,omitempty"`
	Kind        string    `json:"kind"`
	What        string    `json:"what"`
	Gate        string    `json:"gate,omitempty"`
	Instances   []string  `json:"instances,omitempty"`
	Correlation string    `json:"correlation_id,omitempty"`
}

func lineOf(e upgrade.Entry) trailLine {
	return trailLine{e.At.UTC(), e.By, e.Name, e.Rollout, e.Set, e.Kind, e.What, e.Gate, e.Instances, e.Correlation}
}

func summaryOf(rec upgrade.Record, now time.Time) summary {
	r, p := rec.Rollout, rec.Plan
	s := summary{
		Rollout: rec.ID, Set: string(p.Set), Action: p.Action, From: p.From.String(), To: p.Target.Setting.String(), Note: p.Note, Plan: p.Digest,
		By: personOf{r.Requester, r.Name}, At: r.At.UTC(), State: dated(upgrade.LastDecided(rec.Events).Text), GeneratedAt: now.UTC(),
	}
	if r.Ended != nil {
		s.Outcome, s.Reason, s.EndedAt, s.State = string(r.Ended.Outcome), r.Ended.Reason, moment(r.EndedAt), "ended"
	}
	trail := upgrade.Trail(rec)
	for _, g := range p.Gates {
		gate := gateDone{Key: g.Key, Title: g.Title, Approvals: approvals(rec, g)}
		var names []string
		for _, a := range gate.Approvals {
			names = append(names, a.Name)
		}
		for _, m := range g.Instances {
			gate.Instances = append(gate.Instances, m.ID)
			i := r.Instances[m.ID]
			one := instanceOf{
				ID: m.ID, Gate: g.Key, Domain: m.UpdateDomain, Zone: m.Zone, From: m.From.String(), Runs: i.Image,
				State: string(i.State), Detail: i.Detail, Code: i.Code, Tries: i.Tries, Started: moment(i.Started), ApprovedBy: names, Correlation: callOf(trail, m.ID),
			}
			if i.State.Final() {
				one.Ended = moment(i.At)
			}
			if one.State == "" {
				one.State = "not started"
			}
			s.Instances = append(s.Instances, one)
		}
		s.Gates = append(s.Gates, gate)
	}
	for _, x := range p.Skipped {
		s.Skipped = append(s.Skipped, skippedOf{x.ID, string(x.Reason)})
	}
	for _, e := range trail {
		s.Trail = append(s.Trail, lineOf(e))
	}
	return s
}

// dated writes the moments of a sentence for files.
func dated(s string) string {
	return tokens.ReplaceAllStringFunc(s, func(token string) string {
		return unixOf(strings.Trim(token, "\x02\x03")).UTC().Format(time.RFC3339)
	})
}

var tokens = regexp.MustCompile("\x02\\d{1,10}\x03")

// approvals are the yeses to a gate that led to a grant.
func approvals(rec upgrade.Record, g upgrade.Gate) []approvalOf {
	var out []approvalOf
	for n := 1; n <= rec.Rollout.Askings[g.Key]; n++ {
		a := askingOf(rec, g, n)
		if a.granted.IsZero() {
			continue
		}
		for _, v := range a.votes {
			out = append(out, approvalOf{personOf{v.By, v.Name}, v.At.UTC(), n})
		}
	}
	return out
}

// callOf is by what Azure knows the last call that named the instance.
func callOf(trail []upgrade.Entry, id string) string {
	for _, e := range slices.Backward(trail) {
		if e.Correlation != "" && slices.Contains(e.Instances, id) {
			return e.Correlation
		}
	}
	return ""
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func reportFile(rec upgrade.Record, format string, now time.Time) (Document, error) {
	s := summaryOf(rec, now)
	d := Document{
		Name:    fmt.Sprintf("%s-%s.%s", safeName(rec.Plan.Name), rec.ID, format),
		Title:   plain("Report of "+rec.ID+", "+rec.Plan.Name, 80),
		Caption: fmt.Sprintf("The report of %s %s", code(rec.ID), title(rec)),
	}
	var err error
	d.Body, err = written([]summary{s}, s, format)
	return d, err
}

// groupFile has a part for each set of a group, in the order of the waves.
func groupFile(group string, known []upgrade.Record, format string, now time.Time) (Document, error) {
	upgrade.InWaves(known)
	var parts []summary
	for _, rec := range known {
		parts = append(parts, summaryOf(rec, now))
	}
	d := Document{
		Name:    fmt.Sprintf("%s.%s", safeName(group), format),
		Title:   plain("Report of "+group, 80),
		Caption: fmt.Sprintf("The report of %s *%s*: %s", code(group), groupName(known), upgrade.Count(len(parts), "scale set")),
	}
	var err error
	d.Body, err = written(parts, parts, format)
	return d, err
}

// written is the body of a report; in JSON it is whole.
func written(parts []summary, whole any, format string) ([]byte, error) {
	switch format {
	case commands.JSON:
		return json.MarshalIndent(whole, "", "  ")
	case commands.CSV:
		return sheet(parts)
	}
	var texts []string
	for _, s := range parts {
		texts = append(texts, s.markdown())
	}
	return []byte(strings.Join(texts, "\n---\n\n")), nil
}

// safeName is a set's name where only letters, digits and hyphens are safe.
func safeName(s string) string {
	s = strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' {
			return c
		}
		return '-'
	}, s)
	return s[:min(64, len(s))]
}

func sheet(parts []summary) ([]byte, error) {
	rows := [][]string{{"rollout", "set", "gate", "instance", "update_domain", "zone", "from", "runs", "state", "tries", "started_at", "ended_at", "approved_by", "correlation_id", "code", "detail"}}
	for _, s := range parts {
		for _, i := range s.Instances {
			rows = append(rows, []string{s.Rollout, s.Set, i.Gate, i.ID, strconv.Itoa(i.Domain), i.Zone, i.From, i.Runs, i.State, strconv.Itoa(i.Tries), stampOf(i.Started), stampOf(i.Ended),
				strings.Join(i.ApprovedBy, " "), i.Correlation, i.Code, i.Detail})
		}
	}
	return table(rows)
}

func stampOf(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.RFC3339)
}

// table writes rows so that no spreadsheet takes a cell for a formula.
func table(rows [][]string) ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	for _, row := range rows {
		safe := make([]string, len(row))
		for i, cell := range row {
			if cell = clean(cell); cell == "(empty)" {
				cell = ""
			}
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				cell = "'" + cell
			}
			safe[i] = cell
		}
		w.Write(safe) // into memory: its error is Error's
	}
	w.Flush()
	return out.Bytes(), w.Error()
}

func (s summary) markdown() string {
	var b strings.Builder
	p := func(format string, args ...any) {
		for i, a := range args {
			if text, ok := a.(string); ok {
				args[i] = unlinked(text)
			}
		}
		fmt.Fprintf(&b, format+"\n", args...)
	}
	p("# %s of %s\n", string(s.Action), lastOf(s.Set))
	p("- Rollout: %s", s.Rollout)
	p("- Set: %s", s.Set)
	p("- From: %s", s.From)
	p("- To: %s", s.To)
	p("- Asked for by: %s (%s), %s", s.By.Name, s.By.ID, s.At.Format(time.RFC3339))
	if s.Note != "" {
		p("- Note: %s", s.Note)
	}
	if s.EndedAt != nil {
		p("- Outcome: %s, %s: %s", s.Outcome, s.EndedAt.Format(time.RFC3339), s.Reason)
	} else {
		p("- State: %s", s.State)
	}
	p("- Plan: %s", s.Plan)
	b.WriteString("\n## Gates\n\n| Gate | Instances | Approved by |\n|---|---|---|\n")
	for _, g := range s.Gates {
		var said []string
		for _, a := range g.Approvals {
			said = append(said, fmt.Sprintf("%s (%s) %s", a.Name, a.ID, a.At.Format(time.RFC3339)))
		}
		p("| %s | %s | %s |", g.Title, strings.Join(g.Instances, ", "), strings.Join(said, ", "))
	}
	b.WriteString("\n## Instances\n\n| Instance | Gate | From | Runs | State | Tries | Started | Ended | Correlation id | Detail |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for _, i := range s.Instances {
		p("| %s | %s | %s | %s | %s | %d | %s | %s | %s | %s |", i.ID, i.Gate, i.From, i.Runs, i.State, i.Tries, stampOf(i.Started), stampOf(i.Ended), i.Correlation, i.Detail)
	}
	for i, x := range s.Skipped {
		if i == 0 {
			b.WriteString("\n## Passed by\n\n")
		}
		p("- %s: %s", x.ID, x.Reason)
	}
	b.WriteString("\n## Who did what\n\n")
	for _, t := range s.Trail {
		p("- %s %s %s", t.At.Format(time.RFC3339), who(t.Name, t.By), t.What)
	}
	p("\nWritten %s.", s.GeneratedAt.Format(time.RFC3339))
	return b.String()
}

// who names a person for a file: as then known, with the id that can not be changed.
func who(name, id string) string {
	switch {
	case id == "":
		return "vmssbot:"
	case name == "":
		return id
	}
	return fmt.Sprintf("%s (%s)", name, id)
}

func lastOf(id string) string { return id[strings.LastIndexByte(id, '/')+1:] }

// unlinked makes foreign text safe in Markdown: every sign of the markup is escaped.
func unlinked(s string) string {
	var out strings.Builder
	if s = clean(s); s == "(empty)" {
		return ""
	}
	for _, c := range s {
		if strings.ContainsRune("\\`*_{}[]<>()#+!|~&@", c) {
			out.WriteByte('\\')
		}
		out.WriteRune(c)
	}
	return out.String()
}

func auditFile(a commands.Audit, format string, known []upgrade.Record) (Document, error) {
	lines := trailOf(a, known)
	d := Document{Name: "audit." + format, Title: "Audit", Caption: "What you asked the audit for: " + upgrade.Count(len(lines), "entry")}
	var err error
	if format == commands.JSON {
		all := []trailLine{}
		for _, e := range lines {
			all = append(all, lineOf(e))
		}
		d.Body, err = json.MarshalIndent(all, "", "  ")
		return d, err
	}
	rows := [][]string{{"at", "by", "name", "rollout", "set", "kind", "what", "gate", "instances", "correlation_id"}}
	for _, e := range lines {
		rows = append(rows, []string{e.At.UTC().Format(time.RFC3339), e.By, e.Name, e.Rollout, e.Set, e.Kind, e.What, e.Gate, strings.Join(e.Instances, " "), e.Correlation})
	}
	d.Body, err = table(rows)
	return d, err
}
