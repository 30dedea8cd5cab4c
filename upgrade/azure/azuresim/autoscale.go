package azuresim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Autoscale is the autoscale setting of a set. It has one profile, with a rule each way for the load
// of the processors; when they fire is up to the fault "scale".
type Autoscale struct {
	Name     string `json:"name,omitempty"` // default: the set's name and -autoscale
	Minimum  int    `json:"minimum"`
	Maximum  int    `json:"maximum"`
	Default  int    `json:"default,omitempty"` // default: the minimum
	Disabled bool   `json:"disabled,omitempty"`
}

func (a *Autoscale) withDefaults(set string) *Autoscale {
	if a == nil {
		return nil
	}
	out := *a
	out.Name = cmp.Or(out.Name, set+"-autoscale")
	out.Default = cmp.Or(out.Default, out.Minimum)
	return &out
}

func (a *Autoscale) check() error {
	if a != nil && (a.Minimum < 0 || a.Default < a.Minimum || a.Maximum < a.Default || a.Maximum > 1000) {
		return fmt.Errorf("autoscale: minimum %d, default %d and maximum %d are not in order between 0 and 1000", a.Minimum, a.Default, a.Maximum)
	}
	return nil
}

const (
	insights    = "/providers/Microsoft.Insights/autoscalesettings"
	typeSetting = "Microsoft.Insights/autoscaleSettings"
)

var autoscaleRoutes = []route{
	{method: "GET", pattern: inSub + insights, name: "AutoscaleSettings_ListBySubscription", handler: (*world).listAllSettings},
	{method: "GET", pattern: inGroup + insights, name: "AutoscaleSettings_ListByResourceGroup", handler: (*world).listSettings},
	{method: "GET", pattern: inGroup + insights + "/{setting}", name: "AutoscaleSettings_Get", handler: (*world).getSetting},
}

func (w *world) listAllSettings(c *call) *reply {
	return w.pageSettings(c, func(Set) bool { return true })
}

func (w *world) listSettings(c *call) *reply {
	if refusal := w.groupOf(c); refusal != nil {
		return refusal
	}
	return w.pageSettings(c, func(s Set) bool { return strings.EqualFold(s.ResourceGroup, c.param("group")) })
}

// pageSettings lists the settings of the fleet. They outlive the sets they are for.
func (w *world) pageSettings(c *call, keep func(Set) bool) *reply {
	byKey := map[string]document{}
	for _, s := range w.opt.Fleet.Sets {
		if s.Autoscale != nil && keep(s) {
			d := s.setting(w.opt.Fleet.Subscription)
			byKey[strings.ToLower(text(d, "id"))] = d
		}
	}
	return w.page(c, sortedKeys(byKey), func(k string) any { return byKey[k] })
}

func (w *world) getSetting(c *call) *reply {
	if refusal := w.groupOf(c); refusal != nil {
		return refusal
	}
	n := slices.IndexFunc(w.opt.Fleet.Sets, func(s Set) bool {
		return s.Autoscale != nil && strings.EqualFold(s.ResourceGroup, c.param("group")) && strings.EqualFold(s.Autoscale.Name, c.param("setting"))
	})
	if n < 0 {
		return noResource(c, typeSetting, c.param("setting"))
	}
	return ok(w.opt.Fleet.Sets[n].setting(w.opt.Fleet.Subscription))
}

// setting is the ARM document of the autoscale setting of s (2022-10-01). Capacities are strings, and the
// id is in small letters, as in Azure's own examples.
func (s Set) setting(subscription string) document {
	inGroup := "/subscriptions/" + subscription + "/resourceGroups/" + s.ResourceGroup + "/providers/"
	target := inGroup + typeSet + "/" + s.Name
	return document{
		"id": inGroup + strings.ToLower(typeSetting) + "/" + s.Autoscale.Name, "name": s.Autoscale.Name, "type": typeSetting,
		"location": s.Location, "tags": document{},
		"properties": document{
			"name": s.Autoscale.Name, "enabled": !s.Autoscale.Disabled, "targetResourceUri": target, "targetResourceLocation": s.Location,
			"notifications": []any{},
			"profiles": []any{document{
				"name": "Auto created scale condition",
				"capacity": document{"minimum": strconv.Itoa(s.Autoscale.Minimum), "maximum": strconv.Itoa(s.Autoscale.Maximum),
					"default": strconv.Itoa(s.Autoscale.Default)},
				"rules": []any{cpuRule(target, "GreaterThan", "70", "Increase"), cpuRule(target, "LessThan", "30", "Decrease")},
			}},
		},
	}
}

func cpuRule(target, operator, threshold, direction string) document {
	return document{
		"metricTrigger": document{
			"metricName": "Percentage CPU", "metricResourceUri": target, "timeGrain": "PT1M", "statistic": "Average",
			"timeWindow": "PT5M", "timeAggregation": "Average", "operator": operator, "threshold": json.Number(threshold), "dividePerInstance": false,
		},
		"scaleAction": document{"direction": direction, "type": "ChangeCount", "value": "1", "cooldown": "PT5M"},
	}
}

// autoscaleEvery is how often the service looks, before Speed.
const autoscaleEvery = time.Minute

// autoscale moves the capacity of s by so many instances, within the limits of its setting. It is a
// change of the set like any other: it gives it a new etag, holds it until the instances are there or
// gone, and has to wait while another operation has it.
func (w *world) autoscale(s *scaleSet, by int) {
	switch {
	case s.deleting:
		return
	case s.op != nil:
		w.at(w.clock.Add(w.scaled(autoscaleEvery)), func() { w.autoscale(s, by) })
		return
	}
	limits := s.spec.Autoscale
	capacity := min(max(len(s.instances)+by, limits.Minimum), limits.Maximum)
	if capacity == len(s.instances) {
		return
	}
	s.touch()
	op := w.open(s, "autoscale", true)
	w.resize(s, capacity, op)
	w.settle(op, modelChange)
}
