package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"

	"github.com/vmssbot/vmssbot/cmd/internal/app"
)

// outside is a receiver of webhooks, as somebody would write one: it prints what comes on the terminal.
type outside struct {
	key string
	out io.Writer
}

func (o outside) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
	mac := hmac.New(sha256.New, []byte(o.key))
	fmt.Fprintf(mac, "v1:%s:%s", r.Header.Get("Vmssbot-Timestamp"), body)
	if err != nil || !hmac.Equal([]byte(r.Header.Get("Vmssbot-Signature")), []byte("v1="+hex.EncodeToString(mac.Sum(nil)))) {
		http.Error(w, "not signed with our key", http.StatusUnauthorized)
		return
	}
	var e struct {
		Event, Rollout, Text, Outcome string
		Set                           struct{ Name string }
		Commands                      []string
	}
	if err := json.Unmarshal(body, &e); err != nil {
		http.Error(w, "not JSON", http.StatusBadRequest)
		return
	}
	line := fmt.Sprintf("webhook: %-7s %s (%s): %s", e.Event, e.Set.Name, e.Rollout, e.Text)
	if len(e.Commands) > 0 {
		line += "  -> " + e.Commands[0]
	}
	fmt.Fprintln(o.out, app.Plain(line))
}

// receiver serves the receiver on this machine, with a key of its own.
func (w *world) receiver(errs io.Writer) error {
	key := app.ID()
	if err := os.WriteFile(w.webhookKey(), []byte(key), 0o600); err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	w.webhookURL = "http://" + l.Addr().String()
	w.serve(l, outside{key, errs})
	return nil
}

func (w *world) webhookKey() string { return w.data + "/webhook-key" }

// shared lets several write to one writer.
type shared struct {
	mu sync.Mutex
	to io.Writer
}

func (s *shared) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.to.Write(b)
}
