package main

import (
	"fmt"
	"io"

	accounts "parley/internal/chat/account"
	"parley/internal/ids"
	"parley/internal/importer"
	"parley/internal/node"
	"parley/internal/store"
)

// importCmd brings a history into the server.
type importCmd struct {
	TelegramExport telegramExportCmd `cmd:"" help:"Bring in a JSON export of Telegram Desktop."`
}

// telegramExportCmd brings in a JSON export of Telegram Desktop.
type telegramExportCmd struct {
	Dir      string `arg:"" help:"The export's folder or ZIP, with result.json in it." type:"path"`
	Chat     int64  `help:"Which chat of an account's export; none lists them." placeholder:"ID"`
	Data     string `help:"The server's data directory." placeholder:"DIR"`
	Username string `help:"Public name that the chat gets; by default one made of its title."`
	Owner    string `help:"Username or phone number of who will own it; by default the server itself."`
}

// Run imports the export and prints what it did.
func (c *telegramExportCmd) Run(p *process) error {
	return p.tool(c.Data, func(n *node.Node) error {
		owner, err := c.owner(p, n)
		if err != nil {
			return err
		}
		im := n.Importer(owner)
		im.Chat = c.Chat
		im.Progress = func(met int) {
			if met%progressEvery == 0 {
				_, _ = fmt.Fprintf(p.err, "%d entries\n", met)
			}
		}
		report, err := im.Import(p.ctx, c.Dir, c.Username)
		if report != nil {
			printReport(p.out, report)
		}
		return err
	})
}

// progressEvery is after how many entries progress is shown.
const progressEvery = 1000

// owner finds who will own the imported chat.
func (c *telegramExportCmd) owner(p *process, n *node.Node) (id ids.UserID, err error) {
	if c.Owner == "" {
		return accounts.ServiceUser, nil
	}
	err = n.Store.View(p.ctx, func(r *store.Reader) error {
		if phone, perr := accounts.Phone(c.Owner); perr == nil {
			id, err = r.UserByPhone(phone)
			return err
		}
		peer, err := r.PeerByUsername(c.Owner)
		id = peer.User()
		return err
	})
	if store.IsNotFound(err) || err == nil && id == 0 {
		return 0, fmt.Errorf("there is no account %q", c.Owner)
	}
	return id, err
}

// printReport tells what an import did, entry by entry where something was wrong.
func printReport(w io.Writer, r *importer.Report) {
	_, _ = fmt.Fprintf(w, "%s\n", r.Title)
	if r.Username != "" {
		_, _ = fmt.Fprintf(w, "  username          @%s\n", r.Username)
	}
	_, _ = fmt.Fprintf(w, "  imported          %d\n  already there     %d\n"+
		"  service entries   %d (left out)\n  damaged           %d (left out)\n"+
		"  incomplete        %d\n",
		r.Imported, r.Known, r.Service, len(r.Damaged), len(r.Lacking))
	list := func(what string, faults []importer.Fault) {
		for _, f := range faults {
			_, _ = fmt.Fprintf(w, "%s: entry %d (id %d) at byte %d: %s\n", what, f.Index, f.ID,
				f.Offset, f.Reason)
		}
	}
	list("damaged", r.Damaged)
	list("incomplete", r.Lacking)
}
