package azure

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/upgrade"
)

const operationID = "0f0e0d0c-0001-4002-8003-000000000001"

// accepted sends a write that is answered like that and returns the receipt's token.
func accepted(t *testing.T, kind upgrade.OpKind, answer http.HandlerFunc) string {
	t.Helper()
	s := &stub{routes: map[string]http.HandlerFunc{"POST manualupgrade": answer, "PATCH myvmss": answer}}
	r, err := connect(t, s).Apply(context.Background(), upgrade.Operation{
		ID: "a", Kind: kind, Set: testSet, Instances: []string{"1"}, To: upgrade.Setting{Image: newImage}, IfMatch: `"1"`,
	})
	if err != nil {
		t.Fatalf("Apply: %v", err)
	}
	return r.Token
}

func TestHowAnAcceptanceIsFollowed(t *testing.T) {
	const async, location = "Azure-AsyncOperation", "Location"
	signed := opPath + "?p=1&api-version=2026-04-01&t=1&c=MII&s=canary&h=x"
	rows := []struct {
		name   string
		kind   upgrade.OpKind
		answer http.HandlerFunc
		want   token
	}{
		{"202 with both headers goes by the status", upgrade.OpUpgrade, say(202, "", async, "{host}"+signed, location, "{host}"+opPath+"?monitor=true"), token{byStatus, "myvmss", signed}},
		{"202 with Location only", upgrade.OpUpgrade, say(202, "", location, "{host}"+opPath+"?monitor=true"), token{byLocation, "myvmss", opPath + "?monitor=true"}},
		{"a relative URL is ours", upgrade.OpUpgrade, say(202, "", async, opPath+"?a=b"), token{byStatus, "myvmss", opPath + "?a=b"}},
		{"200 of a PATCH with the header is not over", upgrade.OpModel, say(200, setJSON(""), async, "{host}"+signed), token{byStatus, "myvmss", signed}},
		{"200 of a PATCH without one, settled, is over", upgrade.OpModel, say(200, setJSON("")), token{}},
		{"200 of a PATCH without one, moving, is the set's to tell", upgrade.OpModel, say(200, strings.Replace(setJSON(""), "Succeeded", "Updating", 1)), token{byResource, "myvmss", "PATH"}},
		{"200 of an upgrade is over", upgrade.OpUpgrade, say(200, "", "x-ms-request-id", "1"), token{}},
		{"202 without a URL is the instances' to tell", upgrade.OpUpgrade, say(202, ""), token{Follow: byNothing, Set: "myvmss"}},
		{"a URL on another host is not called", upgrade.OpUpgrade, say(202, "", async, "https://evil.example"+opPath), token{Follow: byNothing, Set: "myvmss"}},
		{"a URL with a user is not called", upgrade.OpUpgrade, say(202, "", async, "http://u:p@127.0.0.1"+opPath), token{Follow: byNothing, Set: "myvmss"}},
		{"a URL of another subscription is not called", upgrade.OpUpgrade, say(202, "", async, "{host}"+strings.Replace(opPath, "7c0ffee0", "7c0ffee1", 1)), token{Follow: byNothing, Set: "myvmss"}},
		{"a URL that is no operation's is not called", upgrade.OpUpgrade, say(202, "", async, "{host}"+setPath), token{Follow: byNothing, Set: "myvmss"}},
		{"a URL too long to keep is not called", upgrade.OpUpgrade, say(202, "", async, "{host}"+opPath+"?s="+strings.Repeat("x", maxToken)), token{Follow: byNothing, Set: "myvmss"}},
		{"behind a foreign one the other header is taken", upgrade.OpUpgrade, say(202, "", async, "https://evil.example"+opPath, location, "{host}"+opPath), token{byLocation, "myvmss", opPath}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			text := accepted(t, row.kind, row.answer)
			var got token
			if text != "" {
				if err := json.Unmarshal([]byte(text), &got); err != nil {
					t.Fatal(err)
				}
			}
			if row.want.Path == "PATH" && strings.HasPrefix(strings.ToLower(got.Path), strings.ToLower(setPath)+"?api-version=") {
				got.Path = "PATH"
			}
			if got != row.want {
				t.Errorf("token %+v, want %+v", got, row.want)
			}
			if strings.Contains(text, "127.0.0.1") || strings.Contains(text, "http") {
				t.Errorf("the token keeps a host: %s", text)
			}
		})
	}
}

func TestWhatAPollReads(t *testing.T) {
	done := upgrade.OpReading{Done: true, OK: true}
	going := upgrade.OpReading{}
	failedWith := func(code, message string) upgrade.OpReading {
		return upgrade.OpReading{Done: true, Code: code, Message: message}
	}
	extension := `{"status":"Failed","error":{"code":"VMExtensionProvisioningError","message":"outer","details":[{"code":"VMExtensionHandlerNonTransientError","message":"exit 1, see https://store.example/log?sig=canary"}]}}`
	rows := []struct {
		name   string
		follow follow
		answer http.HandlerFunc
		want   upgrade.OpReading
		fault  upgrade.FaultKind
	}{
		{"succeeded", byStatus, say(200, `{"status":"Succeeded"}`), done, ""},
		{"succeeded in any case", byStatus, say(200, `{"status":"sUCCEEDED"}`), done, ""},
		{"in progress, and when to ask again", byStatus, say(200, `{"status":"InProgress"}`, "Retry-After", "12"), upgrade.OpReading{Again: 12 * time.Second}, ""},
		{"a word we do not know goes on", byStatus, say(200, `{"status":"Pondering"}`), going, ""},
		{"no word goes on", byStatus, say(200, `{}`), going, ""},
		{"failed, in the innermost words, unsigned", byStatus, say(200, extension), failedWith("VMExtensionHandlerNonTransientError", "exit 1, see https://store.example/log?…"), ""},
		{"failed without words", byStatus, say(200, `{"status":"failed"}`), failedWith("OperationFailed", ""), ""},
		{"canceled", byStatus, say(200, `{"status":"Canceled","error":{"code":"OperationPreempted","message":"by a newer one"}}`), failedWith("OperationPreempted", "by a newer one"), ""},
		{"404 is forgotten", byStatus, say(404, errorJSON("NotFound", "m")), gone, ""},
		{"410 is forgotten", byStatus, say(410, ""), gone, ""},
		{"204 is over", byStatus, say(204, ""), done, ""},
		{"location: 202 goes on", byLocation, say(202, "", "Retry-After", "7"), upgrade.OpReading{Again: 7 * time.Second}, ""},
		{"location: 200 is over", byLocation, say(200, ""), done, ""},
		{"location: 204 is over", byLocation, say(204, ""), done, ""},
		{"location: its own 409 is the operation's end", byLocation, say(409, errorJSON("AllocationFailed", "no capacity")), failedWith("AllocationFailed", "no capacity"), ""},
		{"location: 404 is forgotten", byLocation, say(404, ""), gone, ""},
		{"location: 429 says nothing", byLocation, say(429, "{}"), going, upgrade.FaultThrottled},
		{"location: 403 says nothing", byLocation, say(403, errorJSON("AuthorizationFailed", "m")), going, upgrade.FaultDenied},
		{"location: 401 says nothing", byLocation, say(401, errorJSON("ExpiredAuthenticationToken", "m")), going, upgrade.FaultSignIn},
		{"401 says nothing", byStatus, say(401, ""), going, upgrade.FaultSignIn},
		{"503 with a time says nothing", byStatus, say(503, "", "Retry-After", "30"), going, upgrade.FaultThrottled},
		{"JSON under another type says nothing", byStatus, say(200, `{"status":"Succeeded"}`, "Content-Type", "text/html"), going, upgrade.FaultUnavailable},
		{"broken JSON says nothing", byStatus, say(200, `{"status":"Succeeded"`), going, upgrade.FaultUnavailable},
		{"an answer too long says nothing", byStatus, tooLong, going, upgrade.FaultUnavailable},
		{"null goes on", byStatus, say(200, `{"status":null}`), going, ""},
		{"location: a proxy's 400 says nothing", byLocation, html(400), going, upgrade.FaultUnavailable},
		{"location: 500 says nothing", byLocation, say(500, errorJSON("x", "y")), going, upgrade.FaultUnavailable},
		{"500 says nothing", byStatus, say(500, ""), going, upgrade.FaultUnavailable},
		{"429 says nothing", byStatus, say(429, ""), going, upgrade.FaultThrottled},
		{"a dropped connection says nothing", byStatus, reset, going, upgrade.FaultUnavailable},
		{"half an answer says nothing", byStatus, half(200), going, upgrade.FaultUnavailable},
		{"HTML says nothing", byStatus, html(200), going, upgrade.FaultUnavailable},
		{"a redirect says nothing", byStatus, say(302, "", "Location", "{host}/x"), going, upgrade.FaultUnavailable},
		{"resource: updating goes on", byResource, say(200, strings.Replace(setJSON(""), "Succeeded", "Updating", 1)), going, ""},
		{"resource: succeeded", byResource, say(200, setJSON("")), done, ""},
		{"resource: failed", byResource, say(200, strings.Replace(setJSON(""), "Succeeded", "Failed", 1)), failedWith("OperationFailed", ""), ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s := &stub{routes: map[string]http.HandlerFunc{"GET " + operationID: row.answer, "GET myvmss": row.answer}}
			path := opPath + "?api-version=1"
			if row.follow == byResource {
				path = setPath + "?api-version=1"
			}
			got, err := connect(t, s).Poll(context.Background(), token{row.follow, "myvmss", path}.String())
			if row.fault != "" {
				faultOf(t, err, row.fault)
			} else if err != nil {
				t.Fatal(err)
			}
			if got != row.want {
				t.Errorf("read %+v, want %+v", got, row.want)
			}
			if n := len(s.requests()); n != 1 {
				t.Errorf("%d requests, want one", n)
			}
		})
	}
}

func TestATokenThatIsNotOursIsNotFollowed(t *testing.T) {
	s := &stub{}
	a := connect(t, s)
	for name, text := range map[string]string{
		"no JSON":              "x",
		"empty":                "",
		"another kind":         `{"follow":"https"}`,
		"a host in the path":   token{byStatus, "myvmss", "@evil.example" + opPath}.String(),
		"a host by slashes":    token{byStatus, "myvmss", "//evil.example" + opPath}.String(),
		"a whole URL":          token{byStatus, "myvmss", "https://evil.example" + opPath}.String(),
		"another path":         token{byStatus, "myvmss", setPath}.String(),
		"an operation as set":  token{byResource, "myvmss", opPath}.String(),
		"a set outside":        token{byResource, "myvmss", strings.Replace(setPath, "7c0ffee0", "7c0ffee1", 1)}.String(),
		"dots":                 token{byStatus, "myvmss", opPath + "/../x"}.String(),
		"escaped dots":         token{byStatus, "myvmss", strings.Replace(opPath, operationID, "%2e%2e", 1)}.String(),
		"a name that is words": token{byNothing, "my set <!channel>", ""}.String(),
		"too long":             token{byStatus, "myvmss", opPath + "?" + strings.Repeat("x", maxToken)}.String(),
	} {
		if _, err := a.Poll(context.Background(), text); err == nil {
			t.Errorf("%s: followed", name)
		} else {
			faultOf(t, err, upgrade.FaultUnsafe)
		}
	}
	if got := s.requests(); len(got) > 0 {
		t.Errorf("requests were sent: %v", got)
	}
	if r, err := a.Poll(context.Background(), token{Follow: byNothing}.String()); err != nil || r != gone {
		t.Errorf("a token without a URL: %+v, %v", r, err)
	}
}
