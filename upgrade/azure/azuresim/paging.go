package azuresim

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// page answers a list call with the items of the next keys, and a nextLink where there are more. An
// item that is nil is left out, as one that a filter does not let through. The $skiptoken
// holds the key after which to go on, so that what comes and goes between two pages neither shifts
// nor repeats anything; it is good for the same path only.
func (w *world) page(c *call, keys []string, item func(key string) any) *reply {
	start := 0
	if token := c.query.Get("$skiptoken"); token != "" {
		after, fits := readToken(c.path, token)
		if !fits {
			return fail(http.StatusBadRequest, "InvalidParameter", "The value of parameter $skiptoken is invalid.").at("$skiptoken")
		}
		start = slices.IndexFunc(keys, func(k string) bool { return idLess(after, k) })
		if start < 0 {
			start = len(keys)
		}
	}
	body, list, last := document{}, []any{}, ""
	for _, k := range keys[start:] {
		v := item(k)
		if v == nil {
			continue
		}
		if len(list) == w.opt.PageSize {
			body["nextLink"] = nextLink(c, makeToken(c.path, last))
			break
		}
		list, last = append(list, v), k
	}
	body["value"] = list
	return ok(body)
}

// nextLink is the caller's own request with the token in it, on the host it used.
func nextLink(c *call, token string) string {
	q := url.Values{}
	for k, v := range c.query {
		q[k] = v
	}
	q.Set("$skiptoken", token)
	return c.base + (&url.URL{Path: c.path}).EscapedPath() + "?" + q.Encode()
}

func makeToken(path, key string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(tokenMark(path) + key))
}

func readToken(path, token string) (key string, fits bool) {
	data, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return "", false
	}
	return strings.CutPrefix(string(data), tokenMark(path))
}

func tokenMark(path string) string { return guid("list", strings.ToLower(path)) + "!" }

// idLess orders keys: numbers by value, so that instance 10 comes after 9.
func idLess(a, b string) bool {
	if isNumber(a) && isNumber(b) && len(a) != len(b) {
		return len(a) < len(b)
	}
	return a < b
}

func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
