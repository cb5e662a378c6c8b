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
