package azure

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/vmssbot/vmssbot/upgrade"
)

// lookAlikes lead to PATH somewhere else than on Azure's own host, or would where something reads them
// otherwise than Go does.
var lookAlikes = map[string]string{
	"another host":                     "https://evil.example{PATH}",
	"ours at the front of another":     "https://management.azure.com.evil.example{PATH}",
	"ours at the end of another":       "https://evil-management.azure.com{PATH}",
	"a host below ours":                "https://x.management.azure.com{PATH}",
	"ours with a dot behind it":        "https://management.azure.com.{PATH}",
	"another cloud's":                  "https://management.chinacloudapi.cn{PATH}",
	"a letter that looks the same":     "https://m\u0430nagement.azure.com{PATH}",
	"that letter, as the wire has it":  "https://xn--mnagement-lng.azure.com{PATH}",
	"a dot that looks the same":        "https://management\u3002azure.com{PATH}",
	"letters of full width":            "https://\uff4d\uff41nagement.azure.com{PATH}",
	"a soft hyphen within":             "https://manage\u00adment.azure.com{PATH}",
	"without a lock on the door":       "http://management.azure.com{PATH}",
	"another port":                     "https://management.azure.com:8443{PATH}",
	"the port of http":                 "https://management.azure.com:80{PATH}",
	"ours as a user":                   "https://management.azure.com@evil.example{PATH}",
	"ours as a user with a password":   "https://management.azure.com:443@evil.example{PATH}",
	"a user at ours":                   "https://evil@management.azure.com{PATH}",
	"a backslash":                      `https://evil.example\@management.azure.com{PATH}`,
	"ours in the fragment":             "https://evil.example#@management.azure.com{PATH}",
	"the metadata service":             "http://169.254.169.254{PATH}",
	"this machine":                     "https://127.0.0.1{PATH}",
	"no scheme":                        "//evil.example{PATH}",
	"another scheme":                   "ftp://management.azure.com{PATH}",
	"a file":                           "file://{PATH}",
	"a line break":                     "https://management.azure.com\r\nHost: evil.example{PATH}",
	"a tab":                            "https://management.azure.com\t.evil.example{PATH}",
	"an escape in the host":            "https://management.azure.com%2eevil.example{PATH}",
	"dots that lead out of the path":   "https://management.azure.com/x/..{PATH}/../..",
	"escaped dots that lead out of it": "https://management.azure.com{PATH}/%2e%2e/%2e%2e/x",
	"an escaped slash":                 "https://management.azure.com/%2f{PATH}",
	"a slash too many":                 "https://management.azure.com/{PATH}",
	"another subscription":             "https://management.azure.com{OTHER}",
}

// follows are the ways in which an answer can name a URL.
var follows = map[string]func(r *http.Request, to string) (status int, body string, headers []string){
	"nextLink": func(r *http.Request, to string) (int, string, []string) {
		return 200, pageJSON(to, vmJSON("0")), nil
	},
	"Azure-AsyncOperation": func(r *http.Request, to string) (int, string, []string) {
		return 202, "", []string{"Azure-AsyncOperation", to}
	},
	"Location": func(r *http.Request, to string) (int, string, []string) {
		return 202, "", []string{"Location", to}
	},
	"Operation-Location": func(r *http.Request, to string) (int, string, []string) {
		return 202, "", []string{"Operation-Location", to}
	},
	"301": redirect(301), "302": redirect(302), "303": redirect(303), "307": redirect(307), "308": redirect(308),
}

func redirect(status int) func(*http.Request, string) (int, string, []string) {
	return func(_ *http.Request, to string) (int, string, []string) { return status, "", []string{"Location", to} }
}

// asks are all kinds of calls: each is made, and what it accepted is followed.
var asks = map[string]func(ctx context.Context, a *Azure) (accepted string, err error){
	"a set": func(ctx context.Context, a *Azure) (string, error) {
		_, err := a.Observe(ctx, testSet, upgrade.Free)
		return "", err
	},
	"the sets": func(ctx context.Context, a *Azure) (string, error) { _, err := a.Sets(ctx); return "", err },
	"versions": func(ctx context.Context, a *Azure) (string, error) {
		_, err := a.Versions(ctx, "westeurope", newImage)
		return "", err
	},
	"sizes": func(ctx context.Context, a *Azure) (string, error) { _, err := a.Sizes(ctx, testSet); return "", err },
	"an upgrade": func(ctx context.Context, a *Azure) (string, error) {
		r, err := a.Apply(ctx, upgrade.Operation{ID: "a", Kind: upgrade.OpUpgrade, Set: testSet, Instances: []string{"1"}})
		return r.Token, err
	},
	"a reimage": func(ctx context.Context, a *Azure) (string, error) {
		r, err := a.Apply(ctx, upgrade.Operation{ID: "b", Kind: upgrade.OpReimage, Set: testSet, Instances: []string{"1"}})
		return r.Token, err
	},
	"a model": func(ctx context.Context, a *Azure) (string, error) {
		r, err := a.Apply(ctx, upgrade.Operation{ID: "c", Kind: upgrade.OpModel, Set: testSet, To: upgrade.Setting{Image: newImage}, IfMatch: `"1"`})
		return r.Token, err
	},
	"an operation": func(ctx context.Context, a *Azure) (string, error) {
		_, err := a.Poll(ctx, token{byStatus, "myvmss", opPath + "?api-version=1"}.String())
		return "", err
	},
}

// Whatever an answer names, in whichever way, the token goes to Azure's own host and to paths of our calls
// only, and what was accepted is followed nowhere else.
func TestNoAnswerLeadsAwayFromAzuresHost(t *testing.T) {
	cells := 0
	for kind, ask := range asks {
		for way, answer := range follows {
			for name, to := range lookAlikes {
				cells++
				path, sent := "", 0
				wire := roundTripper(func(r *http.Request) (*http.Response, error) {
					sent++
					_, _, known := findCall(r.Method, r.URL.Path)
					if r.URL.Scheme != "https" || r.URL.Host != "management.azure.com" || r.URL.User != nil || !known || r.URL.RawPath != "" {
						t.Errorf("%s, %s by %s: sent to %s with %q", kind, name, way, r.URL, r.Header.Get("Authorization"))
					}
					if path = r.URL.Path; way == "Location" || strings.Contains(way, "Operation") {
						path = opPath
					}
					link := strings.NewReplacer("{PATH}", path, "{OTHER}", strings.Replace(path, "7c0ffee0", "7c0ffee1", 1)).Replace(to)
					status, body, headers := answer(r, link)
					return respond(r, status, body, append(headers, "Content-Type", "application/json")...)
				})
				a, err := New(Config{Subscription: testSub, Credential: canaryCredential{}, Transport: &http.Client{Transport: wire}})
				if err != nil {
					t.Fatal(err)
				}
				accepted, err := ask(context.Background(), a)
				if sent == 0 {
					t.Fatalf("%s sends nothing: %v", kind, err)
				}
				if list := kind == "the sets" || kind == "sizes"; list && way == "nextLink" && err == nil {
					t.Errorf("%s, %s by %s: taken for whole", kind, name, way)
				}
				if strings.Contains(chain(err), canary) {
					t.Errorf("%s, %s by %s: the token stands in %v", kind, name, way, err)
				}
				if accepted == "" {
					continue
				}
				before := sent
				reading, err := a.Poll(context.Background(), accepted)
				if sent != before || err != nil || reading != gone {
					t.Errorf("%s, %s by %s: followed to %s: %+v, %v", kind, name, way, accepted, reading, err)
				}
			}
		}
	}
	t.Logf("cells=%d calls=%d ways=%d addresses=%d", cells, len(asks), len(follows), len(lookAlikes))
}

// roundTripper is the transport of an http.Client, which would follow redirects by itself.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
