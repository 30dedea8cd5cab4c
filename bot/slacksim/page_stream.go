package slacksim

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// news is one server-sent event. What says what to do with the rest:
//
//	hello  ID is the workspace's birth: another one has taken the address when it is not the page's
//	part   replace what the element ID holds
//	item   replace or add the item ID of Region, which now has this Version
//	order  Region has exactly the items IDs, in this order
//	title  HTML is the window's title, as plain text
//	log    Entries are further lines of the log
//	ready  everything so far has been said once
//
// A new connection says everything once, so that a browser that lost its connection catches up by keeping what has
// the same version. The only event ids are those of the log.
type news struct {
	What    string   `json:"what"`
	ID      string   `json:"id,omitempty"`
	Region  string   `json:"region,omitempty"`
	Version string   `json:"v,omitempty"`
	HTML    string   `json:"html,omitempty"`
	IDs     []string `json:"ids,omitempty"`
	Entries []line   `json:"entries,omitempty"`
}

const (
	streamPause = 60 * time.Millisecond // between updates
	streamBeat  = 15 * time.Second      // how soon either side notices that the other is gone
)

// serveStream sends a window what changes, as server-sent events, until either side goes away.
func (s *Sim) serveStream(w http.ResponseWriter, r *http.Request) {
	at, err := s.windowOf(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	if n, err := strconv.Atoi(r.Header.Get("Last-Event-ID")); err == nil && at.log >= 0 {
		at.log = max(at.log, n)
	}
	changed, end := s.Subscribe()
	defer end()
	w.Header().Set("Content-Type", "text/event-stream")
	st := &stream{painter: painter{sim: s, window: at}, w: w, flush: http.NewResponseController(w).Flush, sent: map[string]string{}}
	beat := time.NewTicker(streamBeat)
	defer beat.Stop()
	st.send("hello", "", news{What: "hello", ID: fmt.Sprint(s.born)})
	for st.update() == nil {
		select { // changes come in bursts: they are sent where they settle
		case <-time.After(streamPause):
		case <-r.Context().Done():
			return
		}
		select {
		case <-changed:
		case <-beat.C:
			st.write(": still here\n\n")
		case <-r.Context().Done():
			return
		case <-s.done:
			return
		}
	}
}

// stream is one connection of a window.
type stream struct {
	painter
	w     http.ResponseWriter
	flush func() error
	sent  map[string]string // by part, item and region: what the window has
	err   error
}

func (st *stream) write(text string) {
	if st.err == nil {
		_, st.err = io.WriteString(st.w, text)
	}
	if st.err == nil {
		st.err = st.flush()
	}
}

// send writes news unless the window has it already.
func (st *stream) send(key, version string, f news) {
	if old, has := st.sent[key]; has && old == version {
		return
	}
	st.sent[key] = version
	st.write("data: " + string(encode(f)) + "\n\n")
}

// update sends what is different from what the window has.
func (st *stream) update() error {
	sc := st.scene()
	st.send("title", sc.Title, news{What: "title", HTML: sc.Title})
	for _, name := range partNames {
		body := string(sc.Parts[name])
		st.send("part "+name, body, news{What: "part", ID: name, HTML: body})
	}
	for _, region := range regionNames {
		ids := []string{}
		for _, it := range sc.Regions[region] {
			ids = append(ids, it.ID)
			st.send("item "+it.ID, it.Version, news{What: "item", Region: region, ID: it.ID, Version: it.Version, HTML: string(it.HTML)})
		}
		st.send("order "+region, fmt.Sprint(ids), news{What: "order", Region: region, IDs: ids})
	}
	st.sendLog(sc.log)
	st.send("ready", "", news{What: "ready"})
	return st.err
}

func (st *stream) sendLog(entries []Entry) {
	if len(entries) == 0 {
		return
	}
	out := make([]line, len(entries))
	for i, e := range entries {
		out[i] = lineOf(e)
	}
	st.window.log = entries[len(entries)-1].Seq
	st.write(fmt.Sprintf("id: %d\ndata: %s\n\n", st.window.log, encode(news{What: "log", Entries: out})))
}
