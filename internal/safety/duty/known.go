package duty

import (
	"time"

	"parley/internal/ids"
	"parley/internal/store"
)

// Known is what the service itself knows of an account beyond what it shows of it.
type Known struct {
	Phone     string
	Created   time.Time
	Addresses []Address
}

// Address is from where an account was used.
type Address struct {
	IP string
	At time.Time
	// Login is set when the account was not used again after it logged in there.
	Login  bool
	Device string
}

// Know returns what is known of an account now; of one that is gone, nothing.
func Know(r *store.Reader, author ids.UserID) (k Known, err error) {
	u, err := r.User(author)
	if store.IsNotFound(err) {
		return k, nil
	}
	if err != nil {
		return k, err
	}
	k.Phone, k.Created = u.Phone, time.Unix(u.Created, 0).UTC()
	devices, err := r.Authorizations(author)
	for _, a := range devices {
		if a.IP == "" {
			continue
		}
		k.Addresses = append(k.Addresses, Address{
			IP: a.IP, At: time.Unix(max(a.Active, a.Created), 0).UTC(),
			Login: a.Active <= a.Created, Device: a.Device,
		})
	}
	return k, err
}
