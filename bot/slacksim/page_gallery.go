package slacksim

import (
	"encoding/json"
	"html/template"
	"net/http"
	"strings"
)

// Specimen is one message or view to look at: its name (a "/" in it groups specimens) and the
// Block Kit document that an app would send, a message's or a view's.
type Specimen struct {
	Name string
	Doc  json.RawMessage
}

// exhibit is a Specimen as the gallery's template wants it.
type exhibit struct {
	Name, ID string
	View     bool
	Title    template.HTML
	Body     template.HTML
}

// Gallery returns a page that shows specimens side by side as the workspace's own page shows them,
// for looking at every card in every state at once. Nothing on it can be pressed. It is to be
// served at any path of the same host, whose /ui/ files it uses.
func (s *Sim) Gallery(title string, specimens []Specimen) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", pagePolicy)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		groups := map[string][]exhibit{}
		var order []string
		for _, sp := range s.paint(specimens) {
			group, _, _ := strings.Cut(sp.Name, "/")
			if groups[group] == nil {
				order = append(order, group)
			}
			groups[group] = append(groups[group], sp)
		}
		_ = templates().ExecuteTemplate(w, "gallery", object{"Title": title, "Order": order, "Groups": groups}) // the caller went away
	})
}

// paint renders the specimens for the first person of the workspace.
func (s *Sim) paint(specimens []Specimen) []exhibit {
	s.mu.Lock()
	reader := s.newReader(s.users[0])
	s.mu.Unlock()
	out := make([]exhibit, len(specimens))
	for i, sp := range specimens {
		id := "specimen-" + strings.NewReplacer("/", "-", " ", "-").Replace(sp.Name)
		var doc struct {
			Type   string
			Text   string
			Title  struct{ Text string }
			Blocks json.RawMessage
		}
		_ = json.Unmarshal(sp.Doc, &doc) // what is no document shows as empty
		blocks, _ := readBlocks(doc.Blocks)
		out[i] = exhibit{Name: sp.Name, ID: id, View: doc.Type != "", Title: template.HTML(template.HTMLEscapeString(doc.Title.Text))} //nolint:gosec // escaped
		out[i].Body = reader.pieces(blocks, id, out[i].View)
		if len(blocks) == 0 {
			out[i].Body = `<div class="words">` + reader.mrkdwn(doc.Text, false) + `</div>`
		}
	}
	return out
}
