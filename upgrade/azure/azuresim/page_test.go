package azuresim

import (
	"encoding/json"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestThePageAndItsFilesAreServed(t *testing.T) {
	inBubble(t, Options{Speed: 60}, func(t *testing.T, b *bench) {
		a := b.do("GET", "/", "", "Authorization", "").want(200)
		html := string(a.raw)
		for _, part := range []string{"Simulated Azure", "nothing here is real", "Demo subscription", testSub, "60 ×"} {
			if !strings.Contains(html, part) {
				t.Errorf("the page does not say %q", part)
			}
		}
		if strings.Contains(html, "Back to the workspace") {
			t.Error("there is a link back though nobody said where to")
		}
		if got := a.header.Get("Content-Type"); got != "text/html; charset=utf-8" {
			t.Errorf("content type %q", got)
		}
		types := map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
		refs := regexp.MustCompile(`"(/_page/[^"]+)"`).FindAllStringSubmatch(html, -1)
		if len(refs) < 4 {
			t.Errorf("the page refers to %d files", len(refs))
		}
		for _, ref := range refs {
			if got := b.do("GET", ref[1], "", "Authorization", "").want(200).header.Get("Content-Type"); got != types[path.Ext(ref[1])] {
				t.Errorf("%s has content type %q", ref[1], got)
			}
		}
		for _, none := range []string{"/_page/", "/_page/page.html", "/_page/nothing.js", "/_page/a/b"} {
			b.do("GET", none, "").want(404)
		}
		b.do("GET", "/_page/../fleet.json", "").want(400)
		if a := b.do("HEAD", "/", "").want(200); len(a.raw) != 0 {
			t.Errorf("HEAD / has a body of %d bytes", len(a.raw))
		}
	})
}

// The browser itself enforces the policy; what it forbids must not be in the page.
func TestThePageKeepsToItsPolicy(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		for _, p := range []string{"/", "/_page/fleet.js"} {
			got := b.do("GET", p, "").want(200).header.Get("Content-Security-Policy")
			for _, part := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"} {
				if !strings.Contains(got, part) {
					t.Errorf("%s: policy %q has no %q", p, got, part)
				}
			}
			if strings.Contains(got, "unsafe") {
				t.Errorf("%s: policy %q", p, got)
			}
		}
		html := string(b.do("GET", "/", "").raw)
		if m := regexp.MustCompile(`(?i)<script[^>]*>[^<]|<style|\sstyle=|\son[a-z]+=|https?://`).FindString(html); m != "" {
			t.Errorf("the page holds %q", m)
		}
	})
}

func TestHostileNamesStayText(t *testing.T) {
	fleet := DefaultFleet()
	fleet.SubscriptionName = `<script>alert(1)</script>"&`
	inBubble(t, Options{Fleet: fleet, Home: "javascript:alert(2)"}, func(t *testing.T, b *bench) {
		html := string(b.do("GET", "/", "").want(200).raw)
		if strings.Contains(html, "<script>") || strings.Contains(html, "javascript:") {
			t.Errorf("page %s", html)
		}
		if !strings.Contains(html, "&lt;script&gt;alert(1)&lt;/script&gt;") {
			t.Error("the name is not shown")
		}
		set := `{"location":"<b>","sku":{"name":"Standard_B1s","capacity":1},"properties":{"virtualMachineProfile":{"storageProfile":{"imageReference":
			{"publisher":"Canonical","offer":"UbuntuServer","sku":"16.04-LTS","version":"4.0.20160101"}}}}}`
		b.do("PUT", shop+"%3Cimg%20src=x%3E"+testVer, set).want(201)
		a := b.do("GET", "/_control/view", "").want(200)
		if strings.Contains(string(a.raw), "<") || !strings.Contains(string(a.raw), `\u003cimg src=x\u003e`) {
			t.Error("the view holds markup, or not the set")
		}
		if a.header.Get("Content-Type") != "application/json; charset=utf-8" || a.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("headers %v", a.header)
		}
	})
	// The scripts put all they get into text nodes and attributes of elements they made themselves.
	for name, text := range scripts(t) {
		if m := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function|srcdoc|DOMParser`).FindString(text); m != "" {
			t.Errorf("%s uses %s", name, m)
		}
	}
}

func TestOtherWebSitesCannotMakeTrouble(t *testing.T) {
	fault := `{"kind":"unhealthy-now","set":"myvmss","instance":"9"}`
	rows := []struct {
		name    string
		headers []string
		allowed bool
	}{
		{"another site", []string{"Origin", "https://evil.example"}, false},
		{"another port of this machine", []string{"Origin", "http://arm.local:8080"}, false},
		{"a sandboxed frame", []string{"Origin", "null"}, false},
		{"another site, told by the browser", []string{"Sec-Fetch-Site", "cross-site"}, false},
		{"a sibling, told by the browser", []string{"Sec-Fetch-Site", "same-site", "Origin", "http://arm.local"}, false},
		{"the page itself", []string{"Sec-Fetch-Site", "same-origin", "Origin", "http://arm.local"}, true},
		{"the page in a browser that only sends Origin", []string{"Origin", "http://arm.local"}, true},
		{"curl", nil, true},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			inBubble(t, Options{}, func(t *testing.T, b *bench) {
				a := b.do("POST", "/_control/fault", fault, r.headers...)
				if sick := b.state("myvmss", "9").Health == "unhealthy"; sick != r.allowed {
					t.Errorf("the fault struck: %v, status %d", sick, a.status)
				}
				if r.allowed {
					a.want(200)
					b.do("POST", "/_control/reset", "", r.headers...).want(200)
					return
				}
				a.refused(403, "CrossOriginRequest")
				b.do("POST", "/_control/reset", "", r.headers...).refused(403, "CrossOriginRequest")
				b.do("GET", "/_control/state", "", r.headers...).want(200)
				if got := a.header.Get("Access-Control-Allow-Origin"); got != "" {
					t.Errorf("allowed origin %q", got)
				}
			})
		})
	}
}

func TestThePageLeavesARMAlone(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.do("POST", "/", "").refused(404, "NotFound")
		b.do("PUT", "/_page/fleet.js", "x").refused(404, "NotFound")
		b.do("GET", demoSet, "").refused(400, "MissingApiVersionParameter")
		b.do("GET", demoSet+testVer, "", "Origin", "https://portal.example").want(200)
		b.do("PATCH", demoSet+testVer, imagePatch("4.0.20160229"), "Origin", "https://portal.example").want(200)
		before := b.sim.Stats().Calls
		b.do("GET", "/", "").want(200)
		b.do("GET", "/_control/view", "").want(200)
		if b.sim.Stats().Calls != before {
			t.Error("looking at the page counts as an ARM call")
		}
	})
}

func TestTheViewIsSentAgainOnlyWhenSomethingChanged(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		tag := b.do("GET", "/_control/view", "").want(200).header.Get("ETag")
		look := func() int {
			a := b.do("GET", "/_control/view", "", "If-None-Match", tag)
			tag = a.header.Get("ETag")
			return a.status
		}
		time.Sleep(time.Minute)
		if got := look(); got != 304 {
			t.Errorf("nothing but the time moved: status %d", got)
		}
		b.inject(Fault{Kind: "never-healthy", Set: "myvmss", Instance: "3"})
		if got := look(); got != 200 {
			t.Errorf("a fault waits: status %d", got)
		}
		b.patchVersion(demoSet, "4.0.20160229")
		b.upgrade(demoSet, "0").want(202)
		if got := look(); got != 200 {
			t.Errorf("an upgrade runs: status %d", got)
		}
		time.Sleep(90 * time.Second)
		if got := look(); got != 200 {
			t.Errorf("the instance went on by itself: status %d", got)
		}
	})
}

func TestTheViewShowsTheLastWritesFirst(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.patchVersion(demoSet, "4.0.20160229")
		for range shownWrites {
			b.upgrade(demoSet, "77").want(400)
		}
		b.inject(Fault{Kind: "change-model", Set: "web-prod", Version: "22.04.202401170"})
		var v pageView
		if err := json.Unmarshal(b.do("GET", "/_control/view", "").want(200).raw, &v); err != nil {
			t.Fatal(err)
		}
		if len(v.Writes) != shownWrites || v.AllWrites != shownWrites+2 {
			t.Fatalf("%d of %d writes", len(v.Writes), v.AllWrites)
		}
		if first := v.Writes[0]; first.By != "fault" || first.Seq != shownWrites+2 {
			t.Errorf("first %+v", first)
		}
		if last := v.Writes[shownWrites-1]; last.Seq != 3 || last.Code != "InvalidParameter" || last.Body != nil {
			t.Errorf("last %+v", last)
		}
		if b.sim.Writes()[2].Body == nil {
			t.Error("the record itself lost a body")
		}
		if !v.Now.Equal(time.Now()) || v.Stats.Calls != shownWrites+1 {
			t.Errorf("now %s, %d calls", v.Now, v.Stats.Calls)
		}
	})
}

// The page's scripts are not run here, but they must speak of things that exist.
func TestTheScriptsKnowEveryPhaseAndInventNothing(t *testing.T) {
	for _, p := range []Phase{PhaseOld, PhaseNew, PhaseUpdating, PhaseStopping, PhaseStopped, PhaseStarting, PhaseInitializing,
		PhaseUnhealthy, PhaseFailed, PhaseDeallocated, PhaseCreating, PhaseDeleting} {
		if !strings.Contains(scripts(t)["marks.js"], "\n  "+string(p)+": ") || !strings.Contains(pageHTML, `id="m-`+string(p)+`"`) {
			t.Errorf("phase %s has no word or no mark", p)
		}
	}
	for name, text := range scripts(t) {
		for _, m := range regexp.MustCompile(`kind: "([^"]+)"|\["([a-z0-9-]+)", "|strike\("([^"]+)"`).FindAllStringSubmatch(text, -1) {
			if kind := m[1] + m[2] + m[3]; faultKinds[kind] == "" && name != "tip.js" {
				t.Errorf("%s: there is no fault %s", name, kind)
			}
		}
		for _, m := range regexp.MustCompile(`getElementById\("([^"]+)"\)|\bat\("([^"]+)"\)`).FindAllStringSubmatch(text, -1) {
			if id := m[1] + m[2]; !strings.Contains(pageHTML, `id="`+id+`"`) {
				t.Errorf("%s: the page has no element %s", name, id)
			}
		}
		for _, m := range regexp.MustCompile(`from "\./([^"]+)"`).FindAllStringSubmatch(text, -1) {
			if scripts(t)[m[1]] == "" {
				t.Errorf("%s imports %s, which is not there", name, m[1])
			}
		}
	}
}

func scripts(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	names, err := fs.Glob(pageFiles, "page/*.js")
	if err != nil || !slices.Contains(names, "page/fleet.js") {
		t.Fatalf("scripts %v, %v", names, err)
	}
	for _, n := range names {
		data, err := pageFiles.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		out[path.Base(n)] = string(data)
	}
	return out
}
