//go:build browser

package main

import (
	"context"
	"flag"
	"fmt"
	"image/png"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

var pictures = flag.Bool("pictures", false, "write the screenshots to docs/")

// patient is how long a person waits for something to show; a rollout of five domains takes most of it.
const patient = 90 * time.Second

// person is one browser window of somebody.
type person struct {
	t    *testing.T
	name string
	ctx  context.Context

	mu       sync.Mutex
	troubles []string // errors and warnings on the console
}

// chromium starts a browser; the test is skipped where there is none.
func chromium(t *testing.T) context.Context {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil && path == "" {
			path = found
		}
	}
	if path == "" {
		t.Skip("no chromium on this machine")
	}
	flags := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-component-update", true))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), flags...)
	t.Cleanup(stop)
	ctx, closeBrowser := chromedp.NewContext(ctx)
	t.Cleanup(closeBrowser)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("the browser does not start: %v", err)
	}
	return ctx
}

// sits opens a window of a size for a person in the workspace.
func sits(t *testing.T, browser context.Context, w *world, name string, width, height int64, dark bool) *person {
	t.Helper()
	return opens(t, browser, w.slackURL+"/?as="+url.QueryEscape(name), name, width, height, dark)
}

// opens opens a window of a size for a person on a page.
func opens(t *testing.T, browser context.Context, address, name string, width, height int64, dark bool) *person {
	t.Helper()
	ctx, closeWindow := chromedp.NewContext(browser)
	t.Cleanup(closeWindow)
	p := &person{t: t, name: name, ctx: ctx}
	messages := chromedp.Console(ctx)
	scheme := map[bool]string{true: "dark", false: "light"}[dark]
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	if err == nil {
		err = chromedp.Do(ctx, chromedp.EmulateViewport(width, height))
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			if kind := string(m.Type); kind == "error" || kind == "warning" || m.Exception != nil {
				p.mu.Lock()
				p.troubles = append(p.troubles, m.Text)
				p.mu.Unlock()
			}
		}
	}()
	p.do("open the page", chromedp.Navigate(address))
	return p
}

func (p *person) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patient)
	defer cancel()
	if _, err := chromedp.Call(p.ctx, page.BringToFront, cdp.Empty{}); err != nil {
		p.t.Fatalf("%s: to the front: %v", p.name, err)
	}
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatalf("%s: %s: %v", p.name, what, err)
	}
}

func (p *person) types(text string) {
	p.t.Helper()
	p.do("type "+text, chromedp.SendKeys("#compose", text+kb.Enter+kb.Backspace)) // a remote-controlled Enter leaves its character behind
}

// presses clicks a button by its accessible name and says yes to its confirmation.
func (p *person) presses(label string) {
	p.t.Helper()
	p.do("press "+label,
		chromedp.Click(fmt.Sprintf(`#messages button[aria-label=%q]`, label)),
		chromedp.Click(`#confirm[open] button[value=yes]`),
		chromedp.WaitNotPresent(`#confirm[open]`))
}

// sees waits until part of the window holds the words.
func (p *person) sees(selector, words string) {
	p.t.Helper()
	if err := p.until(fmt.Sprintf(`document.querySelector(%q)?.textContent.includes(%q)`, selector, words)); err != nil {
		text, _ := chromedp.Run(p.ctx, chromedp.Text(selector))
		p.t.Fatalf("%s does not see %q in %s: %v\n%s", p.name, words, selector, err, text)
	}
}

// until waits until something holds in the window.
func (p *person) until(expression string) error {
	ctx, cancel := context.WithTimeout(p.ctx, patient)
	defer cancel()
	_, err := chromedp.Run(ctx, chromedp.Poll[bool](expression, chromedp.WithPollingInterval(100*time.Millisecond), chromedp.WithPollingTimeout(patient)))
	return err
}

// looks waits until a picture that is described with the words stands in a region, whole and in view, and opens it.
func (p *person) looks(region, words string) {
	p.t.Helper()
	picture := fmt.Sprintf(`[...document.querySelectorAll("#%s .upload img")].find(i => i.alt.includes(%q))`, region, words)
	whole := `(i => i?.complete && i.naturalWidth > 600 && i.width > 200 && Math.abs(i.width / i.height - i.naturalWidth / i.naturalHeight) < .02 &&
		i.getBoundingClientRect().top < innerHeight)(` + picture + `)`
	if err := p.until(whole); err != nil {
		all, _ := chromedp.Run(p.ctx, chromedp.Evaluate[[]string](`[...document.querySelectorAll(".upload img")].map(i => [i.alt, i.width, i.height, i.naturalWidth].join(" "))`))
		p.t.Fatalf("%s does not see a picture of %q in %s: %v\n%s", p.name, words, region, err, strings.Join(all, "\n"))
	}
	link, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](picture+`.closest("a[target=_blank]").href`))
	if err != nil {
		p.t.Fatalf("%s: a picture leads nowhere: %v", p.name, err)
	}
	answer, err := http.Get(link)
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close()
	if size, err := png.DecodeConfig(answer.Body); err != nil || size.Width < 600 {
		p.t.Errorf("%s: %s is %d pixels wide: %v", p.name, link, size.Width, err)
	}
}

// read is the ids of what a region shows.
func (p *person) read(region string) []string {
	p.t.Helper()
	ids, err := chromedp.Run(p.ctx, chromedp.Evaluate[[]string](fmt.Sprintf(`[...document.querySelectorAll("#%s > .item")].map(e => e.id)`, region)))
	if err != nil {
		p.t.Fatalf("%s: read %s: %v", p.name, region, err)
	}
	return ids
}

// fits fails when the window scrolls sideways.
func (p *person) fits() {
	p.t.Helper()
	over, err := chromedp.Run(p.ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - innerWidth`))
	if err != nil || over > 0 {
		p.t.Errorf("%s: the page is %d pixels too wide: %v", p.name, over, err)
	}
}

// photographed checks that a picture of the window stays small enough for a README, and keeps it if asked to.
func (p *person) photographed(name string) {
	p.t.Helper()
	p.do("look", chromedp.Evaluate[chromedp.Void](`new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))`, chromedp.EvalAwaitPromise))
	png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	switch {
	case err != nil:
		p.t.Fatalf("%s: screenshot: %v", p.name, err)
	case len(png) > 300_000:
		p.t.Errorf("%s: %s has %d bytes, want at most 300 kB", p.name, name, len(png))
	case *pictures:
		if err := os.WriteFile(filepath.Join("..", "..", "docs", name), png, 0o644); err != nil {
			p.t.Error(err)
		}
	}
}

func (p *person) quiet() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.troubles) > 0 {
		p.t.Errorf("%s's console:\n%s", p.name, strings.Join(p.troubles, "\n"))
	}
}

// playing starts the whole product.
func playing(t *testing.T) *world {
	t.Helper()
	f, err := parse([]string{"--addr", "127.0.0.1:0", "--azure-addr", "127.0.0.1:0"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	w, err := newWorld(f, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	b := &runner{w: w, log: slog.New(slog.DiscardHandler)}
	b.start(t.Context())
	t.Cleanup(func() { b.stop() })
	if err := w.connected(t.Context(), b.done); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestTheMainJobByClicking(t *testing.T) {
	browser, w := chromium(t), playing(t)
	ana := sits(t, browser, w, "ana", 1600, 950, false)
	bo := sits(t, browser, w, "bo", 900, 900, true)
	olaf := sits(t, browser, w, "olaf", 390, 844, false)
	ana.sees("#welcome", "/vmss upgrade myvmss")
	ana.types("/vmss upgrade myvmss " + target)
	ana.sees("#messages", "Approve UD 0 of myvmss?")

	olaf.presses("Approve UD 0 of myvmss")
	olaf.sees("#messages", "VMSS-ROLE")
	olaf.photographed("page-390.png")
	if n := len((&stage{w: w}).starts()); n != 0 {
		t.Errorf("an outsider's click started %d upgrades", n)
	}

	bo.presses("Approve UD 0 of myvmss")
	bo.sees("#messages", "bo approved UD 0")
	bo.presses("Approve UD 1 of myvmss")
	ana.sees("#messages", "bo approved UD 1")
	ana.do("open the thread", chromedp.Click(`#messages .replies`), chromedp.WaitVisible(`#reply`))
	ana.sees("#thread", "UD 1")
	ana.looks("thread", "UD 0 done · 4/20 upgraded")
	ana.reloads()
	ana.sees("#messages", "Approve UD 2 of myvmss?")
	ana.looks("thread", "UD 1 done · 8/20 upgraded")
	ana.photographed("page.png")
	bo.presses("Approve UD 2 of myvmss")
	bo.sees("#messages", "Approve UD 3 of myvmss?")
	bo.photographed("page-900.png")
	bo.presses("Approve UD 3 of myvmss")
	bo.presses("Approve UD 4 of myvmss")

	for _, p := range []*person{ana, bo, olaf} {
		p.sees("#messages", "myvmss finished: succeeded")
		p.fits()
		p.quiet()
	}
	ana.sees("#thread", "myvmss finished: succeeded")
	if err := (&stage{w: w}).check(5, 20); err != nil {
		t.Error(err)
	}
}

func TestAPictureOfOnesOwnByClicking(t *testing.T) {
	browser, w := chromium(t), playing(t)
	ana := sits(t, browser, w, "ana", 390, 844, true)
	ana.types("/vmss show myvmss map")
	ana.sees("#messages", "your own conversation with me")
	ana.do("open the drawer", chromedp.Click(`.burger`))
	if err := ana.until(`document.getElementById("side").getBoundingClientRect().left === 0`); err != nil {
		t.Errorf("it does not open: %v", err)
	}
	ana.do("open the conversation", chromedp.Click(`//nav//a[contains(., "Messages")]`))
	ana.looks("messages", "20 on the model's image. 20 serving")
	ana.fits()
	ana.quiet()
}

func TestAFailureByClicking(t *testing.T) {
	browser, w := chromium(t), playing(t)
	if err := w.azure.Inject(azuresim.Fault{Kind: "fail-instance", Set: "myvmss", Instance: "5", Code: "VMExtensionProvisioningError",
		Message: "VM has reported a failure when processing extension 'HealthExtension'."}); err != nil {
		t.Fatal(err)
	}
	ana := sits(t, browser, w, "ana", 1240, 1040, false)
	bo := sits(t, browser, w, "bo", 900, 900, true)
	ana.types("/vmss upgrade myvmss " + target + ` ud=0-1 note="CHG-881"`)
	bo.presses("Approve UD 0 of myvmss")
	ana.sees("#messages", "Held: failure")
	ana.do("open the thread", chromedp.Click(`#messages .replies`), chromedp.WaitVisible(`#reply`))
	ana.looks("thread", "UD 0 done · 3/8 upgraded")
	ana.sees("#thread", "Held: failure")
	ana.photographed("page-trouble.png")
	ana.fits()
	ana.quiet()
}

func TestTroubleOfASetsOwnKindByClicking(t *testing.T) {
	browser, w := chromium(t), playing(t)
	p := opens(t, browser, w.azureURL, "ana", 1600, 950, false)
	button := func(label string) string { return fmt.Sprintf(`//button[text()=%q and not(@hidden)]`, label) }
	p.do("choose a machine of a set that is no Spot set", chromedp.Click(`.tile[data-set$="/myvmss"][data-id="2"]`), chromedp.WaitVisible(`#picked`))
	p.do("look for Evict", chromedp.WaitNotPresent(button("Evict")))
	p.do("evict two", chromedp.Click(`.tile[data-set$="/batch-spot"][data-id="1"]`), chromedp.Click(`.tile[data-set$="/batch-spot"][data-id="4"]`), chromedp.Click(button("Evict")))
	p.sees("#said", "batch-spot, 2 instances: 1 4: evicted.")
	scaled := `//article[.//*[text()="media-scaled"]]`
	p.do("make trouble", chromedp.Click(scaled+`//summary[text()="Make trouble"]`), chromedp.Click(scaled+button("Scale out by 2")))
	p.sees("#said", "media-scaled: the autoscaler moves the capacity by 2")
	if err := p.until(`document.querySelectorAll('.tile[data-set$="/media-scaled"]').length === 8`); err != nil {
		t.Errorf("it does not grow to 8: %v", err)
	}
	p.fits()
	p.quiet()
}

// reloads loads the page again in the middle of a rollout: what everybody sees is still there, and the live message
// goes on changing.
func (p *person) reloads() {
	p.t.Helper()
	before, thread := p.read("messages"), p.read("thread")
	private, err := chromedp.Run(p.ctx, chromedp.Evaluate[[]string](`[...document.querySelectorAll("#messages .item:has(.private)")].map(e => e.id)`))
	if err != nil {
		p.t.Fatal(err)
	}
	p.do("reload", chromedp.Reload(), chromedp.WaitVisible(`#compose`))
	p.sees("#messages", "myvmss")
	after, threadAfter := p.read("messages"), p.read("thread")
	for _, id := range before {
		if !slices.Contains(after, id) && !slices.Contains(private, id) {
			p.t.Errorf("%s: %s is lost after a reload", p.name, id)
		}
	}
	for _, id := range thread {
		if !slices.Contains(threadAfter, id) {
			p.t.Errorf("%s: %s is lost from the thread after a reload", p.name, id)
		}
	}
}

// chooses picks a menu's option by its value, as a person does with the keyboard.
func (p *person) chooses(field, value string) {
	p.t.Helper()
	menu := fmt.Sprintf(`[data-field=%q] select`, field)
	p.do("choose "+value, chromedp.WaitVisible(menu), chromedp.Evaluate[chromedp.Void](fmt.Sprintf(
		`(() => { const menu = document.querySelector(%q); menu.value = %q; menu.dispatchEvent(new Event("change", {bubbles: true})) })()`, menu, value)))
}

func TestAFormSaysWhatIsMissingAndKeepsWhatWasTyped(t *testing.T) {
	browser, w := chromium(t), playing(t)
	ana := sits(t, browser, w, "ana", 900, 900, false)
	ana.types("/vmss upgrade")
	ana.do("fill in the note only", chromedp.SendKeys(`[data-field=note] input`, "CHG-123"), chromedp.Click(`.view [type=submit]`))
	ana.sees("[data-field=set] .field-error", "Please complete this required field.")
	ana.chooses("set", "myvmss") // the app now asks for one of this set's versions
	ana.chooses("target/myvmss", target)
	note, err := chromedp.Run(ana.ctx, chromedp.Value(`[data-field=note] input`))
	if err != nil || note != "CHG-123" {
		t.Errorf("the form keeps %q: %v", note, err)
	}
	ana.do("send it", chromedp.Click(`.view [type=submit]`), chromedp.WaitNotPresent(`.view`))
	ana.sees("#messages", "Approve UD 0 of myvmss?")
	ana.quiet()
}
