package azuresim

import (
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The fleet view: a page that shows the world as it is and has buttons for its faults. All it knows
// comes from GET /_control/view, all it does is POST to /_control/.

const assets = "/_page/" // where the page's own files are

//go:embed page/*.css page/*.js page/*.svg
var pageFiles embed.FS

//go:embed page/page.html
var pageHTML string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// contentPolicy lets the page load and call its own host only.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func isPage(r *http.Request) bool {
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	return reads && (r.URL.Path == "/" || strings.HasPrefix(r.URL.Path, assets))
}

func (s *Sim) servePage(rw http.ResponseWriter, r *http.Request) {
	h := rw.Header()
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	if name, ok := strings.CutPrefix(r.URL.Path, assets); ok {
		http.ServeFileFS(rw, r, pageFiles, "page/"+name)
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	f := s.opt.Fleet
	err := pageTemplate.Execute(rw, map[string]any{
		"Name": f.SubscriptionName, "Subscription": f.Subscription, "Home": s.opt.Home,
		"Speed": strconv.FormatFloat(s.opt.Speed, 'g', -1, 64),
	})
	if err != nil {
		panic(http.ErrAbortHandler) // the browser has gone
	}
}

// shownWrites is how many of the last writes the page shows.
const shownWrites = 40

// pageView is all the page shows.
type pageView struct {
	State
	Writes    []Write `json:"writes"` // the last ones, newest first, without bodies
	AllWrites int     `json:"allWrites"`
	Stats     Stats   `json:"stats"`
}

// serveView sends the view, or 304 when but for the time it is what the page has.
func (s *Sim) serveView(rw http.ResponseWriter, r *http.Request) {
	v := s.view()
	now := v.Now
	v.Now = time.Time{}
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("view: %v", err)) // made of our own types
	}
	tag := fmt.Sprintf(`"%x"`, digest(string(data)))
	rw.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		rw.WriteHeader(http.StatusNotModified)
		return
	}
	v.Now = now
	ok(v).write(rw)
}

func (s *Sim) view() pageView {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.world
	w.advance(s.now())
	v := pageView{State: w.state(), AllWrites: len(w.writes), Stats: w.stats.clone()}
	v.Buckets = nil // the page does not show them, and they fill by themselves
	for _, record := range slices.Backward(w.writes[max(0, len(w.writes)-shownWrites):]) {
		short := *record
		short.Body = nil
		v.Writes = append(v.Writes, short)
	}
	return v
}
