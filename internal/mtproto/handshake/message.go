package handshake

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/gotd/td/bin"
	"github.com/gotd/td/mt"
)

const (
	// headerSize is auth_key_id, msg_id and length of an unencrypted message.
	headerSize = 8 + 8 + 4
	// maxQueryPadding is how many bytes a client may append to a query, inside of its length. TDLib
	// hides the lengths of its queries so.
	maxQueryPadding = 255
	// maxTransportPadding is what some transports leave after a message.
	maxTransportPadding = 15
)

// object is a TL object of the handshake in either direction.
type object interface {
	Encode(b *bin.Buffer) error
	Decode(b *bin.Buffer) error
}

// decode reads exactly one object from body, and only in the form in which it would be written:
// bytes that mean nothing must be zero.
func decode(body []byte, into object) bool {
	b := bin.Buffer{Buf: body}
	return into.Decode(&b) == nil && bytes.Equal(encode(into), body)
}

// encode returns the object's bytes. The objects of the handshake have no form that does not
// encode.
func encode(from object) []byte {
	var b bin.Buffer
	if err := from.Encode(&b); err != nil {
		panic("handshake: object does not encode: " + err.Error())
	}
	return b.Buf
}

// split checks the form of an unencrypted message and returns its message id and body.
//
// https://core.telegram.org/mtproto/description#unencrypted-message
func split(payload []byte) (msgID int64, body []byte, ok bool) {
	if len(payload) < headerSize+bin.Word || len(payload) > maxPayload+maxTransportPadding ||
		binary.LittleEndian.Uint64(payload) != 0 {
		return 0, nil, false
	}
	length := binary.LittleEndian.Uint32(payload[16:])
	rest := payload[headerSize:]
	if uint64(length) > uint64(len(rest)) || length < bin.Word || length%bin.Word != 0 ||
		len(rest)-int(length) > maxTransportPadding {
		return 0, nil, false
	}
	return int64(binary.LittleEndian.Uint64(payload[8:])), rest[:length], true
}

// trim cuts off what a client appended to a query of the handshake. What is none, or has more
// behind it, is left alone.
func trim(body []byte) []byte {
	var query bin.Decoder
	switch binary.LittleEndian.Uint32(body) {
	case mt.ReqPqRequestTypeID:
		query = &mt.ReqPqRequest{}
	case mt.ReqPqMultiRequestTypeID:
		query = &mt.ReqPqMultiRequest{}
	case mt.ReqDHParamsRequestTypeID:
		query = &mt.ReqDHParamsRequest{}
	case mt.SetClientDHParamsRequestTypeID:
		query = &mt.SetClientDHParamsRequest{}
	default:
		return body
	}
	b := bin.Buffer{Buf: body}
	if query.Decode(&b) != nil || b.Len() > maxQueryPadding {
		return body
	}
	return body[:len(body)-b.Len()]
}

// isTimely reports whether msgID can have been made by a client at about now. TDLib says 0 in every
// message of an exchange; nonces are what keeps those apart.
func isTimely(msgID int64, now time.Time) bool {
	if msgID == 0 {
		return true
	}
	at := time.Unix(msgID>>32, 0)
	return msgID%4 == 0 && !at.Before(now.Add(-maxAge)) && !at.After(now.Add(maxAhead))
}

// join puts the header of an answer before its body. The message id is later than last and leaves
// the remainder 1 modulo 4.
func join(body []byte, now time.Time, last int64) (payload []byte, msgID int64) {
	fraction := int64(now.Nanosecond()) << 32 / int64(time.Second)
	msgID = max((now.Unix()<<32|fraction)&^3|1, last+4)
	payload = make([]byte, headerSize, headerSize+len(body))
	binary.LittleEndian.PutUint64(payload[8:], uint64(msgID))
	binary.LittleEndian.PutUint32(payload[16:], uint32(len(body)))
	return append(payload, body...), msgID
}

// isAck reports whether body is a well-formed msgs_ack.
func isAck(body []byte) bool {
	var ack mt.MsgsAck
	return decode(body, &ack)
}
