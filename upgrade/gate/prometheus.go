package gate

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"

	"github.com/vmssbot/vmssbot/upgrade"
)

// answer is what Prometheus says to an instant query: https://prometheus.io/docs/prometheus/latest/querying/api/.
type answer struct {
	Status    string   `json:"status"`
	ErrorType string   `json:"errorType"`
	Warnings  []string `json:"warnings"`
	Data      struct {
		ResultType string          `json:"resultType"`
		Result     json.RawMessage `json:"result"`
	} `json:"data"`
}

// value judges it. Anything but one number says nothing: a query that finds no series is the usual way for a metric
// to be gone, and comparing it with a threshold would make a pass of that.
func (g Gate) value(status int, body []byte) (upgrade.ProbeState, string) {
	var a answer
	err := json.Unmarshal(body, &a)
	switch {
	case status != http.StatusOK && a.ErrorType != "":
		return upgrade.ProbeUnknown, fmt.Sprintf("Prometheus answers HTTP %d (%s)", status, short(a.ErrorType))
	case status != http.StatusOK:
		return upgrade.ProbeUnknown, fmt.Sprintf("Prometheus answers HTTP %d", status)
	case err != nil:
		return upgrade.ProbeUnknown, "the answer is no JSON"
	case a.Status != "success":
		return upgrade.ProbeUnknown, "Prometheus reports no success"
	case len(a.Warnings) > 0:
		return upgrade.ProbeUnknown, "Prometheus warns that the answer may be partial: " + short(a.Warnings[0])
	}
	number, why := a.one()
	if why != "" {
		return upgrade.ProbeUnknown, why
	}
	n, err := strconv.ParseFloat(number, 64)
	switch {
	case err != nil || math.IsNaN(n) || math.IsInf(n, 0): // a division by zero tells nothing
		return upgrade.ProbeUnknown, "the value is not a number"
	case g.Above != nil && !(n > *g.Above):
		return upgrade.ProbeFail, fmt.Sprintf("%s is not above %s", figure(n), figure(*g.Above))
	case g.Below != nil && !(n < *g.Below):
		return upgrade.ProbeFail, fmt.Sprintf("%s is not below %s", figure(n), figure(*g.Below))
	}
	return upgrade.ProbePass, "it is " + figure(n)
}

// one is the only value of the answer, or why there is none.
func (a answer) one() (number, why string) {
	type sample [2]any // a time, and the value as text
	var only sample
	switch a.Data.ResultType {
	case "scalar":
		if json.Unmarshal(a.Data.Result, &only) != nil {
			return "", "the answer is not as Prometheus documents it"
		}
	case "vector":
		var all []struct {
			Value sample `json:"value"`
		}
		switch err := json.Unmarshal(a.Data.Result, &all); {
		case err != nil:
			return "", "the answer is not as Prometheus documents it"
		case len(all) != 1:
			return "", fmt.Sprintf("the query has %d values, not one", len(all))
		}
		only = all[0].Value
	default:
		return "", "the query is for no single value"
	}
	number, ok := only[1].(string)
	if !ok {
		return "", "the answer is not as Prometheus documents it"
	}
	return number, ""
}

func figure(f float64) string { return strconv.FormatFloat(f, 'g', 4, 64) }
