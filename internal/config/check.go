package config

import (
	"encoding/hex"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/language"
)

// Schemes of store.url and blob.url.
const (
	schemeSQLite     = "sqlite:"
	schemePostgres   = "postgres://"
	schemePostgreSQL = "postgresql://"
	schemeDir        = "dir:"
	schemeS3         = "s3://"
)

// minWebhookSecret is the shortest webhook.secret, in characters.
const minWebhookSecret = 16

// maxDC is the highest data centre number that clients know.
const maxDC = 5

// check records everything that is wrong with the derived configuration on a machine that has these
// addresses.
func (l *loader) check(addresses []netip.Addr) {
	c := l.config
	if c.Data == "" {
		l.problem("data", "must name a directory")
	}
	if c.DC < 1 || c.DC > maxDC {
		l.problem("dc", "is %d and must be 1 to %d", c.DC, maxDC)
	}
	l.checkListen()
	l.checkAdvertise()
	l.checkOrigins()
	l.checkWeb()
	l.checkConsole()
	l.checkContact()
	l.checkDSA()
	l.checkCrime()
	l.checkCyberTip()
	l.checkHotline()
	l.checkOnCall()
	l.checkMailIn()
	l.checkStore()
	l.checkBlob()
	l.checkCodes()
	l.checkMTProxy(addresses)
	l.checkLimits()
	l.checkRetention()
}

// checkListen looks at all listening addresses together.
func (l *loader) checkListen() {
	c := l.config
	if len(c.Listen) == 0 {
		l.problem("listen", "must name at least one HOST:PORT")
	}
	taken := make(map[string][]string) // hosts by port
	add := func(key, address string) {
		host, port, err := net.SplitHostPort(address)
		if err != nil || !isPort(port) {
			l.problem(key, "%q is not HOST:PORT", address)
			return
		}
		collides := func(other string) bool { return covers(other, host) || covers(host, other) }
		if port != "0" && slices.ContainsFunc(taken[port], collides) {
			l.problem(key, "%q is listened on twice", address)
		}
		taken[port] = append(taken[port], host)
		if c.Demo && !isLoopback(host) {
			l.problem(key, "%q is not on loopback, and a demo may only listen there", address)
		}
	}
	for _, address := range c.Listen {
		add("listen", address)
	}
	for _, address := range c.MTProxy.Listen {
		add("mtproxy.listen", address)
	}
	add("web.listen", c.Web.Listen)
	if c.Inner.Listen != "" {
		add("inner.listen", c.Inner.Listen)
	}
	if c.Console.Listen != "" {
		add("console.listen", c.Console.Listen)
	}
}

func (l *loader) checkAdvertise() {
	for _, address := range l.config.Advertise {
		where, err := netip.ParseAddrPort(address)
		if err != nil || where.Addr().IsUnspecified() {
			l.problem("advertise", "%q is not a numeric ADDRESS:PORT that clients can reach", address)
		}
	}
	if len(l.config.Advertise) == 0 && len(l.config.Listen) > 0 {
		l.problem("advertise", "must be set, because listen does not tell how clients get here")
	}
}

func (l *loader) checkOrigins() {
	for _, host := range l.config.Origins {
		u, err := url.Parse("https://" + host)
		if err != nil || u.Hostname() == "" || u.Host != host || strings.ToLower(host) != host {
			l.problem("origins", "%q is not a host in lower case, such as web.example.org", host)
		}
	}
}

// checkAddress looks at an address under which people reach pages, and returns its host.
func (l *loader) checkAddress(key, address string) string {
	public, err := url.Parse(address)
	if err != nil || public.Host == "" || public.Scheme != "http" && public.Scheme != "https" ||
		public.RawQuery != "" || public.Fragment != "" || public.User != nil {
		l.problem(key, "%q is not an address such as https://chat.example.org", address)
		return ""
	}
	return public.Hostname()
}

// checkConsole keeps the two addresses of the console apart: cookies know no ports, only hosts.
func (l *loader) checkConsole() {
	c := l.config.Console
	if c.TwoPeople < 1 {
		l.problem("console.two_people", "%d is not positive", c.TwoPeople)
	}
	if c.Listen == "" {
		return
	}
	pages := l.checkAddress("console.public_url", c.PublicURL)
	media := l.checkAddress("console.media_url", c.MediaURL)
	if pages != "" && pages == media {
		l.problem("console.media_url", "has the host of console.public_url, and must have another")
	}
}

func (l *loader) checkWeb() {
	web := l.config.Web
	l.checkAddress("web.public_url", web.PublicURL)
	for _, proxy := range web.TrustedProxies {
		_, errPrefix := netip.ParsePrefix(proxy)
		_, errAddr := netip.ParseAddr(proxy)
		if errPrefix != nil && errAddr != nil {
			l.problem("web.trusted_proxies", "%q is neither an address nor a network", proxy)
		}
	}
}

// checkContact keeps what pages link to to addresses that a browser or a mail program opens.
func (l *loader) checkContact() {
	c := l.config.Contact
	reachable := func(key, address string) {
		if _, err := mail.ParseAddress(address); address != "" && err != nil && !isSecure(address) {
			l.problem(key, "%q is neither a mail address nor an https:// address", address)
		}
	}
	reachable("contact.people", c.People)
	reachable("contact.authorities", c.Authorities)
	reachable("contact.emergency", c.Emergency)
	reachable("contact.regulators", c.Regulators)
	reachable("contact.flaggers", c.Flaggers)
	reachable("contact.security", c.Security)
	if rep := l.config.Representative.Mail; rep != "" {
		if _, err := mail.ParseAddress(rep); err != nil {
			l.problem("representative.mail", "%q is not a mail address", rep)
		}
	}
	if r, err := language.ParseRegion(c.Established); c.Established != "" &&
		(err != nil || !r.IsCountry() || r.String() != c.Established) {
		l.problem("contact.established", "%q is not a country such as DE", c.Established)
	}
	for _, code := range c.Languages {
		if _, err := language.ParseBase(code); err != nil {
			l.problem("contact.languages", "%q is not the code of a language", code)
		}
	}
	for key, address := range map[string]string{"terms": c.Terms, "key": c.Key} {
		if address != "" && !isSecure(address) {
			l.problem("contact."+key, "%q is not an https:// address", address)
		}
	}
	for _, address := range c.Disputes {
		if !isSecure(address) {
			l.problem("contact.disputes", "%q is not an https:// address", address)
		}
	}
}

// isSecure tells whether something is an https:// address.
func isSecure(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.Host != ""
}

// checkStore does not show the URL, which may hold a password.
func (l *loader) checkStore() {
	address := l.config.Store.URL.Reveal()
	if path, ok := strings.CutPrefix(address, schemeSQLite); ok {
		if path == "" {
			l.problem("store.url", "must name a file after %s", schemeSQLite)
		}
		return
	}
	parsed, err := url.Parse(address)
	if err != nil || !strings.HasPrefix(address, schemePostgres) &&
		!strings.HasPrefix(address, schemePostgreSQL) || len(parsed.Path) < 2 {
		l.problem("store.url", "is neither %sPATH nor %sUSER:PASSWORD@HOST/NAME",
			schemeSQLite, schemePostgres)
	}
}

// checkBlob does not show the URL, which may hold a key.
func (l *loader) checkBlob() {
	l.checkFiles("blob.url", l.config.Blob.URL)
	if l.config.Transparency.Mirror != "" {
		l.checkFiles("transparency.mirror", l.config.Transparency.Mirror)
	}
}

// checkFiles looks at where files are kept.
func (l *loader) checkFiles(key string, where Secret) {
	address := where.Reveal()
	if path, ok := strings.CutPrefix(address, schemeDir); ok {
		if path == "" {
			l.problem(key, "must name a directory after %s", schemeDir)
		}
		return
	}
	bucket, err := url.Parse(address)
	if err != nil || !strings.HasPrefix(address, schemeS3) || bucket.Host == "" ||
		bucket.User == nil || len(bucket.Path) < 2 {
		l.problem(key, "is neither %sPATH nor %sKEY:SECRET@HOST:PORT/BUCKET",
			schemeDir, schemeS3)
	}
}

func (l *loader) checkCodes() {
	c := l.config
	if c.Registration.Mode == "" {
		l.problem("registration.mode",
			`must be "open", "invite" or "closed", because login codes leave this machine`)
	}
	if c.Codes.Sender == ByMail || c.SMTP.Server != "" {
		l.checkSMTP(c.SMTP)
	}
	if c.Codes.Sender == ByWebhook {
		l.checkWebhook(c.Webhook)
	}
}

func (l *loader) checkSMTP(smtp SMTP) {
	host, port, err := net.SplitHostPort(smtp.Server)
	if err != nil || host == "" || !isPort(port) {
		l.problem("smtp.server", "%q is not HOST:PORT", smtp.Server)
	}
	if smtp.TLS == NoTLS && !isLoopback(host) {
		l.problem("smtp.tls", `may be "none" only for a server on loopback`)
	}
	if _, err := mail.ParseAddress(smtp.From); err != nil {
		l.problem("smtp.from", "%q is not a mail address", smtp.From)
	}
	if (smtp.Username == "") != (smtp.Password == "") {
		l.problem("smtp.password", "goes together with smtp.username: set both or neither")
	}
}

// isPrivate tells whether nobody else reads what is sent to an address: https, or http on loopback.
func isPrivate(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Host != "" &&
		(u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname()))
}

// checkDSA does not show the token.
func (l *loader) checkDSA() {
	dsa := l.config.DSA
	if dsa.URL != "" && !isPrivate(dsa.URL) {
		l.problem("dsa.url", "must be an https:// address, or an http:// one on loopback")
	}
	if dsa.Mode != DSASend {
		return
	}
	if dsa.URL == "" {
		l.problem("dsa.url", `must be set, because dsa.mode is "send"`)
	}
	if dsa.Token == "" {
		l.problem("dsa.token", `must be set, because dsa.mode is "send"`)
	}
}

func (l *loader) checkWebhook(webhook Webhook) {
	if !isPrivate(webhook.URL) {
		l.problem("webhook.url", "must be an https:// address, or an http:// one on loopback")
	}
	if len(webhook.Secret) < minWebhookSecret {
		l.problem("webhook.secret", "must have at least %d characters", minWebhookSecret)
	}
}

// checkMTProxy does not show the secrets.
//
// https://core.telegram.org/mtproto/mtproto-transports#transport-obfuscation
func (l *loader) checkMTProxy(addresses []netip.Addr) {
	const inNames = "abcdefghijklmnopqrstuvwxyz0123456789-."
	if strings.Trim(l.config.MTProxy.Domain, inNames) != "" {
		l.problem("mtproxy.domain", "%q is not the name of a website in lower case",
			l.config.MTProxy.Domain)
	}
	if at := l.config.MTProxy.Front; at != "" {
		if host, port, err := net.SplitHostPort(at); err != nil || host == "" || !isPort(port) {
			l.problem("mtproxy.front", "%q is not HOST:PORT", at)
		} else if key := l.config.LeadsHere(host, port, addresses); key != "" {
			l.problem("mtproxy.front", "%q is this server itself (%s), and must be another "+
				"website: strangers would go round in a circle", at, key)
		}
	} else if len(l.config.MTProxy.Listen) > 0 {
		l.problem("mtproxy.listen", "needs mtproxy.front, the website that strangers find there")
	}
	const keyDigits = 32
	for i, secret := range l.config.MTProxy.Secrets {
		digits := strings.ToLower(secret.Reveal())
		_, err := hex.DecodeString(digits)
		plain := len(digits) == keyDigits
		padded := len(digits) == keyDigits+2 && digits[:2] == "dd"
		fakeTLS := len(digits) > keyDigits+2 && digits[:2] == "ee"
		if err != nil || !plain && !padded && !fakeTLS {
			l.problem("mtproxy.secrets", "secret %d is not 32 hexadecimal digits, nor dd and 32, "+
				"nor ee and 32 and a host name in hexadecimal", i+1)
		}
	}
}

func (l *loader) checkLimits() {
	limits := l.config.Limits
	l.checkPositive("limits.connections", int64(limits.Connections))
	l.checkPositive("limits.connections_per_address", int64(limits.ConnectionsPerAddress))
}

func (l *loader) checkRetention() {
	retention := l.config.Retention
	l.checkPositive("retention.updates", int64(retention.Updates))
	l.checkPositive("retention.uploads", int64(retention.Uploads))
	l.checkPositive("retention.addresses", int64(retention.Addresses))
	l.checkPositive("retention.correspondence", int64(retention.Correspondence))
	l.checkPositive("retention.asides", int64(retention.Asides))
}

func (l *loader) checkPositive(key string, n int64) {
	if n <= 0 {
		l.problem(key, "must be more than zero")
	}
}

// isPort reports whether text is a port number; 0 asks the system for a free one.
func isPort(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}

// isLoopback reports whether a host can be reached from this machine only.
func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// covers reports whether listening on host a takes the same port of host b.
func covers(a, b string) bool {
	wide, err := netip.ParseAddr(a)
	switch {
	case a == b || a == "" || a == "::":
		return true
	case err != nil || !wide.IsUnspecified():
		return false
	}
	narrow, err := netip.ParseAddr(b)
	return err != nil || narrow.Is4()
}
