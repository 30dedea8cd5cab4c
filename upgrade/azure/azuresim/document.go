package azuresim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// document is a JSON object as ARM stores it. Documents are immutable once stored: merge, with and
// without return new ones that share what did not change, so an instance can keep the profile it
// was made from without a copy.
type document = map[string]any

// decodeDocument reads one JSON object, keeping numbers as they were written.
func decodeDocument(data []byte) (document, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var d document
	if err := dec.Decode(&d); err != nil {
		return nil, err
	}
	if d == nil {
		return nil, fmt.Errorf("the content is null, an object is needed")
	}
	if dec.More() {
		return nil, fmt.Errorf("there is more than one JSON value")
	}
	return d, nil
}

// merge applies patch to base as PATCH does: objects are merged member by member, null removes a
// member, anything else (arrays too) replaces it.
func merge(base, patch document) document {
	out := maps.Clone(base)
	if out == nil {
		out = document{}
	}
	for k, v := range patch {
		old, _ := out[k].(document)
		switch v := v.(type) {
		case nil:
			delete(out, k)
		case document:
			out[k] = merge(old, v)
		default:
			out[k] = v
		}
	}
	return out
}

// with returns d with the member at path set to v.
func with(d document, v any, path ...string) document {
	out := maps.Clone(d)
	if out == nil {
		out = document{}
	}
	if len(path) == 1 {
		out[path[0]] = v
		return out
	}
	inner, _ := out[path[0]].(document)
	out[path[0]] = with(inner, v, path[1:]...)
	return out
}

// without returns d without the member at path.
func without(d document, path ...string) document {
	if _, ok := d[path[0]]; !ok {
		return d
	}
	out := maps.Clone(d)
	if len(path) == 1 {
		delete(out, path[0])
		return out
	}
	if inner, ok := out[path[0]].(document); ok {
		out[path[0]] = without(inner, path[1:]...)
	}
	return out
}

// dig returns the object at path, or nil.
func dig(d document, path ...string) document {
	for _, k := range path {
		d, _ = d[k].(document)
	}
	return d
}

// value returns the member at path, or nil.
func value(d document, path ...string) any {
	return dig(d, path[:len(path)-1]...)[path[len(path)-1]]
}

// text returns the string at path, or "".
func text(d document, path ...string) string {
	s, _ := value(d, path...).(string)
	return s
}

// flag returns the boolean at path, or false.
func flag(d document, path ...string) bool {
	b, _ := value(d, path...).(bool)
	return b
}

// number returns the whole number at path.
func number(d document, path ...string) (int, bool) {
	switch n := value(d, path...).(type) {
	case json.Number:
		i, err := n.Int64()
		return int(i), err == nil
	case int:
		return n, true
	case float64:
		return int(n), n == float64(int(n))
	}
	return 0, false
}

// sameJSON tells whether two values are the same JSON.
func sameJSON(a, b any) bool {
	x, errA := json.Marshal(a)
	y, errB := json.Marshal(b)
	return errA == nil && errB == nil && bytes.Equal(x, y)
}

// equalFold compares two values, strings without regard to case.
func equalFold(a, b any) bool {
	x, okA := a.(string)
	y, okB := b.(string)
	if okA && okB {
		return strings.EqualFold(x, y)
	}
	return sameJSON(a, b)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
