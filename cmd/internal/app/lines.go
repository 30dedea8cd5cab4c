package app

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// source is where a configuration was read from. It knows the line of everything in it, so that whatever is
// wrong is found. The zero value is a configuration that was made and not read.
type source struct {
	file string
	root yaml.Node
}

// place is the way to something in a configuration: keys and numbers. A node that is known is a place itself.
type place []any

func at(p ...any) place { return p }

// complain takes what is wrong with something in a configuration.
type complain func(where place, format string, args ...any)

// complaints gathers them, each with its file and line.
type complaints struct {
	source
	illegible []unreadable // what the decoder has complained of: nothing is known of these values
	errs      []error
}

func (c *complaints) add(where place, format string, args ...any) {
	if _, value := c.find(where); value != nil && slices.ContainsFunc(c.illegible, func(u unreadable) bool { return u.is(value) }) {
		return
	}
	c.errs = append(c.errs, fmt.Errorf("%s: %w", c.line(where), fmt.Errorf(format, args...)))
}

// unreadable is a value that is not of the kind that is wanted where it stands.
type unreadable struct {
	line  int
	value string // its beginning; "" = a list or keys
}

func (u unreadable) is(n *yaml.Node) bool {
	return n.Line == u.line && (n.Kind == yaml.ScalarNode) == (u.value != "") && strings.HasPrefix(n.Value, u.value)
}

// illegible are the values that the decoder could not read, where it has read all others, so that these can be checked
// as well; nil where it has not: the file is no YAML, or it has passed by whole entries, as something else stands where
// keys are wanted, or one of them stands there twice.
func illegible(err error) []unreadable {
	several, ok := errors.AsType[*yaml.TypeError](err)
	if !ok {
		return nil
	}
	out := []unreadable{}
	for _, one := range several.Errors {
		found := atLine.FindStringSubmatch(one)
		is := otherwise.FindStringSubmatch(found[2])
		switch {
		case is != nil && whatIsMeant[is[2]] != "":
			line, _ := strconv.Atoi(found[1])
			out = append(out, unreadable{line, strings.TrimSuffix(is[1], "...")})
		case !noKey.MatchString(found[2]):
			return nil
		}
	}
	return out
}

// apart is each of several errors that were joined.
func apart(err error) []error {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		return several.Unwrap()
	}
	return nil
}

// line is the file and the line of a place, or of the last thing on the way to it that is there.
func (s source) line(where place) string {
	line, _ := s.find(where)
	return s.file + ":" + strconv.Itoa(line)
}

// has reports whether a place is written in the file.
func (s source) has(where place) bool {
	_, value := s.find(where)
	return value != nil
}

// find finds the line of a place and what stands there; nil where nothing does.
func (s source) find(where place) (line int, value *yaml.Node) {
	n, line := &s.root, 1
	for _, step := range where {
		var next, name *yaml.Node
		switch key := step.(type) {
		case *yaml.Node:
			next, name = key, key
		case int:
			if in := resolved(n); in != nil && in.Kind == yaml.SequenceNode && key < len(in.Content) {
				next, name = in.Content[key], in.Content[key]
			}
		case string:
			name, next = entry(resolved(n), key)
		}
		if name == nil {
			return line, nil
		}
		n, line = next, max(1, name.Line)
	}
	return line, n
}

// resolved is what a node stands for: a document for what is in it, an alias for what it names.
func resolved(n *yaml.Node) *yaml.Node {
	switch {
	case n == nil:
		return nil
	case n.Kind == yaml.AliasNode:
		return resolved(n.Alias)
	case n.Kind == yaml.DocumentNode && len(n.Content) > 0:
		return resolved(n.Content[0])
	}
	return n
}

// entry finds a key of a mapping and what it has, also where the mapping takes it from another one (<<).
func entry(n *yaml.Node, key string) (name, value *yaml.Node) {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i], n.Content[i+1]
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value != "<<" {
			continue
		}
		from := resolved(n.Content[i+1])
		all := []*yaml.Node{from}
		if from.Kind == yaml.SequenceNode {
			all = from.Content
		}
		for _, other := range all {
			if name, value = entry(resolved(other), key); name != nil {
				return name, value
			}
		}
	}
	return nil, nil
}

var (
	atLine      = regexp.MustCompile(`^(?:yaml: )?(?:line (\d+): )?(.*)$`)
	noKey       = regexp.MustCompile(`^field (.*) not found in type \S+$`)
	otherwise   = regexp.MustCompile("^cannot unmarshal !!\\w+(?: `(.*)`)? into (.*)$")
	whatIsMeant = map[string]string{"time.Duration": "a time such as 10m", "int": "a whole number", "bool": "true or false", "string": "a text", "[]string": "a list such as [a, b]"}
)

// unread says what the decoder says: where, and in words that need no Go.
func (s source) unread(err error) error {
	said := []string{err.Error()}
	if several, ok := errors.AsType[*yaml.TypeError](err); ok {
		said = several.Errors
	}
	var errs []error
	for _, one := range said {
		found := atLine.FindStringSubmatch(one)
		where, what := s.file, found[2]
		if found[1] != "" {
			where += ":" + found[1]
		}
		if key := noKey.FindStringSubmatch(what); key != nil {
			what = fmt.Sprintf("%s: there is no such key here", key[1])
		}
		if is := otherwise.FindStringSubmatch(what); is != nil {
			want, known := whatIsMeant[is[2]]
			if !known {
				want = "keys and values as in the README"
			}
			what = fmt.Sprintf("%q is not what stands here: want %s", is[1], want)
		}
		errs = append(errs, fmt.Errorf("%s: %s", where, what))
	}
	return errors.Join(errs...)
}
