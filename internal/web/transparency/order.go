package transparency

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"parley/internal/safety/orderform"
	"parley/internal/tlog/archive"
	"parley/internal/tlog/entry"
	"parley/internal/tlog/verify"
	"parley/internal/web/page"
)

// published is an order of an authority that was published without what identifies people.
type published struct {
	// Index is that of the document's line in the log, Day when it was published.
	Index  int64  `json:"index"`
	Day    string `json:"published"`
	Lang   string `json:"lang,omitempty"`
	Digest string `json:"digest"`
	File   string `json:"file"`
	orderform.Notice
}

// isOrder tells whether an entry is about a published order.
func isOrder(h archive.Hit) bool {
	return h.Entry.Kind == entry.Publication &&
		strings.HasPrefix(h.Entry.Subject, verify.OrderPrefix)
}

// published reads the order that an entry is about, which is the one that the entry commits to.
func (p *Pages) published(r *http.Request, h archive.Hit) (out published, err error) {
	raw, err := p.document(r, h)
	if err != nil {
		return out, err
	}
	var of orderform.Publication
	if err := json.Unmarshal([]byte(raw), &of); err != nil || len(of.Notices) != 1 {
		return out, fmt.Errorf("transparency: order of entry %d: %d notices: %w", h.Index,
			len(of.Notices), err)
	}
	return published{
		Index: h.Index, Day: h.Entry.Day, Lang: strings.ToLower(h.Entry.Lang),
		Digest: h.Entry.Commitment, Notice: of.Notices[0],
		File: p.Site.Path("/log/" + verify.DocumentFile(h.Entry.Commitment)),
	}, nil
}

// mostOrders is how many orders a page lists.
const mostOrders = 50

// ordersView is a page of published orders, the newest first.
type ordersView struct {
	Orders []published `json:"orders"`
	// Before is the index before which the next page goes on, 0 for the last page.
	Before int64 `json:"before,omitempty"`
}

// listOrders reads the page of orders that a request asks for.
func (p *Pages) listOrders(r *http.Request) (out ordersView, err error) {
	out.Orders = []published{}
	before := int64(-1)
	if text := r.FormValue("before"); text != "" {
		if before, err = strconv.ParseInt(text, 10, 64); err != nil || before < 0 {
			return out, page.ErrNotFound
		}
	}
	for _, h := range slices.Backward(p.Archive.Documents()) {
		if !isOrder(h) || before >= 0 && h.Index >= before {
			continue
		}
		if len(out.Orders) == mostOrders {
			out.Before = out.Orders[mostOrders-1].Index
			break
		}
		o, err := p.published(r, h)
		if err != nil {
			return out, err
		}
		out.Orders = append(out.Orders, o)
	}
	return out, nil
}

// orders is the page of the orders that were published.
func (p *Pages) orders(w http.ResponseWriter, r *http.Request) error {
	list, err := p.listOrders(r)
	if err != nil {
		return err
	}
	return p.show(w, r, "orders", list)
}

func (p *Pages) ordersJSON(w http.ResponseWriter, r *http.Request) error {
	list, err := p.listOrders(r)
	if err != nil {
		return err
	}
	return p.json(w, r, http.StatusOK, list)
}

// order is the page of one published order.
func (p *Pages) order(w http.ResponseWriter, r *http.Request) error {
	hit, _, err := p.place(r, r.PathValue("index"))
	if err != nil {
		return err
	}
	if !isOrder(hit) {
		return page.ErrNotFound
	}
	o, err := p.published(r, hit)
	if err != nil {
		return err
	}
	return p.show(w, r, "order", o)
}
