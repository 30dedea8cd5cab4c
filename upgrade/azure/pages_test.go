package azure

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/vmssbot/vmssbot/upgrade"
)

const listPath = setPath + "/virtualMachines"

// observed runs one Observe against a list of instances that is answered in turn by pages.
func observed(t *testing.T, pages ...http.HandlerFunc) (upgrade.ScaleSet, []string, error) {
	t.Helper()
	s := &stub{routes: map[string]http.HandlerFunc{"GET myvmss": say(200, setJSON("")), "GET virtualMachines": inTurn(pages...)}}
	set, err := connect(t, s).Observe(context.Background(), testSet, upgrade.Free)
	return set, s.requests()[1:], err
}

// link is the nextLink of a page.
func link(token string) string { return "{host}" + listPath + "?api-version=1&$skiptoken=" + token }

func ids(s upgrade.ScaleSet) string {
	var out []string
	for _, i := range s.Instances {
		out = append(out, i.ID)
	}
	return strings.Join(out, " ")
}

func TestAListIsReadWholeOrNotAtAll(t *testing.T) {
	first := say(200, pageJSON(link("2"), vmJSON("10"), vmJSON("2")))
	rows := []struct {
		name     string
		pages    []http.HandlerFunc
		ids      string // "" = it fails
		kind     upgrade.FaultKind
		requests int
	}{
		{"pages are followed and sorted", []http.HandlerFunc{first, say(200, pageJSON("", vmJSON("1")))}, "1 2 10", "", 2},
		{"an empty page in the middle is a page", []http.HandlerFunc{say(200, pageJSON(link("2"))), say(200, pageJSON("", vmJSON("1")))}, "1", "", 2},
		{"an empty nextLink is the end", []http.HandlerFunc{say(200, `{"value":[`+vmJSON("1")+`],"nextLink":""}`)}, "1", "", 1},
		{"a set without instances has none", []http.HandlerFunc{say(200, `{"value":[]}`)}, "-", "", 1},
		{"an instance on two pages is one instance", []http.HandlerFunc{first, say(200, pageJSON("", vmJSON("2"), vmJSON("3")))}, "2 3 10", "", 2},
		{"a dead skiptoken starts the list again", []http.HandlerFunc{first, say(400, errorJSON("InvalidParameter", "skiptoken")), first, say(200, pageJSON("", vmJSON("1")))}, "1 2 10", "", 4},
		{"a page that breaks off starts the list again, without what it had", []http.HandlerFunc{first, half(200), say(200, pageJSON("", vmJSON("5")))}, "5", "", 3},
		{"only once", []http.HandlerFunc{first, half(200), first, half(200)}, "", upgrade.FaultUnavailable, 4},
		{"not when Azure asks for quiet", []http.HandlerFunc{first, say(429, "{}", "Retry-After", "60")}, "", upgrade.FaultThrottled, 2},
		{"not when it says no", []http.HandlerFunc{say(403, errorJSON("AuthorizationFailed", "m"))}, "", upgrade.FaultDenied, 1},
		{"not when the set is gone", []http.HandlerFunc{say(404, errorJSON("ResourceNotFound", "m"))}, "", upgrade.FaultGone, 1},
		{"a page without a list is none", []http.HandlerFunc{say(200, `{}`)}, "", upgrade.FaultUnavailable, 2},
		{"half a JSON page is none", []http.HandlerFunc{say(200, `{"value":[`+vmJSON("1"))}, "", upgrade.FaultUnavailable, 2},
		{"an HTML page is none", []http.HandlerFunc{html(200)}, "", upgrade.FaultUnavailable, 2},
		{"an entry that is null names nothing", []http.HandlerFunc{say(200, pageJSON("", "null"))}, "", upgrade.FaultUnavailable, 2},
		{"an entry without a name names nothing", []http.HandlerFunc{say(200, pageJSON("", `{"properties":{}}`))}, "", upgrade.FaultUnavailable, 2},
		{"an instance named * is none", []http.HandlerFunc{say(200, pageJSON("", vmJSON("*")))}, "", upgrade.FaultUnavailable, 2},
		{"pages in a circle are no list", []http.HandlerFunc{say(200, pageJSON(link("2"), vmJSON("1")))}, "", upgrade.FaultUnavailable, 6},
		{"a nextLink to another host is not followed", []http.HandlerFunc{say(200, pageJSON("http://127.0.0.2:1"+listPath+"?api-version=1", vmJSON("1")))}, "", upgrade.FaultUnsafe, 1},
		{"a nextLink to another set is not followed", []http.HandlerFunc{say(200, pageJSON("{host}"+strings.Replace(listPath, "myvmss", "other", 1)+"?api-version=1", vmJSON("1")))}, "", upgrade.FaultUnsafe, 1},
		{"a nextLink to something else is not followed", []http.HandlerFunc{say(200, pageJSON("{host}/metadata/identity", vmJSON("1")))}, "", upgrade.FaultUnsafe, 1},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s, requests, err := observed(t, row.pages...)
			switch {
			case row.ids == "":
				faultOf(t, err, row.kind)
				if len(s.Instances) > 0 || s.ID != "" {
					t.Errorf("a part was returned with the fault: %+v", s)
				}
			case err != nil || ids(s) != strings.Trim(row.ids, "-"):
				t.Errorf("instances %q, error %v, want %q", ids(s), err, row.ids)
			}
			if len(requests) != row.requests {
				t.Errorf("%d requests, want %d", len(requests), row.requests)
			}
		})
	}
}

func TestAGroupWithParenthesesIsReachedHoweverAzureWritesIt(t *testing.T) {
	path := strings.Replace(setPath, testGroup, "rg(1)", 1)
	for _, next := range []string{path, strings.NewReplacer("(", "%28", ")", "%29").Replace(path)} {
		s := &stub{routes: map[string]http.HandlerFunc{
			"GET myvmss":          say(200, strings.Replace(setJSON(""), testGroup, "rg(1)", 1)),
			"GET virtualMachines": inTurn(say(200, pageJSON("{host}"+next+"/virtualMachines?$skiptoken=2", vmJSON("0"))), say(200, pageJSON("", vmJSON("1")))),
		}}
		if set := observe(t, connect(t, s), upgrade.NewSetID(path)); ids(set) != "0 1" {
			t.Errorf("instances %q", ids(set))
		}
	}
}

func TestAListThatNeverEndsIsGivenUp(t *testing.T) {
	n := 0
	_, requests, err := observed(t, func(w http.ResponseWriter, r *http.Request) {
		n++
		say(200, pageJSON(link(fmt.Sprint(n))))(w, r)
	})
	faultOf(t, err, upgrade.FaultUnavailable)
	if len(requests) != 2*maxPages {
		t.Errorf("%d requests, want two walks of %d", len(requests), maxPages)
	}
}

func TestAnAnswerThatIsNotTheSetIsNone(t *testing.T) {
	for name, body := range map[string]string{
		"nothing":       `{}`,
		"null":          `null`,
		"no properties": `{"id":"` + setPath + `"}`,
		"another set":   strings.Replace(setJSON(""), "myvmss", "other", 1),
		"a wrong type":  `{"id":"` + setPath + `","properties":"no"}`,
	} {
		s := &stub{routes: map[string]http.HandlerFunc{"GET myvmss": say(200, body), "GET virtualMachines": say(200, pageJSON(""))}}
		_, err := connect(t, s).Observe(context.Background(), testSet, upgrade.Free)
		if f := faultOf(t, err, upgrade.FaultUnavailable); !strings.Contains(f.Message, "cannot be read") {
			t.Errorf("%s: %v", name, f)
		}
	}
}

func TestAzuresOwnRollingUpgradeIsAskedForWhereItMayRun(t *testing.T) {
	running := func(code string) http.HandlerFunc {
		return say(200, `{"properties":{"runningStatus":{"code":"`+code+`"}}}`)
	}
	plain := setJSON("")
	policy := setJSON(`,"x":1`)
	policy = strings.Replace(policy, `{"mode":"Manual"}`, `{"mode":"Manual","rollingUpgradePolicy":{}}`, 1)
	rows := []struct {
		name         string
		set          string
		answer       http.HandlerFunc
		asked, rolls bool
	}{
		{"a settled set in mode Manual costs no call", plain, running("RollingForward"), false, false},
		{"mode Rolling", strings.Replace(plain, "Manual", "Rolling", 1), running("RollingForward"), true, true},
		{"a rolling policy", policy, running("RollingForward"), true, true},
		{"an automatic OS upgrade", strings.Replace(plain, `{"mode":"Manual"}`, `{"mode":"Manual","automaticOSUpgradePolicy":{"enableAutomaticOSUpgrade":true}}`, 1), running("RollingForward"), true, true},
		{"a set at work", strings.Replace(plain, "Succeeded", "Updating", 1), running("RollingForward"), true, true},
		{"completed", policy, running("Completed"), true, false},
		{"cancelled", policy, running("Cancelled"), true, false},
		{"faulted", policy, running("Faulted"), true, false},
		{"a word we do not know counts as running", policy, running("RollingSideways"), true, true},
		{"no word counts as running", policy, say(200, `{}`), true, true},
		{"there never was one", policy, say(404, errorJSON("ResourceNotFound", "m")), true, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s := &stub{routes: map[string]http.HandlerFunc{"GET myvmss": say(200, row.set), "GET virtualMachines": say(200, pageJSON("")), "GET latest": row.answer}}
			set := observe(t, connect(t, s), testSet)
			if asked := len(s.requests()) == 3; asked != row.asked || set.Rolling != row.rolls {
				t.Errorf("asked %v, rolling %v", asked, set.Rolling)
			}
		})
	}
	s := &stub{routes: map[string]http.HandlerFunc{"GET myvmss": say(200, policy), "GET virtualMachines": say(200, pageJSON("")), "GET latest": say(500, "")}}
	_, err := connect(t, s).Observe(context.Background(), testSet, upgrade.Free)
	faultOf(t, err, upgrade.FaultUnavailable)
}
