// Package tdlib drives the real server with TDLib, the library of Telegram's own applications: a
// binary that others built, with nothing changed in it but the server's public key. It is the
// independent proof of secret chats, whose encryption it does by itself.
package tdlib
