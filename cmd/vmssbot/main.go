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
	"strings"

	"github.com/vmssbot/vmssbot"
	"github.com/vmssbot/vmssbot/cmd/internal/app"
)

const usage = `vmssbot rolls OS images out to Azure VM scale sets from Slack, one approved update domain at a time.

usage:
  vmssbot run --config vmssbot.yaml      run the bot (tokens from SLACK_BOT_TOKEN and SLACK_APP_TOKEN, or files)
  vmssbot config check --config FILE     read the configuration and say what is wrong with it
  vmssbot audit verify --config FILE     check that nobody changed the record of what was said and done [--journal FILE: of a backup]
  vmssbot survey --config FILE           say for every scale set in reach whether it can be driven, and what would help; only reads Azure
  vmssbot survey --subscription ID       the same before there is a configuration [--resource-group NAME,…] [--auth cli]
  vmssbot gates ask --config FILE        ask every external gate once and say what it answers
  vmssbot webhook test NAME --config FILE  send a test event to the receiver of that name
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
	case "audit":
		return audit(args[1:], out, errs)
	case "survey":
		return survey(args[1:], out, errs)
	case "gates":
		return gates(args[1:], out, errs)
	case "webhook":
		return webhook(args[1:], out, errs)
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
	c, code := load("vmssbot run", app.Load, args, errs)
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
	c, code := load("vmssbot config check", app.Check, args[1:], errs)
	if code == 0 {
		entries := "1 entry"
		if n := len(c.Sets); n != 1 {
			entries = fmt.Sprintf("%d entries", n)
		}
		fmt.Fprintf(out, "the configuration is good: sets has %s\n", entries)
	}
	return code
}

// gates asks the external gates of a configuration.
func gates(args []string, out, errs io.Writer) int {
	if len(args) == 0 || args[0] != "ask" {
		fmt.Fprint(errs, usage)
		return 2
	}
	c, code := load("vmssbot gates ask", app.Load, args[1:], errs)
	if code != 0 {
		return code
	}
	ctx, stop := app.Signals()
	defer stop()
	if err := app.AskGates(ctx, c, out); err != nil {
		fmt.Fprintf(errs, "vmssbot gates ask: %v\n", err)
		return 1
	}
	return 0
}

// audit reads the journal of a configuration, or one by name: a backup, say.
func audit(args []string, out, errs io.Writer) int {
	if len(args) == 0 || args[0] != "verify" {
		fmt.Fprint(errs, usage)
		return 2
	}
	flags := flags("vmssbot audit verify", errs)
	path := flags.String("config", "vmssbot.yaml", "the configuration file")
	journal := flags.String("journal", "", "instead of a configuration: the journal, or a copy of one")
	if code := parse(flags, args[1:], errs); code != 0 {
		return code
	}
	c, err := app.Config{Journal: *journal}, error(nil)
	if *journal == "" {
		c, err = app.Load(*path)
	}
	if err == nil {
		ctx, stop := app.Signals()
		defer stop()
		err = app.VerifyAudit(ctx, c.Journal, out)
	}
	if err != nil {
		fmt.Fprintf(errs, "vmssbot audit verify: %v\n", err)
		return 1
	}
	return 0
}

// survey takes a configuration, or what of it is about Azure.
func survey(args []string, out, errs io.Writer) int {
	flags := flags("vmssbot survey", errs)
	var a app.Azure
	path := flags.String("config", "", "the configuration file")
	flags.StringVar(&a.Subscription, "subscription", "", "instead of a configuration: the subscription's id")
	flags.StringVar(&a.Auth, "auth", "cli", "with --subscription: default, workload, managed, env, cli, or local")
	flags.StringVar(&a.Endpoint, "endpoint", "", "with --subscription: another address of Azure's resource manager")
	groups := flags.String("resource-group", "", "with --subscription: only these resource groups, with commas between")
	if code := parse(flags, args, errs); code != 0 {
		return code
	}
	c, err := app.Config{Azure: a}, error(nil)
	switch {
	case (*path == "") == (a.Subscription == ""):
		fmt.Fprintln(errs, "vmssbot survey: give --config FILE or --subscription ID")
		return 2
	case *path != "":
		c, err = app.Load(*path)
	case *groups != "":
		c.Azure.ResourceGroups = strings.Split(*groups, ",")
	}
	if err == nil {
		ctx, stop := app.Signals()
		defer stop()
		err = app.Survey(ctx, c, out)
	}
	if err != nil {
		fmt.Fprintf(errs, "vmssbot survey: %v\n", err)
		return 1
	}
	return 0
}

// webhook tells one receiver of the configuration that nothing has happened.
func webhook(args []string, out, errs io.Writer) int {
	if len(args) < 2 || args[0] != "test" || strings.HasPrefix(args[1], "-") {
		fmt.Fprint(errs, usage)
		return 2
	}
	c, code := load("vmssbot webhook test", app.Load, args[2:], errs)
	if code != 0 {
		return code
	}
	ctx, stop := app.Signals()
	defer stop()
	if err := app.TestWebhook(ctx, c, args[1], out); err != nil {
		fmt.Fprintf(errs, "vmssbot webhook test: %v\n", err)
		return 1
	}
	return 0
}

func flags(name string, errs io.Writer) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(errs)
	return flags
}

func parse(flags *flag.FlagSet, args []string, errs io.Writer) int {
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(errs, "%s: I do not know %q\n", flags.Name(), flags.Arg(0))
		return 2
	}
	return 0
}

func load(name string, read func(path string) (app.Config, error), args []string, errs io.Writer) (app.Config, int) {
	flags := flags(name, errs)
	path := flags.String("config", "vmssbot.yaml", "the configuration file")
	if code := parse(flags, args, errs); code != 0 {
		return app.Config{}, code
	}
	c, err := read(*path)
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
