package azuresim

import (
	"net/http"
	"strings"
)

func (w *world) subscriptionDocument() document {
	f := w.opt.Fleet
	return document{
		"id": "/subscriptions/" + f.Subscription, "subscriptionId": f.Subscription, "tenantId": f.Tenant,
		"displayName": f.SubscriptionName, "state": "Enabled", "authorizationSource": "RoleBased",
		"subscriptionPolicies": document{"locationPlacementId": "Public_2014-09-01", "quotaId": "PayAsYouGo_2014-09-01", "spendingLimit": "Off"},
		"managedByTenants":     []any{},
	}
}

func list(items ...any) document { return document{"value": append([]any{}, items...)} }

func (w *world) listTenants(c *call) *reply {
	t := w.opt.Fleet.Tenant
	return ok(list(document{"id": "/tenants/" + t, "tenantId": t, "tenantCategory": "Home"}))
}

func (w *world) listSubscriptions(c *call) *reply { return ok(list(w.subscriptionDocument())) }

func (w *world) getSubscription(c *call) *reply { return ok(w.subscriptionDocument()) }

func (w *world) listLocations(c *call) *reply {
	seen := map[string]bool{w.opt.Fleet.Location: true}
	for _, s := range w.sets {
		seen[s.location] = true
	}
	out := []any{}
	for _, name := range sortedKeys(seen) {
		out = append(out, document{"id": "/subscriptions/" + w.opt.Fleet.Subscription + "/locations/" + name,
			"name": name, "displayName": name, "regionalDisplayName": name, "type": "Region"})
	}
	return ok(list(out...))
}

func (w *world) groupDocument(g *group) document {
	return document{
		"id": "/subscriptions/" + w.opt.Fleet.Subscription + "/resourceGroups/" + g.name, "name": g.name,
		"type": "Microsoft.Resources/resourceGroups", "location": g.location, "tags": document{},
		"properties": document{"provisioningState": "Succeeded"},
	}
}

func (w *world) listGroups(c *call) *reply {
	return w.page(c, sortedKeys(w.groups), func(k string) any { return w.groupDocument(w.groups[k]) })
}

func (w *world) getGroup(c *call) *reply {
	if refusal := w.groupOf(c); refusal != nil {
		return refusal
	}
	return ok(w.groupDocument(w.groups[strings.ToLower(c.param("group"))]))
}

func (w *world) headGroup(c *call) *reply {
	if refusal := w.groupOf(c); refusal != nil {
		return &reply{status: refusal.status}
	}
	return &reply{status: http.StatusNoContent}
}

// metadata is what tools ask to learn the endpoints of a cloud. The login endpoint is named but not
// served: tokens are the caller's business here.
func (w *world) metadata(c *call) *reply {
	return ok(document{
		"name": "AzureSim", "resourceManager": c.base + "/",
		"authentication": document{
			"loginEndpoint": "https://login.microsoftonline.com/", "tenant": "common", "identityProvider": "AAD",
			"audiences": []any{c.base + "/", "https://management.core.windows.net/", "https://management.azure.com/"},
		},
		"suffixes": document{}, "portal": c.base + "/", "media": c.base + "/",
	})
}
