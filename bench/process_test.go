package bench

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

const (
	// speed is how much faster than life Azure is: a domain is a matter of three seconds.
	speed = 60
	// quick is the pace of production at about that speed.
	quick = "{refresh: 200ms, idle: 500ms, confirm: 200ms}"
	// unsaid keeps Azure from saying how long to wait before it is asked about an operation again: it
	// says it in whole seconds, and a sixtieth of the usual ten is none.
	unsaid = -1
)

// outer is a stage with the real program as a process of its own.
type outer struct {
	b     *testing.B
	slack *slacksim.Sim
	azure *azuresim.Sim
	sets  []azuresim.Set
	polls chan time.Time // when Azure was asked about an operation
	dir   string         // of the program and everything it keeps
	log   *os.File
	bot   *exec.Cmd
}

// overTCP serves a workspace and an Azure, and builds and starts vmssbot between them.
func overTCP(b *testing.B, pace string, opt azuresim.Options) *outer {
	b.Helper()
	o := &outer{b: b, sets: opt.Fleet.Sets, polls: make(chan time.Time, 10_000), dir: b.TempDir()}
	if out, err := exec.Command("go", "build", "-o", o.dir, "../cmd/vmssbot").CombinedOutput(); err != nil {
		b.Fatalf("build vmssbot: %v\n%s", err, out)
	}
	var err error
	o.log, err = os.Create(filepath.Join(o.dir, "log"))
	o.must(err)
	b.Cleanup(func() { o.log.Close() })
	o.azure, err = azuresim.New(opt)
	o.must(err)
	o.slack = slacksim.New(slacksim.Options{Channels: o.channels(), Users: crowd()})
	slack, azure := serve(b, o.slack), serve(b, o.overhear())
	b.Cleanup(o.slack.Close)
	for name, body := range map[string]string{"bot": o.slack.BotToken(), "app": o.slack.AppToken(),
		"vmssbot.yaml": fmt.Sprintf(configuration, slack, opt.Fleet.Subscription, azure, pace) + o.policies()} {
		o.must(os.WriteFile(filepath.Join(o.dir, name), []byte(body), 0o600))
	}
	o.start()
	b.Cleanup(o.end)
	return o
}

// configuration is a vmssbot.yaml without its sets; the program runs in the folder with the tokens.
const configuration = `journal: journal.db
slack: {api_url: %s/api/, bot_token_file: bot, app_token_file: app}
azure: {subscription: %s, endpoint: %s, auth: local}
pace: %s
sets:
`

func (o *outer) policies() (lines string) {
	for _, set := range o.sets {
		lines += fmt.Sprintf("- {match: %s, channel: %s, requesters: [%s], approvers: [%s], soak: 0s, bake: 0s}\n",
			set.Name, o.of(set.Name).channel, slacksim.Ana, slacksim.Bo)
	}
	return lines
}

// channels are one for each set, as Slack takes one message a second in each.
func (o *outer) channels() (list []slacksim.Channel) {
	for _, set := range o.sets {
		list = append(list, slacksim.Channel{ID: o.of(set.Name).channel, Name: set.Name, Members: []string{slacksim.Ana, slacksim.Bo, slacksim.BotUser}})
	}
	return list
}

// of is the stage of one set.
func (o *outer) of(set string) stage {
	n := slices.IndexFunc(o.sets, func(s azuresim.Set) bool { return s.Name == set })
	return stage{o.slack, o.azure, set, fmt.Sprintf("C0BENCH%03d", n), time.Minute, nil, ""}
}

func serve(b *testing.B, h http.Handler) (url string) {
	server := httptest.NewServer(h)
	b.Cleanup(server.Close)
	return server.URL
}

// overhear is Azure, with an ear on the questions about operations.
func (o *outer) overhear() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/operations/") {
			o.polls <- time.Now()
		}
		o.azure.ServeHTTP(w, r)
	})
}

// start starts the bot, waits until it can be spoken to and returns when it was started.
func (o *outer) start() time.Time {
	o.b.Helper()
	o.bot = exec.Command(filepath.Join(o.dir, "vmssbot"), "run")
	o.bot.Dir, o.bot.Stderr = o.dir, o.log
	began := time.Now()
	o.must(o.bot.Start())
	o.must(o.of(o.sets[0].Name).until("the bot's sockets", func() bool { return len(o.slack.State().Sockets) > 0 }))
	return began
}

// kill is kill -9. What was asked of Azure until then is forgotten.
func (o *outer) kill() {
	o.must(o.bot.Process.Kill())
	o.bot.Wait() // the error only says that it was killed
	o.must(o.of(o.sets[0].Name).until("the sockets' end", func() bool { return len(o.slack.State().Sockets) == 0 }))
	for len(o.polls) > 0 {
		<-o.polls
	}
}

// end asks the bot to end.
func (o *outer) end() {
	o.must(o.bot.Process.Signal(syscall.SIGTERM))
	o.must(o.bot.Wait())
}

// asked waits until Azure is asked about an operation and returns when it was.
func (o *outer) asked() time.Time {
	select {
	case at := <-o.polls:
		return at
	case <-time.After(time.Minute):
		o.must(errors.New("nobody asks about the operation"))
		return time.Time{}
	}
}

// must ends the benchmark on an error, with what the bot has logged.
func (o *outer) must(err error) {
	o.b.Helper()
	if err != nil {
		logged, _ := os.ReadFile(filepath.Join(o.dir, "log")) // without it the error must do
		o.b.Fatalf("%v\nthe bot's log:\n%s", err, logged)
	}
}
