package gate

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/vmssbot/vmssbot/upgrade"
)

// FuzzAnswers: whatever a server sends, only one finite number on the right side of the threshold is a pass, no
// answer is one without the text that is wanted, and what is told of it is a short line.
func FuzzAnswers(f *testing.F) {
	for _, body := range []string{
		`{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"3"]}]}}`,
		`{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"+Inf"]}]}}`,
		`{"status":"success","warnings":["partial"],"data":{"resultType":"scalar","result":[1,"NaN"]}}`,
		`{"status":"success","data":{"resultType":"scalar","result":[1,"0x1p-2"]}}`,
		`{"status":"error","errorType":"bad_data"}`, `[]`, ``, `{"up":true,"deep":{"a/b":[1,{"~":"ok"}]}}`, "ok\x00\u202E",
	} {
		f.Add(200, body, 2.0)
	}
	f.Fuzz(func(t *testing.T, status int, body string, limit float64) {
		for name, g := range map[string]Gate{
			"above": {Prometheus: "http://x", Query: "q", Above: &limit}, "below": {Prometheus: "http://x", Query: "q", Below: &limit},
		} {
			state, why := g.value(status, []byte(body))
			n, one := onlyNumber(body)
			right := one && status == 200 && (name == "above" && n > limit || name == "below" && n < limit)
			if (state == upgrade.ProbePass) && !right {
				t.Errorf("%s %g: %q with %d is a pass: %s", name, limit, body, status, why)
			}
			toldWell(t, why)
		}
		for name, g := range map[string]Gate{"text": {Contains: "ok"}, "pointer": {JSON: map[string]string{"/deep/a~1b/1/~0": "ok"}}} {
			state, why := g.WithDefaults().page(status, []byte(body))
			if state == upgrade.ProbePass && (status != 200 || !strings.Contains(body, "ok") && !strings.Contains(body, `\u`)) {
				t.Errorf("%s: %q with %d is a pass: %s", name, body, status, why)
			}
			toldWell(t, why)
		}
	})
}

// onlyNumber reads the answer in another way.
func onlyNumber(body string) (float64, bool) {
	var m struct {
		Status   string
		Warnings []any
		Data     struct {
			ResultType string
			Result     []any
		}
	}
	if json.Unmarshal([]byte(body), &m) != nil || m.Status != "success" || len(m.Warnings) > 0 {
		return 0, false
	}
	sample := m.Data.Result
	if m.Data.ResultType == "vector" {
		if len(sample) != 1 {
			return 0, false
		}
		series, _ := sample[0].(map[string]any)
		for key, value := range series {
			if strings.EqualFold(key, "value") {
				sample, _ = value.([]any)
			}
		}
	}
	if len(sample) < 2 {
		return 0, false
	}
	text, ok := sample[1].(string)
	n, err := strconv.ParseFloat(text, 64)
	return n, ok && err == nil && !math.IsNaN(n) && !math.IsInf(n, 0)
}

func toldWell(t *testing.T, why string) {
	t.Helper()
	if why == "" || len(why) > 400 || !utf8.ValidString(why) || strings.ContainsAny(why, "\n\r\x00\u202E") {
		t.Errorf("it is told as %q", why)
	}
}
