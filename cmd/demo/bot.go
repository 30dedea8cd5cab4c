package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"

	"github.com/vmssbot/vmssbot/cmd/internal/app"
)

// botCommand makes the demo's own program run the bot alone, as a process that can be killed.
const botCommand = "bot-process"

func runBot(args []string, errs io.Writer) int {
	set := flag.NewFlagSet(botCommand, flag.ContinueOnError)
	set.SetOutput(errs)
	path := set.String("config", "", "the configuration file")
	if err := set.Parse(args); err != nil {
		return 2
	}
	c, err := app.Load(*path)
	if err == nil {
		ctx, stop := app.Signals()
		defer stop()
		err = app.Run(ctx, c, slog.New(slog.NewTextHandler(errs, &slog.HandlerOptions{Level: slog.LevelWarn})))
	}
	if err != nil {
		fmt.Fprintf(errs, "demo: the bot's process: %v\n", err)
		return 1
	}
	return 0
}

// runner is the bot inside this process.
type runner struct {
	w      *world
	log    *slog.Logger
	cancel context.CancelFunc
	done   chan struct{} // closed when it has ended; nil = there is no bot
	err    error         // what it said then
}

func (b *runner) start(ctx context.Context) {
	ctx, b.cancel = context.WithCancel(ctx)
	b.done = make(chan struct{})
	go func() {
		defer close(b.done)
		c, err := app.Load(b.w.configFile()) // so that what it says about its rules names lines that can be read, and SIGHUP works
		if err == nil {
			err = app.Run(ctx, c, b.log)
		}
		b.err = err
	}()
}

// stop ends the bot and returns what it said.
func (b *runner) stop() error {
	b.cancel()
	<-b.done
	return b.err
}

// process is the bot as a process of its own.
type process struct{ cmd *exec.Cmd }

func startProcess(config string, errs io.Writer) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{exec.Command(self, botCommand, "--config", config)}
	p.cmd.Stderr = errs
	return p, p.cmd.Start()
}

// kill is kill -9: the process gets no chance to say or save anything.
func (p *process) kill() error {
	err := p.cmd.Process.Kill()
	p.cmd.Wait() // the error only says that it was killed
	return err
}
