// Package windowtest lists the time zones of the world, for tests that try them all. Only tests use it.
package windowtest

import (
	"archive/zip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Zones lists the names in the zone database that comes with Go, or of the system.
func Zones(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	ofGo := filepath.Join(strings.TrimSpace(string(out)), "lib", "time")
	for _, root := range []string{"/usr/share/zoneinfo", ofGo} {
		var names []string
		filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return nil
			}
			name, _ := filepath.Rel(root, path)
			if strings.HasPrefix(name, "posix/") || strings.HasPrefix(name, "right/") || strings.Contains(name, ".") {
				return nil
			}
			if _, err := time.LoadLocation(name); err == nil && name != "Local" {
				names = append(names, name)
			}
			return nil
		})
		if len(names) > 300 {
			return names
		}
	}
	return fromZip(t, filepath.Join(ofGo, "zoneinfo.zip"))
}

func fromZip(t *testing.T, path string) []string {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var names []string
	for _, f := range z.File {
		if !strings.HasSuffix(f.Name, "/") {
			names = append(names, f.Name)
		}
	}
	return names
}
