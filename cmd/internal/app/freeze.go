package app

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/vmssbot/vmssbot/upgrade/store"
)

// freezeFile stops every write to Azure while it is there, without Slack and without a restart (R19).
const freezeFile = "FREEZE"

// beside is the file that the FREEZE file lies beside: the journal, or where that is in a database the
// configuration.
func (c Config) beside() string {
	if store.Remote(c.Journal) {
		return c.from.file
	}
	return c.Journal
}

// frozen says why nothing may be written to Azure, "" = it may: the first line of the FREEZE file beside
// another one. What cannot be told counts as frozen.
func frozen(beside string) string {
	path := filepath.Join(filepath.Dir(beside), freezeFile)
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && isDir(filepath.Dir(path)):
		return ""
	case err != nil:
		return fmt.Sprintf("whether there is a FREEZE file cannot be seen: %v", err)
	case !info.Mode().IsRegular(): // reading a pipe would never end
		return "FREEZE file"
	}
	line, err := firstLine(path)
	if err != nil {
		return fmt.Sprintf("FREEZE file, which cannot be read: %v", err)
	}
	if line == "" {
		return "FREEZE file"
	}
	return line
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// firstLine is the first line of a file as people may see it: at most 200 characters, none of them a
// control character.
func firstLine(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	line, err := bufio.NewReader(io.LimitReader(f, 1000)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	line = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(line, "�"))
	runes := []rune(strings.TrimSpace(line))
	return strings.TrimSpace(string(runes[:min(len(runes), 200)])), nil
}
