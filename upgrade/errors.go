package upgrade

import (
	"errors"
	"fmt"
	"time"
)

// Code is a refusal's stable name: people search for it, tests and documents name it.
type Code string

const (
	CodeArg     Code = "VMSS-ARG"     // a word or value that is not understood
	CodeRole    Code = "VMSS-ROLE"    // the person may not do that
	CodeLocked  Code = "VMSS-LOCKED"  // another rollout holds the set
	CodePolicy  Code = "VMSS-POLICY"  // the set or the policy does not allow the plan
	CodeNothing Code = "VMSS-NOTHING" // zero targets: nothing to do (R33)
	CodeUnknown Code = "VMSS-UNKNOWN" // no such set, rollout, instance or image
	CodeStale   Code = "VMSS-STALE"   // the card or plan was replaced or answered
	CodeState   Code = "VMSS-STATE"   // the verb does not fit the rollout's state
	CodeAzure   Code = "VMSS-AZURE"   // Azure could not be read or refused
	CodeBusy    Code = "VMSS-BUSY"    // too much of one person at once
	CodeInside  Code = "VMSS-INSIDE"  // a fault of the bot itself
)

// Refusal is an answer of no, for two audiences: Code, What and Next are for the person (what
// happened and why; the next command to type, "" if none), Cause is for the log and never shown.
// Rollout, when set, is the rollout the person can open instead.
type Refusal struct {
	Code    Code
	What    string
	Next    string
	Rollout string
	Cause   error
}

func (r *Refusal) Error() string {
	if r.Cause != nil {
		return fmt.Sprintf("%s: %s: %v", r.Code, r.What, r.Cause)
	}
	return fmt.Sprintf("%s: %s", r.Code, r.What)
}

func (r *Refusal) Unwrap() error { return r.Cause }

// Refuse builds a Refusal without a cause.
func Refuse(code Code, next, format string, args ...any) *Refusal {
	return &Refusal{Code: code, What: fmt.Sprintf(format, args...), Next: next}
}

// ErrStale is returned by a commit when the rollout has moved since it was read: read it again
// and decide anew.
var ErrStale = errors.New("the rollout has moved on")

// ErrFenced is returned when a pass no longer owns its rollout: drop everything.
var ErrFenced = errors.New("the pass lost its lease")

// ErrLocked is returned when a rollout cannot be opened because another one holds its set (R16).
var ErrLocked = errors.New("another rollout holds the scale set")

// ErrNotFound is returned when the journal holds no such rollout.
var ErrNotFound = errors.New("no such rollout")

// FaultKind says what an answer of Azure means for the next step.
type FaultKind string

const (
	FaultUnknown      FaultKind = "unknown"      // no answer, or a 5xx to a write: it may have happened
	FaultUnavailable  FaultKind = "unavailable"  // a read failed; nothing is known, nothing was changed
	FaultThrottled    FaultKind = "throttled"    // 429, or 503 with Retry-After: certain not to have happened
	FaultBusy         FaultKind = "busy"         // 409: another operation runs on the set
	FaultPrecondition FaultKind = "precondition" // 412: the model changed under us
	FaultGone         FaultKind = "gone"         // 404 of the set itself
	FaultDenied       FaultKind = "denied"       // 403
	FaultSignIn       FaultKind = "sign-in"      // 401, or no token to be had: nothing happened, it may pass
	FaultRefused      FaultKind = "refused"      // any other definite 4xx
	FaultUnsafe       FaultKind = "unsafe"       // our own guard refused to send it
)

// Fault is an error of Azure in the domain's words. Code and Message are Azure's own, the innermost
// ones; RetryAfter is zero when Azure named no time.
type Fault struct {
	Kind        FaultKind
	Op          string // what was tried, naming its object
	Code        string
	Message     string
	RetryAfter  time.Duration
	Correlation string
	Cause       error
}

func (f *Fault) Error() string {
	s := fmt.Sprintf("%s: %s", f.Op, f.Kind)
	if f.Code != "" {
		s += ": " + f.Code
	}
	if f.Message != "" {
		s += ": " + f.Message
	}
	return s
}

func (f *Fault) Unwrap() error { return f.Cause }

// AsFault returns the Fault in err, or one of kind FaultUnknown around it.
func AsFault(err error, op string) *Fault {
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	return &Fault{Kind: FaultUnknown, Op: op, Message: err.Error(), Cause: err}
}
