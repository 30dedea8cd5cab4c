package app

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/vmssbot/vmssbot/bot"
	"github.com/vmssbot/vmssbot/upgrade/store"
)

// Secret is a token or a key. One of Slack's prints as its kind, every other one as nothing of itself.
type Secret string

func (s Secret) String() string {
	for _, kind := range []string{bot.BotTokenPrefix, bot.AppTokenPrefix} {
		if strings.HasPrefix(string(s), kind) {
			return kind + "…"
		}
	}
	return "…"
}

// Format keeps every printing verb from the token itself.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, s.String()) }

// MarshalText keeps encoders and slog from it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Tokens reads the two Slack tokens from where the configuration says.
func (s Slack) Tokens() (bot, app Secret, err error) {
	bot, err = secret("bot token", s.BotTokenFile, s.BotTokenEnv, "SLACK_BOT_TOKEN")
	if err != nil {
		return "", "", err
	}
	app, err = secret("app token", s.AppTokenFile, s.AppTokenEnv, "SLACK_APP_TOKEN")
	return bot, app, err
}

func secret(what, file, env, usual string) (Secret, error) {
	if file != "" {
		body, err := guarded(file, 0o007, "lets everybody in: chmod o-rwx")
		if err != nil {
			return "", fmt.Errorf("slack: read the %s: %w", what, err)
		}
		return Secret(strings.TrimSpace(string(body))), nil
	}
	if env == "" {
		env = usual
	}
	if v := strings.TrimSpace(os.Getenv(env)); v != "" {
		os.Unsetenv(env) // what is started from here, such as az, has no use for it
		return Secret(v), nil
	}
	return "", fmt.Errorf("slack: the %s is missing: set the environment variable %s or name a file in the configuration", what, env)
}

// keyring keeps secrets that can be had only once, as a configuration that is read once more names them once more:
// those of the environment, by the name of the variable, which it takes out of there, as what is started from here has
// no use for it, and those that came through a pipe, by its path. nil only looks.
type keyring map[string]Secret

// named is a variable in a message: by mistake its name may be the secret.
const named = "the environment variable that is named for it, as it was when the program started,"

// env is a variable's value, as it was when the program started.
func (k keyring) env(name string) string {
	if kept, ok := k[name]; ok {
		return string(kept)
	}
	value := os.Getenv(name)
	if k != nil && value != "" {
		k[name] = Secret(value)
		os.Unsetenv(name)
	}
	return value
}

// file is what a file holds now, or what came through a pipe.
func (k keyring) file(path string) (string, error) {
	if kept, ok := k[path]; ok {
		return string(kept), nil
	}
	body, err := guarded(path, 0o007, "lets everybody in: chmod o-rwx")
	if no := (*fs.PathError)(nil); errors.As(err, &no) { // there may be none: by mistake its name may be the secret
		err = fmt.Errorf("the file that is named for it cannot be read: %w", no.Err)
	}
	if k != nil && err == nil && given(path) {
		k[path] = Secret(body)
	}
	return string(body), err
}

// guarded reads a file, but not one with one of the mode's bits, nor one that everybody could put another
// in the place of, where its name leads or where it lies. Windows has no modes.
func guarded(path string, bits os.FileMode, why string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat() // of what is read, whatever the name leads to by then
	if err != nil {
		return nil, err
	}
	if info.Mode()&bits != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("mode %04o of %s %s %s", info.Mode().Perm(), path, why, path)
	}
	if given(path) {
		return io.ReadAll(f)
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	for _, dir := range []string{filepath.Dir(path), filepath.Dir(real)} {
		if store.OpenToAll(dir) {
			return nil, fmt.Errorf("everybody can put another file in the place of %s: chmod o-w %s", path, dir)
		}
	}
	return io.ReadAll(f)
}

// given reports whether the name is of something that was open when this process began, such as what a shell
// makes of <(sops -d vmssbot.yaml): it lies nowhere, and nobody can put another in its place.
func given(path string) bool {
	path = filepath.ToSlash(filepath.Clean(path))
	return path == "/dev/stdin" || strings.HasPrefix(path, "/dev/fd/") || strings.HasPrefix(path, "/proc/self/fd/")
}
