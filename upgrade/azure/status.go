package azure

import (
	"cmp"
	"regexp"
	"strings"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

// status codes look like ProvisioningState/failed/VMExtensionHandlerNonTransientError: a kind, the
// state in any case, and sometimes why.
func (s viewStatus) split() (kind, state, why string) {
	kind, state, _ = strings.Cut(s.Code, "/")
	state, why, _ = strings.Cut(state, "/")
	return strings.ToLower(kind), strings.ToLower(state), why
}

// state returns the state of the first status of a kind, "" when there is none.
func state(list []viewStatus, kind string) string {
	for _, s := range list {
		if k, state, _ := s.split(); k == kind {
			return state
		}
	}
	return ""
}

// provisioning joins the two places where Azure says it, the instance view and the properties.
// Where they differ, the one that is less settled holds: an instance is taken for ready only when
// nothing speaks against it.
func (v *listedVM) provisioning() upgrade.Provisioning {
	said := upgrade.Provisioning(strings.ToLower(v.Properties.State))
	seen := upgrade.Provisioning(state(v.Properties.View.Statuses, "provisioningstate"))
	switch {
	case seen == "":
		return said
	case said.Moving(), said == upgrade.Failed && !seen.Moving():
		return said
	}
	return seen
}

// health reads the vmHealth of an instance view. Without one an instance of a set that has a health
// source is unknown, which Azure, too, counts as ill. The spelling of the codes is not documented
// for scale sets; HealthState/<word> in any case is assumed, and any other word is unknown.
func (v *instanceView) health(source bool) upgrade.Health {
	code := v.Health.Status.Code
	if v.Health.Status == (viewStatus{}) && !source {
		return upgrade.NoHealth
	}
	switch h := upgrade.Health(strings.ToLower(code[strings.LastIndexByte(code, '/')+1:])); h {
	case upgrade.Healthy, upgrade.Unhealthy, upgrade.Initializing:
		return h
	}
	return upgrade.UnknownState
}

// provisionedAt is when the provisioning state last changed, as the instance view tells; zero = not told.
func (v *instanceView) provisionedAt() time.Time {
	for _, s := range v.Statuses {
		if kind, _, _ := s.split(); kind == "provisioningstate" && s.Time != nil {
			return s.at()
		}
	}
	return time.Time{}
}

// trouble is Azure's innermost word on what is wrong with an instance, "" when nothing is: of an
// extension that failed, else of the instance, else of its health. The code is the innermost one that
// is a word: extensions put a script's exit status in its place.
func trouble(parts []part) (code, message string) {
	for _, p := range parts {
		if p.agent {
			continue
		}
		why, words := complaint(p.statuses)
		if code == "" && codeWord.MatchString(why) {
			code = scrub(why)
		}
		if message == "" && words != "" {
			message = scrub(p.prefix() + words)
		}
	}
	return code, message
}

var codeWord = regexp.MustCompile(`^[A-Za-z]\w*$`)

// complaint is what the first status that reports an error says, and the code in it.
func complaint(list []viewStatus) (code, words string) {
	for _, s := range list {
		_, state, why := s.split()
		if state != "failed" && state != "unhealthy" && !strings.EqualFold(s.Level, "Error") {
			continue
		}
		inner := armError{Code: why, Message: cmp.Or(s.Message, s.Display)}.innermost()
		switch code, words = inner.Code, inner.Message; {
		case words == "":
			return code, s.Code
		case code != "" && !strings.Contains(words, code):
			return code, code + ": " + words
		}
		return code, words
	}
	return "", ""
}
