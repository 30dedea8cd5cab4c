package gate

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/vmssbot/vmssbot/upgrade"
)

// most is how long an answer may be that is read.
const most = 64 << 10

// Ask asks once. The answer is a state, and the evidence in a few words.
func (g Gate) Ask(ctx context.Context, via http.RoundTripper) (upgrade.ProbeState, string) {
	ctx, cancel := context.WithTimeout(ctx, g.Timeout)
	defer cancel()
	status, body, err := g.get(ctx, via)
	switch {
	case ctx.Err() != nil && err != nil:
		return upgrade.ProbeUnknown, fmt.Sprintf("no answer within %s", g.Timeout)
	case err != nil:
		return upgrade.ProbeUnknown, inWords(err)
	case g.Prometheus != "":
		return g.value(status, body)
	}
	return g.page(status, body)
}

// get is one request, and as much of the answer as is looked at.
func (g Gate) get(ctx context.Context, via http.RoundTripper) (status int, body []byte, err error) {
	address := g.URL
	if g.Prometheus != "" {
		address = strings.TrimSuffix(g.Prometheus, "/") + "/api/v1/query?" + url.Values{"query": {g.Query}, "timeout": {g.Timeout.String()}}.Encode()
	}
	if strings.HasPrefix(address, "https:") {
		ctx = secured(ctx)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, nil, errors.New("its address cannot be called")
	}
	r.Header.Set("User-Agent", "vmssbot")
	for name, value := range g.Headers {
		r.Header.Set(name, value)
	}
	answer, err := via.RoundTrip(r) // a round trip follows no redirect and keeps no cookie
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	if g.Prometheus == "" && g.Contains == "" && len(g.JSON) == 0 {
		return answer.StatusCode, nil, nil
	}
	body, err = io.ReadAll(io.LimitReader(answer.Body, most+1))
	switch {
	case err != nil && ctx.Err() == nil:
		return 0, nil, errBroken
	case err == nil && len(body) > most:
		return 0, nil, errTooLong
	}
	return answer.StatusCode, body, err
}

var (
	errBroken  = errors.New("its answer broke off")
	errTooLong = fmt.Errorf("its answer is longer than %d kB", most>>10)
)

// inWords is why there was no answer. The error's own words hold the address, which may hold a secret.
func inWords(err error) string {
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var op *net.OpError
	switch {
	case errors.Is(err, errBroken), errors.Is(err, errTooLong):
		return err.Error()
	case errors.Is(err, errRefused):
		return "its address must not be called: it is link-local or tells a machine's secrets, or is public and not https"
	case errors.As(err, &name):
		return "its name cannot be resolved"
	case errors.As(err, &certificate):
		return "its certificate cannot be trusted"
	case errors.As(err, &op) && op.Op == "dial":
		return "nobody answers at its address"
	}
	return "the connection broke"
}

// Statuses that tell about the asking, not about what is asked for.
var evasive = []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired, http.StatusRequestTimeout, http.StatusTooManyRequests}

func (g Gate) page(status int, body []byte) (upgrade.ProbeState, string) {
	said := fmt.Sprintf("HTTP %d", status)
	switch {
	case status >= 300 && status < 400:
		return upgrade.ProbeUnknown, said + ", a redirect, which is not followed"
	case slices.Contains(g.Status, status):
		return g.content(body, said)
	case slices.Contains(evasive, status):
		return upgrade.ProbeUnknown, said
	}
	return upgrade.ProbeFail, said
}

func (g Gate) content(body []byte, said string) (upgrade.ProbeState, string) {
	if !strings.Contains(string(body), g.Contains) {
		return upgrade.ProbeFail, fmt.Sprintf("the answer lacks %q", short(g.Contains))
	}
	if len(g.JSON) == 0 {
		return upgrade.ProbePass, said
	}
	doc, err := decode(body)
	if err != nil {
		return upgrade.ProbeUnknown, "the answer is no JSON"
	}
	pointers := make([]string, 0, len(g.JSON))
	for p := range g.JSON {
		pointers = append(pointers, p)
	}
	slices.Sort(pointers)
	for _, p := range pointers {
		switch is, ok := at(doc, p); {
		case !ok:
			return upgrade.ProbeUnknown, fmt.Sprintf("the answer has no value at %s", short(p))
		case is != g.JSON[p]:
			return upgrade.ProbeFail, fmt.Sprintf("%s is %s, not %s", short(p), short(is), short(g.JSON[p]))
		}
	}
	return upgrade.ProbePass, said
}

// decode reads one JSON document, numbers as they are written.
func decode(body []byte) (doc any, err error) {
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.UseNumber()
	if err := d.Decode(&doc); err != nil {
		return nil, err
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more than one document")
	}
	return doc, nil
}

// at is the simple value that a JSON pointer leads to, as text.
func at(doc any, pointer string) (string, bool) {
	if pointer != "" {
		for _, key := range strings.Split(pointer[1:], "/") {
			key = strings.NewReplacer("~1", "/", "~0", "~").Replace(key)
			switch in := doc.(type) {
			case map[string]any:
				value, ok := in[key]
				if !ok {
					return "", false
				}
				doc = value
			case []any:
				n, err := strconv.Atoi(key)
				if err != nil || n < 0 || n >= len(in) {
					return "", false
				}
				doc = in[n]
			default:
				return "", false
			}
		}
	}
	switch is := doc.(type) {
	case string:
		return is, true
	case json.Number:
		return is.String(), true
	case bool:
		return strconv.FormatBool(is), true
	case nil:
		return "null", true
	}
	return "", false
}

// short is foreign text for a message: one line of it, and not much.
func short(s string) string {
	r := []rune(strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return '?'
		}
		return c
	}, s))
	if len(r) > 40 {
		r = append(r[:39], '…')
	}
	return string(r)
}
