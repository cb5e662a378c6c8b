package conversation

import (
	"slices"
	"testing"

	"parley/internal/ids"
	"parley/internal/store"
)

// lastReason is the last layer in which a report gives a reason; later ones go through a menu.
const lastReason = 187

// reportStep is what a report is answered by.
type reportStep struct {
	Options  [][]byte `json:"options"`  // to choose from
	Comment  []byte   `json:"comment"`  // the option to come back with and a comment
	Reported bool     `json:"reported"` // it is done
}

// report reports the first post for violence, as far as b's layer lets him say, and finds the
// report stored.
func (c *conversation) report(t *testing.T) {
	choices := [][]byte{[]byte("violence"), []byte("violence.threat")}
	with := map[string]any{"chat": c.channel, "ids": []int{c.post}, "option": []byte{},
		"comment": ""}
	asked := false
	for {
		var step reportStep
		c.b.do(t, "report", with, &step)
		if step.Reported {
			break
		}
		switch {
		case step.Comment != nil && !asked:
			asked = true
			with["option"], with["comment"] = step.Comment, "this is meant for me"
		case len(choices) > 0 && slices.ContainsFunc(step.Options, func(o []byte) bool {
			return string(o) == string(choices[0])
		}):
			with["option"], choices = choices[0], choices[1:]
		default:
			t.Fatalf("%s is asked %+v", c.b.name, step)
		}
	}
	if byMenu := c.b.kind.client.Layer > lastReason; byMenu != asked {
		t.Errorf("%s was asked for a comment: %v", c.b.name, asked)
	}
	c.stored(t, asked)
}

// stored looks for the report in the store.
func (c *conversation) stored(t *testing.T, byMenu bool) {
	t.Helper()
	peer := ids.Peer(c.channel)
	var reports []store.Report
	err := c.server.Node.Store.View(t.Context(), func(r *store.Reader) error {
		cases, err := r.CasesOf(peer, 2)
		if err != nil || len(cases) != 1 {
			t.Fatalf("%d cases, %v", len(cases), err)
		}
		if cases[0].Item != int64(c.post) {
			t.Errorf("the case is about post %d, want %d", cases[0].Item, c.post)
		}
		reports, err = r.Reports(peer, cases[0].ID, 0, 2)
		return err
	})
	if err != nil || len(reports) != 1 {
		t.Fatalf("%d reports, %v", len(reports), err)
	}
	note, keyword := "", "KEYWORD_OTHER"
	if byMenu {
		note, keyword = "this is meant for me", "KEYWORD_INCITEMENT_VIOLENCE_HATRED"
	}
	if r := reports[0]; r.Note != note || r.Keyword != keyword {
		t.Errorf("stored is %+v", r)
	}
}
