package azuresim

import (
	"bytes"
	"cmp"
	"net/http"
	"time"
)

// spoil is the answer of a call that was worked on as the fault lets it through, nil for kinds that
// leave it alone.
func (f Fault) spoil(c *call, r *reply) *reply {
	spoilt := *r
	spoilt.header, spoilt.raw = r.header.Clone(), r.data()
	switch f.Kind {
	case "half-body":
		spoilt.cut = true
	case "drip":
		spoilt.drip = cmp.Or(time.Duration(f.Delay), time.Second)
	case "malformed":
		spoilt.raw = spoilt.raw[:len(spoilt.raw)/2]
	case "wrong-type":
		spoilt.kind = "text/html; charset=utf-8"
	case "big-body":
		spoilt.raw = append(bytes.Clone(spoilt.raw), bytes.Repeat([]byte(" "), cmp.Or(f.Count, 50)<<20)...)
	case "foreign-host":
		return f.misdirect(c, r)
	default:
		return nil
	}
	return &spoilt
}

// trickle sends an answer byte by byte, then blanks, until the caller gives up.
func (r *reply) trickle(rw http.ResponseWriter, req *http.Request) {
	data := r.head(rw)
	rw.Header().Del("Content-Length")
	rw.WriteHeader(r.status)
	for n := 0; ; n++ {
		next := []byte(" ")
		if n < len(data) {
			next = data[n : n+1]
		}
		if _, err := rw.Write(next); err != nil {
			return
		}
		http.NewResponseController(rw).Flush()
		if !wait(req, r.drip) {
			return
		}
	}
}
