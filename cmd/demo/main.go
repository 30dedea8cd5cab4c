// Command demo is the whole product on one laptop: a local Slack workspace, a local Azure and the
// real bot between them, over the real protocols. With --script it plays the people as well, prints
// the thread as text and tells by its exit code whether all went well.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/vmssbot/vmssbot/cmd/internal/app"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// flags are the demo's command line.
type flags struct {
	script    string
	noBot     bool
	json      bool
	addr      string
	azureAddr string
	speed     float64
	rates     float64
	fleet     []string
	data      string
	verbose   bool
}

func parse(args []string, errs io.Writer) (flags, error) {
	var f flags
	set := flag.NewFlagSet("demo", flag.ContinueOnError)
	set.SetOutput(errs)
	set.StringVar(&f.script, "script", "", "play the people and exit: "+scriptNames())
	set.BoolVar(&f.noBot, "no-bot", false, "only the workspace and the Azure: bring your own bot")
	set.BoolVar(&f.json, "json", false, "once ready, print one line of JSON with addresses, tokens and people on stdout")
	set.StringVar(&f.addr, "addr", "127.0.0.1:7333", "where the workspace listens; port 0 = any")
	set.StringVar(&f.azureAddr, "azure-addr", "127.0.0.1:7334", "where the Azure listens; port 0 = any")
	set.Float64Var(&f.rates, "slack-rates", 1, "multiplies Slack's rate limits; negative: there are none")
	set.Float64Var(&f.speed, "speed", 60, "how much faster than life the Azure's machines are; the bot and the workspace live in real time")
	set.Func("fleet", "a JSON file with the scale sets to start with, or, several times, what az vmss list and az vmss list-instances\n"+
		"--expand instanceView print with -o json; without it, myvmss and a few others", func(file string) error {
		f.fleet = append(f.fleet, file)
		return nil
	})
	set.StringVar(&f.data, "data", "", "a folder for the journal, kept afterwards; empty = a temporary one")
	set.BoolVar(&f.verbose, "verbose", false, "log everything the bot does to stderr")
	if err := set.Parse(args); err != nil {
		return f, err
	}
	switch {
	case set.NArg() > 0:
		return f, fmt.Errorf("demo: I do not know %q; see demo --help", set.Arg(0))
	case f.speed <= 0:
		return f, fmt.Errorf("demo: --speed %v: want more than 0", f.speed)
	case f.script != "" && scripts[f.script].play == nil:
		return f, fmt.Errorf("demo: I know no script %q; there are: %s", f.script, scriptNames())
	case f.script != "" && f.noBot:
		return f, errors.New("demo: a script needs the bot: leave --no-bot out")
	}
	return f, nil
}

func run(args []string, out, errs io.Writer) int {
	if len(args) > 0 && args[0] == botCommand {
		return runBot(args[1:], errs)
	}
	f, err := parse(args, errs)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintln(errs, err)
		return 2
	}
	ctx, stop := app.Signals()
	defer stop()
	if err := demo(ctx, f, out, errs); err != nil {
		fmt.Fprintf(errs, "demo: %v\n", err)
		return 1
	}
	return 0
}

func demo(ctx context.Context, f flags, out, errs io.Writer) error {
	errs = &shared{to: errs}
	w, err := newWorld(f, errs)
	if err != nil {
		return err
	}
	defer w.close()
	if f.script != "" {
		return play(ctx, w, scripts[f.script], out)
	}
	b := &runner{w: w, log: logger(f, errs)}
	if !f.noBot {
		b.start(ctx)
		defer b.stop()
		if err := w.connected(ctx, b.done); err != nil {
			return errors.Join(err, b.stop())
		}
	}
	if f.json {
		err = json.NewEncoder(out).Encode(w.card())
	} else {
		w.welcome(out, f)
	}
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case <-b.done:
		return b.err
	}
}

func logger(f flags, errs io.Writer) *slog.Logger {
	level := slog.LevelWarn
	if f.verbose || f.json {
		level = slog.LevelInfo
	}
	return slog.New(slog.NewTextHandler(errs, &slog.HandlerOptions{Level: level}))
}
