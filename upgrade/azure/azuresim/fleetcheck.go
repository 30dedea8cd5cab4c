package azuresim

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var (
	uuidForm  = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	nameForm  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}[A-Za-z0-9_-]$|^[A-Za-z0-9]$`)
	groupForm = regexp.MustCompile(`^[\p{L}\p{N}_().-]{0,89}[\p{L}\p{N}_()-]$`)
)

// check reports what is wrong with the fleet, by path.
func (f Fleet) check() error {
	if !uuidForm.MatchString(f.Subscription) {
		return fmt.Errorf("fleet subscription: %q is not a UUID", f.Subscription)
	}
	if err := errors.Join(f.checkImages(), f.checkSizes()); err != nil {
		return err
	}
	seen := map[string]bool{}
	for i, s := range f.Sets {
		key := strings.ToLower(s.ResourceGroup + "/" + s.Name)
		if seen[key] {
			return fmt.Errorf("fleet sets[%d]: %s is there twice", i, key)
		}
		seen[key] = true
		if err := s.check(f); err != nil {
			return fmt.Errorf("fleet sets[%d] %s: %w", i, s.Name, err)
		}
	}
	return nil
}

func (s Set) check(f Fleet) error {
	switch {
	case !nameForm.MatchString(s.Name):
		return fmt.Errorf("name: %q cannot name a scale set", s.Name)
	case !groupForm.MatchString(s.ResourceGroup):
		return fmt.Errorf("resourceGroup: %q cannot name a resource group", s.ResourceGroup)
	case s.Capacity < 0 || s.Capacity > 1000:
		return fmt.Errorf("capacity: %d is not between 0 and 1000", s.Capacity)
	case min(s.UpdateDomains, s.FaultDomains, s.PlacementGroups) < 1:
		return fmt.Errorf("update domains, fault domains and placement groups are at least 1")
	}
	if err := oneOf("orchestration", s.Orchestration, "Uniform", "Flexible"); err != nil {
		return err
	}
	if s.flexible() && s.Health == "probe" {
		return fmt.Errorf("health: a Flexible set gets it from the extension only")
	}
	if err := oneOf("upgradeMode", s.UpgradeMode, "Manual", "Automatic", "Rolling"); err != nil {
		return err
	}
	if err := oneOf("health", s.Health, "probe", "extension", "none"); err != nil {
		return err
	}
	if err := s.checkPriority(); err != nil {
		return err
	}
	if err := s.Autoscale.check(); err != nil {
		return err
	}
	if _, known := f.size(s.Size); !known {
		return fmt.Errorf("size: %s is not in sizes", s.Size)
	}
	if _, ok := f.resolve(s.Image, s.Location); !ok {
		return fmt.Errorf("image: %s is not in %s", s.Image.name(), s.Image.catalogue(s.Location))
	}
	return s.checkInstances(f)
}

func (s Set) checkInstances(f Fleet) error {
	for _, id := range s.Protected {
		if !s.has(id) {
			return fmt.Errorf("protected: there is no instance %q", id)
		}
	}
	for _, id := range sortedKeys(s.Exceptions) {
		e, path := s.Exceptions[id], "exceptions."+id
		if !s.has(id) {
			return fmt.Errorf("%s: there is no such instance", path)
		}
		if err := oneOf(path+".power", e.Power, "", "running", "stopped", "deallocated"); err != nil {
			return err
		}
		if err := oneOf(path+".health", e.Health, "", "healthy", "unhealthy", "initializing", "unknown"); err != nil {
			return err
		}
		other := s.Image.at(e.Version)
		if _, ok := f.resolve(other, s.Location); e.Version != "" && !ok {
			return fmt.Errorf("%s.version: %s is not in %s", path, other.name(), other.catalogue(s.Location))
		}
	}
	if len(s.Extra) > 0 {
		var extra document
		if err := json.Unmarshal(s.Extra, &extra); err != nil {
			return fmt.Errorf("extra: %w", err)
		}
	}
	return nil
}

func (s Set) has(id string) bool {
	n, err := strconv.Atoi(id)
	return err == nil && n >= 0 && n < s.Capacity && strconv.Itoa(n) == id
}

func oneOf(path, got string, allowed ...string) error {
	if slices.Contains(allowed, got) {
		return nil
	}
	return fmt.Errorf("%s: %q is not one of %s", path, got, strings.Join(allowed, ", "))
}
