// Package username says which usernames people and channels may take. Whether a name is taken is in
// the store's table of names; what is refused here nobody can take.
//
// Invariant: no username is the address of something else, neither of the service's own pages nor
// of what clients understand by an address of that form.
package username

import (
	"regexp"
	"strings"

	"parley/internal/chat"
)

// form is how usernames look.
//
// https://core.telegram.org/method/account.checkUsername
var form = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{3,30}[A-Za-z0-9]$`)

// Rules say which usernames may be taken.
type Rules struct {
	// Page tells whether the service has a page at a name in small letters; nil knows of none.
	Page func(name string) bool
}

// Check tells why nobody may take a username: chat.ErrUsernameInvalid for what is none,
// chat.ErrUsernameOccupied for what belongs to the service.
func (r Rules) Check(name string) error {
	switch folded := strings.ToLower(name); {
	case !form.MatchString(name):
		return chat.ErrUsernameInvalid
	case reserved(folded), r.Page != nil && r.Page(folded):
		return chat.ErrUsernameOccupied
	}
	return nil
}

// reserved tells whether a name means something else in addresses: to clients, or because it may
// become the name of a page.
//
// https://core.telegram.org/api/links
func reserved(name string) bool {
	switch name {
	// Forms of links. Shorter ones cannot be usernames.
	case "addemoji", "addlist", "addstickers", "addtheme", "apiws", "boost", "confirmphone",
		"contact", "giftcode", "invoice", "joinchat", "login", "message", "passport",
		"premium_offer", "privatepost", "proxy", "resolve", "setlanguage", "settings", "share",
		"socks", "stars":
		return true
	// Pages, of this and of other processes of a service.
	case "about", "account", "admin", "appeal", "assets", "authority", "console", "guide", "health",
		"hotline", "imprint", "index", "legal", "markets", "metrics", "notice", "orders", "policy",
		"privacy", "report", "reports", "robots", "rules", "signin", "staff", "static", "statement",
		"status", "terms", "transparency", "verify":
		return true
	}
	return false
}
