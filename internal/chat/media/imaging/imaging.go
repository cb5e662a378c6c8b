// Package imaging makes the sizes of a photo that clients load, from image bytes that nobody
// vouches for. A decoder is the part of a server that a hostile file attacks first, so decoding
// happens in a process of its own that lives for one image: the server's binary started again as a
// worker, with limits on processor time and memory, without network, files or secrets, and killed
// when it takes too long. What a worker answers is read as suspiciously as what a stranger sends.
//
// The package never decodes in the server's process, never enlarges, never keeps metadata, and
// stores nothing. Which isolation this machine permits is found out with the first worker; what is
// missing of it is told by Worker.Isolation, for the operator to know.
package imaging

import (
	"errors"

	"parley/internal/confine"
)

// Bounds of what is taken and given.
const (
	// MaxInput is the largest image file, in bytes.
	MaxInput = 20 << 20
	// MaxPixels is the largest image, in pixels: the square of the longest photo that clients may
	// send, whose width and height make 10000 together.
	MaxPixels = 25_000_000
	// MaxSide is the longest side of an image, in pixels.
	MaxSide = 16384
)

var (
	// ErrNotImage says that the bytes are no whole JPEG, PNG, GIF or WebP image.
	ErrNotImage = errors.New("imaging: not an image")
	// ErrTooLarge says that a file or an image exceeds MaxInput, MaxPixels or MaxSide.
	ErrTooLarge = errors.New("imaging: image is too large")
	// ErrTimeout says that the worker used up its time.
	ErrTimeout = confine.ErrTimeout
	// ErrCrashed says that the worker failed to start, died, or answered nonsense.
	ErrCrashed = confine.ErrCrashed
)

// Purpose says what a photo is for, and so which sizes are made.
type Purpose uint8

const (
	// Message is for photos in messages and documents: sizes that fit boxes of 100, 320, 800, 1280
	// and 2560 pixels, up to the first that holds the whole image.
	Message Purpose = iota + 1
	// Profile is for photos of users and chats: squares of 160, 320 and 640 pixels cut from the
	// middle, or of the image's shorter side where that is less.
	Profile
)

// Size is one JPEG made from an image.
//
// https://core.telegram.org/api/files#image-thumbnail-types
type Size struct {
	// Type is Telegram's letter of the size.
	Type string
	// Width and Height are in pixels.
	Width, Height int
	// JPEG is the file.
	JPEG []byte
}

// Result is what is made from an image.
type Result struct {
	// Width and Height are those of the image as it is meant to be seen, in pixels.
	Width, Height int
	// Sizes begins with the smallest.
	Sizes []Size
	// Stripped is the content of the size "i".
	//
	// https://core.telegram.org/api/files#stripped-thumbnails
	Stripped []byte
}

// box is a size that Telegram knows.
type box struct {
	letter byte
	side   int
}

// boxes returns the sizes of a purpose, the smallest first; none of an unknown purpose.
func (p Purpose) boxes() []box {
	switch p {
	case Message:
		return []box{{'s', 100}, {'m', 320}, {'x', 800}, {'y', 1280}, {'w', 2560}}
	case Profile:
		return []box{{'a', 160}, {'b', 320}, {'c', 640}}
	default:
		return nil
	}
}
