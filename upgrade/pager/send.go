package pager

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// never: the receiver is not told again.
const never time.Duration = -1

// Send tells the receiver once. again is how long the receiver wants to be left alone; zero = it did not say, and
// negative = the same would never do. An error holds nothing of what was sent or of where.
func (h Hook) Send(ctx context.Context, c *http.Client, p upgrade.Page, now time.Time) (again time.Duration, err error) {
	body, err := h.body(p)
	if err != nil {
		return never, errors.New("the event cannot be written: " + err.Error())
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, string(h.URL), bytes.NewReader(body))
	if err != nil {
		return never, errors.New("its address is none") // the error would repeat it
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "vmssbot")
	r.Header.Set(headerID, p.ID())
	if h.Format == JSON {
		timestamp, signature := sign(h.Key, now, body)
		r.Header.Set(headerTimestamp, timestamp)
		r.Header.Set(headerSignature, signature)
	}
	answer, err := c.Do(r)
	if err != nil {
		return 0, without(err)
	}
	defer answer.Body.Close()
	io.CopyN(io.Discard, answer.Body, 4<<10) // so that the connection can be used again; whatever stands there, the status is the answer
	return judge(answer, now)
}

// without is the error without the address, which net/http puts before it.
func without(err error) error {
	if u := new(url.Error); errors.As(err, &u) {
		err = u.Err
	}
	return err
}

// judge says what an answer means. Only what blames the body is for good: everything else, such as a wrong address
// or a key that is not known yet, somebody may mend meanwhile.
func judge(r *http.Response, now time.Time) (again time.Duration, err error) {
	switch {
	case r.StatusCode >= 200 && r.StatusCode < 300:
		return 0, nil
	case r.StatusCode >= 300 && r.StatusCode < 400:
		return 0, fmt.Errorf("HTTP %d: it points elsewhere, and no redirect is followed", r.StatusCode)
	case slices.Contains([]int{http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity}, r.StatusCode):
		return never, fmt.Errorf("HTTP %d: it does not take the event", r.StatusCode)
	}
	return quiet(r.Header.Get("Retry-After"), now), fmt.Errorf("HTTP %d", r.StatusCode)
}

// longestQuiet bounds what a receiver may ask for.
const longestQuiet = time.Hour

// quiet reads Retry-After: seconds, or a date; zero = there is none.
func quiet(s string, now time.Time) time.Duration {
	d := time.Duration(0)
	if n, err := strconv.Atoi(s); err == nil {
		d = time.Duration(min(n, 1<<20)) * time.Second
	} else if at, err := http.ParseTime(s); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), longestQuiet)
}
