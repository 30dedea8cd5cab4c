package azure

import (
	"context"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// realCredential stands for one that could open something.
type realCredential struct{ localCredential }

func TestWhereWhichCredentialMayGo(t *testing.T) {
	rows := []struct {
		cloud      Cloud
		endpoint   string
		real, fake string // "" = allowed, else a part of the refusal
	}{
		{"", "", "", "not on this machine"},
		{Public, "", "", "not on this machine"},
		{USGov, "", "", "not on this machine"},
		{China, "", "", "not on this machine"},
		{Public, "https://management.azure.com", "", "not on this machine"},
		{Public, "https://management.azure.com/", "", "not on this machine"},
		{Public, "https://Management.Azure.com:443", "", "not on this machine"},
		{USGov, "https://management.usgovcloudapi.net", "", "not on this machine"},
		{Public, "https://management.usgovcloudapi.net", "not the configured cloud's own", "not on this machine"},
		{Public, "https://management.azure.com.evil.example", "not the configured cloud's own", "not on this machine"},
		{Public, "https://management.azure.com:8443", "not the configured cloud's own", "not on this machine"},
		{Public, "https://stack.example", "not the configured cloud's own", "not on this machine"},
		{Public, "http://management.azure.com", "plain http", "not on this machine"},
		{Public, "http://10.0.0.1:8080", "plain http", "not on this machine"},
		{Public, "http://127.0.0.1:8080", "never a real one", ""},
		{Public, "http://localhost:8080", "never a real one", ""},
		{Public, "http://[::1]:8080", "never a real one", ""},
		{Public, "https://127.0.0.1:8443", "never a real one", ""},
		{Public, "http://127.0.0.1.evil.example", "plain http", "not on this machine"},
		{Public, "http://localhost@evil.example", "user", "user"},
		{Public, "http://127.0.0.1:8080/path", "host and port only", "host and port only"},
		{Public, "http://127.0.0.1:8080?x=y", "host and port only", "host and port only"},
		{Public, "ftp://127.0.0.1", "scheme", "scheme"},
		{Public, "127.0.0.1:8080", "not a URL", "not a URL"},
		{Public, "https://", "host and port only", "host and port only"},
		{"moon", "", "cloud", "cloud"},
	}
	for _, row := range rows {
		for cred, want := range map[azcore.TokenCredential]string{realCredential{}: row.real, LocalCredential(): row.fake} {
			_, err := New(Config{Subscription: testSub, Cloud: row.cloud, Endpoint: row.endpoint, Credential: cred})
			switch {
			case want == "" && err != nil:
				t.Errorf("%s %q with %T: %v", row.cloud, row.endpoint, cred, err)
			case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
				t.Errorf("%s %q with %T: %v, want %q", row.cloud, row.endpoint, cred, err, want)
			}
		}
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	good := Config{Subscription: testSub, Endpoint: "http://127.0.0.1:1", Credential: LocalCredential()}
	for name, change := range map[string]func(*Config){
		"no subscription":  func(c *Config) { c.Subscription = "" },
		"a dotted one":     func(c *Config) { c.Subscription = ".." },
		"a dotted group":   func(c *Config) { c.ResourceGroups = []string{"rg", ".."} },
		"a group with a /": func(c *Config) { c.ResourceGroups = []string{"a/b"} },
		"no credential":    func(c *Config) { c.Credential = nil },
	} {
		c := good
		change(&c)
		if _, err := New(c); err == nil || !strings.HasPrefix(err.Error(), "azure: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(good); err != nil {
		t.Error(err)
	}
}

func TestCredentialKinds(t *testing.T) {
	t.Setenv("AZURE_TENANT_ID", "11111111-1111-4111-8111-111111111111")
	t.Setenv("AZURE_CLIENT_ID", "22222222-2222-4222-8222-222222222222")
	t.Setenv("AZURE_CLIENT_SECRET", "canary-secret")
	t.Setenv("AZURE_FEDERATED_TOKEN_FILE", "/nowhere/token")
	for _, kind := range append(Kinds(), "") {
		if c, err := Credential(kind, "", USGov); err != nil || c == nil {
			t.Errorf("%q: %v", kind, err)
		}
	}
	for _, kind := range []string{"workload", "managed"} {
		if _, err := Credential(kind, "33333333-3333-4333-8333-333333333333", Public); err != nil {
			t.Errorf("%q with a client id: %v", kind, err)
		}
	}
	for _, row := range []struct {
		kind, id string
		cloud    Cloud
		want     string
	}{
		{"cli", "x", Public, "client id belongs to"},
		{"password", "", Public, "must be one of default, workload, managed, env, cli"},
		{"env", "", "moon", "cloud"},
	} {
		if _, err := Credential(row.kind, row.id, row.cloud); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%+v: %v", row, err)
		}
	}
	t.Setenv("AZURE_TENANT_ID", "")
	if _, err := Credential("env", "", Public); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("an incomplete environment: %v", err)
	}
}

func TestTheLocalTokenSaysThatItIsNoSecret(t *testing.T) {
	tok, err := LocalCredential().GetToken(context.Background(), policy.TokenRequestOptions{})
	if err != nil || !strings.Contains(tok.Token, "not-a-secret") || tok.ExpiresOn.Year() < 9000 {
		t.Errorf("%+v, %v", tok, err)
	}
}
