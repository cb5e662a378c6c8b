package media

// Kind says what a stored medium is. Values are stored.
type Kind int64

// The kinds of stored media.
const (
	// PhotoKind is an image with sizes made here.
	PhotoKind Kind = 1
	// DocumentKind is any other file, kept as it came.
	DocumentKind Kind = 2
)

// File describes a photo or document. What identifies its bytes stands in the store's row; the rest
// is kept there as an opaque, numbered encoding.
type File struct {
	ID   int64  `cbor:"-"`
	Kind Kind   `cbor:"-"`
	Date int64  `cbor:"-"`
	Size int64  `cbor:"-"`
	Mime string `cbor:"-"`

	Sizes      []Size      `cbor:"1,keyasint,omitempty"`
	Stripped   []byte      `cbor:"2,keyasint,omitempty"`
	Attributes []Attribute `cbor:"3,keyasint,omitempty"`
}

// Size is one rendering of a photo, or a thumbnail of a document.
//
// https://core.telegram.org/api/files#image-thumbnail-types
type Size struct {
	Type   string `cbor:"1,keyasint"`
	Width  int    `cbor:"2,keyasint"`
	Height int    `cbor:"3,keyasint"`
	Size   int64  `cbor:"4,keyasint"`
	// Digest names its bytes in the blob store.
	Digest []byte `cbor:"5,keyasint"`
}

// AttributeKind says what an attribute tells. Values are stored.
type AttributeKind uint8

// The kinds of attributes.
//
// https://core.telegram.org/type/DocumentAttribute
const (
	Filename AttributeKind = iota + 1
	ImageSize
	Animated
	Video
	Audio
	Sticker
)

// Attribute tells clients how to show a document.
type Attribute struct {
	Kind      AttributeKind `cbor:"1,keyasint"`
	Text      string        `cbor:"2,keyasint,omitempty"`
	Width     int           `cbor:"3,keyasint,omitempty"`
	Height    int           `cbor:"4,keyasint,omitempty"`
	Duration  float64       `cbor:"5,keyasint,omitempty"`
	Round     bool          `cbor:"6,keyasint,omitempty"`
	Voice     bool          `cbor:"7,keyasint,omitempty"`
	Streaming bool          `cbor:"8,keyasint,omitempty"`
	Silent    bool          `cbor:"9,keyasint,omitempty"`
	Performer string        `cbor:"10,keyasint,omitempty"`
	Waveform  []byte        `cbor:"11,keyasint,omitempty"`
}
