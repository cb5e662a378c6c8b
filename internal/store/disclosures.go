package store

import "parley/internal/ids"

// Disclosure is data that an authority was given, or would be. What its states mean is told by
// safety/disclosure. Times are Unix seconds.
type Disclosure struct {
	Agency, Order, ID int64
	State             int64
	// Plan is the digest of what people signed, Content that of what would leave, Fingerprint that
	// of the key that it is encrypted to.
	Plan, Content, Fingerprint string
	PreparedBy                 int64
	PreparedRole               string
	Prepared                   int64
	ReleasedBy                 int64
	ReleasedRole               string
	Released                   int64
	// Officer is who fetched it, and when.
	Officer, Fetched int64
	// Ends is until when it is kept.
	Ends int64
	// Digest and Size are those of the package, People is of how many people it has data.
	Digest       string
	Size, People int64
	// Sealed is what would leave, readable to the server alone; Package is encrypted to the agency.
	Sealed, Package []byte
}

// Telling is that somebody is to be told of a disclosure.
type Telling struct {
	Agency, Order int64
	Kind, Number  int64
	Person        ids.UserID
	Due           int64
	// Told is when he was, 0 until then.
	Told int64
}

const (
	disclosureColumns = `agency_id, order_id, disclosure_id, state, plan, content, fingerprint,
		prepared_by, prepared_role, prepared, released_by, released_role, released, officer,
		fetched, ends, digest, size, people, sealed, package`
	tellingColumns = `agency_id, order_id, kind, number, person, due, told`
)

var (
	disclosurePut = define("disclosure.put", "disclosures", "agency_id",
		`insert into disclosures (`+disclosureColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9,
		$10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
		on conflict (agency_id, order_id, disclosure_id) do update set state = excluded.state,
		released_by = excluded.released_by, released_role = excluded.released_role,
		released = excluded.released, officer = excluded.officer, fetched = excluded.fetched,
		ends = excluded.ends, digest = excluded.digest, size = excluded.size,
		sealed = excluded.sealed, package = excluded.package`)
	disclosureList = define("disclosure.list", "disclosures", "agency_id",
		`select `+disclosureColumns+` from disclosures where agency_id = $1 and order_id = $2
		order by prepared, disclosure_id`)
	disclosureEnding = define("disclosure.ending", "disclosures", acrossShards,
		`select agency_id, order_id, disclosure_id from disclosures
		where state < 3 and ends <= $1 order by ends, disclosure_id limit $2`)
	tellingAdd = define("telling.add", "disclosure_tellings", "agency_id",
		`insert into disclosure_tellings (`+tellingColumns+`) values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (agency_id, order_id, kind, number, person) do nothing`)
	tellingChange = define("telling.change", "disclosure_tellings", "agency_id",
		`update disclosure_tellings set due = $6, told = $7 where agency_id = $1 and order_id = $2
		and kind = $3 and number = $4 and person = $5`)
	tellingOf = define("telling.of", "disclosure_tellings", "agency_id",
		`select `+tellingColumns+` from disclosure_tellings where agency_id = $1 and order_id = $2
		order by kind, number, person`)
	tellingDue = define("telling.due", "disclosure_tellings", acrossShards,
		`select `+tellingColumns+` from disclosure_tellings where told = 0 and due <= $1
		order by due, order_id, person limit $2`)
)

func (d *Disclosure) fields() []any {
	return []any{
		&d.Agency, &d.Order, &d.ID, &d.State, &d.Plan, &d.Content, &d.Fingerprint, &d.PreparedBy,
		&d.PreparedRole, &d.Prepared, &d.ReleasedBy, &d.ReleasedRole, &d.Released, &d.Officer,
		&d.Fetched, &d.Ends, &d.Digest, &d.Size, &d.People, &d.Sealed, &d.Package,
	}
}

// PutDisclosure writes data that an authority was given or would be. What was laid out, when and by
// whom, never changes.
func (t *Tx) PutDisclosure(d Disclosure) error {
	return t.exec(disclosurePut, d.Agency, d.Order, d.ID, d.State, d.Plan, d.Content, d.Fingerprint,
		d.PreparedBy, d.PreparedRole, d.Prepared, d.ReleasedBy, d.ReleasedRole, d.Released,
		d.Officer, d.Fetched, d.Ends, d.Digest, d.Size, d.People, d.Sealed, d.Package)
}

// Disclosures returns what was laid out of an order's data, the oldest first.
func (r *Reader) Disclosures(agency, order int64) (out []Disclosure, err error) {
	err = r.each(disclosureList, []any{agency, order}, func(row rows) error {
		var d Disclosure
		err := row.Scan(d.fields()...)
		out = append(out, d)
		return err
	})
	return out, err
}

// DisclosuresEnding returns up to limit disclosures, by their three numbers alone, that are kept
// until a time and no longer.
func (r *Reader) DisclosuresEnding(by int64, limit int) (out []Disclosure, err error) {
	err = r.each(disclosureEnding, []any{by, limit}, func(row rows) error {
		var d Disclosure
		err := row.Scan(&d.Agency, &d.Order, &d.ID)
		out = append(out, d)
		return err
	})
	return out, err
}

// AddTelling writes down that somebody is to be told; nothing happens when it was already.
func (t *Tx) AddTelling(x Telling) error {
	return t.exec(tellingAdd, x.Agency, x.Order, x.Kind, x.Number, x.Person, x.Due, x.Told)
}

// ChangeTelling writes when somebody is to be told, or was. ErrNotFound.
func (t *Tx) ChangeTelling(x Telling) error {
	return t.execOne(tellingChange, x.Agency, x.Order, x.Kind, x.Number, x.Person, x.Due, x.Told)
}

// Tellings returns who is told of an order's data.
func (r *Reader) Tellings(agency, order int64) ([]Telling, error) {
	return r.tellings(tellingOf, agency, order)
}

// TellingsDue returns up to limit tellings that are due by a time and were not made.
func (r *Reader) TellingsDue(by int64, limit int) ([]Telling, error) {
	return r.tellings(tellingDue, by, limit)
}

func (r *Reader) tellings(st *statement, args ...any) (out []Telling, err error) {
	err = r.each(st, args, func(row rows) error {
		var x Telling
		err := row.Scan(&x.Agency, &x.Order, &x.Kind, &x.Number, &x.Person, &x.Due, &x.Told)
		out = append(out, x)
		return err
	})
	return out, err
}
