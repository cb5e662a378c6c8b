package message

import (
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"parley/internal/ids"
)

// Content is what a message says, as it is stored: independent of any version of the API's schema.
// Fields are numbered and never reused, so that old rows stay readable.
type Content struct {
	Text     string   `cbor:"1,keyasint,omitempty"`
	Entities []Entity `cbor:"2,keyasint,omitempty"`
	Media    *Media   `cbor:"3,keyasint,omitempty"`
	Forward  *Forward `cbor:"4,keyasint,omitempty"`
	Reply    *Reply   `cbor:"5,keyasint,omitempty"`
	Action   *Action  `cbor:"6,keyasint,omitempty"`
	// Author signs a post in a channel.
	Author string `cbor:"7,keyasint,omitempty"`
	// Mentioned are the users of a channel or group whom the message mentions.
	Mentioned []ids.UserID `cbor:"8,keyasint,omitempty"`
	// MediaOnTop shows the medium below (false) or above (true) its caption.
	MediaOnTop bool `cbor:"9,keyasint,omitempty"`
	// Buttons are rows of buttons under a message of the service account.
	Buttons [][]Button `cbor:"10,keyasint,omitempty"`
}

// Button is a button under a message: it sends Data back, or opens URL.
//
// https://core.telegram.org/api/bots/buttons
type Button struct {
	Text string `cbor:"1,keyasint"`
	Data []byte `cbor:"2,keyasint,omitempty"`
	URL  string `cbor:"3,keyasint,omitempty"`
}

// EntityKind is a kind of markup. Values are stored.
type EntityKind uint8

// The kinds of markup.
//
// https://core.telegram.org/type/MessageEntity
const (
	Unknown EntityKind = iota
	Mention
	Hashtag
	BotCommand
	URL
	Email
	Bold
	Italic
	Code
	Pre
	TextURL
	MentionName
	Phone
	Cashtag
	Underline
	Strike
	BankCard
	Spoiler
	CustomEmoji
	Blockquote
)

// Entity marks up a piece of text. Offset and Length count UTF-16 code units.
//
// https://core.telegram.org/api/entities
type Entity struct {
	Kind   EntityKind `cbor:"1,keyasint"`
	Offset int        `cbor:"2,keyasint"`
	Length int        `cbor:"3,keyasint"`
	// Text is the address of a TextURL or the language of Pre.
	Text string `cbor:"4,keyasint,omitempty"`
	// ID is the user of a MentionName or the document of a CustomEmoji.
	ID int64 `cbor:"5,keyasint,omitempty"`
	// Collapsed folds a Blockquote.
	Collapsed bool `cbor:"6,keyasint,omitempty"`
}

// MediaKind is a kind of medium. Values are stored.
type MediaKind int64

// The kinds of media.
const (
	NoMedia MediaKind = iota
	Photo
	Document
	Geo
	ContactCard
	WebPage
	Dice
	Venue
)

// Media is what hangs on a message.
type Media struct {
	Kind MediaKind `cbor:"1,keyasint"`
	// ID is the photo or document.
	ID      int64 `cbor:"2,keyasint,omitempty"`
	Spoiler bool  `cbor:"3,keyasint,omitempty"`
	// Class narrows a document down for searching: video, voice, audio, GIF, sticker, file.
	Class DocumentClass `cbor:"4,keyasint,omitempty"`
	// Lat, Long and Accuracy are a place, in degrees and metres.
	Lat      float64 `cbor:"5,keyasint,omitempty"`
	Long     float64 `cbor:"6,keyasint,omitempty"`
	Accuracy int     `cbor:"7,keyasint,omitempty"`
	// Phone, First, Last, VCard and User are a contact's card.
	Phone string     `cbor:"8,keyasint,omitempty"`
	First string     `cbor:"9,keyasint,omitempty"`
	Last  string     `cbor:"10,keyasint,omitempty"`
	VCard string     `cbor:"11,keyasint,omitempty"`
	User  ids.UserID `cbor:"12,keyasint,omitempty"`
	// Text is a dice's emoji, a web page's address, or a venue's title.
	Text string `cbor:"13,keyasint,omitempty"`
	// Value is what the dice shows.
	Value int `cbor:"14,keyasint,omitempty"`
	// Address is a venue's.
	Address string `cbor:"15,keyasint,omitempty"`
}

// heardOnce tells whether a message's medium counts as unheard until somebody has played it.
func heardOnce(m *Media) bool {
	return m != nil && m.Kind == Document && (m.Class == Voice || m.Class == RoundVideo)
}

// DocumentClass is what a document is to somebody who searches. Values are stored.
type DocumentClass uint8

// The classes of documents.
const (
	File DocumentClass = iota
	Video
	RoundVideo
	Voice
	Audio
	GIF
	Sticker
)

// Forward says where a message comes from.
//
// https://core.telegram.org/constructor/messageFwdHeader
type Forward struct {
	From ids.Peer `cbor:"1,keyasint,omitempty"`
	// Name stands for somebody who does not want to be linked to.
	Name   string `cbor:"2,keyasint,omitempty"`
	Date   int64  `cbor:"3,keyasint"`
	Post   int64  `cbor:"4,keyasint,omitempty"`
	Author string `cbor:"5,keyasint,omitempty"`
	// SavedPeer and SavedID lead back from Saved Messages.
	SavedPeer ids.Peer `cbor:"6,keyasint,omitempty"`
	SavedID   int64    `cbor:"7,keyasint,omitempty"`
	Imported  bool     `cbor:"8,keyasint,omitempty"`
}

// Reply is what a message answers. The id stands in the message's row, because it differs from box
// to box.
type Reply struct {
	// Peer is set when the message answered is in another chat.
	Peer ids.Peer `cbor:"1,keyasint,omitempty"`
	// From and Date describe a message of another chat.
	From ids.Peer `cbor:"2,keyasint,omitempty"`
	Date int64    `cbor:"3,keyasint,omitempty"`
	// Quote is the part that is answered, with its place in the text in UTF-16 code units.
	Quote         string   `cbor:"4,keyasint,omitempty"`
	QuoteEntities []Entity `cbor:"5,keyasint,omitempty"`
	QuoteOffset   int      `cbor:"6,keyasint,omitempty"`
	// Top is the first message of the thread.
	Top int64 `cbor:"7,keyasint,omitempty"`
	// Author is who wrote the message answered in the same chat, so that he learns of it.
	Author ids.UserID `cbor:"8,keyasint,omitempty"`
	// Name stands for From when he does not want to be linked to.
	Name string `cbor:"9,keyasint,omitempty"`
}

// ActionKind is what a service message tells. Values are stored.
type ActionKind uint8

// The kinds of service messages.
//
// https://core.telegram.org/type/MessageAction
const (
	NoAction ActionKind = iota
	ChatCreate
	ChatEditTitle
	ChatEditPhoto
	ChatDeletePhoto
	ChatAddUser
	ChatDeleteUser
	ChatJoinedByLink
	ChatJoinedByRequest
	ChannelCreate
	MigrateTo
	MigrateFrom
	PinMessage
	HistoryClear
	ContactSignUp
	SetTTL
)

// Action is what a service message tells.
type Action struct {
	Kind  ActionKind   `cbor:"1,keyasint"`
	Title string       `cbor:"2,keyasint,omitempty"`
	Users []ids.UserID `cbor:"3,keyasint,omitempty"`
	Photo int64        `cbor:"4,keyasint,omitempty"`
	Peer  ids.Peer     `cbor:"5,keyasint,omitempty"`
	User  ids.UserID   `cbor:"6,keyasint,omitempty"`
	N     int64        `cbor:"7,keyasint,omitempty"`
}

// Encode returns the content as it is stored.
func (c Content) Encode() ([]byte, error) {
	b, err := cbor.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("message: encode content: %w", err)
	}
	return b, nil
}

// DecodeContent reads stored content.
func DecodeContent(b []byte) (Content, error) {
	var c Content
	if err := cbor.Unmarshal(b, &c); err != nil {
		return c, fmt.Errorf("message: decode content: %w", err)
	}
	return c, nil
}
