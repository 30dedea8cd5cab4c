package slacksim

import "slices"

func (c call) usersInfo() object {
	u := c.user(c.str("user"))
	if u == nil || u.ID != c.str("user") {
		return fail("user_not_found")
	}
	o := c.userJSON(u, c.mayReadEmail())
	if c.flag("include_locale") {
		o["locale"] = "en-US"
	}
	return ok(object{"user": o})
}

func (c call) mayReadEmail() bool { return slices.Contains(c.opt.Scopes, "users:read.email") }

func (c call) usersList() object {
	members := []object{}
	for _, u := range c.users {
		members = append(members, c.userJSON(u, c.mayReadEmail()))
	}
	page, next, bad := paginate(c, members)
	if bad != nil {
		return bad
	}
	return ok(object{"members": page, "cache_ts": c.now().Unix(), "response_metadata": object{"next_cursor": next}})
}

func (c call) usersLookupByEmail() object {
	for _, u := range c.users {
		if u.Email == c.str("email") && !u.Deleted && !u.Bot {
			return ok(object{"user": c.userJSON(u, true)})
		}
	}
	return fail("users_not_found")
}

func (c call) usergroupsList() object {
	groups := []object{}
	for _, g := range c.groups {
		groups = append(groups, c.groupJSON(g, c.flag("include_users")))
	}
	return ok(object{"usergroups": groups})
}

func (c call) usergroupsUsersList() object {
	g := c.group(c.str("usergroup"))
	if g == nil || g.ID != c.str("usergroup") {
		return fail("no_such_subteam")
	}
	users := []string{}
	for _, id := range g.Users {
		u := c.user(id)
		if u != nil && (!u.Deleted || c.flag("include_disabled")) {
			users = append(users, u.ID)
		}
	}
	return ok(object{"users": users})
}
