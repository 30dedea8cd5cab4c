package slacksim

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
)

// paginate cuts one page out of a list by the cursor and limit arguments. bad is an error answer or nil.
func paginate[T any](c call, list []T) (page []T, next string, bad object) {
	start := 0
	if cur := c.str("cursor"); cur != "" {
		raw, err := base64.StdEncoding.DecodeString(cur)
		n, err2 := strconv.Atoi(strings.TrimPrefix(string(raw), "offset:"))
		if err != nil || err2 != nil || n < 0 || n > len(list) {
			return nil, "", fail("invalid_cursor")
		}
		start = n
	}
	limit := c.number("limit", 0)
	if limit <= 0 || limit > 1000 {
		limit = 1000
	}
	end := min(len(list), start+limit)
	if end < len(list) {
		next = base64.StdEncoding.EncodeToString([]byte("offset:" + strconv.Itoa(end)))
	}
	return list[start:end], next, nil
}

// visible returns the conversation the app may know of: every public one, others as a member; nil otherwise.
// Read methods take ids only.
func (c call) visible() *channel {
	ch := c.channel(c.str("channel"))
	if ch == nil || ch.ID != c.str("channel") || ch.kind() != "channel" && !ch.has(BotUser) {
		return nil
	}
	return ch
}

func (c call) conversationsInfo() object {
	ch := c.visible()
	if ch == nil {
		return fail("channel_not_found")
	}
	o := c.channelJSON(ch)
	if !c.flag("include_num_members") {
		delete(o, "num_members")
	}
	return ok(object{"channel": o})
}

func (c call) conversationsList() object {
	kinds := map[string]string{"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}
	var want []string
	for t := range strings.SplitSeq(c.str("types"), ",") {
		switch k, known := kinds[strings.TrimSpace(t)]; {
		case known:
			want = append(want, k)
		case t != "":
			return fail("invalid_types")
		}
	}
	if want == nil {
		want = []string{"channel"}
	}
	list := []object{}
	for _, ch := range c.channels {
		hidden := ch.kind() != "channel" && !ch.has(BotUser) || c.flag("exclude_archived") && ch.Archived
		if slices.Contains(want, ch.kind()) && !hidden {
			list = append(list, c.channelJSON(ch))
		}
	}
	page, next, bad := paginate(c, list)
	if bad != nil {
		return bad
	}
	return ok(object{"channels": page, "response_metadata": object{"next_cursor": next}})
}

func (c call) conversationsMembers() object {
	ch := c.visible()
	if ch == nil {
		return fail("channel_not_found")
	}
	page, next, bad := paginate(c, ch.Members)
	if bad != nil {
		return bad
	}
	return ok(object{"members": page, "response_metadata": object{"next_cursor": next}})
}

func (c call) conversationsOpen() object {
	if id := c.str("channel"); id != "" {
		if ch := c.channel(id); ch != nil && ch.IMWith != "" {
			return ok(object{"channel": object{"id": ch.ID}})
		}
		return fail("channel_not_found")
	}
	users := strings.Split(c.str("users"), ",")
	u := c.user(users[0])
	switch {
	case c.str("users") == "":
		return fail("users_list_not_supplied")
	case len(users) > 1:
		return fail("not_enough_users") // group direct messages do not exist here
	case u == nil || u.ID != users[0]:
		return fail("user_not_found")
	case u.Deleted:
		return fail("user_disabled")
	case u.Bot:
		return fail("cannot_dm_bot")
	}
	ch := c.im(u.ID)
	if c.flag("return_im") {
		return ok(object{"channel": c.channelJSON(ch)})
	}
	return ok(object{"channel": object{"id": ch.ID}})
}

// readable is visible plus membership, which reading what was said needs.
func (c call) readable() (*channel, object) {
	ch := c.visible()
	switch {
	case ch == nil:
		return nil, fail("channel_not_found")
	case !ch.has(BotUser):
		return nil, fail("not_in_channel")
	}
	return ch, nil
}

// within reports whether a ts lies inside the oldest and latest arguments.
func (c call) within(ts string) bool {
	oldest, latest := c.str("oldest"), c.str("latest")
	if c.flag("inclusive") && (ts == oldest || ts == latest) {
		return true
	}
	after := oldest == "" || oldest == "0" || ts > oldest
	before := latest == "" || ts < latest
	return after && before
}

func (c call) conversationsHistory() object {
	ch, bad := c.readable()
	if bad != nil {
		return bad
	}
	list := []object{}
	for _, m := range slices.Backward(ch.messages) {
		top := m.ThreadTS == "" || m.ThreadTS == m.TS || m.Broadcast
		if m.listed && !m.Deleted && top && c.within(m.TS) {
			list = append(list, c.historyJSON(ch, m))
		}
	}
	page, next, bad := paginate(c, list)
	if bad != nil {
		return bad
	}
	return ok(object{"messages": page, "has_more": next != "", "pin_count": 0, "response_metadata": object{"next_cursor": next}})
}

func (c call) conversationsReplies() object {
	ch, bad := c.readable()
	if bad != nil {
		return bad
	}
	m := ch.find(c.str("ts"))
	if m == nil || !m.listed {
		return fail("thread_not_found")
	}
	if m.ThreadTS != "" {
		if p := ch.find(m.ThreadTS); p != nil {
			m = p
		}
	}
	list := []object{c.historyJSON(ch, m)}
	for _, r := range ch.replies(m.TS) {
		if c.within(r.TS) {
			list = append(list, c.historyJSON(ch, r))
		}
	}
	page, next, bad := paginate(c, list)
	if bad != nil {
		return bad
	}
	return ok(object{"messages": page, "has_more": next != "", "response_metadata": object{"next_cursor": next}})
}

// historyJSON is a message as history shows it: metadata only when asked for.
func (c call) historyJSON(ch *channel, m *message) object {
	o := c.messageJSON(ch, m)
	if !c.flag("include_all_metadata") {
		delete(o, "metadata")
	}
	return o
}
