package console

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"parley/internal/ids"
	"parley/internal/safety"
	"parley/internal/safety/appeal"
	"parley/internal/safety/decide"
	"parley/internal/store"
	"parley/internal/web/page"
	"parley/internal/web/staff"
)

// decisionPath is where a decision lies.
func decisionPath(d decide.Decision) string {
	return fmt.Sprintf("/decision/%d/%d", d.Subject.Peer, d.ID)
}

// decisionView is a decision as its page shows it.
type decisionView struct {
	decisionLine
	By, SecondBy string
	Case         string
	// Open tells that the visitor may read it; Mine that he made it.
	Open, Mine  bool
	Barred      bool
	Appeals     []appealLine
	Settlements []appeal.Settlement
}

// theDecision reads the decision that the path names.
func (v *visit) theDecision() (d decide.Decision, err error) {
	subject, id, err := v.ref()
	if err != nil {
		return d, err
	}
	err = v.view(func(r *store.Reader) (err error) {
		d, err = decide.Of(r, subject, id)
		return err
	})
	return d, err
}

// decisionPage shows a decision: all of it to who made it, to who has its case or a complaint about
// it, to who is to give the second word, and to who says why he must see it.
func (c *Console) decisionPage(v *visit) error {
	d, err := v.theDecision()
	if err != nil {
		return err
	}
	body := decisionView{decisionLine: decisionLine{d, decisionPath(d)}}
	body.Mine = d.By.Staff == v.me()
	body.Open = body.Mine || d.Second == v.me() ||
		d.State == decide.Proposed && v.may(staff.Second)
	if v.r.Method == http.MethodPost {
		purpose := v.field("purpose")
		if utf8.RuneCountInString(purpose) < purposeRunes {
			return problem{http.StatusUnprocessableEntity, "purpose"}
		}
		if err := c.Staff.Record(v.r.Context(), v.act("look", purpose)); err != nil {
			return err
		}
		body.Open = true
	}
	names, err := c.names(v)
	if err != nil {
		return err
	}
	body.By, body.SecondBy = names[d.By.Staff], names[d.Second]
	err = v.view(func(r *store.Reader) error { return c.aroundDecision(v, r, &body) })
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "decision", body)
}

// aroundDecision adds what came of a decision.
func (c *Console) aroundDecision(v *visit, r *store.Reader, body *decisionView) (err error) {
	d := body.Decision
	body.Case = fmt.Sprintf("/case/%d/%d", d.Subject.Peer, d.Case)
	if x, err := r.Case(d.Subject.Peer, d.Case); err == nil && has(x, v.me()) {
		body.Open = true
	}
	if body.Barred, err = decide.StatementBarred(r, d, c.Clock.Now().Unix()); err != nil {
		return err
	}
	list, err := appeal.Of(r, d.Subject.Peer, d.ID)
	if err != nil {
		return err
	}
	body.Appeals = nil
	for _, a := range list {
		body.Appeals = append(body.Appeals, appealLine{a, appealPath(a)})
		body.Open = body.Open || a.Assignee == v.me() || a.Reviewer == v.me()
	}
	body.Settlements, err = appeal.Settlements(r, d.Subject.Peer, d.ID)
	return err
}

// backToDecision returns to the decision that the path names.
func (v *visit) backToDecision(done string) error {
	subject, id, err := v.ref()
	if err != nil {
		return err
	}
	return v.leave(fmt.Sprintf("/decision/%d/%d", subject, id), done)
}

// approve gives the second word to a proposal.
func (c *Console) approve(v *visit) error {
	subject, id, err := v.ref()
	if err != nil {
		return err
	}
	if _, err := c.Decisions.Second(v.r.Context(), subject, id, v.me()); err != nil {
		return err
	}
	return v.backToDecision("approved")
}

// withdraw takes back the visitor's own proposal, or says no to another's.
func (c *Console) withdraw(v *visit) error {
	d, err := v.theDecision()
	if err != nil {
		return err
	}
	if d.By.Staff != v.me() && !v.may(staff.Second) {
		v.refused(v.r, v.me(), v.row.word(), "not his")
		return problem{http.StatusForbidden, "forbidden"}
	}
	return v.onDecision("withdrawn", func(
		ctx context.Context, subject ids.Peer, id int64, why string,
	) error {
		return c.Decisions.Withdraw(ctx, subject, id, v.me(), why)
	})
}

// onDecision runs fn on the decision that the path names, with the reason that the form asks for,
// and returns to it.
func (v *visit) onDecision(
	done string, fn func(ctx context.Context, subject ids.Peer, id int64, why string) error,
) error {
	subject, id, err := v.ref()
	if err != nil {
		return err
	}
	why, err := v.text("why")
	if err != nil {
		return err
	}
	if err := fn(v.r.Context(), subject, id, why); err != nil {
		return err
	}
	return v.backToDecision(done)
}

// lift undoes a decision.
func (c *Console) lift(v *visit) error {
	return v.onDecision("lifted", func(
		ctx context.Context, subject ids.Peer, id int64, why string,
	) error {
		_, err := c.Decisions.Lift(ctx, subject, id, v.actor(), why)
		return err
	})
}

// unbar ends a legal prohibition to tell the person concerned.
func (c *Console) unbar(v *visit) error {
	return v.onDecision("unbarred", func(
		ctx context.Context, subject ids.Peer, id int64, why string,
	) error {
		return c.Decisions.LiftBar(ctx, subject, id, v.actor(), why)
	})
}

// settle records an out-of-court settlement (DSA Art. 21).
func (c *Console) settle(v *visit) error {
	subject, id, err := v.ref()
	if err != nil {
		return err
	}
	opened, err1 := dayOf(v.field("opened"))
	decided, err2 := dayOf(v.field("decided"))
	done, err3 := dayOf(v.field("implemented"))
	if err1 != nil || err2 != nil || err3 != nil || opened == 0 {
		return problem{http.StatusUnprocessableEntity, "date"}
	}
	_, err = c.Appeals.Record(v.r.Context(), appeal.Settlement{
		Subject: subject, ID: v.number("settlement"), Decision: id, Body: v.field("body"),
		Opened: opened, Decided: decided, Result: appeal.State(v.number("result")),
		Implemented: done, Note: v.field("note"), By: v.me(),
	})
	if err != nil {
		return err
	}
	return v.backToDecision("settled")
}

// dayOf reads a day as browsers send it, 0 for nothing.
func dayOf(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	t, err := time.Parse(time.DateOnly, text)
	return t.Unix(), err
}

// approvalsView is what waits for a second person.
type approvalsView struct {
	Decisions []decisionLine
	Batches   []decide.Batch
	Staff     map[int64]string
}

// approvals lists what waits for a second person.
func (c *Console) approvals(v *visit) error {
	var body approvalsView
	var err error
	if body.Staff, err = c.names(v); err != nil {
		return err
	}
	err = v.view(func(r *store.Reader) error {
		list, err := decide.Waiting(r, 0, mostListed)
		if err != nil {
			return err
		}
		body.Decisions, body.Batches = nil, nil
		seen := make(map[int64]bool)
		for _, d := range list {
			switch {
			case d.Batch == 0:
				body.Decisions = append(body.Decisions, decisionLine{d, decisionPath(d)})
			case !seen[d.Batch]:
				seen[d.Batch] = true
				b, err := decide.BatchOf(r, d.Batch)
				if err != nil {
					return err
				}
				body.Batches = append(body.Batches, b)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, "approvals", body)
}

// batchID is the number of the mass measure that the path names.
func (v *visit) batchID() (int64, error) {
	id, err := strconv.ParseInt(v.r.PathValue("id"), 10, 64)
	if err != nil {
		return 0, page.ErrNotFound
	}
	return id, nil
}

// batchView is a mass measure as its page shows it.
type batchView struct {
	decide.Batch
	ByName, SecondName, LiftedName string
	// Mine tells that the visitor proposed it.
	Mine bool
	// States are how many of its decisions are in which state.
	States []stateCount
}

type stateCount struct {
	State string
	Count int64
}

func (c *Console) batchPage(v *visit) error {
	id, err := v.batchID()
	if err != nil {
		return err
	}
	var body batchView
	err = v.view(func(r *store.Reader) (err error) {
		body.Batch, err = decide.BatchOf(r, id)
		return err
	})
	if err != nil {
		return err
	}
	names, err := c.names(v)
	if err != nil {
		return err
	}
	body.ByName, body.SecondName = names[body.By], names[body.Second]
	body.LiftedName, body.Mine = names[body.LiftedBy], body.By == v.me()
	for s := decide.Proposed; s <= decide.NoAction; s++ {
		if n := body.Count[s]; n > 0 {
			body.States = append(body.States, stateCount{s.String(), n})
		}
	}
	return v.show(http.StatusOK, "batch", body)
}

func batchPath(id int64) string { return fmt.Sprintf("/batch/%d", id) }

func (c *Console) approveBatch(v *visit) error {
	id, err := v.batchID()
	if err != nil {
		return err
	}
	if _, err := c.Decisions.ApproveBatch(v.r.Context(), id, v.me()); err != nil {
		return err
	}
	return v.leave(batchPath(id), "approved")
}

// onBatch runs fn on the mass measure that the path names, with the reason that the form asks for,
// and returns to it.
func (v *visit) onBatch(
	done string, fn func(ctx context.Context, id int64, why string) error,
) error {
	id, err := v.batchID()
	if err != nil {
		return err
	}
	why, err := v.text("why")
	if err != nil {
		return err
	}
	if err := fn(v.r.Context(), id, why); err != nil {
		return err
	}
	return v.leave(batchPath(id), done)
}

func (c *Console) withdrawBatch(v *visit) error {
	return v.onBatch("withdrawn", func(ctx context.Context, id int64, why string) error {
		return c.Decisions.WithdrawBatch(ctx, id, v.me(), why)
	})
}

// liftBatch undoes a mass measure; its page then says what was put back.
func (c *Console) liftBatch(v *visit) error {
	return v.onBatch("lifted", func(ctx context.Context, id int64, why string) error {
		_, err := c.Decisions.LiftBatch(ctx, id, v.actor(), why)
		return err
	})
}

// mass decides many cases of a queue together: it shows the form, what would be hit, and then
// proposes it.
func (c *Console) mass(v *visit) error {
	cases, err := v.chosen()
	if err != nil {
		return err
	}
	t := v.readTyped()
	at := "/mass"
	form := v.form(safety.Kind(cases[0].Kind), at, t)
	form.Mass, form.Cases, form.Back = true, v.r.PostForm["case"], "/queue"
	step := v.field("step")
	if step == "" {
		form.Typed.Ground = string(safety.Incompatible)
		return v.show(http.StatusOK, "draft", form)
	}
	drafts := make([]decide.Draft, len(cases))
	for i, x := range cases {
		if drafts[i], err = v.draft(t, x); err != nil {
			break
		}
	}
	if err == nil && t.Reason == "" {
		err = decide.Refusal{Field: "reason", Reason: "missing"}
	}
	if wrong := faults(err); wrong != nil || step == "again" {
		form.Wrong = wrong
		return v.show(http.StatusUnprocessableEntity, "draft", form)
	}
	if err != nil {
		return err
	}
	reach, second, err := c.Decisions.Preview(v.r.Context(), drafts)
	if err != nil {
		return err
	}
	if step != "confirm" {
		return v.show(http.StatusOK, "preview", previewView{
			Back: "/queue", Form: form.Form, Fields: v.fieldsAgain(), Drafts: drafts,
			Reach: reach, Second: second, Mass: true, Reason: t.Reason,
		})
	}
	if asked, err := v.askAgain(true); asked || err != nil {
		return err
	}
	b, err := c.Decisions.ProposeBatch(v.r.Context(), drafts, v.actor(), t.Reason)
	if err != nil {
		return err
	}
	return v.leave(batchPath(b.ID), "proposed")
}

// mostMass is how many cases are decided together from a page.
const mostMass = mostListed

// chosen reads the cases that were ticked. They are of one kind, open, and nobody else's.
func (v *visit) chosen() ([]store.Case, error) {
	refs := v.r.PostForm["case"]
	if len(refs) == 0 || len(refs) > mostMass {
		return nil, problem{http.StatusUnprocessableEntity, "choose"}
	}
	var out []store.Case
	err := v.view(func(r *store.Reader) error {
		out = nil
		for _, ref := range refs {
			var x store.Case
			if _, err := fmt.Sscanf(ref, "%d/%d", &x.Subject, &x.ID); err != nil {
				return page.ErrNotFound
			}
			x, err := r.Case(x.Subject, x.ID)
			if err != nil {
				return err
			}
			switch {
			case x.Closed != 0 || x.Staff != 0 && x.Staff != v.me():
				return problem{http.StatusConflict, "taken"}
			case x.Appeal != 0 || len(out) > 0 && x.Kind != out[0].Kind:
				return problem{http.StatusUnprocessableEntity, "mixed"}
			}
			out = append(out, x)
		}
		return nil
	})
	return out, err
}
