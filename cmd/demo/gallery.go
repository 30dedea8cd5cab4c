package main

import (
	"encoding/json"
	"net/http"

	"github.com/vmssbot/vmssbot/bot/slacksim"
	"github.com/vmssbot/vmssbot/bot/view"
)

// withGallery is the workspace with one page more: every card, answer and form of the bot in every
// state, from the same inputs as the views' goldens.
func (w *world) withGallery() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", w.slack)
	mux.HandleFunc("GET /gallery", func(rw http.ResponseWriter, r *http.Request) {
		w.slack.Gallery("Everything vmssbot says", specimens()).ServeHTTP(rw, r)
	})
	return mux
}

func specimens() []slacksim.Specimen {
	var out []slacksim.Specimen
	for _, s := range view.Gallery() {
		out = append(out, specimen(s.Name, map[string]any{"text": s.Message.Text, "blocks": s.Message.Blocks}))
	}
	for _, s := range view.ViewGallery() {
		out = append(out, specimen(s.Name, s.View))
	}
	return out
}

func specimen(name string, doc any) slacksim.Specimen {
	body, err := json.Marshal(doc)
	if err != nil {
		body, _ = json.Marshal(map[string]string{"text": err.Error()})
	}
	return slacksim.Specimen{Name: name, Doc: body}
}
