package safety

import "slices"

// EEA are the countries that the DSA Transparency Database knows as territories, by ISO 3166-1
// alpha-2.
//
// https://transparency.dsa.ec.europa.eu/page/api-documentation
func EEA() []string {
	return []string{
		"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE",
		"IS", "IT", "LI", "LT", "LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
	}
}

// EU are the Member States of the European Union, by ISO 3166-1 alpha-2.
func EU() []string {
	return slices.DeleteFunc(EEA(), func(c string) bool {
		return c == "IS" || c == "LI" || c == "NO"
	})
}

// Covers tells whether a territory, in which none means everywhere, has a country.
func Covers(territory []string, country string) bool {
	return len(territory) == 0 || slices.Contains(territory, country)
}
