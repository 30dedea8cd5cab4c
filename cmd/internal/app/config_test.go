package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

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
  - match: "*"
`

func TestAConfigurationBecomesPolicies(t *testing.T) {
	c, err := Parse([]byte(good))
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
	if c.Health != "127.0.0.1:8484" {
		t.Errorf("health at %q", c.Health)
	}
	if c.Pace.pace() != upgrade.DefaultPace() {
		t.Errorf("pace %+v, want the rules' own", c.Pace.pace())
	}
}

func TestWindowsAndFreezesOfTheConfigurationReachThePolicies(t *testing.T) {
	c, err := Parse([]byte(strings.Replace(good, "soak: 0s", "windows: [tue]", 1) + `
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
		{"a misspelt key is not a missing one", "soak: 0s", "sok: 0s", "field sok not found"},
		{"the line is named", "soak: 0s", "sok: 0s", "line 10"},
		{"a name where an id is wanted", "U0ANA00001", "ana", `"ana" is no user id`},
		{"a channel's name", "C0OPS00001", "ops", `"ops" is no channel id`},
		{"no journal", "journal: /var/lib/vmssbot/journal.db", "", "journal: name the file"},
		{"no subscription", "7c0ffee0-0000-4000-8000-5e7ba5e5f1ee", "shop", "is no subscription id"},
		{"an impossible limit", "max_unavailable: 2", "max_unavailable: 120%", "max_unavailable"},
		{"a negative wait", "soak: 0s", "soak: -1s", "soak: -1s"},
		{"a deadline that nothing can keep", "soak: 0s", "healthy_deadline: 0s", "healthy_deadline: 0s: want 1m0s"},
		{"an approval that has run out when it is given", "soak: 0s", "approval_life: 1s", "approval_life: 1s: want 1m0s"},
		{"a limit of nothing", "max_unavailable: 2", "max_unavailable: 0", "nothing could ever be upgraded"},
		{"more approvals than approvers", "approvers: [U0BO000002, S0APPROV01]", "approvers: [U0BO000002]\n    approvals: 2", "only 1 approvers are listed"},
		{"no approvers at all", "soak: 0s", "approvals: 0", "approvals: 0: want 1"},
		{"plain http to another machine", "azure: {", "slack: {api_url: http://slack.example/api/}\nazure: {", "want https, or http to this machine"},
		{"a password in a URL", "azure: {", "slack: {api_url: 'https://u:p@slack.com/api/'}\nazure: {", "want https"},
		{"a shortened pace against real servers", "azure: {", "pace: {settle: 1s}\nazure: {", "only an installation against local servers"},
		{"a pace with only one server local", "azure: {", "pace: {settle: 1s}\nslack: {api_url: 'http://127.0.0.1:1/api/'}\nazure: {", "only an installation against local servers"},
		{"health on every address", "health: 127.0.0.1:8484", "health: ':8484'", "want a loopback address and a port"},
		{"health for other machines", "health: 127.0.0.1:8484", "health: '10.0.0.1:8484'", `"10.0.0.1:8484": want a loopback`},
		{"health at a name", "health: 127.0.0.1:8484", "health: 'localhost:8484'", "want a loopback address and a port"},
		{"health without a port", "health: 127.0.0.1:8484", "health: '127.0.0.1'", "such as 127.0.0.1:8484"},
		{"health with a port there is not", "health: 127.0.0.1:8484", "health: '127.0.0.1:99999'", "want a loopback address and a port"},
		{"something unheard of on failure", "on_failure: quarantine", "on_failure: rollback", `on_failure: "rollback": want hold, quarantine or abort`},
		{"a name that may resolve to somewhere else", "azure: {", "slack: {api_url: 'http://127.0.0.1.example/api/'}\nazure: {", "want https"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := Parse([]byte(strings.Replace(good, row.from, row.to, 1)))
			if err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("error %v, want %q in it", err, row.says)
			}
		})
	}
}

func TestAnEmptyConfigurationDrivesNothing(t *testing.T) {
	if _, err := Parse(nil); err == nil || !strings.Contains(err.Error(), "no scale set may be driven") {
		t.Errorf("error %v", err)
	}
}

func TestLocalServersMayBeQuick(t *testing.T) {
	local := strings.Replace(good, "azure: {", "slack: {api_url: 'http://127.0.0.1:7333/api/'}\npace: {refresh: 200ms}\nazure: {endpoint: 'http://[::1]:7334', auth: local, ", 1)
	c, err := Parse([]byte(local))
	if err != nil {
		t.Fatal(err)
	}
	if p := c.Pace.pace(); p.Refresh != 200*time.Millisecond || p.Settle != upgrade.DefaultPace().Settle {
		t.Errorf("pace %+v", p)
	}
}

func TestASecretNeverPrintsItself(t *testing.T) {
	s := Secret("xoxb-canary")
	js, _ := json.Marshal(map[string]any{"token": s})
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "token", s)
	for _, out := range []string{fmt.Sprint(s), fmt.Sprintf("%v %s %q %+v %#v %x", s, s, s, s, s, s), fmt.Sprintf("%v", struct{ T Secret }{s}), string(js), log.String()} {
		if strings.Contains(out, "canary") || strings.Contains(out, "63616e617279") {
			t.Errorf("the token is in %q", out)
		}
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

func TestIDsAreLongAndDifferent(t *testing.T) {
	a, b := ID(), ID()
	if a == b || len(a) != 32 {
		t.Errorf("ids %s and %s", a, b)
	}
}
