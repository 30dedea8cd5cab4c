package slacksim

import (
	"embed"
	"html/template"
	"net/http"
	"strings"
	"sync"
)

// The page is what a person sees in a browser at /: channels, threads, forms and the log of all traffic. The server
// renders everything; the browser swaps what changed (see page_stream.go) and posts what the person does (see
// page_act.go). Nothing is loaded from elsewhere.

//go:embed page
var pageFiles embed.FS

// templates are the page's, parsed once.
var templates = sync.OnceValue(func() *template.Template {
	return template.Must(template.ParseFS(pageFiles, "page/*.html"))
})

// pagePolicy lets the browser run, show and call only what this server serves.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// sameOrigin refuses what another site makes a browser send; programs that are no browsers pass.
var sameOrigin = http.NewCrossOriginProtection()

// servePage serves the page and what belongs to it.
func (s *Sim) servePage(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	path := strings.TrimPrefix(r.URL.Path, "/ui/")
	file, isFile := strings.CutPrefix(path, "file/")
	entry, isEntry := strings.CutPrefix(path, "log/")
	switch do := pagePosts[path]; {
	case r.Method == http.MethodPost && do != nil:
		s.servePost(w, r, do)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
	case r.URL.Path == "/":
		s.serveWindow(w, r)
	case strings.HasPrefix(r.URL.Path, "/archives/"):
		s.serveArchive(w, r)
	case path == "stream":
		s.serveStream(w, r)
	case isFile:
		s.servePicture(w, r, file)
	case isEntry:
		s.serveEntry(w, r, entry)
	default:
		serveAsset(w, r, path)
	}
}

// assets are the embedded files a browser may ask for, and their types.
var assets = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

func serveAsset(w http.ResponseWriter, r *http.Request, name string) {
	_, ext, _ := strings.Cut(name, ".")
	kind := assets["."+ext]
	body, err := pageFiles.ReadFile("page/" + name)
	if err != nil || kind == "" || !strings.HasPrefix(r.URL.Path, "/ui/") {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Write(body) //nolint:errcheck // the caller went away
}

// serveWindow serves the page itself: whole, so that it shows before any script has run.
func (s *Sim) serveWindow(w http.ResponseWriter, r *http.Request) {
	at, err := s.windowOf(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	if at.born == "" {
		at.born = s.logEnd()
	}
	sc := (&painter{sim: s, window: at}).scene()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = templates().ExecuteTemplate(w, "page", object{"Scene": sc, "Window": at, "Born": at.born, "Commands": s.opt.Commands,
		"Welcome": s.welcome(), "Inspect": at.log >= 0, "Started": s.born}) // the caller went away
}

// welcome is Options.Welcome as mrkdwn.
func (s *Sim) welcome() []template.HTML {
	r := &reader{}
	var out []template.HTML
	for _, line := range s.opt.Welcome {
		out = append(out, r.mrkdwn(line, true))
	}
	return out
}

// serveArchive leads a permalink of chat.getPermalink, /archives/CHANNEL/p1795449647813198, to the page.
func (s *Sim) serveArchive(w http.ResponseWriter, r *http.Request) {
	part := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	q := r.URL.Query()
	to := "/?in=" + template.URLQueryEscaper(part[min(1, len(part)-1)])
	if as := q.Get("as"); as != "" {
		to += "&as=" + template.URLQueryEscaper(as)
	}
	if ts := q.Get("thread_ts"); ts != "" {
		to += "&thread=" + template.URLQueryEscaper(ts)
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// servePicture gives a person the content of a file that person can see: pictures to look at, anything else to save.
func (s *Sim) servePicture(w http.ResponseWriter, r *http.Request, id string) {
	s.mu.Lock()
	u, f := s.user(r.URL.Query().Get("as")), s.files[id]
	seen := u != nil && f != nil && f.Visible && s.mayRead(u, f)
	s.mu.Unlock()
	if !seen {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	switch f.Type {
	case "image/png", "image/jpeg", "image/gif", "image/webp":
		h.Set("Content-Type", f.Type)
	default:
		h.Set("Content-Disposition", "attachment; filename*=UTF-8''"+strings.ReplaceAll(template.URLQueryEscaper(f.Name), "+", "%20"))
	}
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	w.Write(f.Content) //nolint:errcheck // the caller went away
}

// mayRead reports whether a file is in a conversation the person sees; one that was shared nowhere may be in a block.
func (s *Sim) mayRead(u *User, f *File) bool {
	for _, sh := range f.Shares {
		if c := s.channel(sh.Channel); c != nil && c.sees(u) {
			return true
		}
	}
	return len(f.Shares) == 0
}
