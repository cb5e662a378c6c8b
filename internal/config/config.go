// Package config holds the server's whole configuration in one struct and fills it from a TOML
// file, the environment and flags. The comments on the struct's fields are the operator's manual:
// they are embedded in the program and printed by WriteDefault, so the two cannot drift apart.
//
// It refuses to guess: a key that does not exist, a value of the wrong kind and settings that
// contradict each other are errors that name the file, the line and the key. It opens no database
// and no socket, and it changes nothing.
//
// Invariants: the defaults alone are a complete and safe configuration; later sources override
// earlier ones key by key, in the order file, environment, flags; a loaded Config has no empty
// field that another one determines.
package config

import (
	"time"

	"parley/internal/limit"
)

// Config is everything an operator can decide about a server.
type Config struct {
	// Data is the directory that holds everything the server keeps unless a key below says
	// otherwise. It is created when missing, readable by the server's user only.
	Data string `toml:"data" flag:"data"`

	// Listen is where clients connect, as HOST:PORT or :PORT, one or more. Every transport is
	// understood on every port. Some client libraries insist on ports 80 and 443.
	Listen []string `toml:"listen" flag:"listen"`

	// Advertise is where clients are told to connect, as ADDRESS:PORT with numeric addresses, one
	// or more. Empty means the addresses of listen, and for 0.0.0.0 or [::] the first address of
	// this machine that others can reach. Set it when clients come through a translated address.
	Advertise []string `toml:"advertise" flag:"advertise"`

	// Origins are the hosts of the web pages that may connect, such as "web.example.org", or
	// "localhost:8080" with a port that is not the usual one. Browsers name the page in the request
	// for a web socket. Empty means that pages from anywhere may connect, which gives them nothing
	// that a program has not: keys lie in the page's own storage, and no cookie counts here.
	Origins []string `toml:"origins"`

	// DC is the number of the data centre that this server claims to be, 1 to 5. Clients remember
	// it, so it must not change once anybody has logged in.
	DC int `toml:"dc"`

	// Demo fills an empty server with invented people and chats whose login codes are known to
	// everybody. It is refused unless every listening address is on loopback.
	Demo bool `toml:"demo" flag:"demo"`

	// Web is the door for people: public forms, staff pages, authorities, the transparency log.
	Web Web `toml:"web"`

	// Console is the door for the staff who decide about reports.
	Console ConsoleDoor `toml:"console"`

	// Contact is whom people and authorities reach, and what the pages say of the operator.
	Contact Contact `toml:"contact"`

	// Representative is the legal representative in the European Union, for who is established
	// outside of it and offers the service there.
	Representative Representative `toml:"representative"`

	// Policy has the rules for orders of authorities.
	Policy Policy `toml:"policy"`

	// Transparency is the public log of decisions, and the daily reports computed from it.
	Transparency Transparency `toml:"transparency"`

	// DSA is about statements of reasons for the EU's DSA Transparency Database.
	DSA DSA `toml:"dsa"`

	// Crime is about suspicions of crimes that threaten life or safety.
	Crime Crime `toml:"crime"`

	// CyberTip is about reports on the abuse of children to the NCMEC in the United States.
	CyberTip CyberTip `toml:"cybertip"`

	// Hotline is about trusted flaggers, other hotlines, and the dialogue with regulators.
	Hotline Hotline `toml:"hotline"`

	// OnCall is who is woken in an emergency: by a hotline's report of a danger to a child or to
	// life, or by an order that gives one hour.
	OnCall OnCall `toml:"oncall"`

	// MailIn takes mails in: orders of authorities, by mail.
	MailIn MailIn `toml:"mailin"`

	// Inner is the door for the operator's own machines: metrics and health.
	Inner Inner `toml:"inner"`

	// Store is the database.
	Store Store `toml:"store"`

	// Blob is where files are kept.
	Blob Blob `toml:"blob"`

	// Keyring protects the keys of clients while they lie in the database.
	Keyring Keyring `toml:"keyring"`

	// Registration decides who may make an account.
	Registration Registration `toml:"registration"`

	// Codes decides how login codes reach people.
	Codes Codes `toml:"codes"`

	// SMTP is the mail server for login codes when codes.sender is "smtp", and for receipts and
	// decisions to people who gave notice and have no account. Without it they are on pages only.
	SMTP SMTP `toml:"smtp"`

	// Webhook is the program that delivers login codes, used when codes.sender is "webhook".
	Webhook Webhook `toml:"webhook"`

	// MTProxy lets clients connect through the proxy protocol, on the same ports.
	MTProxy MTProxy `toml:"mtproxy"`

	// Limits bounds what one address, one account and one device may do. A rate is written as
	// TIMES/DURATION: "30/1m" grants thirty at once and one more each two seconds. "off" is no
	// limit.
	Limits Limits `toml:"limits"`

	// Retention decides how long things are kept that nobody asked to keep. Durations are written
	// with the units d, h, m and s, such as "30d" or "1d12h".
	Retention Retention `toml:"retention"`

	// Log is about diagnostics for the operator. They never contain message text, phone numbers,
	// codes or keys, at any level.
	Log Log `toml:"log"`
}

// Web is section [web].
type Web struct {
	// Listen is the HOST:PORT of the pages, in plain HTTP. Leave it on loopback, or in a private
	// network, and put a reverse proxy with a certificate in front of it.
	Listen string `toml:"listen" flag:"web"`

	// PublicURL is the address under which people reach the pages, such as
	// "https://chat.example.org". Letters and messages link to it. Empty means http:// and listen.
	PublicURL string `toml:"public_url"`

	// TrustedProxies are the addresses or networks of reverse proxies whose X-Forwarded-For header
	// is believed. The header of anybody else is ignored.
	TrustedProxies []string `toml:"trusted_proxies"`
}

// ConsoleDoor is section [console].
type ConsoleDoor struct {
	// Listen is the HOST:PORT of the moderators' console, in plain HTTP. Leave it on loopback, or
	// in a private network, and put a reverse proxy with a certificate in front of it. Empty means
	// that there is no console.
	Listen string `toml:"listen" flag:"console"`

	// PublicURL is the address under which the staff reach the console, such as
	// "https://staff.example.org". Security keys are bound to its host name. Empty means
	// http://localhost and the port of listen.
	PublicURL string `toml:"public_url"`

	// MediaURL is the address from which the console shows reported files, such as
	// "https://staff-media.example.net". It leads to the same listener under another host name, so
	// that no cookie of the console ever goes there. Empty means http://127.0.0.1 and the port of
	// listen.
	MediaURL string `toml:"media_url"`

	// TwoPeople is from how many accounts, messages and members on a decision takes two people. The
	// end of an account or a chat always does.
	TwoPeople int `toml:"two_people"`
}

// Contact is section [contact]. Lines that are empty are not shown.
type Contact struct {
	// Provider is who runs the server: name and postal address.
	Provider string `toml:"provider"`

	// Established is the country in which whoever runs the server is established, by the two
	// letters of ISO 3166, such as "DE". Orders of its courts bind the service as its law says.
	Established string `toml:"established"`

	// People is where anybody can write to a person, a mail address or an https address.
	People string `toml:"people"`

	// Authorities is where authorities can write, a mail address or an https address.
	Authorities string `toml:"authorities"`

	// Emergency is the address, of mail or https, that wakes somebody: for removal orders of one
	// hour and dangers to life. Empty means authorities.
	Emergency string `toml:"emergency"`

	// Regulators is where supervising authorities can write. Empty means authorities.
	Regulators string `toml:"regulators"`

	// Flaggers is where trusted flaggers and hotlines can write. Empty means authorities.
	Flaggers string `toml:"flaggers"`

	// Security is where one can tell of a weakness of the service. Empty means people.
	Security string `toml:"security"`

	// Languages are those in which one can write to all of them, such as ["en", "de"].
	Languages []string `toml:"languages"`

	// Hours is when somebody reads what is written there, such as "Mon-Fri 9-17 CET, emergencies at
	// any time".
	Hours string `toml:"hours"`

	// Key is the https address of the OpenPGP key to which one can encrypt.
	Key string `toml:"key"`

	// SigningKey is a file with an OpenPGP private key, armored and without a password, that signs
	// /.well-known/security.txt. Empty leaves it unsigned.
	SigningKey string `toml:"signing_key"`

	// Terms is the https address of the terms of use.
	Terms string `toml:"terms"`

	// Disputes are the https addresses of certified out-of-court dispute bodies that one may turn
	// to.
	Disputes []string `toml:"disputes"`
}

// Representative is section [representative].
type Representative struct {
	// Name is the representative's name.
	Name string `toml:"name"`

	// Address is the postal address.
	Address string `toml:"address"`

	// Mail is the mail address.
	Mail string `toml:"mail"`

	// Phone is the telephone number.
	Phone string `toml:"phone"`
}

// Policy is section [policy].
type Policy struct {
	// Rules is a folder with files of rules (docs/policy.md). Empty means those that the program
	// comes with.
	Rules string `toml:"rules"`

	// Indices is the file into which "parley policy import" writes public indices of countries.
	// Empty means countries.toml in data.
	Indices string `toml:"indices"`
}

// Transparency is section [transparency].
type Transparency struct {
	// Origin is the name of the log, which everybody who checks it knows it by, such as
	// "chat.example.org/log". It cannot change once the log exists. Empty means the host of
	// web.public_url and "/log", as they are at the first start.
	Origin string `toml:"origin"`

	// Interval is how often new lines are signed and published.
	Interval Duration `toml:"interval"`

	// Witnesses is a file that says who must cosign what is published, in the form of a C2SP policy
	// file. As long as they do not, nothing new is published, and nothing is lost. Empty means
	// nobody.
	Witnesses string `toml:"witnesses"`

	// Mirror is where a copy of the log's public files is kept, so that those who check it load
	// another machine: "dir:PATH", or "s3://KEY:SECRET@HOST:PORT/BUCKET" with the same parameters
	// as blob.url. Anybody may be let read it. Empty means nowhere.
	Mirror Secret `toml:"mirror"`

	// Rules is a directory with the texts of your rules in all their versions, as
	// NAME/DAY.LANG.txt: "terms/2026-11-29.en.txt". Each is published beside the log, which gets
	// its digest; pages show what changed. Empty publishes none.
	Rules string `toml:"rules"`

	// Forms is a directory with the reports that laws prescribe, as NAME/FROM.TO.EXTENSION:
	// "eu-2024-2835/2026-01-01.2026-12-31.zip", as csv, json, xlsx or zip. "parley admin report"
	// writes them (docs/forms.md). Each is published beside the log for good; one that is changed
	// later is published as a correction. Empty publishes none.
	Forms string `toml:"forms"`

	// Canary is the file of a statement that a person signs at intervals with
	// "parley-verify canary sign", on another machine than this. A new one is published within a
	// minute; a page warns once it has expired. Empty publishes none.
	Canary string `toml:"canary"`

	// CanaryKeys are the public keys of the persons whose statements are published.
	CanaryKeys []string `toml:"canary_keys"`

	// ReportChannel is the username of the public channel in which the service posts its daily
	// report. It is made when it does not exist. Empty posts nothing.
	ReportChannel string `toml:"report_channel"`

	// ChildSafetyChannel is the same for what was banned because of the abuse of children.
	ChildSafetyChannel string `toml:"child_safety_channel"`

	// TerrorismChannel is the same for what was banned because of terrorism.
	TerrorismChannel string `toml:"terrorism_channel"`
}

// DSA is section [dsa].
type DSA struct {
	// Mode is "dry" to write down what would be sent and send nothing, "send" to send it, "off" to
	// do neither. Statements wait while nothing is sent, and are sent once it is "send". Sending is
	// a duty of online platforms that are not small enterprises; the national coordinator gives
	// access, to a sandbox first.
	Mode DSAMode `toml:"mode"`

	// Directory is where a dry run appends to a file a day. Empty means dsa in the data directory.
	Directory string `toml:"directory"`

	// URL is the address of the database's API, such as
	// "https://transparency.dsa.ec.europa.eu/api/v1". It must be https, or http on loopback.
	URL string `toml:"url"`

	// Token is the platform's token. Everybody who has it can send in its name.
	Token Secret `toml:"token"`
}

// Inner is section [inner].
type Inner struct {
	// Listen is the HOST:PORT of /metrics, /healthz and /readyz, in plain HTTP. Nobody but the
	// operator may reach it. Empty means that they are not served.
	Listen string `toml:"listen"`
}

// Store is section [store].
type Store struct {
	// URL is "sqlite:PATH" for the embedded database or "postgres://USER:PASSWORD@HOST/NAME".
	// Empty means "sqlite:" and parley.db in the data directory.
	URL Secret `toml:"url"`
}

// Blob is section [blob].
type Blob struct {
	// URL is "dir:PATH" for a directory or "s3://KEY:SECRET@HOST:PORT/BUCKET" for an object store,
	// which may end with "?tls=0", "?region=NAME" or "?prefix=PATH/". Empty means "dir:" and blobs
	// in the data directory.
	URL Secret `toml:"url"`
}

// Keyring is section [keyring].
type Keyring struct {
	// Dir is the directory in which keys/ holds the secret that encrypts all other keys, and the
	// key by which clients recognise the server. They are made at the first start. Without them
	// every client must be set up again, and whoever has them and the database can impersonate
	// everybody: back them up, but not beside the database. Empty means the data directory.
	Dir string `toml:"dir"`
}

// Registration is section [registration].
type Registration struct {
	// Mode is "open" when anybody with a phone number may make an account, "invite" when an
	// invitation of a user is needed, "closed" when only the operator makes accounts. Empty means
	// "open" as long as login codes stay on this machine, and is an error once they leave it.
	Mode Mode `toml:"mode"`
}

// Codes is section [codes].
type Codes struct {
	// Sender is "console" to print codes on standard output and append them to a file, "jsonl" to
	// append them to the file only, "smtp" to send mail, "webhook" to call a program of yours that
	// sends them on.
	Sender Sender `toml:"sender"`

	// File is where "console" and "jsonl" append one JSON object for each code. Empty means
	// login-codes.jsonl in the data directory.
	File string `toml:"file"`
}

// SMTP is section [smtp].
type SMTP struct {
	// Server is the HOST:PORT of the mail server.
	Server string `toml:"server"`

	// TLS is "starttls", "tls" from the first byte, or "none", which is only for loopback.
	TLS SMTPTLS `toml:"tls"`

	// Username is the account at the mail server. Empty means no authentication.
	Username string `toml:"username"`

	// Password is the account's password.
	Password Secret `toml:"password"`

	// From is the sender's mail address.
	From string `toml:"from"`
}

// Webhook is section [webhook].
type Webhook struct {
	// URL receives a POST with a JSON object for each code. It must be https, or http on loopback.
	URL string `toml:"url"`

	// Secret signs each call, so that the program can tell that it came from this server. At least
	// 16 characters.
	Secret Secret `toml:"secret"`
}

// MTProxy is section [mtproxy].
type MTProxy struct {
	// Domain is the website that the server's own proxy secret pretends to visit, such as
	// "www.example.org": one that many people visit, and that the network does not block. The
	// server makes such a secret, shows its link at /access and in the service chat, and
	// "parley admin proxy rotate" makes another. Empty means that it makes none.
	Domain string `toml:"domain"`

	// Host is where links of proxies lead, an address or a name that leads to this server. Empty
	// means what is advertised.
	Host string `toml:"host"`

	// Front is the website that the ports of this server show to whoever comes with TLS but without
	// a secret, as HOST:PORT: he is connected with it, so that a censor who tries the port finds
	// that website and its certificate. It should be the website of mtproxy.domain, or one of
	// yours under that name, and never this server itself, where strangers would go round in a
	// circle. Empty closes such connections, by which the server can be recognised.
	Front string `toml:"front"`

	// Listen are addresses as HOST:PORT, best port 443, on which nothing but secrets that begin
	// with "ee" is served; whoever else comes, whatever he sends, is connected with mtproxy.front.
	// Links of proxies lead to the first of them. On the ports of "listen" clients without a proxy
	// are served as well, so that a censor can find out what they are.
	Listen []string `toml:"listen"`

	// Secrets are the proxy secrets that are accepted, in hexadecimal: 32 digits, "dd" and 32
	// digits, or "ee", 32 digits and a host name in hexadecimal. None means no proxy.
	Secrets []Secret `toml:"secrets"`
}

// Limits is section [limits].
type Limits struct {
	// Connections is how many client connections may be open at once.
	Connections int `toml:"connections"`

	// ConnectionsPerAddress is how many of them may come from one address.
	ConnectionsPerAddress int `toml:"connections_per_address"`

	// Handshakes is how often one address may exchange a new key.
	Handshakes limit.Rate `toml:"handshakes"`

	// Requests is how often one device may call any method.
	Requests limit.Rate `toml:"requests"`

	// CodesPerPhone is how many login codes one phone number may be sent.
	CodesPerPhone limit.Rate `toml:"codes_per_phone"`

	// CodesPerAddress is how many login codes one address may ask for.
	CodesPerAddress limit.Rate `toml:"codes_per_address"`

	// CodesTotal is how many login codes may be sent at all: it bounds what they cost.
	CodesTotal limit.Rate `toml:"codes_total"`

	// Messages is how many messages one account may send.
	Messages limit.Rate `toml:"messages"`

	// Joins is how many groups and channels one account may make or join.
	Joins limit.Rate `toml:"joins"`

	// Contacts is how many phone numbers one account may look up or import.
	Contacts limit.Rate `toml:"contacts"`

	// Pages is how many pages one address may ask for.
	Pages limit.Rate `toml:"pages"`

	// Forms is how many forms one address may send: notices, complaints, answers. Notices about
	// dangers to children or to life have as much again of their own.
	Forms limit.Rate `toml:"forms"`
}

// Retention is section [retention].
type Retention struct {
	// Updates is how long a device may be offline and still be told what it missed one by one.
	// Later it loads its chats afresh.
	Updates Duration `toml:"updates"`

	// Uploads is how long the parts of an unfinished upload are kept.
	Uploads Duration `toml:"uploads"`

	// Authorizations is how long a device may be silent before it is logged out. "0d" means for
	// ever.
	Authorizations Duration `toml:"authorizations"`

	// Addresses is how long the network addresses of devices are kept.
	Addresses Duration `toml:"addresses"`

	// Correspondence is how long the database keeps letters and mails that somebody acted on, with
	// all that was said, since the last of it: what was ordered, asked and answered. Courts and
	// supervising authorities ask for it later, and claims about it can be raised for some years;
	// in Germany it is three (BGB § 195). What is open, waits, or belongs to an order that has an
	// effect is kept on. Mails as they came, and papers, lie in the blob store and go within two
	// days of the last row that names them (docs/mail.md). Set what your law says, and no
	// more: GDPR Art. 5(1)(e).
	Correspondence Duration `toml:"correspondence"`

	// Asides is how long mails are kept that nobody had to act on, since the last that happened to
	// them: what machines wrote, and what somebody read and closed without an answer. It is long
	// enough to find a mail of which its sender says that it was overlooked.
	Asides Duration `toml:"asides"`
}

// Log is section [log].
type Log struct {
	// Level is the least important line that is written: "debug", "info", "warn" or "error".
	Level Level `toml:"level"`

	// Format is "text" for people or "json" for programs.
	Format Format `toml:"format"`
}

// day is the unit of retention.
const day = Duration(24 * time.Hour)

// Default returns the configuration of a server that was told nothing. Fields whose comment says
// what empty means are empty; Load fills them.
func Default() Config {
	return Config{
		Data:   "parley-data",
		Listen: []string{"0.0.0.0:4430"},
		DC:     2,
		Web: Web{
			Listen:         "127.0.0.1:8080",
			TrustedProxies: []string{"127.0.0.0/8", "::1/128"},
		},
		Console: ConsoleDoor{Listen: "127.0.0.1:4433", TwoPeople: 1000},
		Transparency: Transparency{
			Interval:           Duration(10 * time.Second),
			ReportChannel:      "daily_report",
			ChildSafetyChannel: "stop_child_abuse",
			TerrorismChannel:   "stop_terror",
		},
		DSA:      DSA{Mode: DSADry},
		CyberTip: CyberTip{Mode: DSAOff},
		Hotline:  Hotline{Files: 100_000, Digests: 2000, Regulators: 3 * day},
		OnCall:   OnCall{Wait: Duration(10 * time.Minute), Lang: "en"},
		MailIn: MailIn{
			Doors:   []string{"authorities", "emergency", "regulators", "flaggers", "people"},
			MaxSize: 20 << 20, Rate: limit.Rate{Burst: 60, Per: time.Hour},
		},
		Inner: Inner{Listen: "127.0.0.1:8081"},
		Codes: Codes{Sender: Console},
		SMTP:  SMTP{TLS: StartTLS},
		Limits: Limits{
			Connections:           20_000,
			ConnectionsPerAddress: 64,
			Handshakes:            limit.Rate{Burst: 60, Per: time.Minute},
			Requests:              limit.Rate{Burst: 1200, Per: time.Minute},
			CodesPerPhone:         limit.Rate{Burst: 5, Per: 24 * time.Hour},
			CodesPerAddress:       limit.Rate{Burst: 30, Per: time.Hour},
			CodesTotal:            limit.Rate{Burst: 10_000, Per: 24 * time.Hour},
			Messages:              limit.Rate{Burst: 60, Per: time.Minute},
			Joins:                 limit.Rate{Burst: 50, Per: time.Hour},
			Contacts:              limit.Rate{Burst: 1000, Per: 24 * time.Hour},
			Pages:                 limit.Rate{Burst: 600, Per: time.Minute},
			Forms:                 limit.Rate{Burst: 60, Per: time.Hour},
		},
		Retention: Retention{
			Updates:        30 * day,
			Uploads:        day,
			Authorizations: 183 * day,
			Addresses:      30 * day,
			Correspondence: 3 * 365 * day,
			Asides:         365 * day,
		},
		Log: Log{Level: LevelInfo, Format: FormatText},
	}
}
