package view

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// rolledOut is a rollout with whatever Azure and people said in it.
func rolledOut(c cast) *story {
	s := begin(c, 5, nil)
	s.look()
	s.approve("U0BO", c.approver, false)
	s.look()
	s.hear("U0EVA", c.second, upgrade.Word{Verb: upgrade.WordAbort, Reason: c.reason, Answer: upgrade.Keep})
	s.finish()
	return s
}

func document(t *testing.T, s *story, format string) Document {
	t.Helper()
	d, err := File(commands.Reply{Verb: commands.VerbReport, Part: format, Rollouts: []string{s.id}}, map[string]upgrade.Record{s.id: s.record()}, s.now)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestAReportHasALineForEachInstanceWithWhoAgreedAndTheCall(t *testing.T) {
	s := rolledOut(believable)
	d := document(t, s, commands.CSV)
	rows, err := csv.NewReader(bytes.NewReader(d.Body)).ReadAll()
	if err != nil || len(rows) != 6 || d.Name != "web-prod-r-4f2a9c.csv" {
		t.Fatalf("%s has %d rows (%v), want a head and five", d.Name, len(rows), err)
	}
	at := map[string]int{}
	for i, head := range rows[0] {
		at[head] = i
	}
	if got := rows[1]; got[at["instance"]] != "0" || got[at["approved_by"]] != "bo" || got[at["state"]] != "ok" || got[at["started_at"]] == "" {
		t.Errorf("instance 0 is told as %q", got)
	}
	if got := rows[5]; got[at["approved_by"]] != "" || got[at["state"]] != "not started" || got[at["started_at"]] != "" {
		t.Errorf("an instance that was not reached is told as %q", got)
	}
	var all struct {
		Outcome string
		Gates   []struct{ Approvals []struct{ ID, Name string } }
		Trail   []struct{ Kind, What string }
	}
	if err := json.Unmarshal(document(t, s, commands.JSON).Body, &all); err != nil || all.Outcome != "aborted" || len(all.Gates) != 5 || len(all.Gates[0].Approvals) != 1 || all.Gates[0].Approvals[0].ID != "U0BO" || len(all.Trail) < 5 {
		t.Errorf("JSON tells %+v (%v)", all, err)
	}
	for _, want := range []string{"# upgrade of web-prod", "| UD 0 | 0 | bo \\(U0BO\\)", "## Who did what", "eva \\(U0EVA\\) ended it: the shop is on sale until noon"} {
		if text := string(document(t, s, commands.Markdown).Body); !strings.Contains(text, want) {
			t.Errorf("Markdown lacks %q:\n%s", want, text)
		}
	}
}

// What comes from people and Azure must neither make a formula in a spreadsheet nor a table, a link or HTML.
func TestNoNameIsMoreThanTextInAFile(t *testing.T) {
	for _, hostile := range []string{`=HYPERLINK("http://evil.example","x")`, "+1", "-1+2", "@SUM(A1)", "\t=1", "| a | b |", "<script>alert(1)</script>", "[x](http://evil.example)", "a\nb\r\nc", "`x`", "\u202Eabc"} {
		c := believable
		c.set, c.approver, c.second, c.reason, c.note = hostile, hostile, hostile, hostile, hostile
		s := rolledOut(c)
		audit, err := File(commands.Reply{Verb: commands.VerbAudit, Part: commands.CSV, Rollouts: []string{s.id}, Audit: &commands.Audit{}}, map[string]upgrade.Record{s.id: s.record()}, s.now)
		if err != nil {
			t.Fatal(err)
		}
		for _, body := range [][]byte{document(t, s, commands.CSV).Body, audit.Body} {
			rows, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
			if err != nil {
				t.Fatalf("%q breaks the table: %v", hostile, err)
			}
			for _, row := range rows {
				for _, cell := range row {
					if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) || strings.ContainsAny(cell, "\n\u202E") {
						t.Errorf("%q is the cell %q", hostile, cell)
					}
				}
			}
		}
		text := string(document(t, s, commands.Markdown).Body)
		bare := regexp.MustCompile(`\\.`).ReplaceAllString(text, "") // without what is escaped
		for _, live := range []string{"<script", "](http", "\u202E", "\nb"} {
			if strings.Contains(bare, live) {
				t.Errorf("%q is live in Markdown: it has %q", hostile, live)
			}
		}
		for line := range strings.Lines(text) {
			if n := strings.Count(regexp.MustCompile(`\\.`).ReplaceAllString(line, ""), "|"); strings.HasPrefix(line, "|") && n != 4 && n != 11 {
				t.Errorf("%q makes columns: %s", hostile, line)
			}
		}
		if d := document(t, s, commands.Markdown); strings.ContainsAny(d.Name, "/\\<>\n|\"") {
			t.Errorf("%q names the file %q", hostile, d.Name)
		}
	}
}

func TestAFileTellsMomentsInUTC(t *testing.T) {
	s := begin(believable, 5, nil)
	s.look()
	for _, w := range waitsFor {
		if w.reason == upgrade.ReasonBudget {
			w.tell(s)
		}
	}
	s.look()
	for _, format := range []string{commands.Markdown, commands.JSON} {
		if body := string(document(t, s, format).Body); !strings.Contains(body, "fits at 2026-11-24T01:59:00Z") {
			t.Errorf("%s does not tell when the next start fits", format)
		}
	}
}

func TestAnAuditThatComesAsAFileDoesNotOfferOne(t *testing.T) {
	s := rolledOut(believable)
	for _, part := range []string{"", commands.CSV, commands.JSON} {
		m := Answer(commands.Reply{Verb: commands.VerbAudit, Part: part, Rollouts: []string{s.id}, Audit: &commands.Audit{Others: make([]upgrade.Entry, 40)}}, map[string]upgrade.Record{s.id: s.record()}, s.now)
		if offers := strings.Contains(Reduce(m).Text, "with `csv`"); offers != (part == "") {
			t.Errorf("asked for %q: offers a file: %v", part, offers)
		}
	}
}
