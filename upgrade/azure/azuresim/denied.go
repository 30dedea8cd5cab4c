package azuresim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// refusal is the message that goes with a status and a code, in the words that public threads quote
// (aad-pod-identity#752, azure-cli#15594): the action and the scope are those of the call.
func (w *world) refusal(c *call, status int, code string) string {
	switch {
	case code == "LinkedAuthorizationFailed":
		action, scope := w.linked(c)
		return fmt.Sprintf("The client '%[1]s' with object id '%[1]s' has permission to perform action '%[2]s' on scope '%[3]s'; however, it does not have permission "+
			"to perform action(s) '%[4]s' on the linked scope(s) '%[5]s' (respectively) or the linked scope(s) are invalid.", w.client(), c.action(), c.scope(), action, scope)
	case code == "AuthorizationFailed":
		return fmt.Sprintf("The client '%[1]s' with object id '%[1]s' does not have authorization to perform action '%[2]s' over scope '%[3]s' or the scope is invalid. "+
			"If access was recently granted, please refresh your credentials.", w.client(), c.action(), c.scope())
	case code == "ExpiredAuthenticationToken":
		const form = "1/2/2006 3:04:05 PM"
		return fmt.Sprintf("The access token expiry UTC time '%s' is earlier than current UTC time '%s'.", w.clock.UTC().Add(-time.Minute).Format(form), w.clock.UTC().Format(form))
	}
	return http.StatusText(status) + "."
}

// client is the object id of whoever calls.
func (w *world) client() string { return guid("client", w.opt.Fleet.Subscription) }

// linked is a right that a change of the model needs besides: to read the gallery its image is in.
func (w *world) linked(c *call) (action, scope string) {
	scope = "/subscriptions/" + w.opt.Fleet.Subscription + "/resourceGroups/rg-images/providers/Microsoft.Compute/galleries/shared/images/base/versions/1.0.0"
	if s := w.setOf(c); s != nil && s.image().ID != "" {
		scope = s.image().ID
	}
	return "Microsoft.Compute/galleries/images/versions/read", scope
}

// action is the right that a call needs, as role definitions write it: the resource's type, and what is
// done to it.
func (c *call) action() string {
	types, namespace := split(c.path), "Microsoft.Resources"
	if c.route != nil {
		types = c.route.segments
	}
	if n := slices.IndexFunc(types, func(s string) bool { return strings.EqualFold(s, "providers") }); n >= 0 && n+1 < len(types) {
		namespace, types = types[n+1], types[n+2:]
	}
	words := []string{namespace}
	for _, s := range types {
		if !strings.HasPrefix(s, "{") && s != "vmimage" && s != "latest" { // these two are names, too
			words = append(words, s)
		}
	}
	return strings.Join(words, "/") + verb(c.method)
}

func verb(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead:
		return "/read"
	case http.MethodPost:
		return "/action"
	case http.MethodDelete:
		return "/delete"
	}
	return "/write"
}

// scope is what the right is needed on: the path, for an action that of its resource.
func (c *call) scope() string {
	if c.method != http.MethodPost {
		return c.path
	}
	return c.path[:strings.LastIndexByte(c.path, '/')]
}
