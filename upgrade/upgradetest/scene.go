package upgradetest

import (
	"encoding/json"
	"fmt"
	"strings"

	"golang.org/x/tools/txtar"
)

// scene makes the fleet and the policy of a simulated rollout, as the parts of a story's file, and what
// ana types to ask for it.
func scene(c *chance) (file []byte, ask string) {
	fleet, target := newFleet(c)
	raw, err := json.MarshalIndent(fleet, "", " ")
	if err != nil {
		panic(err) // it is made of strings and numbers
	}
	a := txtar.Archive{Comment: []byte("Simulated rollout " + c.seed + "\n"), Files: []txtar.File{
		{Name: partStory, Data: []byte("# simulated\n")},
		{Name: partFleet, Data: append(raw, '\n')},
		{Name: partPolicy, Data: []byte(newPolicy(c))},
	}}
	sets := "web"
	if len(fleet.Sets) > 1 && fleet.Sets[1].Name == "web-2" {
		sets = "web*"
	}
	return txtar.Format(&a), strings.TrimSpace("upgrade " + sets + " " + target + " " + selection(c, fleet.Sets[0]))
}

// simFleet is the part of a fleet's file that scenes differ in.
type simFleet struct {
	Subscription string           `json:"subscription"`
	PageSize     int              `json:"pageSize"`
	Images       []map[string]any `json:"images"`
	Galleries    []map[string]any `json:"galleries,omitempty"`
	Sets         []simSet         `json:"sets"`
}

type simSet struct {
	Name          string                       `json:"name"`
	ResourceGroup string                       `json:"resourceGroup"`
	Orchestration string                       `json:"orchestration"`
	Zones         []string                     `json:"zones,omitempty"`
	Image         map[string]string            `json:"image"`
	Capacity      int                          `json:"capacity"`
	Domains       int                          `json:"updateDomains,omitempty"`
	Faults        int                          `json:"faultDomains,omitempty"`
	Mode          string                       `json:"upgradeMode"`
	Health        string                       `json:"health"`
	Priority      string                       `json:"priority,omitempty"`
	Eviction      string                       `json:"evictionPolicy,omitempty"`
	Autoscale     map[string]int               `json:"autoscale,omitempty"`
	Protected     []string                     `json:"protected,omitempty"`
	Exceptions    map[string]map[string]string `json:"exceptions,omitempty"`
	Duration      string                       `json:"duration"`
}

// Versions that a scene's sets can run, oldest first.
var (
	platformVersions = []string{"4.0.20160101", "4.0.20160229", "4.0.20160315"}
	galleryVersions  = []string{"1.0.0", "1.1.0", "1.2.0"}
)

func newFleet(c *chance) (f simFleet, target string) {
	const subscription = "7c0ffee0-0000-4000-8000-5e7ba5e5f1ee"
	versions := platformVersions
	image := map[string]string{"publisher": "Canonical", "offer": "UbuntuServer", "sku": "16.04-LTS", "version": versions[0]}
	f = simFleet{Subscription: subscription, PageSize: pick(c, "page", 50, 50, 50, 3, 2),
		Images: []map[string]any{{"publisher": "Canonical", "offer": "UbuntuServer", "sku": "16.04-LTS", "versions": each("version", platformVersions)}}}
	if c.hit("gallery", 20) {
		versions = galleryVersions
		image = map[string]string{"id": "/subscriptions/" + subscription + "/resourceGroups/rg-images/providers/Microsoft.Compute/galleries/corp/images/ubuntu/versions/" + versions[0]}
		f.Galleries = []map[string]any{{"name": "corp", "resourceGroup": "rg-images", "images": []map[string]any{{"name": "ubuntu", "versions": published(galleryVersions)}}}}
	}
	f.Sets = []simSet{newSet(c, "web", image)}
	if c.hit("waves", 12) {
		second := newSet(c, "web-2", image)
		if second.Capacity > 4 {
			second.Capacity, second.Protected, second.Exceptions = 4, nil, nil // they may be of an instance that is not there
		}
		f.Sets = append(f.Sets, second)
	} else if c.hit("second set", 15) {
		f.Sets = append(f.Sets, newSet(c, "api", image))
	}
	return f, pick(c, "target", versions[1], versions[1], versions[1], versions[2], "latest")
}

func each(key string, values []string) (out []map[string]any) {
	for _, v := range values {
		out = append(out, map[string]any{key: v})
	}
	return out
}

func published(versions []string) (out []map[string]any) {
	for n, v := range versions {
		out = append(out, map[string]any{"version": v, "publishedDate": fmt.Sprintf("1999-0%d-01T08:00:00Z", n+1), "targetRegions": []string{"westeurope"}})
	}
	return out
}

func newSet(c *chance, name string, image map[string]string) simSet {
	s := simSet{Name: name, ResourceGroup: "rg-shop", Image: image, Orchestration: "Uniform", Mode: "Manual",
		Capacity: 2 + c.below("capacity", 7), Duration: pick(c, "duration", "1m", "2m", "3m"),
		Health: pick(c, "health", "extension", "extension", "probe", "none")}
	if c.hit("large", 5) {
		s.Capacity += 12
	}
	if c.hit("wrong mode", 2) {
		s.Mode = pick(c, "mode", "Rolling", "Automatic")
	}
	switch {
	case c.hit("flexible", 20):
		s.Orchestration, s.Faults, s.Health = "Flexible", 1, pick(c, "flexible health", "extension", "extension", "none")
	default:
		s.Domains, s.Faults = 1+c.below("domains", 5), 1+c.below("fault domains", 3)
	}
	if c.hit("zones", 20) {
		s.Zones, s.Faults = []string{"1", "2", "3"}, 1
	}
	if c.hit("spot", 20) {
		s.Priority, s.Eviction, s.Faults = "Spot", pick(c, "eviction", "Deallocate", "Delete"), 1
	}
	if c.hit("autoscale", 30) {
		s.Autoscale = map[string]int{"minimum": 1, "maximum": s.Capacity + 4}
	}
	s.exceptions(c)
	return s
}

// exceptions makes some of the instances differ from the set.
func (s *simSet) exceptions(c *chance) {
	id := fmt.Sprint(c.below("exception", s.Capacity))
	switch {
	case c.hit("protected", 8):
		s.Protected = []string{id}
	case c.hit("power", 6):
		s.Exceptions = map[string]map[string]string{id: {"power": pick(c, "power is", "stopped", "deallocated")}}
	case c.hit("ill", 6):
		s.Exceptions = map[string]map[string]string{id: {"health": "unhealthy"}}
	case c.hit("failed", 6):
		s.Exceptions = map[string]map[string]string{id: {"failed": "VMExtensionProvisioningError"}}
	}
}

func newPolicy(c *chance) string {
	rules := ""
	if c.hit("windows", 25) {
		rules = fmt.Sprintf("windows: [{name: hours, zone: %s, recurrence: \"%d * * * *\", length: %s}]\n",
			pick(c, "window zone", "UTC", "Europe/Prague", "Asia/Kolkata"), pick(c, "window minute", 0, 10, 30), pick(c, "window length", "40m", "50m", "90m"))
	}
	if c.hit("gates", 25) {
		rules += "gates: [{name: slo, patience: 2m}]\n"
	}
	if c.hit("budget", 12) {
		rules += fmt.Sprintf("budget: {instances: %d}\n", 2+c.below("budget of", 5))
	}
	if c.hit("small team", 12) {
		rules += "approvers: [ana, bo, eva]\nself-approval: " + pick(c, "self-approval", "2m", "5m") + "\n"
	}
	return rules + fmt.Sprintf("seed: %s\nmax-unavailable: %s\nbatch-cap: %d\nsoak: %s\nbake: %s\nhealthy-deadline: %s\nmax-failures: %d\non-failure: %s\napprovals: %d\napproval-life: %s\nunstarted-life: %s\nwhole-life: %s\nazure-ahead: %s\nthrottle: %v\n",
		c.seed, pick(c, "max-unavailable", "20%", "34%", "50%", "50%", "100%", "1", "2"), pick(c, "batch-cap", 50, 50, 2, 1), pick(c, "soak", "30s", "1m", "2m"),
		pick(c, "bake", "30s", "1m", "2m"), pick(c, "deadline", "5m", "6m", "10m"), pick(c, "max-failures", 0, 0, 0, 1, 2), pick(c, "on-failure", "hold", "hold", "hold", "quarantine", "abort"),
		pick(c, "approvals", 1, 1, 1, 2), pick(c, "approval-life", "10m", "30m", "1h", "4h"), pick(c, "unstarted-life", "1h", "24h"), pick(c, "whole-life", "6h", "168h"),
		pick(c, "azure-ahead", "0s", "0s", "0s", "3m", "-3m"), c.hit("throttle", 10))
}

// selection is what ana types besides the set and the target.
func selection(c *chance, s simSet) string {
	words := []string{}
	add := func(percent int, word string) {
		if c.hit("option "+word[:2], percent) {
			words = append(words, word)
		}
	}
	switch {
	case s.Orchestration == "Flexible" && s.Zones == nil:
		add(70, fmt.Sprintf("by=batch batch=%d", 1+c.below("batch", 3)))
	case s.Zones != nil:
		add(50, "by=zone")
	case c.hit("one domain", 30):
		words = append(words, fmt.Sprintf("ud=%d", c.below("which domain", s.Domains)))
	default:
		add(15, fmt.Sprintf("by=batch batch=%d", 1+c.below("batch", 3)))
		add(5, "by=fd")
	}
	add(10, "canary=1")
	add(8, "on-failure="+pick(c, "plan's on-failure", "rollback", "rollback", "abort", "hold"))
	add(4, "max-failures=1")
	add(8, "soak=3m")
	add(5, "note=\"CHG-1\"")
	return strings.Join(words, " ")
}
