package store

import "parley/internal/ids"

// Alert is something that wakes somebody. What its numbers mean is told by safety/oncall. Times are
// Unix seconds.
type Alert struct {
	ID int64
	// Key names the emergency; ID follows from it.
	Key, Kind string
	State     int64
	// Round is how often somebody was called, Next when somebody is called next, 0 for never.
	Round, Next, Created int64
	// Acked is when somebody confirmed it, AckedBy who, Via on which way.
	Acked        int64
	AckedBy, Via string
	Body         []byte
}

// AlertCall is one call of one person on one way.
type AlertCall struct {
	Alert, N, Round int64
	What            int64
	Person, Way     string
	State           int64
	// Due is when it is made or tried again, Ended when it was made or given up.
	Due, Tries, Ended int64
	Reason            string
}

const (
	alertColumns = `alert_id, key, kind, state, round, next_at, created, acked, acked_by, via, body`
	callColumns  = `alert_id, n, round, what, person, way, state, due, tries, ended, reason`
)

var (
	alertAdd = define("alert.add", "alerts", "alert_id",
		`insert into alerts (`+alertColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`)
	alertChange = define("alert.change", "alerts", "alert_id",
		`update alerts set state = $2, round = $3, next_at = $4, acked = $5, acked_by = $6,
		via = $7 where alert_id = $1`)
	alertGet = define("alert.get", "alerts", "alert_id",
		`select `+alertColumns+` from alerts where alert_id = $1`)
	alertDue = define("alert.due", "alerts", acrossShards,
		`select `+alertColumns+` from alerts where next_at > 0 and next_at <= $1
		order by next_at, alert_id limit $2`)
	alertAll = define("alert.all", "alerts", acrossShards,
		`select `+alertColumns+` from alerts order by created desc, alert_id limit $1`)
	callPut = define("alert_call.put", "alert_calls", "alert_id",
		`insert into alert_calls (`+callColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		on conflict (alert_id, n) do update set state = excluded.state, due = excluded.due,
		tries = excluded.tries, ended = excluded.ended, reason = excluded.reason`)
	callList = define("alert_call.list", "alert_calls", "alert_id",
		`select `+callColumns+` from alert_calls where alert_id = $1 order by n`)
	callDue = define("alert_call.due", "alert_calls", acrossShards,
		`select `+callColumns+` from alert_calls where state = 1 and due <= $1
		order by due, alert_id, n limit $2`)
)

func (a *Alert) fields() []any {
	return []any{
		&a.ID, &a.Key, &a.Kind, &a.State, &a.Round, &a.Next, &a.Created, &a.Acked, &a.AckedBy,
		&a.Via, &a.Body,
	}
}

func (c *AlertCall) fields() []any {
	return []any{
		&c.Alert, &c.N, &c.Round, &c.What, &c.Person, &c.Way, &c.State, &c.Due, &c.Tries, &c.Ended,
		&c.Reason,
	}
}

// AddAlert writes an alert; ErrConflict when there is one of that id.
func (t *Tx) AddAlert(a Alert) error {
	return t.exec(alertAdd, a.ID, a.Key, a.Kind, a.State, a.Round, a.Next, a.Created, a.Acked,
		a.AckedBy, a.Via, a.Body)
}

// ChangeAlert writes how far an alert is.
func (t *Tx) ChangeAlert(a Alert) error {
	return t.execOne(alertChange, a.ID, a.State, a.Round, a.Next, a.Acked, a.AckedBy, a.Via)
}

// Alert returns an alert.
func (r *Reader) Alert(id int64) (a Alert, err error) {
	err = r.one(alertGet, []any{id}, a.fields()...)
	return a, err
}

// DueAlerts returns up to limit alerts whose next round is due at a time, the longest due first.
func (r *Reader) DueAlerts(at int64, limit int) ([]Alert, error) {
	return r.alerts(alertDue, at, limit)
}

// Alerts returns up to limit alerts, the newest first.
func (r *Reader) Alerts(limit int) ([]Alert, error) { return r.alerts(alertAll, limit) }

func (r *Reader) alerts(st *statement, args ...any) (out []Alert, err error) {
	err = r.each(st, args, func(row rows) error {
		var a Alert
		err := row.Scan(a.fields()...)
		out = append(out, a)
		return err
	})
	return out, err
}

// PutAlertCall writes a call, or how far it is.
func (t *Tx) PutAlertCall(c AlertCall) error {
	return t.exec(callPut, c.Alert, c.N, c.Round, c.What, c.Person, c.Way, c.State, c.Due, c.Tries,
		c.Ended, c.Reason)
}

// AlertCalls returns the calls of an alert, in order.
func (r *Reader) AlertCalls(alert int64) ([]AlertCall, error) {
	return r.alertCalls(callList, alert)
}

// DueAlertCalls returns up to limit calls that are to be made at a time, the longest due first.
func (r *Reader) DueAlertCalls(at int64, limit int) ([]AlertCall, error) {
	return r.alertCalls(callDue, at, limit)
}

func (r *Reader) alertCalls(st *statement, args ...any) (out []AlertCall, err error) {
	err = r.each(st, args, func(row rows) error {
		var c AlertCall
		err := row.Scan(c.fields()...)
		out = append(out, c)
		return err
	})
	return out, err
}

// AlertKey is the shard of an alert.
func AlertKey(id int64) ids.Peer { return ids.Peer(id) }
