// Command parley-verify checks a Parley server's transparency log, its daily reports and receipts,
// for anybody who does not want to trust the server. It has no code of the server. It exits with 0
// when all is in order, 1 when something does not fit, 2 when it could not be checked.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"parley/internal/clock"
	"parley/internal/tlog/verify"
)

// cli are the commands.
type cli struct {
	Check   checkCmd   `cmd:"" help:"Check a log and recompute its daily reports."`
	Monitor monitorCmd `cmd:"" help:"Check a log again and again."`
	Receipt receiptCmd `cmd:"" help:"Say what a receipt proves."`
	Answer  answerCmd  `cmd:"" help:"Check a signed answer to an authority's order."`
	Witness witnessCmd `cmd:"" help:"Run a witness, which cosigns what a log shows everybody."`
	Key     keyCmd     `cmd:"" help:"Make a witness's key."`
	Canary  canaryCmd  `cmd:"" help:"Make, sign and check canary statements."`
}

// Exit states.
const (
	inOrder   = 0
	doesNot   = 1
	unchecked = 2
)

// process is what commands are given.
type process struct {
	ctx   context.Context
	out   io.Writer
	clock clock.Clock
}

func (p *process) say(format string, args ...any) {
	_, _ = fmt.Fprintf(p.out, format+"\n", args...)
}

// trust are the flags that say whom the caller trusts.
type trust struct {
	Origin    string   `help:"The log's name." required:"" placeholder:"NAME"`
	Key       []string `help:"The log's public key." required:"" placeholder:"KEY"`
	Witness   []string `help:"A witness's public key." placeholder:"KEY"`
	Witnesses int      `help:"How many witnesses must have cosigned." default:"-1" placeholder:"N"`
}

// keys reads the flags; all witnesses that are named must have cosigned unless another number is
// given.
func (t trust) keys() (verify.Keys, error) {
	n := t.Witnesses
	if n < 0 {
		n = len(t.Witness)
	}
	return verify.NewKeys(t.Origin, t.Key, t.Witness, n)
}

// target is a log, and what was seen of it before.
type target struct {
	trust
	Log   string `arg:"" help:"The log's web address, or a directory with a mirror of it."`
	State string `help:"File that remembers what was seen." type:"path" placeholder:"FILE"`
}

// check checks the log once and remembers what it saw.
func (t target) check(ctx context.Context) (verify.Result, error) {
	keys, err := t.keys()
	if err != nil {
		return verify.Result{}, err
	}
	c := verify.Check{Source: verify.Open(t.Log), Keys: keys, Reports: true}
	if t.State != "" {
		if c.Since, err = verify.LoadSeen(t.State); err != nil {
			return verify.Result{}, err
		}
	}
	r, err := c.Run(ctx)
	if err == nil && t.State != "" {
		err = r.Checkpoint.Seen().Save(t.State)
	}
	return r, err
}

// checkCmd checks a log.
type checkCmd struct{ target }

// Run checks a log and says what it found.
func (c checkCmd) Run(p *process) error {
	r, err := c.check(p.ctx)
	if err != nil {
		return err
	}
	tell(p, r)
	return nil
}

func tell(p *process, r verify.Result) {
	p.say("in order: %d entries, tree %s", r.Entries, r.Checkpoint.Root)
	p.say("cosigned by %s", names(r.Checkpoint.Witnesses))
	if r.Reports == 0 {
		p.say("no daily report is out yet")
		return
	}
	p.say("recomputed %d daily reports; the last is of %s", r.Reports, r.Last)
}

// names lists witnesses.
func names(list []string) string {
	if len(list) == 0 {
		return "none of the witnesses that were asked for with --witness"
	}
	return strings.Join(list, ", ")
}

// monitorCmd keeps watching.
type monitorCmd struct {
	target
	Every time.Duration `help:"How often." default:"10m"`
}

// Run checks a log until it is stopped or something does not fit. That a log cannot be reached is
// said, and tried again.
func (c monitorCmd) Run(p *process) error {
	t := time.NewTicker(c.Every)
	defer t.Stop()
	for {
		r, err := c.check(p.ctx)
		var bad *verify.Finding
		switch {
		case p.ctx.Err() != nil:
			return nil
		case errors.As(err, &bad):
			return err
		case err != nil:
			p.say("not checked: %v", err)
		default:
			tell(p, r)
		}
		select {
		case <-p.ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// receiptCmd explains a receipt.
type receiptCmd struct {
	trust
	File string `arg:"" help:"The receipt." type:"existingfile"`
}

// Run says what a receipt proves.
func (c receiptCmd) Run(p *process) error {
	b, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("parley-verify: %w", err)
	}
	keys, err := c.keys()
	if err != nil {
		return err
	}
	r, err := verify.ParseReceipt(b)
	if err != nil {
		return err
	}
	proof, err := keys.Receipt(r)
	if err != nil {
		return err
	}
	e := proof.Entry
	p.say("entry %d of the log %s: %s of %s", proof.Index, c.Origin, e.Kind, e.Day)
	p.say("it was in the log when that had %d entries, cosigned by %s",
		proof.Checkpoint.Size, names(proof.Checkpoint.Witnesses))
	if proof.Opened {
		p.say("the entry is about this record, and about no other:")
		p.say("%s", r.Record)
	} else {
		p.say("the receipt does not say whom the entry is about")
	}
	p.say("%s", r.Entry)
	return nil
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run runs a command line and returns the exit status.
func run(args []string, out, errs io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c cli
	helped := false
	parser, err := kong.New(&c, kong.Name("parley-verify"), kong.UsageOnError(),
		kong.Writers(out, errs), kong.Exit(func(int) { helped = true }),
		kong.Description("Checks what a Parley server publishes, without trusting it."))
	if err != nil {
		_, _ = fmt.Fprintln(errs, err)
		return unchecked
	}
	k, err := parser.Parse(args)
	if helped {
		return inOrder
	}
	if err == nil {
		err = k.Run(&process{ctx: ctx, out: out, clock: clock.System{}})
	}
	var bad *verify.Finding
	switch {
	case err == nil:
		return inOrder
	case errors.As(err, &bad):
		_, _ = fmt.Fprintln(errs, "DOES NOT FIT:", err)
		return doesNot
	default:
		_, _ = fmt.Fprintln(errs, err)
		return unchecked
	}
}
