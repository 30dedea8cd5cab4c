// Command vmssbot is the product: the bot against a real workspace and a real subscription, or
// against whatever its configuration points to. It has no logic of its own.
package main

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"

	"github.com/vmssbot/vmssbot"
	"github.com/vmssbot/vmssbot/cmd/internal/app"
)

const usage = `vmssbot rolls OS images out to Azure VM scale sets from Slack, one approved update domain at a time.

usage:
  vmssbot run --config vmssbot.yaml      run the bot (tokens from SLACK_BOT_TOKEN and SLACK_APP_TOKEN, or files)
  vmssbot config check --config FILE     read the configuration and say what is wrong with it
  vmssbot manifest                       print the Slack app manifest, to paste at https://api.slack.com/apps?new_app=1
  vmssbot version                        print the version
`

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, out, errs io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(errs, usage)
		return 2
	}
	switch args[0] {
	case "run":
		return start(args[1:], errs)
	case "config":
		return config(args[1:], out, errs)
	case "manifest":
		fmt.Fprint(out, vmssbot.Manifest)
		return 0
	case "version":
		fmt.Fprintln(out, version())
		return 0
	case "help", "-h", "--help":
		fmt.Fprint(out, usage)
		return 0
	}
	fmt.Fprintf(errs, "vmssbot: I do not know %q\n\n%s", args[0], usage)
	return 2
}

func start(args []string, errs io.Writer) int {
	c, code := load("vmssbot run", args, errs)
	if code != 0 {
		return code
	}
	ctx, stop := app.Signals()
	defer stop()
	if err := app.Run(ctx, c, slog.New(slog.NewJSONHandler(errs, nil))); err != nil {
		fmt.Fprintf(errs, "vmssbot run: %v\n", err)
		return 1
	}
	return 0
}

func config(args []string, out, errs io.Writer) int {
	if len(args) == 0 || args[0] != "check" {
		fmt.Fprint(errs, usage)
		return 2
	}
	c, code := load("vmssbot config check", args[1:], errs)
	if code == 0 {
		fmt.Fprintf(out, "the configuration is good: %d set entries\n", len(c.Sets))
	}
	return code
}

func load(name string, args []string, errs io.Writer) (app.Config, int) {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(errs)
	path := flags.String("config", "vmssbot.yaml", "the configuration file")
	if err := flags.Parse(args); err != nil {
		return app.Config{}, 2
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(errs, "%s: I do not know %q\n", name, flags.Arg(0))
		return app.Config{}, 2
	}
	c, err := app.Load(*path)
	if err != nil {
		fmt.Fprintf(errs, "%s: %v\n", name, err)
		return c, 1
	}
	return c, 0
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return "vmssbot " + info.Main.Version + " " + info.GoVersion
	}
	return "vmssbot (unknown)"
}
