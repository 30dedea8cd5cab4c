package azure

import (
	"net/url"
	"slices"
	"strings"
)

// checkSubject: the request is about what it was made for. An image is read wherever its id leads, also
// in a subscription or group that is not ours, as the model may name it, but nothing beside it: the path
// is the one that was made of the id. Everything else stays in our scope, and what is done for a set in
// its group.
func (g *guard) checkSubject(u *url.URL, c call, params map[string]string, f *flight) error {
	if (c.image || f.image != "") && !strings.EqualFold(u.Path, f.image) {
		return refuse("it is about another image than the one asked for")
	}
	if c.image {
		return nil
	}
	if err := g.inScope(params); err != nil {
		return err
	}
	group, inGroup := params["group"]
	switch set, about := params["set"]; {
	case about && !f.set.is(group, set):
		return refuse("it is about another set than %s", f.set)
	case inGroup && f.set != (target{}) && !strings.EqualFold(group, f.set.group):
		return refuse("it is about another resource group than that of %s", f.set)
	case c.query != nil:
		return c.query(u.Query(), f.set.path(g.subscription))
	}
	return nil
}

// filterOf asks the list of virtual machines for those of one set. It is the only filter there is.
func filterOf(set string) string { return "'virtualMachineScaleSet/id' eq '" + set + "'" }

// onlyOf: a list of virtual machines is asked for with exactly the filter for the set. The link to a
// further page may leave it to its token to say what is being listed; what comes is looked at, too.
func onlyOf(q url.Values, set string) error {
	switch filter := q["$filter"]; {
	case set != "" && len(filter) == 1 && strings.EqualFold(filter[0], filterOf(set)):
		return nil
	case set != "" && len(filter) == 0 && q.Get("$skiptoken") != "":
		return nil
	}
	return refuse("it lists the virtual machines of more than one set")
}

// path is the set's path, "" when the target is none.
func (t target) path(subscription string) string {
	if t == (target{}) {
		return ""
	}
	return fill(oneSet, map[string]string{"subscription": subscription, "group": t.group, "set": t.set})
}

func (t target) is(group, set string) bool {
	return strings.EqualFold(t.group, group) && strings.EqualFold(t.set, set)
}

func (g *guard) inScope(params map[string]string) error {
	if !strings.EqualFold(params["subscription"], g.subscription) {
		return refuse("it is about another subscription than %s", g.subscription)
	}
	group, named := params["group"]
	if named && len(g.groups) > 0 && !slices.ContainsFunc(g.groups, func(s string) bool { return strings.EqualFold(s, group) }) {
		return refuse("resource group %q is not among those configured", group)
	}
	return nil
}
