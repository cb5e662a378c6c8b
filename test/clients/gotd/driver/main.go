// Command driver is gotd/td as one person of the conversation in test/clients/conversation.
// Transports: intermediate; pfs, the same with temporary keys.
//
// It is built twice: with the release whose types the server uses, and, with the tag layer158 and
// the module file in ../layer158, with one that is years older. So it says only what both can say,
// and what differs stands in now.go and layer158.go.
//
// It reads one call a line and writes one answer or event a line, in JSON.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync"
)

// longest is how many bytes a call may have.
const longest = 1 << 20

// call is what the test asks.
type call struct {
	ID   int             `json:"id"`
	Do   string          `json:"do"`
	With json.RawMessage `json:"with"`
}

// args are the arguments of all calls.
type args struct {
	Host, Key, Transport, Phone, Code, Name  string
	Username, Text, Path, As, Title, Comment string
	Emoji                                    string
	Port, DC, Limit, ID                      int
	IDs                                      []int
	Chat, From                               any
	Option                                   []byte
}

// event is what the test is told unasked.
type event struct {
	Kind      string   `json:"kind"`
	Chat      int64    `json:"chat,omitempty"`
	ID        int      `json:"id,omitempty"`
	IDs       []int    `json:"ids,omitempty"`
	Text      string   `json:"text,omitempty"`
	Reactions []string `json:"reactions,omitempty"`
}

// voice writes lines.
type voice struct {
	mu  sync.Mutex
	out *json.Encoder
}

func (v *voice) write(line map[string]any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if err := v.out.Encode(line); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

func (v *voice) emit(e event) { v.write(map[string]any{"event": e}) }

func main() {
	p := &person{
		voice: &voice{out: json.NewEncoder(os.Stdout)}, known: make(map[int64]known),
		stop: func() {},
	}
	calls := bufio.NewScanner(os.Stdin)
	calls.Buffer(nil, longest)
	for calls.Scan() {
		var c call
		var with args
		err := json.Unmarshal(calls.Bytes(), &c)
		if err == nil && len(c.With) > 0 {
			err = json.Unmarshal(c.With, &with)
		}
		var result any
		if err == nil {
			result, err = p.answer(context.Background(), c.Do, with)
		}
		if err != nil {
			p.write(map[string]any{"id": c.ID, "error": err.Error()})
		} else {
			p.write(map[string]any{"id": c.ID, "ok": result})
		}
	}
	p.stop()
}

// answer does what a call asks.
func (p *person) answer(ctx context.Context, do string, a args) (any, error) {
	if do != "connect" && p.Client == nil {
		return nil, fmt.Errorf("%s before connect", do)
	}
	calls := map[string]func(context.Context, args) (any, error){
		"connect": p.connect, "login": p.login, "self": p.self, "logout": p.logout,
		"setUsername": p.setUsername, "find": p.find, "dialogs": p.dialogs,
		"history": p.history, "search": p.search, "send": p.send, "edit": p.edit,
		"delete": p.remove, "forward": p.forward, "react": p.react, "read": p.read,
		"sendFile": p.sendFile, "download": p.download, "createChannel": p.createChannel,
		"setChannelUsername": p.setChannelUsername, "join": p.join, "report": p.report,
		"catchUp": p.catchUp,
	}
	f := calls[do]
	if f == nil {
		return nil, fmt.Errorf("no call %q", do)
	}
	return f(ctx, a)
}
