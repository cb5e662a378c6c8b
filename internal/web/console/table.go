package console

import "parley/internal/web/staff"

// Who may ask for what no power is needed for.
const (
	// anybody is for pages before signing in, signedIn for every member of staff.
	anybody  staff.Power = -1
	signedIn staff.Power = -2
)

// row is a page, or something that can be done.
type row struct {
	method, path string
	power        staff.Power
	// strong asks for a proof of who somebody is that is not older than a few minutes.
	strong bool
	// action is what the audit calls it; what has none is recorded by its handler, or shows
	// nothing of others.
	action string
	serve  func(*visit) error
}

// table is all that the console has.
func (c *Console) table() []row {
	var all []row
	for _, rows := range [][]row{
		c.doorRows(), c.workRows(), c.caseRows(), c.decisionRows(), c.ordersRows(),
		c.textRows(), c.waitingRows(),
		c.orderRows(), c.exhibitRows(), c.disclosureRows(), c.agencyRows(), c.formRows(),
		c.dutyRows(), c.mailRows(), c.oncallRows(), c.inquiryRows(), c.hotlineRows(),
		c.officeRows(),
	} {
		all = append(all, rows...)
	}
	return all
}

// doorRows are about getting in and out.
func (c *Console) doorRows() []row {
	return []row{
		{"GET", "/signin", anybody, false, "", c.signInPage},
		{"POST", "/signin", anybody, false, "", c.signIn},
		{"POST", "/signin/key", anybody, false, "", c.beginKey},
		{"POST", "/signin/key/answer", anybody, false, "", c.finishKey},
		{"GET", "/enrol", anybody, false, "", c.enrolPage},
		{"POST", "/enrol", anybody, false, "", c.enrolPassword},
		{"POST", "/enrol/key", anybody, false, "", c.beginEnrolKey},
		{"POST", "/enrol/key/answer", anybody, false, "", c.finishEnrolKey},
		{"POST", "/signout", signedIn, false, "sign out", c.signOut},
		{"GET", "/{$}", signedIn, false, "", c.home},
	}
}

// workRows are about what waits, and how much somebody has borne.
func (c *Console) workRows() []row {
	return []row{
		{"GET", "/queue", staff.Review, false, "", c.queues},
		{"GET", "/queue/{lane}", staff.Review, false, "queue", c.queue},
		{"GET", "/counts", staff.Review, false, "", c.counts},
		{"POST", "/next", staff.Review, false, "", c.next},
		{"GET", "/search", staff.Review, false, "search", c.search},
		{"GET", "/shift", staff.Review, false, "", c.work},
		{"POST", "/shift/rest", staff.Review, false, "rest", c.rest},
		{"GET", "/sample", staff.Review, false, "sample", c.samples},
		{"POST", "/sample/{subject}/{id}", staff.Review, false, "sample verdict", c.sample},
	}
}

// caseRows are about one case.
func (c *Console) caseRows() []row {
	const at = "/case/{subject}/{id}"
	return []row{
		{"GET", at, staff.Review, false, "", c.casePage},
		{"POST", at + "/look", staff.Second, false, "", c.lookAt},
		{"POST", at + "/claim", staff.Review, false, "claim", c.claim},
		{"POST", at + "/release", staff.Review, false, "release", c.release},
		{"POST", at + "/assign", staff.Second, false, "assign", c.assign},
		{"POST", at + "/escalate", staff.Review, false, "escalate", c.escalate},
		{"POST", at + "/second", staff.Review, false, "ask second", c.askSecond},
		{"POST", at + "/opinion", staff.Review, false, "give second", c.giveSecond},
		{"POST", at + "/await", staff.Review, false, "await", c.await},
		{"POST", at + "/note", staff.Review, false, "note", c.note},
		{"POST", at + "/hold", staff.Review, false, "hold", c.hold},
		{"POST", at + "/reveal", staff.Review, false, "", c.reveal},
		{"GET", at + "/decide", staff.Review, false, "", c.decideForm},
		{"POST", at + "/decide", staff.Review, false, "decide", c.decide},
		{"POST", at + "/dismiss", staff.Review, false, "dismiss", c.dismiss},
	}
}

// decisionRows are about what was decided, and complaints about it.
func (c *Console) decisionRows() []row {
	const decision, complaint = "/decision/{subject}/{id}", "/appeal/{subject}/{id}"
	return []row{
		{"GET", decision, staff.Review, false, "decision", c.decisionPage},
		{"POST", decision + "/look", staff.Second, false, "decision", c.decisionPage},
		{"POST", decision + "/approve", staff.Second, true, "approve", c.approve},
		{"POST", decision + "/withdraw", staff.Review, false, "withdraw", c.withdraw},
		{"POST", decision + "/lift", staff.Second, true, "lift", c.lift},
		{"POST", decision + "/unbar", staff.Bar, true, "lift bar", c.unbar},
		{"POST", decision + "/settle", staff.Second, false, "settle", c.settle},
		{"GET", "/approvals", staff.Second, false, "approvals", c.approvals},
		{"POST", "/mass", staff.Bulk, false, "mass", c.mass},
		{"GET", "/batch/{id}", staff.Second, false, "batch", c.batchPage},
		{"POST", "/batch/{id}/approve", staff.Second, true, "approve batch", c.approveBatch},
		{"POST", "/batch/{id}/withdraw", staff.Second, false, "withdraw batch", c.withdrawBatch},
		{"POST", "/batch/{id}/lift", staff.Second, true, "lift batch", c.liftBatch},
		{"GET", "/appeals", staff.Review, false, "appeals", c.appeals},
		{"GET", complaint, staff.Review, false, "", c.appealPage},
		{"POST", complaint + "/take", staff.Review, false, "take appeal", c.takeAppeal},
		{"POST", complaint + "/say", staff.Review, false, "say", c.sayInAppeal},
		{"POST", complaint + "/decide", staff.Review, false, "decide appeal", c.decideAppeal},
	}
}

// officeRows are about the work as a whole and who does it.
func (c *Console) officeRows() []row {
	return []row{
		{"GET", "/figures", staff.Figures, false, "", c.figures},
		{"GET", "/audit", staff.Audit, false, "audit", c.audit},
		{"POST", "/audit/verify", staff.Audit, false, "verify audit", c.verifyAudit},
		{"GET", "/staff", staff.Manage, false, "staff", c.people},
		{"POST", "/staff/add", staff.Manage, true, "staff add", c.addPerson},
		{"POST", "/staff/{id}/role", staff.Manage, true, "staff role", c.proposeRole},
		{"POST", "/staff/{id}/confirm/{change}", staff.Manage, true, "staff confirm",
			c.confirmRole},
		{"POST", "/staff/{id}/reset", staff.Manage, true, "staff reset", c.resetPerson},
		{"POST", "/staff/{id}/disable", staff.Manage, true, "staff disable", c.disablePerson},
	}
}
