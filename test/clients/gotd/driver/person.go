package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/gotd/td/session"
	"github.com/gotd/td/telegram"
	"github.com/gotd/td/telegram/auth"
	"github.com/gotd/td/telegram/dcs"
	"github.com/gotd/td/telegram/updates"
	updhook "github.com/gotd/td/telegram/updates/hook"
	"github.com/gotd/td/tg"
)

// patience is how long connecting may take, with a key exchange on a busy machine.
const patience = time.Minute

// known is somebody or some channel that was met.
type known struct {
	peer    tg.InputPeerClass
	channel *tg.InputChannel
}

// person is who uses the library.
type person struct {
	*voice
	*tg.Client
	client *telegram.Client
	gaps   *updates.Manager
	run    context.Context
	stop   func()
	me     *tg.User

	mu    sync.Mutex
	known map[int64]known
}

// trust reads the server's public key.
func trust(path string) (telegram.PublicKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return telegram.PublicKey{}, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return telegram.PublicKey{}, fmt.Errorf("%s has no key", path)
	}
	key, err := x509.ParsePKCS1PublicKey(block.Bytes)
	return telegram.PublicKey{RSA: key}, err
}

func (p *person) connect(ctx context.Context, a args) (any, error) {
	p.stop()
	key, err := trust(a.Key)
	if err != nil {
		return nil, err
	}
	p.gaps = updates.New(updates.Config{Handler: p.listen()})
	options := telegram.Options{
		DC: a.DC, PublicKeys: []telegram.PublicKey{key}, SessionStorage: new(session.StorageMemory),
		DCList: dcs.List{Options: []tg.DCOption{
			{ID: a.DC, IPAddress: a.Host, Port: a.Port},
		}},
		UpdateHandler: p.gaps, Middlewares: []telegram.Middleware{
			updhook.UpdateHook(p.gaps.Handle),
		},
		DialTimeout: patience, ExchangeTimeout: patience,
	}
	if err := choose(&options, a.Transport); err != nil {
		return nil, err
	}
	if err := p.start(ctx, options); err != nil {
		return nil, err
	}
	config, err := p.HelpGetConfig(ctx)
	if err != nil {
		return nil, err
	}
	return map[string]int{"dc": config.ThisDC}, nil
}

// start runs a client until stop.
func (p *person) start(ctx context.Context, options telegram.Options) error {
	p.client = telegram.NewClient(1, "parley", options)
	ctx, cancel := context.WithCancel(ctx)
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- p.client.Run(ctx, func(ctx context.Context) error {
			p.run = ctx
			close(ready)
			<-ctx.Done()
			return nil
		})
	}()
	var once sync.Once
	p.stop = func() { once.Do(func() { cancel(); <-ended }) }
	select {
	case <-ready:
		p.Client = p.client.API()
		return nil
	case err := <-ended:
		ended <- err
		return errors.Join(errors.New("the client ended"), err)
	}
}

// newcomer answers what logging in asks.
type newcomer struct{ says args }

func (n newcomer) Phone(context.Context) (string, error) { return n.says.Phone, nil }
func (newcomer) Password(context.Context) (string, error) {
	return "", auth.ErrPasswordNotProvided
}
func (n newcomer) Code(context.Context, *tg.AuthSentCode) (string, error) {
	return n.says.Code, nil
}
func (newcomer) AcceptTermsOfService(context.Context, tg.HelpTermsOfService) error {
	return nil
}
func (n newcomer) SignUp(context.Context) (auth.UserInfo, error) {
	return auth.UserInfo{FirstName: n.says.Name}, nil
}

func (p *person) login(ctx context.Context, a args) (any, error) {
	flow := auth.NewFlow(newcomer{a}, auth.SendCodeOptions{})
	if err := p.client.Auth().IfNecessary(ctx, flow); err != nil {
		return nil, err
	}
	me, err := p.client.Self(ctx)
	if err != nil {
		return nil, err
	}
	p.me = me
	started := make(chan struct{})
	failed := make(chan error, 1)
	go func() {
		failed <- p.gaps.Run(p.run, p.client.API(), me.ID, updates.AuthOptions{
			OnStart: func(context.Context) { close(started) },
		})
	}()
	select {
	case <-started:
	case err := <-failed:
		return nil, err
	}
	return p.self(ctx, a)
}

func (p *person) self(ctx context.Context, _ args) (any, error) {
	list, err := p.UsersGetUsers(ctx, []tg.InputUserClass{&tg.InputUserSelf{}})
	if err != nil {
		return nil, err
	}
	me, ok := list[0].(*tg.User)
	if !ok {
		return nil, fmt.Errorf("oneself is %T", list[0])
	}
	return map[string]any{"id": me.ID, "phone": me.Phone}, nil
}

func (p *person) logout(ctx context.Context, _ args) (any, error) {
	_, err := p.AuthLogOut(ctx)
	return nil, err
}

func (p *person) setUsername(ctx context.Context, a args) (any, error) {
	_, err := p.AccountUpdateUsername(ctx, a.Username)
	return nil, err
}

func (p *person) catchUp(ctx context.Context, _ args) (any, error) {
	return nil, p.gaps.Handle(ctx, &tg.UpdatesTooLong{})
}
