package store

// AgencyHook is where the programs of an agency are told.
type AgencyHook struct {
	Agency int64
	Body   []byte
}

// AgencyCall is something that an agency's program is still to be told.
type AgencyCall struct {
	Agency, ID int64
	// Due is when it is tried next, Tries how often it was, Created since when it is owed.
	Due, Tries, Created int64
	Body                []byte
}

const agencyCallColumns = `agency_id, call_id, due, tries, created, body`

var (
	agencyHookPut = define("agency_hook.put", "agency_hooks", "agency_id",
		`insert into agency_hooks (agency_id, body) values ($1, $2)
		on conflict (agency_id) do update set body = excluded.body`)
	agencyHookGet = define("agency_hook.get", "agency_hooks", "agency_id",
		`select agency_id, body from agency_hooks where agency_id = $1`)
	agencyHookForget = define("agency_hook.forget", "agency_hooks", "agency_id",
		`delete from agency_hooks where agency_id = $1`)
	agencyCallAdd = define("agency_call.add", "agency_calls", "agency_id",
		`insert into agency_calls (`+agencyCallColumns+`) values ($1, $2, $3, $4, $5, $6)`)
	agencyCallPut = define("agency_call.put", "agency_calls", "agency_id",
		`update agency_calls set due = $3, tries = $4 where agency_id = $1 and call_id = $2`)
	agencyCallsDefer = define("agency_call.defer_all", "agency_calls", "agency_id",
		`update agency_calls set due = $2 where agency_id = $1 and due < $2`)
	agencyCallForget = define("agency_call.forget", "agency_calls", "agency_id",
		`delete from agency_calls where agency_id = $1 and call_id = $2`)
	agencyCallsForget = define("agency_call.forget_all", "agency_calls", "agency_id",
		`delete from agency_calls where agency_id = $1`)
	agencyCallDue = define("agency_call.due", "agency_calls", acrossShards,
		`select `+agencyCallColumns+` from agency_calls where due <= $1
		order by due, call_id limit $2`)
)

// PutAgencyHook writes where an agency's program is told.
func (t *Tx) PutAgencyHook(h AgencyHook) error { return t.exec(agencyHookPut, h.Agency, h.Body) }

// AgencyHook returns where an agency's program is told. ErrNotFound.
func (r *Reader) AgencyHook(agency int64) (h AgencyHook, err error) {
	err = r.one(agencyHookGet, []any{agency}, &h.Agency, &h.Body)
	return h, err
}

// ForgetAgencyHook forgets where an agency's program was told, and what it was still to be told.
func (t *Tx) ForgetAgencyHook(agency int64) error {
	if err := t.exec(agencyCallsForget, agency); err != nil {
		return err
	}
	return t.exec(agencyHookForget, agency)
}

// AddAgencyCall writes what an agency's program is to be told.
func (t *Tx) AddAgencyCall(c AgencyCall) error {
	return t.exec(agencyCallAdd, c.Agency, c.ID, c.Due, c.Tries, c.Created, c.Body)
}

// PutAgencyCall writes when a call is tried next, and how often it was.
func (t *Tx) PutAgencyCall(c AgencyCall) error {
	return t.exec(agencyCallPut, c.Agency, c.ID, c.Due, c.Tries)
}

// DeferAgencyCalls has no call of an agency be due before a time.
func (t *Tx) DeferAgencyCalls(agency, until int64) error {
	return t.exec(agencyCallsDefer, agency, until)
}

// ForgetAgencyCall forgets a call that was made, or given up.
func (t *Tx) ForgetAgencyCall(agency, id int64) error {
	return t.exec(agencyCallForget, agency, id)
}

// DueAgencyCalls returns up to limit calls that are due at a time, those due first first.
func (r *Reader) DueAgencyCalls(at int64, limit int) (out []AgencyCall, err error) {
	err = r.each(agencyCallDue, []any{at, limit}, func(row rows) error {
		var c AgencyCall
		err := row.Scan(&c.Agency, &c.ID, &c.Due, &c.Tries, &c.Created, &c.Body)
		out = append(out, c)
		return err
	})
	return out, err
}
