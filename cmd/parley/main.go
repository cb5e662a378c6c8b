// Command parley is the server and everything that an operator does with it: serve, config,
// client-config, admin, policy, import, bench.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"parley/internal/chat/media/imaging"
	"parley/internal/config"
	"parley/internal/diag"
	"parley/internal/safety/attachment"
	"parley/internal/safety/country"
	"parley/internal/safety/words"
	"parley/internal/web/contact"
)

// cli are the commands.
type cli struct {
	Config string `help:"Configuration file (TOML)." type:"path" env:"PARLEY_CONFIG" placeholder:"FILE"`

	Serve        serveCmd        `cmd:"" help:"Run the server."`
	ConfigCmd    configCmd       `cmd:"" name:"config" help:"Print the annotated defaults, or check yours."`
	ClientConfig clientConfigCmd `cmd:"" help:"Print how a client library connects to this server."`
	Admin        adminCmd        `cmd:"" help:"Administer the server's data."`
	Policy       policyCmd       `cmd:"" help:"Rules for orders of authorities."`
	Import       importCmd       `cmd:"" help:"Bring a history into this server."`
	Bench        benchCmd        `cmd:"" help:"Measure this machine with the real server."`
	Version      versionCmd      `cmd:"" help:"Print the version."`
}

// process is what commands are given.
type process struct {
	ctx  context.Context
	file string
	out  io.Writer
	err  io.Writer
}

// load reads the configuration with the flags that were given.
func (p *process) load(flags map[string]string) (config.Config, error) {
	return config.Load(config.Sources{File: p.file, Env: os.Environ(), Flags: flags})
}

// logger writes diagnostics as the configuration says, without what must not be in them.
func (p *process) logger(cfg config.Config) *slog.Logger {
	return slog.New(diag.NewHandler(p.err, diag.Format(cfg.Log.Format), cfg.Log.Level))
}

// versionCmd prints the version.
type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(p *process) error {
	_, err := fmt.Fprintln(p.out, diag.ReadBuild())
	return err
}

// configCmd is about the configuration.
type configCmd struct {
	Print configPrintCmd `cmd:"" default:"1" help:"Print the annotated default configuration."`
	Check configCheckCmd `cmd:"" help:"Check it; say which duties it leaves open."`
}

// configPrintCmd prints the annotated default configuration.
type configPrintCmd struct{}

// Run prints the annotated default configuration.
func (configPrintCmd) Run(p *process) error { return config.WriteDefault(p.out) }

// configCheckCmd checks the configuration.
type configCheckCmd struct{}

// Run prints what the configuration leaves open. What is wrong with it is an error.
func (configCheckCmd) Run(p *process) error {
	cfg, err := p.load(nil)
	if err != nil {
		return err
	}
	countries, err := country.Builtin()
	if err != nil {
		return err
	}
	if cfg.Contact.SigningKey != "" {
		if _, err := contact.ReadKey(cfg.Contact.SigningKey); err != nil {
			return err
		}
	}
	open := contact.Missing(cfg.Contact, cfg.Representative, countries)
	for _, line := range open {
		if _, err := fmt.Fprintln(p.out, "warning:", line); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(p.out, "the configuration is valid; warnings: %d\n", len(open))
	return err
}

func main() {
	if code, is := attachment.Worker(os.Args[1:], os.Stdin, os.Stdout); is {
		os.Exit(code)
	}
	if len(os.Args) > 1 && os.Args[1] == imaging.WorkerArg {
		os.Exit(imaging.WorkerMain(os.Stdin, os.Stdout))
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run runs a command line and returns the exit status.
func run(args []string, out, errs io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c cli
	parser, err := kong.New(&c, kong.Name("parley"), kong.UsageOnError(), kong.Writers(out, errs),
		kong.Description("A self-hosted messaging server that existing Telegram clients can talk to, "+
			"with accountability built in."),
		kong.Vars{
			"kinds": kinds(), "sources": "directory,register,embassy,switchboard",
			"roles": "moderator,lead,legal,auditor,admin",
			"langs": strings.Join(words.Authorities(), ","),
			"lang":  "Language of answers: " + strings.Join(words.Authorities(), ", "),
		})
	if err != nil {
		_, _ = fmt.Fprintln(errs, "parley:", err)
		return 2
	}
	line, err := parser.Parse(args)
	if err != nil {
		parser.Errorf("%s", err)
		return 2
	}
	err = line.Run(&process{ctx: ctx, file: c.Config, out: out, err: errs})
	if err != nil && !errors.Is(err, context.Canceled) {
		_, _ = fmt.Fprintln(errs, "parley:", err)
		return 1
	}
	return 0
}
