package upgradetest_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/upgrade/upgradetest"
)

// sas is a signature in the address of a set's own disk image.
const sas = "c4n4rySASsignature"

// vault keeps everything secret that the program was given while a story went on, by its kind, and everything
// it logged, down to debugging.
type vault struct {
	mu      sync.Mutex
	secrets map[string][]string
	log     bytes.Buffer
}

func (v *vault) keep(kind, secret string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(secret) > 7 && !slices.Contains(v.secrets[kind], secret) {
		v.secrets[kind] = append(v.secrets[kind], secret)
	}
}

// keepURL keeps the values in an address's query that are no words.
func (v *vault) keepURL(kind, raw string) {
	if u, err := url.Parse(raw); err == nil {
		for _, values := range u.Query() {
			for _, one := range values {
				if len(one) > 30 {
					v.keep(kind, one)
				}
			}
		}
	}
}

// over is the program's way out, overheard.
func (v *vault) over(next http.RoundTripper) http.RoundTripper {
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		if _, token, found := strings.Cut(r.Header.Get("Authorization"), " "); found {
			v.keep("a credential", token)
		}
		resp, err := next.RoundTrip(r)
		if err != nil {
			return resp, err
		}
		v.sign(resp)
		for _, name := range []string{"Azure-AsyncOperation", "Location"} {
			v.keepURL("an operation's signature", resp.Header.Get(name))
		}
		if strings.HasSuffix(r.URL.Path, "apps.connections.open") || strings.HasSuffix(r.URL.Path, "files.getUploadURLExternal") {
			body, _ := io.ReadAll(resp.Body)
			resp.Body = io.NopCloser(bytes.NewReader(body))
			var says struct {
				URL    string `json:"url"`
				Upload string `json:"upload_url"`
			}
			if json.Unmarshal(body, &says) == nil && says.URL != "" {
				u, _ := url.Parse(says.URL)
				v.keep("a socket's ticket", u.Query().Get("ticket"))
			}
			v.keep("an address to upload to", says.Upload)
		}
		return resp, err
	})
}

// sign has Azure show models whose disk's address somebody signed.
func (v *vault) sign(resp *http.Response) {
	body, _ := io.ReadAll(resp.Body)
	signed := bytes.ReplaceAll(body, []byte(`.vhd"`), []byte(`.vhd?sv=2024-11-04&sig=`+sas+`"`))
	if !strings.Contains(resp.Request.URL.Path, "/virtualMachineScaleSets") || len(signed) == len(body) {
		signed = body
	} else {
		v.keep("a signature in a disk's address", sas)
		resp.ContentLength = int64(len(signed))
		resp.Header.Del("Content-Length")
	}
	resp.Body = io.NopCloser(bytes.NewReader(signed))
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// heard keeps what Slack put into payloads, and writes down all that the program called Slack with.
func (v *vault) heard(log []slacksim.Entry) (calls string) {
	var out strings.Builder
	for _, e := range log {
		switch e.Kind {
		case slacksim.LogEnvelope:
			var frame struct {
				Payload struct {
					Trigger  string `json:"trigger_id"`
					Response string `json:"response_url"`
				}
			}
			if json.Unmarshal(e.Args, &frame) == nil {
				v.keep("a trigger", frame.Payload.Trigger)
				v.keep("an address to answer at", frame.Payload.Response)
			}
		case slacksim.LogAPI:
			var args map[string]any
			if json.Unmarshal(e.Args, &args) == nil && strings.HasPrefix(e.Method, "views.") {
				delete(args, "trigger_id") // what it is for
			}
			fmt.Fprintln(&out, e.Method, args)
		}
	}
	return out.String()
}

// dump is every text in the journal but the columns in which secrets pass through: what a call in flight is
// followed by, what waits in the inbox, and the trigger by which a repetition of it is known, which is worth
// nothing after three seconds.
func dump(t *testing.T, path string) string {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	query := func(q string) (out [][]any) {
		rows, err := db.Query(q)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		names, _ := rows.Columns()
		for rows.Next() {
			row, at := make([]any, len(names)), make([]any, len(names))
			for i := range row {
				at[i] = &row[i]
			}
			if err := rows.Scan(at...); err != nil {
				t.Fatal(err)
			}
			for i, name := range names {
				row[i] = name + "=" + fmt.Sprint(row[i])
			}
			out = append(out, row)
		}
		return out
	}
	var all strings.Builder
	for _, table := range query(`select name from sqlite_schema where type = 'table'`) {
		name := strings.TrimPrefix(table[0].(string), "name=")
		for _, row := range query(`select * from "` + name + `"`) {
			for _, cell := range row {
				text := cell.(string)
				if !(name == "operations" && strings.HasPrefix(text, "poll=")) && !(name == "inbox" && (strings.HasPrefix(text, "body=") || strings.HasPrefix(text, "dedupe="))) {
					fmt.Fprintln(&all, name, text)
				}
			}
		}
	}
	return all.String()
}

// loud are stories in which much goes wrong, and much is said.
var loud = []string{"bad-input", "bot-kicked", "broken-answers", "crash-in-mid-domain", "deaf-socket", "disk-full", "forbidden", "half-done-operation", "invalid-blocks",
	"led-elsewhere", "nobody-can-be-checked", "rollback", "signed-out-for-a-moment", "slack-says-no", "slack-silent", "target-vhd", "token-revoked"}

// Whatever goes wrong, no secret that the program was given comes out: not in its log, down to debugging, not in
// anything it says to Slack, not in the journal but where it must be, not in what its process says at the end.
func TestNoSecretComesOutOfAWholeRollout(t *testing.T) {
	var mu sync.Mutex
	kinds := map[string]int{}
	t.Run("stories", func(t *testing.T) {
		for _, name := range loud {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				_, s := read(t, name)
				v := &vault{secrets: map[string][]string{}}
				path, outs := journal(t), map[string]string{}
				synctest.Test(t, func(t *testing.T) {
					p, err := upgradetest.NewPlay(s, "story", path, func(ctx context.Context, site upgradetest.Site) error {
						v.keep("a token", site.BotToken)
						v.keep("a token", site.AppKey)
						site.HTTP.Transport = v.over(site.HTTP.Transport)
						site.Log = slog.New(both{site.Log.Handler(), slog.NewTextHandler(&locked{v}, &slog.HandlerOptions{Level: slog.LevelDebug})})
						err := product(ctx, site)
						v.mu.Lock()
						defer v.mu.Unlock()
						fmt.Fprintf(&v.log, "ended: %v %+v\n", err, err)
						return err
					})
					if err != nil {
						t.Fatal(err)
					}
					var went error
					for _, step := range s.Steps {
						went = errors.Join(went, p.Do(step.Text))
					}
					outs["what it said to Slack"] = v.heard(p.World.Slack.Log())
					if err := p.Close(); err != nil && name != "token-revoked" {
						t.Errorf("%v, %v", went, err)
					}
				})
				outs["its log"], outs["the journal"] = v.log.String(), dump(t, path)
				for _, end := range []string{"", "-wal"} {
					body, _ := os.ReadFile(path + end)
					outs["the journal's file"+end] = string(body)
				}
				mu.Lock()
				defer mu.Unlock()
				for kind, secrets := range v.secrets {
					kinds[kind] += len(secrets)
					passes := kind == "a trigger" || kind == "an address to answer at" || kind == "an operation's signature" // may be left in a page that is free again
					for where, text := range outs {
						if strings.HasPrefix(where, "the journal's file") && passes {
							continue
						}
						for _, secret := range secrets {
							if at := strings.Index(text, secret); at >= 0 {
								t.Errorf("%s stands in %s: …%s…", kind, where, text[max(0, at-80):min(len(text), at+20)])
								break
							}
						}
					}
				}
				for where, text := range outs {
					if len(text) == 0 && !strings.HasSuffix(where, "-wal") {
						t.Errorf("%s is empty: nothing was looked at", where)
					}
				}
			})
		}
	})
	for _, kind := range []string{"a token", "a credential", "a trigger", "an address to answer at", "a socket's ticket", "an address to upload to", "an operation's signature", "a signature in a disk's address"} {
		if kinds[kind] == 0 {
			t.Errorf("the program was never given %s: nothing was looked for", kind)
		}
	}
	t.Logf("stories=%d secrets=%v", len(loud), kinds)
}

// locked is the vault's log.
type locked struct{ v *vault }

func (l *locked) Write(p []byte) (int, error) {
	l.v.mu.Lock()
	defer l.v.mu.Unlock()
	return l.v.log.Write(p)
}

// both tells two handlers.
type both struct{ a, b slog.Handler }

func (h both) Enabled(context.Context, slog.Level) bool { return true }
func (h both) Handle(ctx context.Context, r slog.Record) error {
	return errors.Join(h.a.Handle(ctx, r), h.b.Handle(ctx, r))
}
func (h both) WithAttrs(as []slog.Attr) slog.Handler {
	return both{h.a.WithAttrs(as), h.b.WithAttrs(as)}
}
func (h both) WithGroup(name string) slog.Handler {
	return both{h.a.WithGroup(name), h.b.WithGroup(name)}
}
