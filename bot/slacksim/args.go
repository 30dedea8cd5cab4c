package slacksim

import (
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// args are the arguments of a call, however they came: query, urlencoded or multipart form, or JSON body.
type args struct {
	vals    map[string]json.RawMessage
	warning string // missing_charset or superfluous_charset
}

// maxBody bounds what a call may send; Slack's own bound is lower and undocumented.
const maxBody = 10 << 20

// parseArgs reads the arguments. The string is a Slack error: invalid_json, json_not_object, invalid_form_data,
// invalid_post_type, or empty.
func parseArgs(r *http.Request) (args, string) {
	a := args{vals: map[string]json.RawMessage{}}
	a.form(r.URL.Query())
	if r.Method != http.MethodPost {
		return a, ""
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.Header.Get("Content-Type") != "" && err != nil {
		return a, "invalid_post_type"
	}
	r.Body = http.MaxBytesReader(nil, r.Body, maxBody)
	switch kind {
	case "application/json":
		if params["charset"] == "" {
			a.warning = "missing_charset"
		}
		return a, a.json(r.Body)
	case "multipart/form-data":
		if err := r.ParseMultipartForm(maxBody); err != nil {
			return a, "invalid_form_data"
		}
		a.form(r.MultipartForm.Value)
	case "application/x-www-form-urlencoded", "":
		if params["charset"] != "" {
			a.warning = "superfluous_charset"
		}
		if err := r.ParseForm(); err != nil {
			return a, "invalid_form_data"
		}
		a.form(r.PostForm)
	default:
		return a, "invalid_post_type"
	}
	return a, ""
}

func (a *args) form(v url.Values) {
	for k, vs := range v {
		if len(vs) > 0 {
			a.vals[k] = encode(vs[0])
		}
	}
}

func (a *args) json(body io.Reader) string {
	raw, err := io.ReadAll(body)
	if err != nil || !json.Valid(raw) && len(raw) > 0 {
		return "invalid_json"
	}
	if len(raw) == 0 {
		return ""
	}
	var o map[string]json.RawMessage
	if json.Unmarshal(raw, &o) != nil {
		return "json_not_object"
	}
	for k, v := range o {
		if string(v) != "null" {
			a.vals[k] = v
		}
	}
	return ""
}

// has reports whether the argument was given at all.
func (a args) has(name string) bool { _, ok := a.vals[name]; return ok }

// str returns an argument as text; numbers and booleans as they were written; "" when it was not given.
func (a args) str(name string) string {
	var s string
	raw := a.vals[name]
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

func (a args) flag(name string) bool {
	v := a.str(name)
	return v == "true" || v == "1"
}

// number returns an argument as an integer, or alt when it is none.
func (a args) number(name string, alt int) int {
	if n, err := strconv.Atoi(a.str(name)); err == nil {
		return n
	}
	return alt
}

// raw returns an argument that is JSON: inside a form it is a string that holds it, inside a JSON body the value
// itself (or, as SDKs do, a string all the same). ok is false when the string holds no JSON; absent is nil, true.
func (a args) raw(name string) (value json.RawMessage, ok bool) {
	raw, given := a.vals[name]
	if !given {
		return nil, true
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return raw, true
	}
	if strings.TrimSpace(s) == "" {
		return nil, true
	}
	return json.RawMessage(s), json.Valid([]byte(s))
}

// public returns the arguments without the token, for the log.
func (a args) public() json.RawMessage {
	o := map[string]json.RawMessage{}
	for k, v := range a.vals {
		if k != "token" {
			o[k] = v
		}
	}
	return encode(o)
}
