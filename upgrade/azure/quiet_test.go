package azure

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

const computesPolicy = "Microsoft.Compute/HighCostGetVMScaleSetResource;0,Microsoft.Compute/HighCostGetVMScaleSetSubscriptionMaximum;900"

// computes429 is how Compute says that a bucket of its own is empty.
const computes429 = `{"error":{"code":"OperationNotAllowed","message":"The server rejected the request because too many requests have been received for this subscription.",
	"details":[{"code":"TooManyRequests","target":"HighCostGetVMScaleSetResource","message":"{\"operationGroup\":\"HighCostGetVMScaleSetResource\"}"}]}}`

// What the tests do to Azure, each about one of two sets.
var deeds = map[string]func(*Azure, string) error{
	"GET": func(a *Azure, set string) error {
		_, err := a.Observe(context.Background(), upgrade.NewSetID(strings.Replace(setPath, "myvmss", set, 1)), upgrade.Free)
		return err
	},
	"poll": func(a *Azure, set string) error {
		_, err := a.Poll(context.Background(), token{byStatus, set, opPath}.String())
		return err
	},
	"POST": func(a *Azure, set string) error {
		_, err := a.Apply(context.Background(), upgrade.Operation{ID: "a", Kind: upgrade.OpUpgrade, Set: upgrade.NewSetID(strings.Replace(setPath, "myvmss", set, 1)), Instances: []string{"1"}})
		return err
	},
	"PATCH": func(a *Azure, set string) error {
		_, err := a.Apply(context.Background(), upgrade.Operation{ID: "a", Kind: upgrade.OpModel, Set: upgrade.NewSetID(strings.Replace(setPath, "myvmss", set, 1)), To: upgrade.Setting{Image: newImage}, IfMatch: `"1"`})
		return err
	},
}

// twoSets answers for both sets, but with refusal where a call matches, once.
func twoSets(match string, refusal http.HandlerFunc) *stub {
	s := &stub{routes: map[string]http.HandlerFunc{"GET " + operationID: say(200, `{"status":"InProgress"}`), "GET virtualMachines": say(200, pageJSON("", vmJSON("0"))), "POST manualupgrade": say(202, "")}}
	for _, set := range []string{"myvmss", "other"} {
		s.routes["GET "+set] = say(200, strings.Replace(setJSON(""), "myvmss", set, 1))
		s.routes["PATCH "+set] = say(202, "")
	}
	s.routes[match] = inTurn(refusal, s.routes[match])
	return s
}

func TestQuietIsKeptForItsBucketByAllSetsUntilItIsOver(t *testing.T) {
	date := func(after time.Duration) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			theirs := time.Now().Add(-7 * time.Minute) // Azure's clock is not ours
			say(429, computes429, "x-ms-ratelimit-remaining-resource", computesPolicy, "Date", theirs.UTC().Format(http.TimeFormat), "Retry-After", theirs.Add(after).UTC().Format(http.TimeFormat))(w, r)
		}
	}
	compute := func(status int) http.HandlerFunc {
		return say(status, computes429, "x-ms-ratelimit-remaining-resource", computesPolicy, "Retry-After", "120")
	}
	rows := []struct {
		name   string
		match  string // the call that is refused
		answer http.HandlerFunc
		quiet  string // the deeds that are answered without a call
		free   string // those that are not
	}{
		{"a list, in seconds", "GET virtualMachines", compute(429), "", "poll POST PATCH"},
		{"a set, in seconds", "GET myvmss", compute(429), "GET", "poll POST PATCH"},
		{"a set, by a date", "GET myvmss", date(2 * time.Minute), "GET", "poll POST PATCH"},
		{"a poll", "GET " + operationID, compute(429), "poll", "GET POST PATCH"},
		{"a start", "POST manualupgrade", compute(429), "POST", "GET poll PATCH"},
		{"a start, with 409 outside", "POST manualupgrade", compute(409), "POST", "GET poll PATCH"},
		{"a model change", "PATCH myvmss", compute(429), "PATCH", "GET poll POST"},
		{"Compute's policy is named in the body only", "GET myvmss", say(429, computes429, "Retry-After", "120"), "GET", "poll POST PATCH"},
		{"or in the header only", "GET myvmss", say(429, errorJSON("OperationNotAllowed", "m"), "x-ms-ratelimit-remaining-resource", computesPolicy, "Retry-After", "120"), "GET", "poll POST PATCH"},
		{"Resource Manager's count of reads is at zero", "GET myvmss", say(429, computes429, "x-ms-ratelimit-remaining-subscription-reads", "0", "Retry-After", "120"), "GET poll", "POST PATCH"},
		{"Resource Manager names no policy", "GET " + operationID, say(429, errorJSON("SubscriptionRequestsThrottled", "m"), "Retry-After", "120"), "GET poll", "POST PATCH"},
		{"Resource Manager's count of writes is at zero", "PATCH myvmss", say(429, "", "x-ms-ratelimit-remaining-subscription-writes", "0", "Retry-After", "120"), "POST PATCH", "GET poll"},
		{"503 with a time", "GET myvmss", say(503, errorJSON("ServerBusy", "m"), "Retry-After", "120"), "GET", "poll POST PATCH"},
		{"503 to a write", "POST manualupgrade", say(503, errorJSON("ServerBusy", "m"), "Retry-After", "120"), "POST", "GET poll PATCH"},
		{"429 without a time", "GET myvmss", say(429, computes429), "", "GET poll POST PATCH"},
		{"503 without a time", "GET myvmss", say(503, ""), "", "GET poll POST PATCH"},
		{"202 with a time", "POST manualupgrade", say(202, "", "Retry-After", "120"), "", "GET poll POST PATCH"},
	}
	for _, row := range rows {
		synctest.Test(t, func(t *testing.T) {
			s := twoSets(row.match, row.answer)
			inBubble(t, s, func(a *Azure) {
				if strings.HasSuffix(row.match, operationID) {
					deeds["poll"](a, "myvmss")
				} else {
					deeds[strings.Fields(row.match)[0]](a, "myvmss")
				}
				for name := range strings.FieldsSeq(row.free) {
					if err := deeds[name](a, "other"); err != nil {
						t.Errorf("%s: %s is held up: %v", row.name, name, err)
					}
				}
				time.Sleep(119 * time.Second)
				before := len(s.requests())
				for name := range strings.FieldsSeq(row.quiet) {
					for _, set := range []string{"myvmss", "other"} {
						f := faultOf(t, deeds[name](a, set), upgrade.FaultThrottled)
						if f.RetryAfter != kept(time.Second) {
							t.Errorf("%s: %s of %s may be tried after %s", row.name, name, set, f.RetryAfter)
						}
					}
				}
				if n := len(s.requests()) - before; n > 0 {
					t.Errorf("%s: %d calls were sent inside of the wait", row.name, n)
				}
				time.Sleep(kept(time.Second))
				for name := range strings.FieldsSeq(row.quiet) {
					if err := deeds[name](a, "other"); err != nil {
						t.Errorf("%s: %s does not go on after the wait: %v", row.name, name, err)
					}
				}
			})
		})
	}
}

// A reading takes two calls. The bucket of the list leaves the set itself alone, and what was said of
// the list is said again.
func TestQuietOfTheListLeavesTheSetAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := twoSets("GET virtualMachines", say(429, computes429, "Retry-After", "900", "x-ms-correlation-request-id", "c-1"))
		inBubble(t, s, func(a *Azure) {
			first := faultOf(t, deeds["GET"](a, "myvmss"), upgrade.FaultThrottled)
			time.Sleep(10 * time.Minute)
			again := faultOf(t, deeds["GET"](a, "other"), upgrade.FaultThrottled)
			if first.Code != "TooManyRequests" || again.Code != first.Code || again.Message != first.Message || again.Correlation != "c-1" || again.RetryAfter != kept(5*time.Minute) {
				t.Errorf("first %+v, again %+v", first, again)
			}
			if got := strings.Join(s.requests(), ", "); got != "GET myvmss, GET virtualMachines, GET other" {
				t.Errorf("requests: %s", got)
			}
		})
	})
}

// What is refused in quiet time passes no fence: nothing was about to be sent.
func TestQuietIsKeptBeforeTheFence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := twoSets("GET myvmss", say(429, computes429, "Retry-After", "60"))
		inBubble(t, s, func(a *Azure) {
			faultOf(t, deeds["GET"](a, "myvmss"), upgrade.FaultThrottled)
			_, err := a.Observe(context.Background(), testSet, func(context.Context) error {
				t.Error("the fence was passed")
				return nil
			})
			faultOf(t, err, upgrade.FaultThrottled)
		})
	})
}

func TestALongerWishOutlastsAShorterOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := twoSets("GET myvmss", say(429, computes429, "Retry-After", "60"))
		s.routes["GET "+operationID] = say(429, "", "Retry-After", "600") // Resource Manager's: all reads
		inBubble(t, s, func(a *Azure) {
			faultOf(t, deeds["GET"](a, "myvmss"), upgrade.FaultThrottled)
			faultOf(t, deeds["poll"](a, "myvmss"), upgrade.FaultThrottled)
			if f := faultOf(t, deeds["GET"](a, "myvmss"), upgrade.FaultThrottled); f.RetryAfter != kept(10*time.Minute) {
				t.Errorf("quiet for %s", f.RetryAfter)
			}
		})
	})
}

// strict is a simulator that enforces its limits and notes whoever calls inside of a wait it asked for.
type strict struct {
	t     *testing.T
	sim   http.Handler
	until map[string]time.Time // by the last segment of the path
	asked int
}

func (s *strict) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	kind := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	if time.Now().Before(s.until[kind]) {
		s.t.Errorf("%s was called %s too early", kind, time.Until(s.until[kind]))
	}
	s.sim.ServeHTTP(w, r)
	if after, err := strconv.Atoi(w.Header().Get("Retry-After")); err == nil {
		s.asked++
		s.until[kind] = time.Now().Add(time.Duration(after) * time.Second)
	}
}

func TestThePublishedLimitsAreKeptByTwoSetsThatLookEverySecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim, err := azuresim.New(azuresim.Options{Throttle: true})
		if err != nil {
			t.Fatal(err)
		}
		s := &strict{t: t, sim: sim, until: map[string]time.Time{}}
		inBubble(t, s, func(a *Azure) {
			other := upgrade.NewSetID(strings.NewReplacer(testGroup, "rg-shop", "myvmss", "web-prod").Replace(setPath))
			served := map[upgrade.SetID]int{}
			for range 90 {
				for _, set := range []upgrade.SetID{testSet, other} {
					if _, err := a.Observe(context.Background(), set, upgrade.Free); err == nil {
						served[set]++
					} else {
						faultOf(t, err, upgrade.FaultThrottled)
					}
				}
				time.Sleep(time.Second)
			}
			if s.asked == 0 || served[testSet] < 36 || served[other] < 36 {
				t.Errorf("asked for quiet %d times, served %v", s.asked, served)
			}
		})
	})
}

func TestQuietIsNotCutShortByAnAnswerThatWasOnItsWay(t *testing.T) {
	var q quiet
	now := time.Date(2026, 11, 24, 2, 0, 0, 0, time.UTC)
	reads := Call{Method: "GET", Template: oneSet}
	for _, seconds := range []string{"300", "5"} {
		q.learn(reads, &flight{status: 429, header: http.Header{"Retry-After": {seconds}}, body: []byte(computes429)}, now)
	}
	if q.over(reads, now.Add(time.Minute)) == nil {
		t.Error("five minutes of quiet were asked for, and a call leaves after one")
	}
}
