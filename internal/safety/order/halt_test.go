package order_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"parley/internal/safety/order"
	"parley/internal/safety/policy"
	"parley/internal/store"
)

// happened counts the events of a kind of an order.
func (w *world) happened(o order.Order, k order.EventKind) (n int) {
	w.Helper()
	w.View(func(r *store.Reader) error {
		list, err := order.Events(r, o.Agency, o.ID, 0, 1000)
		for _, e := range list {
			if e.Kind == k {
				n++
			}
		}
		return err
	})
	return n
}

// halting has the orders of whoever is suspended stopped, as the server has.
func (w *world) halting() {
	w.Agencies.Halted = func(ctx context.Context, of, officer int64) {
		w.Helper()
		w.ok(w.Halt(ctx, of, officer))
	}
}

// TestSuspendedOfficersOrdersStop: what an officer ordered and people approved is not carried out
// after he was suspended, whether somebody stops it at once or the worker comes to it first; only a
// call to his agency, and everybody's signature anew, sets it going.
func TestSuspendedOfficersOrdersStop(t *testing.T) {
	for name, hear := range map[string]bool{"at once": true, "as it is carried out": false} {
		t.Run(name, func(t *testing.T) {
			w := start(t)
			if hear {
				w.halting()
			}
			post := w.Post("join the fight")
			o := w.approve(w.check(w.submit(sender(w.officer), w.removal(post)).Order))
			if o.State != order.Approved {
				t.Fatal(o.State)
			}
			w.ok(w.Agencies.SuspendOfficer(w.ctx(), anna, o.Agency, o.Officer, "key stolen"))
			if hear {
				if o = w.order(o.Agency, o.ID); o.State != order.Held {
					t.Errorf("%v after the suspension", o.State)
				}
			}
			w.ok(w.CarryOut(w.ctx()))
			o = w.order(o.Agency, o.ID)
			if o.State != order.Held || o.Stopped == nil || w.withheld(post, "DE") {
				t.Fatalf("%v, stopped %v, withheld %v", o.State, o.Stopped, w.withheld(post, "DE"))
			}
			if !slices.Contains(w.alarms, "the sender was suspended") {
				t.Errorf("nobody heard: %q", w.alarms)
			}
			o, err := w.Suspect(w.ctx(), order.By{Staff: anna}, o.Agency, o.ID, nil, "no signature")
			w.ok(err)
			if o.State != order.Held {
				t.Errorf("%v after another look", o.State)
			}
			w.resumed(t, o)
		})
	}
}

// resumed has an order that was stopped confirmed by its agency, signed anew and carried out.
func (w *world) resumed(t *testing.T, o order.Order) {
	t.Helper()
	d := o.Document
	d.Reasons += " Corrected."
	o, err := w.Supplement(w.ctx(), sender(w.supervisor), o.ID, d)
	w.ok(err)
	if o.Stopped != nil || o.Officer != w.supervisor.ID {
		t.Errorf("another officer's: stopped %v, officer %d", o.Stopped, o.Officer)
	}
	o = w.check(o)
	if o.State != order.Assessed {
		t.Fatalf("%v after another officer took it on", o.State)
	}
	w.approve(o)
	w.ok(w.CarryOut(w.ctx()))
	if o = w.order(o.Agency, o.ID); o.State != order.Answered {
		t.Errorf("%v in the end", o.State)
	}
}

// TestAgencyStandsByIt: a call-back to the agency lets a stopped order of its suspended officer go
// on, and a denial ends it; for a suspended agency nobody can say so.
func TestAgencyStandsByIt(t *testing.T) {
	w := start(t)
	w.halting()
	post := w.Post("join the fight")
	o := w.approve(w.check(w.submit(sender(w.officer), w.removal(post)).Order))
	w.ok(w.Agencies.SuspendOfficer(w.ctx(), anna, o.Agency, o.Officer, "key stolen"))
	call := order.Call{Number: "+49 30 5559 999", Spoke: "B, desk", Confirmed: true}
	o, err := w.CallBack(w.ctx(), anna, o.Agency, o.ID, call)
	w.ok(err)
	if o.State != order.Assessed || len(o.Lacking(w.plan(o).Digest, w.signatures(o))) == 0 {
		t.Fatalf("%v, and nothing is to be signed anew", o.State)
	}
	w.approve(o)
	w.ok(w.CarryOut(w.ctx()))
	if !w.withheld(post, "DE") {
		t.Error("not carried out")
	}
	o = w.approve(w.check(w.submit(sender(w.abroad), w.information()).Order))
	w.ok(w.Agencies.Suspend(w.ctx(), anna, o.Agency, "answers from nowhere"))
	if _, err := w.CallBack(w.ctx(), anna, o.Agency, o.ID, call); !errors.Is(err,
		order.ErrStanding) {
		t.Errorf("a suspended agency stands by it: %v", err)
	}
	call.Confirmed = false
	o, err = w.CallBack(w.ctx(), anna, o.Agency, o.ID, call)
	w.ok(err)
	if o.State != order.Refused {
		t.Errorf("%v after a denial", o.State)
	}
}

// signatures are those under an order.
func (w *world) signatures(o order.Order) (out []store.OrderApproval) {
	w.Helper()
	w.View(func(r *store.Reader) (err error) {
		out, err = order.Signatures(r, o.Agency, o.ID)
		return err
	})
	return out
}

// TestWhatIsDoneIsLookedAt: what was carried out before the suspension stays in force, and waits
// for a person once.
func TestWhatIsDoneIsLookedAt(t *testing.T) {
	w := start(t)
	w.halting()
	post := w.Post("join the fight")
	o := w.approve(w.check(w.submit(sender(w.officer), w.removal(post)).Order))
	w.ok(w.CarryOut(w.ctx()))
	w.ok(w.Agencies.SuspendOfficer(w.ctx(), anna, o.Agency, o.Officer, "key stolen"))
	w.ok(w.Halt(w.ctx(), o.Agency, o.Officer))
	o = w.order(o.Agency, o.ID)
	if n := w.happened(o, order.Questioned); !o.Review || n != 1 || !w.withheld(post, "DE") {
		t.Fatalf("to review %v, %d entries, withheld %v", o.Review, n, w.withheld(post, "DE"))
	}
	if _, err := w.Reviewed(w.ctx(), anna, o.Agency, o.ID, " "); !errors.Is(err,
		order.ErrReason) {
		t.Errorf("without a reason: %v", err)
	}
	o, err := w.Reviewed(w.ctx(), anna, o.Agency, o.ID, "the post is what the order says")
	w.ok(err)
	w.ok(w.Halt(w.ctx(), o.Agency, o.Officer))
	if o = w.order(o.Agency, o.ID); o.Review || w.happened(o, order.Questioned) != 1 {
		t.Error("looked at, and asked again")
	}
}

// TestHalfSigned: who signed before something was known about the order has not signed it.
func TestHalfSigned(t *testing.T) {
	for name, learn := range map[string]func(w *world, o order.Order) error{
		"protected speech": func(w *world, o order.Order) error {
			_, err := w.Suspect(w.ctx(), order.By{Staff: clara}, o.Agency, o.ID,
				policy.Speeches()[:1], "")
			if err == nil {
				_, err = w.Service.Decide(w.ctx(), clara, o.Agency, o.ID, false, "it is no protest")
			}
			return err
		},
		"his officer was suspended": func(w *world, o order.Order) error {
			err := w.Agencies.SuspendOfficer(w.ctx(), anna, o.Agency, o.Officer, "key stolen")
			if err == nil {
				_, err = w.CallBack(w.ctx(), anna, o.Agency, o.ID, order.Call{
					Number: "+49 30 5559 999", Spoke: "B, desk", Confirmed: true,
				})
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t)
			w.halting()
			o := w.check(w.submit(sender(w.abroad), w.information()).Order)
			signs := o.Signs()
			w.roles[boris] = signs[0].Role
			o, err := w.Approve(w.ctx(), o.Agency, o.ID, order.Signature{
				Staff: boris, Digest: w.plan(o).Digest,
			})
			w.ok(err)
			if o.State != order.Assessed {
				t.Fatalf("%v with one of %v", o.State, signs)
			}
			w.ok(learn(w, o))
			o = w.order(o.Agency, o.ID)
			lacking := o.Lacking(w.plan(o).Digest, w.signatures(o))
			if o.State != order.Assessed || len(lacking) != len(o.Signs()) {
				t.Errorf("%v, %v of %v lack", o.State, lacking, o.Signs())
			}
		})
	}
}

// TestStopsAfterRestart: orders of whoever is suspended are stopped by the next process, where the
// one that suspended him did not come to it.
func TestStopsAfterRestart(t *testing.T) {
	w := start(t)
	post := w.Post("join the fight")
	o := w.approve(w.check(w.submit(sender(w.officer), w.removal(post)).Order))
	w.ok(w.CarryOut(w.ctx()))
	w.ok(w.Agencies.SuspendOfficer(w.ctx(), anna, o.Agency, o.Officer, "key stolen"))
	heard := make(chan order.Order, 10)
	w.Alarm = func(o order.Order, _ string) { heard <- o }
	ctx, stop := context.WithCancel(w.ctx())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.Run(ctx, func(err error) { t.Error(err) })
	}()
	if got := <-heard; got.ID != o.ID || !got.Review {
		t.Errorf("heard of %+v", got)
	}
	stop()
	<-done
}

// TestWhoBeginsAnewIsLookedThrough: an officer's key was stolen and his keys were taken, and the
// process ended before it could have what he ordered looked at: the next one does.
func TestWhoBeginsAnewIsLookedThrough(t *testing.T) {
	w := start(t)
	o := w.approve(w.check(w.submit(sender(w.officer), w.removal(w.Post("one"))).Order))
	w.ok(w.CarryOut(w.ctx()))
	_, err := w.Agencies.ResetOfficer(w.ctx(), anna, o.Agency, o.Officer, "key stolen")
	w.ok(err)
	w.ok(w.Halts(w.ctx()))
	if o = w.order(o.Agency, o.ID); !o.Review {
		t.Error("nobody looks at what he ordered")
	}
}
