package app

import (
	"bytes"
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vmssbot/vmssbot/upgrade/azure/azuresim"
)

func TestASurveySaysOfEverySetWhetherItCanBeDriven(t *testing.T) {
	fleet := azuresim.DefaultFleet()
	sim, err := azuresim.New(azuresim.Options{Fleet: fleet, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim)
	defer server.Close()
	c := Config{
		Azure: Azure{Subscription: fleet.Subscription, Endpoint: server.URL, Auth: "local"},
		Sets:  []Set{{Match: "rg-demo/*", Channel: "C0OPS", Requesters: []string{"U0ANA"}, Approvers: []string{"U0BO"}}, {Match: "batch-*"}},
	}
	var out bytes.Buffer
	if err := Survey(context.Background(), c, &out); err != nil {
		t.Fatal(err)
	}
	for set, want := range map[string][]string{
		"myvmss":             {"+ can be driven"},
		"web-prod":           {"- no entry of the configuration matches it", "match: web-prod", "automatic repairs on"},
		"batch-auto":         {"upgradePolicy.mode to Manual", "names no channel", "lists nobody who may ask"},
		"aks-nodepool1-vmss": {"managed by AKS"},
	} {
		said := about(out.String(), set)
		for _, w := range want {
			if !strings.Contains(said, w) {
				t.Errorf("of %s it says %q, want %q", set, said, w)
			}
		}
	}
	if said := about(out.String(), "media-scaled"); !strings.Contains(said, "autoscale on") {
		t.Errorf("of media-scaled it says %q", said)
	}
	before := bytes.Buffer{}
	if err := Survey(context.Background(), Config{Azure: c.Azure}, &before); err != nil {
		t.Fatal(err)
	}
	if said := about(before.String(), "web-prod"); !strings.Contains(said, "+ can be driven") || strings.Contains(said, "configuration") {
		t.Errorf("before there is a configuration it says of web-prod %q", said)
	}
	if said := about(before.String(), "ci-runners"); !strings.Contains(said, "start or repair 1 instance") {
		t.Errorf("before there is a configuration it says of ci-runners %q", said)
	}
	if n := len(sim.Writes()); n > 0 {
		t.Errorf("a survey wrote %d times", n)
	}
	if !strings.Contains(out.String(), "could not be read\n") {
		t.Errorf("there is no sum: %s", out.String())
	}
}

// about is what a survey says of one set.
func about(survey, set string) string {
	_, rest, _ := strings.Cut(survey, set+"  (")
	lines := strings.SplitAfter(rest, "\n")
	said := ""
	for n, line := range lines {
		if n > 0 && !strings.HasPrefix(line, " ") {
			break
		}
		said += line
	}
	return said
}

func TestASurveyThatIsBlindSaysSo(t *testing.T) {
	sim, err := azuresim.New(azuresim.Options{Fleet: azuresim.DefaultFleet(), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim)
	url, id := server.URL, azuresim.DefaultFleet().Subscription
	server.Close()
	var out bytes.Buffer
	err = Survey(context.Background(), Config{Azure: Azure{Subscription: id, Endpoint: url, Auth: "local"}}, &out)
	if err == nil || out.Len() > 0 {
		t.Errorf("err %v, printed %q", err, out.String())
	}
}

func TestForeignTextCannotDriveATerminal(t *testing.T) {
	if got := Plain("a\x1b[2Jb\nc\u202ed"); got != "a?[2Jb?c?d" {
		t.Errorf("%q", got)
	}
}
