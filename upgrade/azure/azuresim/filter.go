package azuresim

import (
	"net/http"
	"regexp"
	"strings"
)

var (
	comparison = regexp.MustCompile(`^\s*([A-Za-z/]+)\s+(?i:(eq|ne))\s+(true|false|'[^']*')\s*$`)
	prefix     = regexp.MustCompile(`^\s*(?i:startswith)\(\s*([A-Za-z/]+)\s*,\s*'([^']*)'\s*\)(?:\s+(?i:eq)\s+(true|false))?\s*$`)
	conjunct   = regexp.MustCompile(`(?i)\s+and\s+`)
)

// parseFilter understands the $filter expressions that the VM list documents (latestModelApplied,
// startswith on status codes), comparisons of any member with a boolean or a string, and "and".
// Names may leave "properties/" out. No filter is nil.
func parseFilter(filter string) (func(document) bool, *reply) {
	var tests []func(document) bool
	if strings.TrimSpace(filter) == "" {
		return nil, nil
	}
	for _, clause := range conjunct.Split(filter, -1) {
		test := parseClause(clause)
		if test == nil {
			return nil, fail(http.StatusBadRequest, "InvalidParameter", "The value of parameter $filter is invalid: '%s'.", clause).at("$filter")
		}
		tests = append(tests, test)
	}
	return func(d document) bool {
		for _, t := range tests {
			if !t(d) {
				return false
			}
		}
		return true
	}, nil
}

func parseClause(clause string) func(document) bool {
	if m := prefix.FindStringSubmatch(clause); m != nil {
		return func(d document) bool {
			return m[3] != "false" == anyOf(d, m[1], func(v string) bool {
				return len(v) >= len(m[2]) && strings.EqualFold(v[:len(m[2])], m[2])
			})
		}
	}
	if m := comparison.FindStringSubmatch(clause); m != nil {
		want := strings.Trim(m[3], "'")
		return func(d document) bool {
			return strings.EqualFold(m[2], "eq") == anyOf(d, m[1], func(v string) bool { return strings.EqualFold(v, want) })
		}
	}
	return nil
}

// anyOf tells whether test holds for a value at path; a list on the way means any of its members.
func anyOf(d document, path string, test func(string) bool) bool {
	parts := strings.Split(path, "/")
	if member(d, parts[0]) == nil {
		parts = append([]string{"properties"}, parts...)
	}
	return walk(d, parts, test)
}

func walk(v any, path []string, test func(string) bool) bool {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			if walk(item, path, test) {
				return true
			}
		}
		return false
	case document:
		return len(path) > 0 && walk(member(v, path[0]), path[1:], test)
	case string:
		return len(path) == 0 && test(v)
	case bool:
		return len(path) == 0 && test(map[bool]string{true: "true", false: "false"}[v])
	}
	return false
}

// member finds a member without regard to case.
func member(d document, name string) any {
	for k, v := range d {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return nil
}
