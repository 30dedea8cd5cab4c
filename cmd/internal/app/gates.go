package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/vmssbot/vmssbot/upgrade"
	"github.com/vmssbot/vmssbot/upgrade/gate"
)

// Gate is an external gate, which sets name: a page, or a query to Prometheus.
type Gate struct {
	Name       string            `yaml:"name,omitempty"`
	URL        string            `yaml:"url,omitempty"`
	Status     statuses          `yaml:"status,omitempty"`   // one or several; left out = 200
	Contains   string            `yaml:"contains,omitempty"` // part of the answer
	JSON       map[string]string `yaml:"json,omitempty"`     // by JSON pointer, what must stand there
	Prometheus string            `yaml:"prometheus,omitempty"`
	Query      string            `yaml:"query,omitempty"`
	Above      *float64          `yaml:"above,omitempty"`
	Below      *float64          `yaml:"below,omitempty"`
	Headers    []Header          `yaml:"headers,omitempty"`
	Timeout    time.Duration     `yaml:"timeout,omitempty"`
	Every      time.Duration     `yaml:"every,omitempty"`
	Patience   *time.Duration    `yaml:"patience,omitempty"`
}

// Header is one whose value is kept elsewhere.
type Header struct {
	Name   string `yaml:"name,omitempty"`
	Prefix string `yaml:"prefix,omitempty"` // such as "Bearer "
	Env    string `yaml:"env,omitempty"`
	File   string `yaml:"file,omitempty"`
}

// statuses are written as one or as a list.
type statuses []int

func (s *statuses) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*s = make(statuses, 1)
		return n.Decode(&(*s)[0])
	}
	return n.Decode((*[]int)(s))
}

// gate is the gate without the secrets of its headers.
func (g Gate) gate() gate.Gate {
	made := gate.Gate{Name: g.Name, URL: g.URL, Status: g.Status, Contains: g.Contains, JSON: g.JSON, Prometheus: g.Prometheus, Query: g.Query, Above: g.Above, Below: g.Below,
		Timeout: g.Timeout, Every: g.Every}.WithDefaults()
	if g.Patience != nil {
		made.Patience = *g.Patience
	}
	return made
}

var headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")

func (h Header) check() error {
	switch {
	case !headerName.MatchString(h.Name):
		return fmt.Errorf("headers: %q is no name of a header", h.Name)
	case (h.Env == "") == (h.File == ""):
		return fmt.Errorf("headers: %s: want env or file, which says where its value is kept", h.Name)
	}
	return nil
}

// value reads it.
func (h Header) value(keys keyring) (string, error) {
	value := strings.TrimSpace(keys.env(h.Env))
	if h.File != "" {
		body, err := keys.file(h.File)
		if err != nil {
			return "", fmt.Errorf("header %s: %w", h.Name, err)
		}
		value = strings.TrimSpace(body)
	}
	switch {
	case value == "" && h.File != "":
		return "", fmt.Errorf("header %s: the file %s is empty", h.Name, h.File)
	case value == "":
		return "", fmt.Errorf("header %s: its value is missing: %s is empty", h.Name, named)
	case strings.ContainsAny(value, "\r\n\x00"):
		return "", fmt.Errorf("header %s: its value has several lines", h.Name)
	}
	return h.Prefix + value, nil
}

// checkGates says what is wrong with them, without asking anybody.
func (c Config) checkGates(bad complain) {
	for i, g := range c.Gates {
		say := func(where place, err error) {
			bad(append(at("gates", i), where...), "gates[%d] (%s): %w", i, g.Name, err)
		}
		if err := g.gate().Check(); err != nil {
			say(nil, err)
		}
		for n, h := range g.Headers {
			if err := h.check(); err != nil {
				say(at("headers", n), err)
			}
		}
		if slices.ContainsFunc(c.Gates[:i], func(o Gate) bool { return o.Name == g.Name }) {
			say(at("name"), fmt.Errorf("name: there is a gate %q already", g.Name))
		}
	}
}

// gated refuses the name of a gate that is not there: a misspelt one must not be none.
func (c Config) gated(names []string, bad complain) {
	for n, name := range names {
		if !slices.ContainsFunc(c.Gates, func(g Gate) bool { return g.Name == name }) {
			bad(at("gates", n), "gates: there is no gate %q", name)
		}
	}
}

// checkGateFiles reads the secrets that are kept in files.
func (c Config) checkGateFiles(bad complain) {
	for i, g := range c.Gates {
		for n, h := range g.Headers {
			if _, err := h.value(nil); err != nil && h.File != "" {
				bad(at("gates", i, "headers", n), "gate %s: %w", g.Name, err)
			}
		}
	}
}

// gates are those of the configuration, with their secrets.
func (c Config) gates(keys keyring) ([]gate.Gate, error) {
	var out []gate.Gate
	var errs []error
	for _, g := range c.Gates {
		made := g.gate()
		made.Headers = map[string]string{}
		for _, h := range g.Headers {
			value, err := h.value(keys)
			if err != nil {
				errs = append(errs, fmt.Errorf("gate %s: %w", g.Name, err))
			}
			made.Headers[h.Name] = value
		}
		out = append(out, made)
	}
	return out, errors.Join(errs...)
}

// AskGates asks each external gate once, and prints what it answers. Its error says that not all of them pass.
func AskGates(ctx context.Context, c Config, out io.Writer) error {
	gates, err := c.gates(nil)
	if err != nil {
		return err
	}
	via, passing := gate.Transport(net.DefaultResolver), 0
	for _, g := range gates {
		state, why := g.Ask(ctx, via)
		if state == upgrade.ProbePass {
			passing++
		}
		fmt.Fprintf(out, "%-7s  %s: %s\n", state, Plain(g.Name), Plain(why))
	}
	if passing < len(gates) {
		return fmt.Errorf("%d of %s do not pass: no set that names one of them is started", len(gates)-passing, upgrade.Count(len(gates), "gate"))
	}
	fmt.Fprintf(out, "%s, all pass\n", upgrade.Count(len(gates), "gate"))
	return nil
}
