package vmssbot

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const module = "github.com/vmssbot/vmssbot"

// pkg is what `go list -json` says of a package.
type pkg struct {
	ImportPath   string
	Dir          string
	Imports      []string
	TestImports  []string
	XTestImports []string
	Doc          string
	GoFiles      []string
}

func (p pkg) room() string { return strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/") }

func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,TestImports,XTestImports,Doc,GoFiles", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func under(path string, roots ...string) bool {
	return slices.ContainsFunc(roots, func(r string) bool { return path == r || strings.HasPrefix(path, r+"/") })
}

// rules are the walls between the rooms, each with its reason. A rule returns what is wrong with an
// import of a room, "" if nothing is.
var rules = []struct {
	reason string
	breaks func(room, path string) bool
}{
	{"upgrade decides: it imports upgrade/window and a standard library without network, files and databases", func(room, path string) bool {
		if room != "upgrade" {
			return false
		}
		if strings.HasPrefix(path, module) {
			return path != module+"/upgrade/window"
		}
		return strings.Contains(path, ".") || path == "os" || path == "database/sql" || under(path, "net")
	}},
	{"slack-go is the edge's: only bot, bot/view and cmd know it", func(room, path string) bool {
		return under(path, "github.com/slack-go/slack") && room != "bot" && room != "bot/view" && !under(room, "cmd")
	}},
	{"the Azure SDK stays below upgrade/azure", func(room, path string) bool {
		return under(path, "github.com/Azure") && room != "upgrade/azure"
	}},
	{"commands is a language: it imports upgrade and upgrade/window only", func(room, path string) bool {
		return room == "commands" && strings.HasPrefix(path, module) && !under(path, module+"/upgrade", module+"/upgrade/window")
	}},
	{"bot/view is pure: it imports upgrade, upgrade/window, commands and bot/view/heatmap only", func(room, path string) bool {
		mine := []string{module + "/upgrade", module + "/upgrade/window", module + "/commands", module + "/bot/view/heatmap"}
		return room == "bot/view" && strings.HasPrefix(path, module) && !slices.Contains(mine, path)
	}},
	{"bot/view/heatmap draws: it imports nothing of ours", func(room, path string) bool {
		return room == "bot/view/heatmap" && strings.HasPrefix(path, module)
	}},
	{"store, azure, gate, pager, bot and commands meet in cmd, not in each other: a receiver outside must not be waited for", func(room, path string) bool {
		sides := []string{"upgrade/store", "upgrade/azure", "upgrade/gate", "upgrade/pager", "bot", "commands"}
		if !slices.Contains(sides, room) || room == "bot" && under(path, module+"/commands", module+"/bot/view") {
			return false
		}
		return slices.ContainsFunc(sides, func(s string) bool { return s != room && path == module+"/"+s })
	}},
	{"simulators and upgradetest are for tests and cmd/demo: production never links one", func(room, path string) bool {
		sims := []string{module + "/bot/slacksim", module + "/upgrade/azure/azuresim", module + "/upgrade/upgradetest", module + "/upgrade/store/storetest"}
		return under(path, sims...) && room != "cmd/demo" && room != "upgrade/upgradetest"
	}},
	{"a simulator imports nothing of ours: it must not share the bot's assumptions", func(room, path string) bool {
		return under(room, "bot/slacksim", "upgrade/azure/azuresim") && strings.HasPrefix(path, module)
	}},
}

func TestEveryRoomImportsOnlyWhatItMay(t *testing.T) {
	for _, p := range packages(t) {
		for _, path := range p.Imports {
			for _, r := range rules {
				if r.breaks(p.room(), path) {
					t.Errorf("%s imports %s: %s", p.room(), path, r.reason)
				}
			}
		}
	}
}

func TestEveryRuleBitesWhenItIsBroken(t *testing.T) {
	broken := [][2]string{
		{"upgrade", "net/http"}, {"commands", "github.com/slack-go/slack"}, {"bot", "github.com/Azure/azure-sdk-for-go/sdk/azcore"},
		{"commands", module + "/bot"}, {"bot/view", module + "/upgrade/store"}, {"bot/view/heatmap", module + "/upgrade"}, {"upgrade/store", module + "/upgrade/azure"},
		{"cmd/vmssbot", module + "/bot/slacksim"}, {"bot/slacksim", module + "/upgrade"},
	}
	for i, r := range rules {
		if !r.breaks(broken[i][0], broken[i][1]) {
			t.Errorf("%s importing %s does not break: %s", broken[i][0], broken[i][1], r.reason)
		}
	}
}

func TestEveryPackageHasOneDocThatSaysWhatItIs(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles) == 0 {
			continue
		}
		var docs []string
		for _, name := range p.GoFiles {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.PackageClauseOnly|parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if f.Doc != nil {
				docs = append(docs, name)
			}
		}
		if len(docs) != 1 || len(p.Doc) < 40 {
			t.Errorf("%s has its package doc in %v, synopsis %q: want one file, a whole sentence", p.ImportPath, docs, p.Doc)
		}
	}
}

func TestNoRoomIsCalledAfterNothing(t *testing.T) {
	for _, p := range packages(t) {
		for _, part := range strings.Split(p.room(), "/") {
			if slices.Contains([]string{"pkg", "util", "utils", "common", "types", "helpers"}, part) {
				t.Errorf("%s: %q says nothing about what is inside", p.ImportPath, part)
			}
		}
	}
}

func TestTheManifestIsWhatTheCodeNeedsAndNoMore(t *testing.T) {
	var m struct {
		Features struct {
			Home struct {
				Home     bool `yaml:"home_tab_enabled"`
				Messages bool `yaml:"messages_tab_enabled"`
			} `yaml:"app_home"`
		}
		OAuth struct {
			Scopes map[string][]string
		} `yaml:"oauth_config"`
		Settings struct {
			SocketMode bool `yaml:"socket_mode_enabled"`
			OrgDeploy  bool `yaml:"org_deploy_enabled"`
			Events     struct {
				Bot []string `yaml:"bot_events"`
			} `yaml:"event_subscriptions"`
			Interactivity struct {
				Enabled bool `yaml:"is_enabled"`
			}
		}
	}
	if err := yaml.Unmarshal([]byte(Manifest), &m); err != nil {
		t.Fatal(err)
	}
	if got, want := m.OAuth.Scopes["bot"], scopesNeeded(t, m.Settings.Events.Bot); !slices.Equal(got, want) {
		t.Errorf("bot scopes %v, the calls and events of package bot need %v", got, want)
	}
	if !m.Settings.SocketMode || !m.Settings.Interactivity.Enabled || m.Settings.OrgDeploy {
		t.Error("want Socket Mode and interactivity on, org deploy off")
	}
	if want := []string{"app_home_opened", "app_mention"}; !slices.Equal(m.Settings.Events.Bot, want) {
		t.Errorf("bot events %v, want %v", m.Settings.Events.Bot, want)
	}
	if !m.Features.Home.Home || !m.Features.Home.Messages {
		t.Error("want the Home tab, and the messages tab in which it is answered")
	}
}

// scopes says what each Web API method of the SDK, and each event, takes.
var scopes = map[string][]string{
	"AuthTestContext": nil, "OpenViewContext": nil, "UpdateViewContext": nil, "PublishViewContext": nil,
	"PostMessageContext": {"chat:write"}, "UpdateMessageContext": {"chat:write"}, "PostEphemeralContext": {"chat:write"},
	"GetUserInfoContext": {"users:read"}, "GetBotInfoContext": {"users:read"},
	"GetConversationInfoContext": {"channels:read", "groups:read"},
	"GetUserGroupMembersContext": {"usergroups:read"}, "UploadFileContext": {"files:write"}, "OpenConversationContext": {"im:write"},
	"app_mention": {"app_mentions:read"}, "app_home_opened": nil,
}

// scopesNeeded reads the calls out of package bot, the one room that talks to Slack.
func scopesNeeded(t *testing.T, events []string) []string {
	t.Helper()
	files, err := filepath.Glob("bot/*.go")
	if err != nil {
		t.Fatal(err)
	}
	used := slices.Clone(events)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\bAPI\.([A-Z]\w+)\(`).FindAllSubmatch(body, -1) {
			used = append(used, string(m[1]))
		}
	}
	need := []string{"commands"} // the slash command itself
	for _, u := range used {
		s, known := scopes[u]
		if !known {
			t.Errorf("package bot uses %s, and this test does not know its scopes", u)
		}
		need = append(need, s...)
	}
	slices.Sort(need)
	return slices.Compact(need)
}
