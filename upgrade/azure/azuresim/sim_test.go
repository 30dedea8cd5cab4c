package azuresim

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const (
	testSub = "7c0ffee0-0000-4000-8000-5e7ba5e5f1ee"
	testVer = "?api-version=2024-11-01"
	demoSet = "/subscriptions/" + testSub + "/resourceGroups/rg-demo/providers/Microsoft.Compute/virtualMachineScaleSets/myvmss"
	shop    = "/subscriptions/" + testSub + "/resourceGroups/rg-shop/providers/Microsoft.Compute/virtualMachineScaleSets/"
)

// bench is a simulator and a client that talk over in-memory connections, so that time can be that
// of a synctest bubble.
type bench struct {
	t   *testing.T
	sim *Sim
	web *http.Client
}

// inBubble runs a test in simulated time against a simulator with opt.
func inBubble(t *testing.T, opt Options, test func(t *testing.T, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sim, err := New(opt)
		if err != nil {
			t.Fatal(err)
		}
		b := &bench{t: t, sim: sim}
		stop := b.serve()
		defer stop()
		test(t, b)
	})
}

// serve connects a client to the simulator over net.Pipe.
func (b *bench) serve() (stop func()) {
	lis := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: b.sim, ErrorLog: nil}
	go server.Serve(lis)
	transport := &http.Transport{DialContext: lis.dial, DisableKeepAlives: true}
	b.web = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return func() {
		transport.CloseIdleConnections()
		server.Close()
	}
}

type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// answer is what came back for one request.
type answer struct {
	t      *testing.T
	status int
	header http.Header
	raw    []byte
	doc    document
}

// do sends a request; header pairs may follow the body. Failing to get an answer fails the test.
func (b *bench) do(method, url, body string, headers ...string) answer {
	b.t.Helper()
	a, err := b.try(method, url, body, headers...)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, url, err)
	}
	return a
}

func (b *bench) try(method, url, body string, headers ...string) (answer, error) {
	if strings.HasPrefix(url, "/") {
		url = "http://arm.local" + url
	}
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", "Bearer test")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
		if headers[i+1] == "" {
			req.Header.Del(headers[i])
		}
	}
	resp, err := b.web.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	a := answer{t: b.t, status: resp.StatusCode, header: resp.Header, raw: raw}
	if d, derr := decodeDocument(raw); derr == nil {
		a.doc = d
	}
	return a, err
}

func (b *bench) get(path string) answer {
	b.t.Helper()
	if !strings.Contains(path, "api-version") {
		path += testVer
	}
	return b.do(http.MethodGet, path, "").want(http.StatusOK)
}

// want fails the test unless the status is as given.
func (a answer) want(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("status %d, want %d: %s", a.status, status, a.raw)
	}
	return a
}

// refused checks status and error code.
func (a answer) refused(status int, code string) answer {
	a.t.Helper()
	a.want(status)
	if got := text(a.doc, "error", "code"); got != code {
		a.t.Fatalf("code %q, want %q: %s", got, code, a.raw)
	}
	return a
}

func (a answer) list() []document {
	var out []document
	items, _ := a.doc["value"].([]any)
	for _, i := range items {
		out = append(out, i.(document))
	}
	return out
}

// patchVersion puts an image version into the model and waits until that is done.
func (b *bench) patchVersion(set, version string) {
	b.t.Helper()
	b.do(http.MethodPatch, set+testVer, imagePatch(version)).want(http.StatusOK)
	time.Sleep(10 * time.Second)
}

func imagePatch(version string) string {
	return `{"properties":{"virtualMachineProfile":{"storageProfile":{"imageReference":{"version":"` + version + `"}}}}}`
}

func (b *bench) upgrade(set string, ids ...string) answer {
	b.t.Helper()
	body, err := json.Marshal(map[string]any{"instanceIds": ids})
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(http.MethodPost, set+"/manualupgrade"+testVer, string(body))
}

// status asks for the status of the operation that a started.
func (b *bench) status(a answer) string {
	b.t.Helper()
	return text(b.do(http.MethodGet, a.header.Get("Azure-AsyncOperation"), "").want(http.StatusOK).doc, "status")
}

// state returns one instance as it really is.
func (b *bench) state(set, id string) InstanceState {
	b.t.Helper()
	for _, s := range b.sim.Snapshot().Sets {
		for _, i := range s.Instances {
			if s.Name == set && i.ID == id {
				return i
			}
		}
	}
	b.t.Fatalf("no instance %s in %s", id, set)
	return InstanceState{}
}

func (b *bench) inject(f Fault) {
	b.t.Helper()
	if err := b.sim.Inject(f); err != nil {
		b.t.Fatal(err)
	}
}

// codes are the status codes in the instance view of a VM document.
func codes(vm document) string {
	var out []string
	list, _ := value(vm, "properties", "instanceView", "statuses").([]any)
	for _, s := range list {
		out = append(out, text(s.(document), "code"))
	}
	if h := text(vm, "properties", "instanceView", "vmHealth", "status", "code"); h != "" {
		out = append(out, h)
	}
	return strings.Join(out, " ")
}

func mustFleet(t *testing.T, text string) Fleet {
	t.Helper()
	f, err := LoadFleet(bytes.NewReader([]byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}
