package gate

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestTheCheckNamesEachMistakeAndRepeatsNoAddress(t *testing.T) {
	half, one, endless := 0.5, 1.0, math.Inf(1)
	for _, row := range []struct {
		name string
		gate Gate
		says string // "" = it is good
	}{
		{"a page", Gate{Name: "checkout-slo", URL: "https://status.example.com/checkout?key=hunter2", JSON: map[string]string{"/a~1b/0": "up"}}, ""},
		{"a private one in clear", Gate{Name: "a", URL: "http://10.0.0.1:8080/"}, ""},
		{"a name in clear, which is looked at when it is called", Gate{Name: "a", URL: "http://status.internal/"}, ""},
		{"a query", Gate{Name: "a", Prometheus: "http://prometheus.monitoring:9090/prom", Query: "up", Above: &half, Below: &one}, ""},
		{"no name", Gate{URL: "https://x"}, "name:"},
		{"a name that people cannot type", Gate{Name: "Checkout SLO", URL: "https://x"}, "name:"},
		{"nobody to ask", Gate{Name: "a"}, "it asks nobody"},
		{"two to ask", Gate{Name: "a", URL: "https://x", Prometheus: "https://x"}, "not both"},
		{"no address", Gate{Name: "a", URL: "hunter2"}, "url: that is no address"},
		{"a file", Gate{Name: "a", URL: "file://hunter2/etc/passwd"}, "url: want https"},
		{"a password in it", Gate{Name: "a", URL: "https://ana:hunter2@x/"}, "url: a password has no place in it"},
		{"the metadata service", Gate{Name: "a", URL: "http://169.254.169.254/metadata/hunter2"}, "is link-local and is never called"},
		{"in disguise", Gate{Name: "a", URL: "https://[::ffff:169.254.169.254]/hunter2"}, "is link-local and is never called"},
		{"the wire server", Gate{Name: "a", URL: "http://168.63.129.16/hunter2"}, "tells a machine's secrets"},
		{"a public one in clear", Gate{Name: "a", URL: "http://8.8.8.8/hunter2"}, "over https only"},
		{"a redirect for an answer", Gate{Name: "a", URL: "https://x", Status: []int{302}}, "status: 302"},
		{"no status", Gate{Name: "a", URL: "https://x", Status: []int{2000}}, "status: 2000"},
		{"no pointer", Gate{Name: "a", URL: "https://x", JSON: map[string]string{"status": "up"}}, "no JSON pointer"},
		{"no query", Gate{Name: "a", Prometheus: "https://x", Above: &half}, "query: it is missing"},
		{"no threshold", Gate{Name: "a", Prometheus: "https://x", Query: "up"}, "want above or below"},
		{"no value can be both", Gate{Name: "a", Prometheus: "https://x", Query: "up", Above: &one, Below: &half}, "no value can be both"},
		{"an endless threshold", Gate{Name: "a", Prometheus: "https://x", Query: "up", Below: &endless}, "want plain numbers"},
		{"a status of a query", Gate{Name: "a", Prometheus: "https://x", Query: "up", Below: &one, Status: []int{200}}, "are of url"},
		{"a threshold of a page", Gate{Name: "a", URL: "https://x", Below: &one}, "are of prometheus"},
		{"too often", Gate{Name: "a", URL: "https://x", Every: time.Second}, "every: 1s"},
		{"too long", Gate{Name: "a", URL: "https://x", Timeout: time.Hour}, "timeout: 1h0m0s"},
		{"no patience", Gate{Name: "a", URL: "https://x", Patience: time.Second}, "patience: 1s"},
	} {
		err := row.gate.WithDefaults().Check()
		switch {
		case row.says == "" && err != nil, row.says != "" && err == nil:
			t.Errorf("%s: %v", row.name, err)
		case err != nil && (!strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(), "hunter2") && row.name != "no address"):
			t.Errorf("%s: %v, want %q", row.name, err, row.says)
		}
	}
}

func TestTheSumIsOfWhatAPassMeansAndOfNoSecretHeader(t *testing.T) {
	same, other := checkout, checkout
	same.Every, same.Patience, same.Timeout, same.Headers = time.Minute, time.Hour, time.Second, map[string]string{"Authorization": "sesame"}
	other.Contains = "ok"
	if checkout.Sum() != same.Sum() || checkout.Sum() == other.Sum() || len(checkout.Sum()) != 16 {
		t.Errorf("%s %s %s", checkout.Sum(), same.Sum(), other.Sum())
	}
	p := same.Probe()
	if p.Name != "checkout" || p.Sum != same.Sum() || p.Patience != time.Hour {
		t.Errorf("%+v", p)
	}
}
