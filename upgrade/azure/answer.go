package azure

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// armError is Resource Manager's form of an error, in answers and in operations.
type armError struct {
	Code    string     `json:"code"`
	Message string     `json:"message"`
	Target  string     `json:"target"`
	Details []armError `json:"details"`
	Inner   struct {
		Type   string `json:"exceptiontype"`
		Detail string `json:"errordetail"`
	} `json:"innererror"`
}

// errorIn finds the error in a body: under "error", or bare. ok is false when there is none, as in
// a proxy's HTML page.
func errorIn(body []byte) (e armError, ok bool) {
	var outer struct {
		armError
		Error *armError `json:"error"`
	}
	if json.Unmarshal(body, &outer) != nil {
		return armError{}, false
	}
	if outer.Error != nil {
		return *outer.Error, true
	}
	return outer.armError, outer.Code != ""
}

// innermost is the error that says most: Azure wraps what happened in general words, as details or
// as JSON inside of the message. It is the first leaf that has words of its own.
func (e armError) innermost() armError {
	if nested, ok := errorIn([]byte(e.Message)); ok && strings.HasPrefix(strings.TrimSpace(e.Message), "{") {
		return nested.innermost()
	}
	said := 0
	var first armError
	for _, d := range e.Details {
		if inner := d.innermost(); inner.Message != "" {
			if said == 0 {
				first = inner
			}
			said++
		}
	}
	switch {
	case said == 1:
		return first
	case said > 1:
		first.Message = fmt.Sprintf("%s (and %d more)", first.Message, said-1)
		return first
	case e.Message == "":
		e.Message = e.Inner.Detail
	}
	return e
}

// codes are all codes in the error, lower case, outermost first.
func (e armError) codes() []string {
	out := []string{strings.ToLower(e.Code)}
	if nested, ok := errorIn([]byte(e.Message)); ok {
		out = append(out, nested.codes()...)
	}
	for _, d := range e.Details {
		out = append(out, d.codes()...)
	}
	return out
}

// retryAfter reads the header in either of its forms; a date is measured with Azure's own clock
// when it told it. Zero means that no time was named.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	if v == "" {
		return 0
	}
	if s, err := strconv.Atoi(v); err == nil {
		return min(max(time.Duration(s), 0), maxQuiet/time.Second) * time.Second
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	if theirs := date(h); !theirs.IsZero() {
		now = theirs
	}
	return min(max(at.Sub(now), 0), maxQuiet)
}

// maxQuiet: no documented Retry-After comes near a day; a longer one is a mistake.
const maxQuiet = 24 * time.Hour

// date is Azure's clock at its answer, zero if it told none.
func date(h http.Header) time.Time {
	t, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return t
}

// correlation is the id that Azure's support and the activity log know a request by.
func correlation(h http.Header) string {
	if id := h.Get("x-ms-correlation-request-id"); id != "" {
		return clip(id, 100)
	}
	return clip(h.Get("x-ms-request-id"), 100)
}
