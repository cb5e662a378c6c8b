// Package limit names every bound of the system in one place, with its unit and its reason. It
// holds constants and token buckets; what to do when a bound is reached is decided by the caller.
package limit

import "time"

// Messages, as clients are told by help.getConfig.
//
// https://core.telegram.org/constructor/config
const (
	// MessageRunes is the longest text of a message, in UTF-16 code units.
	MessageRunes = 4096
	// CaptionRunes is the longest caption of a medium, in UTF-16 code units.
	CaptionRunes = 1024
	// Entities is the largest number of entities of one message.
	Entities = 100
	// ForwardBatch is the largest number of messages in one forward, delete or get request.
	ForwardBatch = 100
	// HistoryPage is the largest number of messages in one answer.
	HistoryPage = 100
	// EditWindow is how long after sending a message may be edited by its author.
	EditWindow = 48 * time.Hour
)

// Groups and channels.
const (
	// ChatMembers is the largest basic group; beyond it a group must become a supergroup.
	ChatMembers = 200
	// MegagroupMembers is the largest supergroup.
	MegagroupMembers = 200_000
	// Admins is how many admins a chat may have.
	Admins = 50
	// JoinNotices is the size of a supergroup from which it is not told who comes and goes.
	JoinNotices = 1000
	// PinnedDialogs is how many dialogs a user may pin in one folder.
	PinnedDialogs = 100
	// TitleRunes is the longest title of a group or channel, in characters.
	TitleRunes = 128
	// AboutRunes is the longest description of a group or channel, in characters.
	AboutRunes = 255
)

// Files.
//
// https://core.telegram.org/api/files
const (
	// UploadPart is the largest part of an upload, in bytes.
	UploadPart = 512 << 10
	// UploadParts is the largest number of parts of one file.
	UploadParts = 4000
	// DownloadPart is the largest range of one upload.getFile, in bytes.
	DownloadPart = 1 << 20
)

// Transport of frames, before anything in them is understood.
//
// https://core.telegram.org/mtproto/mtproto-transports
const (
	// FirstBytes is how long a fresh connection may take to say which transport it speaks, and
	// again to open the stream inside a TLS hello or a web socket upgrade.
	FirstBytes = 5 * time.Second
	// FrameUnkeyed is the largest payload, in bytes, from a peer whose auth key is not known: the
	// longest query of a key exchange is a tenth of it.
	FrameUnkeyed = 4 << 10
	// FrameKeyed is the largest payload of any frame, in bytes: 1 MiB of messages, the envelope and
	// its padding.
	FrameKeyed = 1<<20 + 4<<10
	// FrameStep is the most memory, in bytes, that an announced length alone may claim.
	FrameStep = 32 << 10
	// HTTPHead is the longest HTTP request head, in bytes.
	HTTPHead = 8 << 10
	// TLSHello is the longest record with a TLS ClientHello, in bytes.
	TLSHello = 4 << 10
	// FrontDial is how long it may take to connect to the website that strangers are handed on
	// to, FrontIdle how long neither they nor it may send anything: longer than websites wait.
	FrontDial = 10 * time.Second
	FrontIdle = 5 * time.Minute
	// HelloSkew is how far the time in a fake TLS hello may be from ours.
	HelloSkew = 10 * time.Minute
	// HelloReplays is how many accepted fake TLS hellos are remembered.
	HelloReplays = 1 << 16
)

// MTProto sessions.
//
// https://core.telegram.org/mtproto/description
const (
	// MsgPast and MsgFuture are how far the time in a client's msg_id may be from ours.
	MsgPast   = 300 * time.Second
	MsgFuture = 30 * time.Second
	// MsgWindow is how many msg_ids of one session are remembered against replay.
	MsgWindow = 2048
	// SeqNoSlack is how far a client's seqno may fall behind its highest before it is refused.
	SeqNoSlack = 4096
	// ContainerTaken is the largest number of messages of a client's container, ContainerSent of
	// ours; clients accept 1020 without exception.
	ContainerTaken = 1024
	ContainerSent  = 1020
	// ContainerBytes is the size of a container of ours, in bytes, beyond which none is added to it.
	ContainerBytes = 512 << 10
	// ServiceIDs is the largest number of msg_ids in one service message.
	ServiceIDs = 8192
	// AnswersHeld is how many bytes of unacknowledged answers a session keeps to send again.
	AnswersHeld = 1 << 20
	// PushesHeld and PushesHeldBytes bound the pushes of a session that are unsent or
	// unacknowledged. Beyond them all are dropped and the client is told to ask for the difference.
	PushesHeld      = 500
	PushesHeldBytes = 1 << 20
	// NoticesHeld is how many unsent service messages a session holds before its client, which
	// evidently asks without reading, is cut off.
	NoticesHeld = 1024
	// AcksHeld is how many acknowledgements wait for a packet to join; the oldest are dropped.
	AcksHeld = 2048
	// ResendEvery is how often one message may be sent again on request.
	ResendEvery = 10 * time.Second
	// ResendRequests is how many requests to send again, or for the state of messages, a session
	// may make in each ResendEvery.
	ResendRequests = 100
	// AnswerRepeated is the largest answer, in bytes, that a repeated query gets at once instead of
	// a notice that the answer exists.
	AnswerRepeated = 1 << 10
	// FutureSalts is the largest number of salts in one answer.
	FutureSalts = 64
	// PingDelay is the longest wait for the next packet that a client may ask for.
	PingDelay = 300 * time.Second
	// Unpacked is how many bytes the gzip_packed parts of one envelope may come to together, and
	// UnpackedPart each of them.
	Unpacked     = 2 << 20
	UnpackedPart = 1 << 20
	// PackFrom is the smallest answer, in bytes, that is compressed.
	PackFrom = 1 << 10
	// Wrappers is how many invoke wrappers may surround one query.
	Wrappers = 8
	// AfterIDs is the largest number of queries that one query may wait for.
	AfterIDs = 256
	// Depth is how deep values of recursive TL types may nest, and Recursive how many of them one
	// query may contain.
	Depth     = 16
	Recursive = 10_000
)

// The gateway: connections, and the queries of their sessions.
const (
	// Connections is how many connections are open at most, and ConnectionsPerAddress how many of
	// them from one IPv4 address or one /64 of IPv6, unless the configuration says otherwise.
	Connections           = 200_000
	ConnectionsPerAddress = 64
	// Unkeyed is how long a connection may take for a key exchange, or to use a key.
	Unkeyed = 15 * time.Second
	// FrameTime is how long a frame of more than a few bytes may take to arrive.
	FrameTime = 30 * time.Second
	// Idle is how long a client may be silent that did not ask for longer.
	Idle = 90 * time.Second
	// UnknownKeys is how many frames under unknown keys one connection may send.
	UnknownKeys = 16
	// KeyLookup is how long the search for one key may take.
	KeyLookup = 10 * time.Second
	// SessionsPerKey is how many sessions of one key are kept, and SessionKept how long one is that
	// has no connection. It must exceed MsgPast and MsgFuture together, so that what was sent to
	// the session cannot be replayed to a new one under the same id.
	SessionsPerKey = 20
	SessionKept    = 10 * time.Minute
	// SessionEmpty is how long a session is kept whose client never sent a valid message.
	SessionEmpty = 30 * time.Second
	// TempKeysPerKey is how many temporary keys may be bound to one permanent key; clients use one
	// for each of their sessions. TempKeys is how many are kept in all, UnboundTempKey how long one
	// that is bound to none.
	TempKeysPerKey = 16
	TempKeys       = 1_000_000
	UnboundTempKey = 10 * time.Minute
	// BindSkew is how far the end of a temporary key by its client's reckoning may lie behind ours.
	BindSkew = 5 * time.Minute
	// QueriesPerSession is how many queries of one session run at once, Queries how many of all.
	QueriesPerSession = 16
	Queries           = 4096
	// QueriesWaiting is how many queries of a session may wait or run before no more are read from
	// its connection.
	QueriesWaiting = 128
	// AnswersWaiting is how many bytes of answers may wait to be sent before no further query of
	// the session runs.
	AnswersWaiting = 1 << 20
	// AfterArrival is how long a query waits for one to arrive that it must follow, AfterResult for
	// that one's result.
	AfterArrival = 200 * time.Millisecond
	AfterResult  = 10 * time.Second
	// FailuresKept is how many failed queries a session remembers for those that follow them.
	FailuresKept = 64
	// AckDelay is how long an acknowledgement waits for an answer to go along with.
	AckDelay = 500 * time.Millisecond
	// WriteBatch is how many bytes a connection collects before they are written.
	WriteBatch = 1 << 20
	// SlowWrite is how long a peer may take for each SlowBytes that it lets wait.
	SlowWrite = 30 * time.Second
	SlowBytes = 32 << 10
	// Farewell is how long a connection that is to be closed may take for its last bytes.
	Farewell = 2 * time.Second
	// AcceptPause is the longest pause after an error of accept.
	AcceptPause = time.Second
)

// Accounts.
const (
	// Devices is how many devices may be logged in to one account; the one that was silent longest
	// is logged out when there are more.
	Devices = 100
)

// Secret chats.
//
// https://core.telegram.org/api/end-to-end
const (
	// SecretBytes is the longest ciphertext of one message: a text with its thumbnail, not a file.
	SecretBytes = 128 << 10
	// SecretWaiting and SecretWaitingBytes are how many messages, and bytes of them, may wait for
	// one device before who writes to it is asked to wait: the server keeps what it cannot read no
	// longer than it must.
	SecretWaiting      = 10_000
	SecretWaitingBytes = 64 << 20
	// SecretRequests is how many requests of one account may be without an answer.
	SecretRequests = 50
	// SecretRequestKept is how long a request waits for an answer.
	SecretRequestKept = 30 * 24 * time.Hour
	// SecretMessageKept is how long ciphertext waits for its device. A chat of which some was not
	// fetched by then is over, because what was promised to its sender did not arrive.
	SecretMessageKept = 90 * 24 * time.Hour
	// SecretFileKept is how long an encrypted file can be fetched after its upload.
	SecretFileKept = 90 * 24 * time.Hour
	// SecretDifference is how many bytes of ciphertext one difference carries, unless a single
	// message is longer.
	SecretDifference = 512 << 10
)
