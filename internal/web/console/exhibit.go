package console

import (
	"context"
	"net/http"
	"strconv"

	"parley/internal/blob"
	"parley/internal/safety/attachment"
	"parley/internal/store"
	"parley/internal/web/page"
	"parley/internal/web/staff"
)

// exhibitRows show papers that came with orders, as pictures or text from a confined process.
func (c *Console) exhibitRows() []row {
	return []row{
		{"GET", "/order/{subject}/{id}/exhibit/{n}", staff.Sign, false, "order exhibit",
			c.exhibitPage},
	}
}

// exhibitView is a paper as its page shows it.
type exhibitView struct {
	// Back is where it belongs, BackText the key of what that is.
	Back, BackText string
	Name           string
	attachment.View
	// Pictures are those of its pages, on the origin of media.
	Pictures []pictured
}

// pictured is the picture of a page.
type pictured struct {
	N       int
	Address string
}

// orderExhibits links the papers of an order to where they are shown.
func (c *Console) orderExhibits(_ *store.Reader, body *orderView, _ map[int64]string) error {
	for i := range body.Attached {
		if c.Attachments == nil {
			break // a console that shows none
		}
		body.Attached[i].Link = body.Path + "/exhibit/" + strconv.Itoa(i)
	}
	return nil
}

// exhibitPage shows a paper that came with an order.
func (c *Console) exhibitPage(v *visit) error {
	o, err := c.readOrder(v)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(v.r.PathValue("n"))
	if err != nil || c.Attachments == nil || n < 0 || n >= len(o.Document.Attached) {
		return page.ErrNotFound
	}
	paper := o.Document.Attached[n]
	digest, err := blob.ParseDigest(paper.Digest)
	if err != nil {
		return page.ErrNotFound
	}
	return c.showPaper(v, digest, exhibitView{
		Back: orderPath(o.Agency, o.ID), BackText: "order.back", Name: paper.Name,
	})
}

// showPaper shows a paper as the confined process draws it.
func (c *Console) showPaper(v *visit, digest blob.Digest, body exhibitView) (err error) {
	// Drawing goes on when the page has waited long enough, and is there for the next look.
	ctx := context.WithoutCancel(v.r.Context())
	if body.View, err = c.Attachments.View(ctx, digest); err != nil {
		return err
	}
	for i, p := range body.Pages {
		body.Pictures = append(body.Pictures, pictured{
			i + 1, c.mediaURL(grant{paper: true, digest: p.Digest[:], mime: imageMime}),
		})
	}
	return v.show(http.StatusOK, "exhibit", body)
}
