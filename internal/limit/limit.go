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
