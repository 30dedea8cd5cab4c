package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/vmssbot/vmssbot/upgrade"
)

// fault says what became of a request in the domain's words. err is what the SDK made of it, which
// counts only where the flight has no answer.
func (f *flight) fault(op string, err error, now time.Time) *upgrade.Fault {
	var no *refusal
	var lost *fenced
	var h *hush
	switch {
	case errors.As(err, &no):
		return &upgrade.Fault{Kind: upgrade.FaultUnsafe, Op: op, Message: no.why, Cause: no}
	case errors.As(err, &lost):
		return &upgrade.Fault{Kind: upgrade.FaultUnavailable, Op: op, Message: "nothing was sent: the fence is closed", Cause: lost}
	case errors.As(err, &h):
		return &upgrade.Fault{Kind: upgrade.FaultThrottled, Op: op, Code: h.code, Message: h.message, RetryAfter: h.until.Sub(now), Correlation: h.correlation, Cause: h}
	case f.status == 0:
		return f.unanswered(op, bare(err))
	}
	return f.answered(op, err)
}

// unanswered: no credential, no connection, or no whole answer.
func (f *flight) unanswered(op string, err error) *upgrade.Fault {
	if f.url == nil {
		words := unauthenticated(err)
		return &upgrade.Fault{Kind: upgrade.FaultSignIn, Op: op, Code: "Authentication", Message: words, Cause: errors.New(words)}
	}
	kind := upgrade.FaultUnavailable
	if f.write && f.sent {
		kind = upgrade.FaultUnknown
	}
	return &upgrade.Fault{Kind: kind, Op: op, Message: "no answer: " + scrub(err.Error()), Cause: err}
}

// bare takes the URL, which may be signed, off an error of net/http.
func bare(err error) error {
	var u *url.Error
	for errors.As(err, &u) {
		err = u.Err
	}
	return err
}

// unauthenticated says why there was no token, in which case nothing was sent.
func unauthenticated(err error) string {
	var no *azidentity.AuthenticationFailedError
	switch {
	case errors.As(err, &no) && no.RawResponse != nil:
	case errors.Is(err, context.DeadlineExceeded):
		return "no token in time"
	default:
		return scrub(err.Error())
	}
	var said struct {
		Code        string `json:"error"`
		Description string `json:"error_description"`
	}
	if body, err := runtime.Payload(no.RawResponse); err == nil && json.Unmarshal(body, &said) == nil && said.Code != "" {
		return scrub(said.Code + ": " + said.Description)
	}
	return fmt.Sprintf("the token's issuer answered %d", no.RawResponse.StatusCode)
}

func (f *flight) answered(op string, err error) *upgrade.Fault {
	e, ok := errorIn(f.body)
	inner := e.innermost()
	out := &upgrade.Fault{
		Op: op, Code: scrub(inner.Code), Message: scrub(inner.Message),
		RetryAfter: f.wait, Correlation: correlation(f.header),
		Cause: fmt.Errorf("http status %d", f.status),
	}
	if out.Code == "" {
		out.Code = scrub(e.Code)
	}
	out.Kind = f.kind(ok, e, inner)
	switch {
	case f.status < 300 && err != nil:
		out.Message = "the answer cannot be read: " + scrub(err.Error())
	case !ok:
		out.Code, out.Message = "", fmt.Sprintf("answer %d without Azure's own words", f.status)
	case out.Kind == upgrade.FaultDenied:
		out.Message = missingRight(out.Message)
	}
	return out
}

// kind is the table of what an answer means. A write that was answered with 4xx did not happen; an
// answer of 5xx, 503 with Retry-After included, leaves that open: no page of Azure's promises that
// such a write was not taken.
func (f *flight) kind(azureSaid bool, e, inner armError) upgrade.FaultKind {
	codes := e.codes()
	switch {
	case f.limited():
		return upgrade.FaultThrottled
	case f.status == http.StatusUnauthorized:
		return upgrade.FaultSignIn
	case f.status == http.StatusForbidden, slices.Contains(codes, "scopelocked"):
		return upgrade.FaultDenied
	case f.status == http.StatusNotFound && azureSaid && f.set != (target{}) && saysGone(codes):
		return upgrade.FaultGone
	case f.write:
		return f.writeKind(codes, e.Message+" "+inner.Message)
	case f.status == http.StatusServiceUnavailable && f.header.Get("Retry-After") != "":
		return upgrade.FaultThrottled
	case azureSaid && f.set == (target{}) && (f.status == http.StatusNotFound || f.status == http.StatusBadRequest):
		return upgrade.FaultRefused
	}
	return upgrade.FaultUnavailable
}

func (f *flight) writeKind(codes []string, words string) upgrade.FaultKind {
	switch {
	case f.status < 400, f.status >= 500, f.status == http.StatusRequestTimeout:
		return upgrade.FaultUnknown
	case f.status == http.StatusPreconditionFailed:
		return upgrade.FaultPrecondition
	case f.status == http.StatusConflict && saysBusy(codes, words):
		return upgrade.FaultBusy
	}
	return upgrade.FaultRefused
}

// saysGone: only Azure's own words end a rollout; a proxy's 404 does not.
func saysGone(codes []string) bool {
	return slices.ContainsFunc(codes, func(c string) bool {
		return c == "resourcenotfound" || c == "resourcegroupnotfound" || c == "notfound" || c == "parentresourcenotfound"
	})
}

// busyWords: OperationNotAllowed means "not now" as well as "never", and only its message tells.
var busyWords = regexp.MustCompile(`(?i)in progress|another operation|concurrent|being (updated|modified|processed)|preempted|is (currently )?running`)

func saysBusy(codes []string, words string) bool {
	for _, c := range codes {
		switch {
		case c == "conflict", c == "operationpreempted", strings.HasPrefix(c, "anotheroperation"), strings.HasPrefix(c, "conflictwith"):
			return true
		case c == "operationnotallowed" && busyWords.MatchString(words):
			return true
		}
	}
	return false
}

// rightMissing reads AuthorizationFailed and LinkedAuthorizationFailed: what may not be done comes
// last in the latter, after what may.
var rightMissing = regexp.MustCompile(`perform action(?:\(s\)|s)? '([^']+)' (?:on|over) (?:the )?(?:linked )?scope(?:\(s\)|s)? '([^']+)'`)

func missingRight(words string) string {
	all := rightMissing.FindAllStringSubmatch(words, -1)
	if len(all) == 0 {
		return words
	}
	last := all[len(all)-1]
	return fmt.Sprintf("the bot's identity lacks the right %s on %s", last[1], last[2])
}
