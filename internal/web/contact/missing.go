package contact

import (
	"fmt"

	"parley/internal/config"
	"parley/internal/safety/country"
)

// Missing says which duties the configuration leaves open, by article, for who offers the service
// in the European Union. None of them keeps a server from running.
func Missing(c config.Contact, rep config.Representative, countries *country.Table) (out []string) {
	say := func(is bool, format string, args ...any) {
		if is {
			out = append(out, fmt.Sprintf(format, args...))
		}
	}
	say(c.Authorities == "", "contact.authorities is empty: authorities find no single point of "+
		"contact (DSA Art. 11)")
	say(c.People == "", "contact.people is empty: people find no single point of contact "+
		"(DSA Art. 12)")
	say(len(c.Languages) == 0, "contact.languages is empty: it must name those in which "+
		"authorities can write (DSA Art. 11(3))")
	say(c.Provider == "", "contact.provider is empty: nobody learns who runs the service")
	union := country.Code(c.Established)
	inside := countries.Facts(union).In(country.EU)
	say(c.Established == "", "contact.established is empty: it decides whether a legal "+
		"representative is needed (DSA Art. 13), and whose courts bind the service")
	say(!inside && (rep.Name == "" || rep.Address == "" || rep.Mail == "" || rep.Phone == ""),
		"[representative] lacks name, address, mail or phone, and a service from outside of the "+
			"European Union must name one (DSA Art. 13(4))")
	say(c.Terms == "", "contact.terms is empty: the rules must be published (DSA Art. 14)")
	say(c.Emergency == "", "contact.emergency is empty: removal orders of one hour (Regulation "+
		"(EU) 2021/784) arrive where nobody is woken")
	return out
}
