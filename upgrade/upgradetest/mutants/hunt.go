package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// hunt runs what must catch the mutant, in a product that has it: the compiler is given the changed file
// in place of the real one, which stays as it is. It returns why the mutant got away, "" = it was caught;
// an error is a mutant that could not be tried.
func hunt(root string, m mutant) (escaped string, err error) {
	dir, err := os.MkdirTemp("", "mutant")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	overlay, err := m.overlay(root, dir)
	if err != nil {
		return "", err
	}
	for _, c := range m.tests {
		args := append([]string{"test", "-overlay", overlay, "-vet=off", "-count=1", "-timeout=3m", "-run", c.run, c.pkg}, c.args...)
		cmd := exec.Command("go", args...)
		cmd.Dir = root
		out, err := cmd.CombinedOutput()
		if escaped, err := c.verdict(string(out), err); escaped != "" || err != nil {
			return escaped, err
		}
	}
	return "", nil
}

// overlay writes the changed file and the list that puts it in the place of the real one.
func (m mutant) overlay(root, dir string) (string, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return "", err
	}
	real := filepath.Join(root, filepath.FromSlash(m.file))
	source, err := os.ReadFile(real)
	if err != nil {
		return "", err
	}
	if source, err = m.plant(source); err != nil {
		return "", err
	}
	mutated, list := filepath.Join(dir, filepath.Base(real)), filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(mutated, source, 0o600); err != nil {
		return "", err
	}
	body, err := json.Marshal(map[string]map[string]string{"Replace": {real: mutated}})
	if err != nil {
		return "", err
	}
	return list, os.WriteFile(list, body, 0o600)
}

// verdict tells a test that fails from one that passes, one that is not there, and a product that does
// not build: only the first is a catch.
func (c catcher) verdict(out string, failed error) (escaped string, err error) {
	what := c.pkg + " " + c.run
	switch {
	case strings.Contains(out, "[build failed]") || strings.Contains(out, "[setup failed]"):
		return "", fmt.Errorf("%s does not build:\n%s", what, out)
	case failed == nil && strings.Contains(out, "[no tests to run]"):
		return "there is no test " + what, nil
	case failed == nil:
		return what + " passes all the same", nil
	case strings.Contains(out, "--- FAIL: ") || strings.Contains(out, "panic: "):
		return "", nil
	}
	return "", fmt.Errorf("%s: %w:\n%s", what, failed, out)
}
