package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/vmssbot/vmssbot/upgrade"
)

const good = `
journal: /var/lib/vmssbot/journal.db
health: 127.0.0.1:8484
azure: {subscription: 7c0ffee0-0000-4000-8000-5e7ba5e5f1ee}
sets:
  - match: web-*
    channel: C0OPS00001
    requesters: [U0ANA00001]
    approvers: [U0BO000002, S0APPROV01]
    soak: 0s
    max_unavailable: 2
    on_failure: quarantine
    escalate: [S0LEADS001]
    escalate_after: 1h
  - match: "*"
`

func TestAConfigurationBecomesPolicies(t *testing.T) {
	c, err := Parse("vmssbot.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	web, rest := c.Policies()[0], c.Policies()[1]
	if web.Soak != 0 || web.MaxUnavailable != (upgrade.Limit{N: 2}) || web.Bake != upgrade.DefaultPolicy().Bake {
		t.Errorf("web-*: soak %s, max-unavailable %s, bake %s", web.Soak, web.MaxUnavailable, web.Bake)
	}
	if len(rest.Requesters)+len(rest.Approvers)+len(rest.Readers) != 0 || rest.Channel != "" {
		t.Errorf("an entry that names nobody lets somebody in: %+v", rest)
	}
	if web.OnFailure != upgrade.QuarantineOnFailure || rest.OnFailure != upgrade.HoldOnFailure {
		t.Errorf("on failure: %s and %s, want what was said, else the default", web.OnFailure, rest.OnFailure)
	}
	if len(web.Escalate) != 1 || web.EscalateAfter != time.Hour || len(rest.Escalate) != 0 {
		t.Errorf("called in: %v after %s, and %v", web.Escalate, web.EscalateAfter, rest.Escalate)
	}
	if c.Health != "127.0.0.1:8484" {
		t.Errorf("health at %q", c.Health)
	}
	if c.Pace.pace() != upgrade.DefaultPace() {
		t.Errorf("pace %+v, want the rules' own", c.Pace.pace())
	}
}

func TestWindowsAndFreezesOfTheConfigurationReachThePolicies(t *testing.T) {
	c, err := Parse("vmssbot.yaml", []byte(strings.Replace(good, "soak: 0s", "windows: [tue]\n    watch: true", 1)+`
windows: [{name: tue, zone: Europe/Prague, recurrence: "0 2 * * TUE", length: 2h}, {name: sat, zone: UTC, recurrence: "0 2 * * SAT", length: 2h}]
freezes: [{name: Christmas, zone: Europe/Prague, from: 2026-12-24, to: 2026-12-26}, {name: sale, from: 2026-11-27T18:00, to: 2026-11-28T06:00, sets: [web-*]}]
`))
	if err != nil {
		t.Fatal(err)
	}
	web, rest := c.Policies()[0], c.Policies()[1]
	if len(web.Windows) != 1 || web.Windows[0].Name != "tue" || len(rest.Windows) != 0 {
		t.Errorf("windows %v and %v, want what each entry names", web.Windows, rest.Windows)
	}
	if !web.Watch || rest.Watch {
		t.Error("images are to be watched of the entry that says so, and of no other")
	}
	christmas := upgrade.Freeze{Start: time.Date(2026, 12, 23, 23, 0, 0, 0, time.UTC), End: time.Date(2026, 12, 26, 23, 0, 0, 0, time.UTC), Why: "Christmas"}
	if len(rest.Freezes) != 2 || !reflect.DeepEqual(rest.Freezes[0], christmas) {
		t.Errorf("freezes %+v, want three whole days of Prague", rest.Freezes)
	}
	if f := web.Freezes[1]; f.Of("/subscriptions/1/resourcegroups/g/providers/microsoft.compute/virtualmachinescalesets/db") || f.Start.Hour() != 18 {
		t.Errorf("a freeze of web-*: %+v", f)
	}
}

func TestAMistakeInTheConfigurationIsNamed(t *testing.T) {
	for _, row := range []struct{ name, from, to, says string }{
		{"a window that is not there", "soak: 0s", "windows: [tue]", `windows: there is no window "tue"`},
		{"a window of nowhere", "sets:", "windows: [{name: tue, zone: Mars, recurrence: '0 2 * * TUE', length: 2h}]\nsets:", "Mars"},
		{"a window that is @every", "sets:", "windows: [{name: tue, zone: UTC, recurrence: '@every 1h', length: 2h}]\nsets:", "@every"},
		{"two windows of one name", "sets:", "windows: [{name: t, zone: UTC, recurrence: '0 2 * * *', length: 2h}, {name: t, zone: UTC, recurrence: '0 3 * * *', length: 2h}]\nsets:", `[1]: there is a window "t" already`},
		{"a window called none", "sets:", "windows: [{name: none, zone: UTC, recurrence: '0 2 * * *', length: 2h}]\nsets:", "means something else"},
		{"a freeze without a name", "sets:", "freezes: [{from: 2026-12-24, to: 2026-12-26}]\nsets:", "people will ask why"},
		{"a freeze that ends before it begins", "sets:", "freezes: [{name: x, from: 2026-12-24, to: 2026-12-23}]\nsets:", "is not after from"},
		{"a freeze on no day", "sets:", "freezes: [{name: x, from: Christmas, to: 2026-12-23}]\nsets:", `from: "Christmas": want a date`},
		{"a freeze of a broken pattern", "sets:", "freezes: [{name: x, from: 2026-12-24, to: 2026-12-26, sets: ['[']}]\nsets:", "is no pattern"},
		{"nobody to call in", "escalate: [S0LEADS001]", "", "escalate_after: nobody is listed"},
		{"called in too late to answer", "escalate_after: 1h", "escalate_after: 4h", "escalate_after: 4h: want 3h at most"},
		{"a name to call in", "S0LEADS001", "lea", `"lea" is no user id`},
		{"a misspelt key is not a missing one", "soak: 0s", "sok: 0s", "vmssbot.yaml:10: sok: there is no such key here"},
		{"the line is named", "soak: 0s", "sok: 0s", "vmssbot.yaml:10: "},
		{"a name where an id is wanted", "U0ANA00001", "ana", `"ana" is no user id`},
		{"a channel's name", "C0OPS00001", "ops", `"ops" is no channel id`},
		{"a pattern that is none", "match: web-*", "match: 'web-[a'", "match: no scale set can have such a name"},
		{"a pattern of too many parts", "match: web-*", "match: sub/rg/web-*", "match: no scale set can have such a name"},
		{"a pattern of an empty group", "match: web-*", "match: /web-*", "match: no scale set can have such a name"},
		{"a letter that only looks like one", "match: web-*", "match: w\u0435b-*", "match: no scale set can have such a name"},
		{"no pattern", "match: web-*", "match: ''", "match: no scale set can have such a name"},
		{"an entry behind one for all", "match: web-*", "match: '*'", `sets[0] (match "*") comes before it`},
		{"an entry twice", "match: \"*\"", "match: WEB-*", `sets[0] (match "web-*") comes before it`},
		{"an exception behind the rule", "match: \"*\"", "match: rg-shop/web-prod", `sets[0] (match "web-*") comes before it`},
		{"no journal", "journal: /var/lib/vmssbot/journal.db", "", "journal: name the file"},
		{"no subscription", "7c0ffee0-0000-4000-8000-5e7ba5e5f1ee", "shop", "is no subscription id"},
		{"an impossible limit", "max_unavailable: 2", "max_unavailable: 120%", "max_unavailable"},
		{"no time to say no", "soak: 0s", "self_approval: 10s", "self_approval: 10s: want 5m to 168h"},
		{"a budget below nothing", "sets:", "budget: {person_sets: -1}\nsets:", "vmssbot.yaml:5: budget.person_sets: -1: want a number"},
		{"a negative wait", "soak: 0s", "soak: -1s", "soak: -1s"},
		{"a deadline that nothing can keep", "soak: 0s", "healthy_deadline: 0s", "healthy_deadline: 0s: want 1m to 168h"},
		{"an approval that has run out when it is given", "soak: 0s", "approval_life: 1s", "approval_life: 1s: want 1m to 168h"},
		{"a limit of nothing", "max_unavailable: 2", "max_unavailable: 0", "nothing could ever be upgraded"},
		{"more approvals than approvers", "approvers: [U0BO000002, S0APPROV01]", "approvers: [U0BO000002]\n    approvals: 2", "only 1 approvers are listed"},
		{"no approvers at all", "soak: 0s", "approvals: 0", "approvals: 0: want 1"},
		{"plain http to another machine", "azure: {", "slack: {api_url: http://slack.example/api/}\nazure: {", "want https, or http to this machine"},
		{"a password in a URL", "azure: {", "slack: {api_url: 'https://u:canary@slack.com/api/'}\nazure: {", "want https"},
		{"an address that is none", "azure: {", "slack: {api_url: 'https://u:canary@slack.com:x/api/'}\nazure: {", "slack.api_url: that is no address"},
		{"a token where its variable is named", "azure: {", "slack: {bot_token_env: xoxb-canary}\nazure: {", "slack.bot_token_env: that is a token"},
		{"a token where its file is named", "azure: {", "slack: {app_token_file: xapp-canary}\nazure: {", "slack.app_token_file: that is a token"},
		{"a token where there is no place for one", "azure: {", "slack: {bot_token: xoxb-canary}\nazure: {", "vmssbot.yaml:4: bot_token: there is no such key here"},
		{"a shortened pace against real servers", "azure: {", "pace: {settle: 1s}\nazure: {", "only an installation against local servers"},
		{"a pace with only one server local", "azure: {", "pace: {settle: 1s}\nslack: {api_url: 'http://127.0.0.1:1/api/'}\nazure: {", "only an installation against local servers"},
		{"health on every address", "health: 127.0.0.1:8484", "health: ':8484'", "want a loopback address and a port"},
		{"health for other machines", "health: 127.0.0.1:8484", "health: '10.0.0.1:8484'", `"10.0.0.1:8484": want a loopback`},
		{"health at a name", "health: 127.0.0.1:8484", "health: 'localhost:8484'", "want a loopback address and a port"},
		{"health without a port", "health: 127.0.0.1:8484", "health: '127.0.0.1'", "such as 127.0.0.1:8484"},
		{"health with a port there is not", "health: 127.0.0.1:8484", "health: '127.0.0.1:99999'", "want a loopback address and a port"},
		{"something unheard of on failure", "on_failure: quarantine", "on_failure: rollback", `on_failure: "rollback": want hold, quarantine or abort`},
		{"an identity there is not", "azure: {", "azure: {auth: certificate, ", `azure: auth: "certificate" is not one of default`},
		{"an identity's id with the wrong kind", "azure: {", "azure: {auth: cli, client_id: x, ", "client_id: a client id belongs to auth workload or managed"},
		{"a cloud there is not", "azure: {", "azure: {cloud: german, ", `azure: cloud "german" is not one of public`},
		{"an empty resource group", "azure: {", "azure: {resource_groups: [rg-shop, ''], ", `azure: resource_groups: "" cannot be one`},
		{"the local identity for Azure itself", "azure: {", "azure: {auth: local, ", "the local credential is for loopback endpoints only"},
		{"the local identity for another machine", "azure: {", "azure: {auth: local, endpoint: 'https://arm.example', ", "the local credential is for loopback endpoints only"},
		{"a real identity for this machine", "azure: {", "azure: {endpoint: 'http://127.0.0.1:7334', ", "only the local credential may go there"},
		{"nowhere to drive it", "    channel: C0OPS00001\n", "", "channel: it is missing"},
		{"nobody to approve", "approvers: [U0BO000002, S0APPROV01]", "approvers: []", "approvers: nobody is listed"},
		{"whoever asks is the only one to approve", "approvers: [U0BO000002, S0APPROV01]", "approvers: [U0ANA00001]", "whoever asks may not approve"},
		{"a second document", "sets:", "---\nsets:", "there is a second document in it"},
		{"a name that may resolve to somewhere else", "azure: {", "slack: {api_url: 'http://127.0.0.1.example/api/'}\nazure: {", "want https"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := Parse("vmssbot.yaml", []byte(strings.Replace(good, row.from, row.to, 1)))
			if err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("error %v, want %q in it", err, row.says)
			}
			if strings.Contains(fmt.Sprint(err), "canary") {
				t.Errorf("a secret stands in %v", err)
			}
			for line := range strings.Lines(fmt.Sprint(err)) {
				if !placed.MatchString(line) {
					t.Errorf("no line of the file is named in %q", line)
				}
			}
		})
	}
}

// placed is how every complaint begins.
var placed = regexp.MustCompile(`^vmssbot\.yaml:[1-9][0-9]*: `)

func TestAMistakeIsFoundOnItsLine(t *testing.T) {
	const file = `journal: /var/lib/vmssbot/journal.db
azure:
  subscription: 7c0ffee0-0000-4000-8000-5e7ba5e5f1ee
sets:
  - &rule
    match: web-*
    channel: C0OPS00001
    requesters: [U0ANA00001]
    approvers:
      - U0BO000002
      - U0EVA00003
    soak: 5m
  - <<: *rule
    match: db-*
    bake: 10m
freezes:
  - name: Christmas
    from: 2026-12-24
    to: 2026-12-26
    sets:
      - web-*
`
	if _, err := Parse("vmssbot.yaml", []byte(file)); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, from, to, says string }{
		{"a value", "soak: 5m", "soak: 400h", `vmssbot.yaml:12: sets[0] (match "web-*"): soak: 400h: want 0s to 168h`},
		{"what an entry takes from another one stands there", "soak: 5m", "soak: 400h", `vmssbot.yaml:12: sets[1] (match "db-*"): soak: 400h: want 0s to 168h`},
		{"the second entry", "bake: 10m", "bake: -1s", `vmssbot.yaml:15: sets[1] (match "db-*"): bake: -1s: want`},
		{"one of a list", "U0EVA00003", "eva", `vmssbot.yaml:11: sets[0] (match "web-*"): approvers: "eva" is no user id`},
		{"what is missing belongs to its entry", "    channel: C0OPS00001\n", "", `vmssbot.yaml:5: sets[0] (match "web-*"): channel: it is missing`},
		{"a freeze", "to: 2026-12-26", "to: 2026-12-23", "vmssbot.yaml:19: freezes[0] (Christmas): to: 2026-12-23 is not after"},
		{"a pattern of a freeze", "      - web-*\n", "      - '['\n", "vmssbot.yaml:21: freezes[0] (Christmas): sets:"},
		{"a number where a time is wanted", "soak: 5m", "soak: often", `vmssbot.yaml:12: "often" is not what stands here: want a time such as 10m`},
		{"a list where a key is wanted", "azure:\n  subscription: 7c0ffee0-0000-4000-8000-5e7ba5e5f1ee", "azure: [a]", `vmssbot.yaml:2: "" is not what stands here: want keys and values`},
		{"a key twice", "bake: 10m", "bake: 10m\n    bake: 20m", "vmssbot.yaml:16: mapping key \"bake\" already defined at line 15"},
		{"no YAML", "sets:", "sets: [", "vmssbot.yaml:"},
		{"an alias of nothing", "<<: *rule", "<<: *rules", "vmssbot.yaml: unknown anchor 'rules' referenced"},
		{"a second document", "freezes:", "---\nfreezes:", "vmssbot.yaml:16: there is a second document"},
		{"a second document that is none", "freezes:", "---\n[", "vmssbot.yaml:1: there is a second document"},
		{"what is missing altogether", "journal: /var/lib/vmssbot/journal.db", "", "vmssbot.yaml:1: journal: name the file"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if _, err := Parse("vmssbot.yaml", []byte(strings.Replace(file, row.from, row.to, 1))); !strings.Contains(fmt.Sprint(err), row.says) {
				t.Errorf("error %v, want %q in it", err, row.says)
			}
		})
	}
}

func TestAPatternOfAGroupThatIsOutOfReachIsNamed(t *testing.T) {
	for match, fine := range map[string]bool{"rg-shop/web-*": true, "RG-*/web": true, "web": true, "rg-mail/*": false} {
		body := strings.NewReplacer("match: web-*", "match: "+match, "azure: {", "azure: {resource_groups: [rg-other, Rg-Shop], ").Replace(good)
		if _, err := Parse("vmssbot.yaml", []byte(body)); (err == nil) != fine || err != nil && !strings.Contains(err.Error(), `resource_groups has no group "rg-mail"`) {
			t.Errorf("%s: %v", match, err)
		}
	}
}

func TestAllMistakesAreNamedTogether(t *testing.T) {
	dir := t.TempDir()
	file, token := filepath.Join(dir, "vmssbot.yaml"), filepath.Join(dir, "token")
	body := `
journal: ` + dir + `/missing/journal.db
slack: {bot_token_file: ` + dir + `/none, app_token_file: ` + token + `}
azure: {subscription: shop, cloud: german, auth: cert}
sets: [{match: "", requesters: [ana], soak: -1s, bake: -1s, approvals: 0, max_unavailable: 0}]
`
	if err := errors.Join(os.WriteFile(file, []byte(body), 0o600), os.WriteFile(token, []byte("xapp-1-canary"), 0o644)); err != nil {
		t.Fatal(err)
	}
	_, err := Check(file)
	wants := []string{"missing does not exist", dir + "/none", "no subscription id", `"german"`, `"cert"`, "match:", "channel:", `"ana" is no user id`, "soak:", "bake:", "approvals:", "max_unavailable:"}
	if runtime.GOOS != "windows" {
		wants = append(wants, "lets everybody in: chmod o-rwx")
	}
	for _, want := range wants {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not named in:\n%v", want, err)
		}
	}
	if strings.Contains(fmt.Sprint(err), "canary") {
		t.Errorf("a secret stands in %v", err)
	}
}

func TestWhatCanBeReadIsCheckedBesideWhatCannot(t *testing.T) {
	file := `journal: /var/lib/vmssbot/journal.db
azure: {subscription: shop}
sets:
  - match: web-*
    chanel: C0OPS00001
    requesters: [U0ANA00001]
    approvers:
      some: one
    soak: often
    bake: 400h
    approvals: 1
  - {match: db-*, channel: [C0OPS00001], requesters: [U0ANA00001], approvers: [eva], soak: 400h}
`
	_, err := Parse("vmssbot.yaml", []byte(file))
	for _, want := range []string{
		"vmssbot.yaml:2: azure.subscription", "vmssbot.yaml:5: chanel: there is no such key", "channel: it is missing",
		`vmssbot.yaml:8: "" is not what stands here: want a list`, `vmssbot.yaml:9: "often"`, "vmssbot.yaml:10: sets[0] (match \"web-*\"): bake",
		`vmssbot.yaml:12: "" is not what stands here: want a text`, `vmssbot.yaml:12: sets[1] (match "db-*"): approvers: "eva"`, `vmssbot.yaml:12: sets[1] (match "db-*"): soak`,
	} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%q is not named in:\n%v", want, err)
		}
	}
	for _, not := range []string{`sets[0] (match "web-*"): approvers`, `sets[0] (match "web-*"): soak`, `sets[1] (match "db-*"): channel`} {
		if strings.Contains(fmt.Sprint(err), not) {
			t.Errorf("%q is named, of which nothing could be read:\n%v", not, err)
		}
	}
	for name, broken := range map[string]string{"no YAML": "journal: [", "no entry": "sets: [web]\n", "a key twice": "sets: [{soak: 1m, soak: 2m}]\n", "no keys": "azure: [a]\n"} {
		if _, err := Parse("vmssbot.yaml", []byte(broken)); len(apart(err)) > 1 || strings.Contains(fmt.Sprint(err), "journal: name") {
			t.Errorf("%s: what is missing cannot be told: %v", name, err)
		}
	}
}

func TestTheFilesThatAConfigurationNamesAreLookedAt(t *testing.T) {
	dir := t.TempDir()
	file, journal := filepath.Join(dir, "vmssbot.yaml"), filepath.Join(dir, "journal.db")
	for _, row := range []struct {
		name, slack, journal string
		says                 string // "" = it is good
		line                 string
	}{
		{"nothing there yet", "", journal, "", ""},
		{"a folder in the journal's place", "", dir, "not a regular file", ":2: "},
		{"a journal in no folder", "", dir + "/none/j.db", "none does not exist", ":2: "},
		{"tokens in files", "{bot_token_file: " + dir + "/bot, app_token_file: " + dir + "/app}", journal, "", ""},
		{"the tokens in each other's place", "{bot_token_file: " + dir + "/app, app_token_file: " + dir + "/bot}", journal, "must begin with xoxb-", ":4: "},
		{"only one of them in a file", "{app_token_file: " + dir + "/bot}", journal, "must begin with xapp-", ":4: "},
		{"no such file", "{bot_token_file: " + dir + "/none}", journal, "read the bot token", ":4: "},
	} {
		t.Run(row.name, func(t *testing.T) {
			body := strings.NewReplacer("/var/lib/vmssbot/journal.db", row.journal, "azure: {", "slack: "+row.slack+"\nazure: {").Replace(good)
			if err := errors.Join(os.WriteFile(file, []byte(body), 0o600), os.WriteFile(dir+"/bot", []byte("xoxb-1-canary\n"), 0o600), os.WriteFile(dir+"/app", []byte("xapp-1-canary\n"), 0o600)); err != nil {
				t.Fatal(err)
			}
			_, err := Check(file)
			if (err == nil) != (row.says == "") || !strings.Contains(fmt.Sprint(err), row.says) && row.says != "" {
				t.Errorf("error %v, want %q", err, row.says)
			}
			if want := file + row.line; row.says != "" && !strings.HasPrefix(fmt.Sprint(err), want) {
				t.Errorf("error %v, want it to begin with %s", err, want)
			}
			if strings.Contains(fmt.Sprint(err), "canary") {
				t.Errorf("a secret stands in %v", err)
			}
			if _, err := os.Stat(journal); err == nil {
				t.Error("looking made a journal")
			}
		})
	}
}

func TestAnEmptyConfigurationDrivesNothing(t *testing.T) {
	if _, err := Parse("vmssbot.yaml", nil); err == nil || !strings.Contains(err.Error(), "no scale set may be driven") {
		t.Errorf("error %v", err)
	}
}

func TestLocalServersMayBeQuick(t *testing.T) {
	local := strings.Replace(good, "azure: {", "slack: {api_url: 'http://127.0.0.1:7333/api/'}\npace: {refresh: 200ms}\nazure: {endpoint: 'http://[::1]:7334', auth: local, ", 1)
	c, err := Parse("vmssbot.yaml", []byte(local))
	if err != nil {
		t.Fatal(err)
	}
	if p := c.Pace.pace(); p.Refresh != 200*time.Millisecond || p.Settle != upgrade.DefaultPace().Settle {
		t.Errorf("pace %+v", p)
	}
}

func TestASecretNeverPrintsItself(t *testing.T) {
	for _, s := range []Secret{"xoxb-canary", "canary", "canary-correct-horse"} { // a key of a receiver may be any word
		js, _ := json.Marshal(map[string]any{"token": s})
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "token", s, "keys", keyring{"NOC": s})
		for _, out := range []string{fmt.Sprint(s), fmt.Sprintf("%v %s %q %+v %#v %x", s, s, s, s, s, s), fmt.Sprintf("%v", struct{ T Secret }{s}), string(js), log.String()} {
			if strings.Contains(out, "canary") || strings.Contains(out, "63616e617279") {
				t.Errorf("the secret is in %q", out)
			}
		}
	}
	if kind := fmt.Sprint(Secret("xapp-canary")); kind != "xapp-…" {
		t.Errorf("a token of Slack's prints as %q, want its kind", kind)
	}
}

func TestTokensComeFromFilesOrTheEnvironment(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("xoxb-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SLACK_APP_TOKEN", "xapp-env")
	bot, app, err := Slack{BotTokenFile: file}.Tokens()
	if err != nil || string(bot) != "xoxb-file" || string(app) != "xapp-env" {
		t.Errorf("got %q %q, error %v", string(bot), string(app), err)
	}
	if _, _, err := (Slack{BotTokenEnv: "NO_SUCH_VARIABLE"}).Tokens(); err == nil || !strings.Contains(err.Error(), "NO_SUCH_VARIABLE") {
		t.Errorf("error %v, want the variable's name in it", err)
	}
}

func TestFilesThatEverybodyCanWriteOrReadAreRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("its files have no modes")
	}
	file := filepath.Join(t.TempDir(), "f")
	for _, row := range []struct {
		mode          os.FileMode
		config, token string // what is said; "" = it is taken
	}{
		{0o600, "", ""}, {0o640, "", ""}, {0o440, "", ""}, // Kubernetes mounts secrets for a group
		{0o644, "", "mode 0644 of " + file + " lets everybody in: chmod o-rwx " + file},
		{0o602, "mode 0602 of " + file + " lets everybody write it: chmod o-w " + file, "mode 0602"},
		{0o666, "mode 0666", "mode 0666"},
	} {
		for _, kind := range []struct {
			body, says string
			read       func() error
		}{
			{good, row.config, func() error { _, err := Load(file); return err }},
			{"xoxb-canary", row.token, func() error { _, _, err := Slack{BotTokenFile: file, AppTokenFile: file}.Tokens(); return err }},
		} {
			if err := errors.Join(os.WriteFile(file, []byte(kind.body), 0o600), os.Chmod(file, row.mode)); err != nil {
				t.Fatal(err)
			}
			err := kind.read()
			if (err == nil) != (kind.says == "") || err != nil && !strings.Contains(err.Error(), kind.says) || strings.Contains(fmt.Sprint(err), "canary") {
				t.Errorf("%.10s with mode %04o: %v, want %q", kind.body, row.mode, err, kind.says)
			}
			os.Remove(file)
		}
	}
}

// Whoever can rename a file's folder entry needs no right to the file.
func TestFilesThatEverybodyCanReplaceAreRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("its files have no modes")
	}
	safe, open := t.TempDir(), filepath.Join(t.TempDir(), "open")
	if err := errors.Join(os.Mkdir(open, 0o700), os.WriteFile(filepath.Join(safe, "there"), []byte(good), 0o600), os.WriteFile(filepath.Join(open, "here"), []byte(good), 0o600),
		os.Symlink(filepath.Join(safe, "there"), filepath.Join(open, "link-out")), os.Symlink(filepath.Join(open, "here"), filepath.Join(safe, "link-in"))); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		mode    os.FileMode
		refused bool
	}{{0o777, true}, {0o777 | os.ModeSticky, false}, {0o770, false}} { // Kubernetes mounts secrets in a folder that is sticky
		if err := os.Chmod(open, row.mode); err != nil {
			t.Fatal(err)
		}
		for _, file := range []string{filepath.Join(open, "here"), filepath.Join(open, "link-out"), filepath.Join(safe, "link-in")} {
			_, err := Load(file)
			_, _, tokens := Slack{BotTokenFile: file, AppTokenFile: file}.Tokens()
			for _, err := range []error{err, tokens} {
				if (err != nil) != row.refused || err != nil && !strings.Contains(err.Error(), "chmod o-w "+open) {
					t.Errorf("%s in a folder of mode %v: %v, want it refused: %v", file, row.mode, err, row.refused)
				}
			}
		}
	}
}

// What a shell hands over has no place where anybody could put something else.
func TestAConfigurationMayComeThroughAPipe(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the names of descriptors are the system's")
	}
	for _, dir := range []string{"/dev/fd", "/proc/self/fd"} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.WriteString(good); err != nil { // less than a pipe holds
			t.Fatal(err)
		}
		w.Close()
		if c, err := Load(fmt.Sprintf("%s/%d", dir, r.Fd())); err != nil || len(c.Sets) == 0 {
			t.Errorf("from a pipe in %s: %+v, %v", dir, c, err)
		}
		r.Close()
	}
}

// az is started for a token of Azure's, and whatever it starts and logs is no business of Slack's tokens.
func TestATokenIsNotHandedDownToOtherPrograms(t *testing.T) {
	t.Setenv("SLACK_BOT_TOKEN", "xoxb-canary")
	t.Setenv("SLACK_APP_TOKEN", "xapp-canary")
	if _, _, err := (Slack{}).Tokens(); err != nil {
		t.Fatal(err)
	}
	if left := strings.Join(os.Environ(), " "); strings.Contains(left, "canary") {
		t.Error("a token is left in the environment")
	}
}

// A token goes to the address that was configured and to no other, whatever an answer says.
func TestATokenGoesWhereNoAnswerOfSlacksSends(t *testing.T) {
	var went []string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { went = append(went, r.Header.Get("Authorization")) }))
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, status) }))
		client := slackAPI(Slack{APIURL: api.URL}, "xoxb-canary", "xapp-canary")
		_, err := client.AuthTestContext(t.Context())
		_, _, open := client.StartSocketModeContext(t.Context())
		if err == nil || open == nil || len(went) > 0 || strings.Contains(fmt.Sprint(err, open), "canary") {
			t.Errorf("%d: %v, %v; it went elsewhere with %q", status, err, open, went)
		}
		api.Close()
	}
	uploads := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"ok":true,"file_id":"F1","upload_url":%q}`, elsewhere.URL+"/upload/v1/x")
	}))
	defer uploads.Close()
	_, err := slackAPI(Slack{APIURL: uploads.URL}, "xoxb-canary", "xapp-canary").UploadFileContext(t.Context(), slack.UploadFileParameters{Filename: "map.png", FileSize: 1, Reader: strings.NewReader("x"), Channel: "C1"})
	if err == nil || len(went) > 0 || strings.Contains(err.Error(), "canary") {
		t.Errorf("an address to upload to on another host: %v; it went there with %q", err, went)
	}
}

func TestIDsAreLongAndDifferent(t *testing.T) {
	a, b := ID(), ID()
	if a == b || len(a) != 32 {
		t.Errorf("ids %s and %s", a, b)
	}
}
