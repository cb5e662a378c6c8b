// mtcute in a browser as one person of a conversation, called by browser.mjs.
import { MemoryStorage, TelegramClient, WebCryptoProvider, WebSocketTransport } from "@mtcute/web";
import { addPublicKey } from "@mtcute/web/utils.js";
import { people } from "./mtcute-person.mjs";

// said keeps the order of lines.
let said = Promise.resolve();

function say(line) {
  said = said.then(() => fetch("/said", { method: "POST", body: JSON.stringify(line) }));
}

// What the library prints goes where that of the other drivers goes.
for (const level of ["log", "info", "warn", "error", "debug"]) {
  console[level] = (...parts) => fetch("/log", { method: "POST", body: parts.join(" ") });
}

const at = (path) => "/file?path=" + encodeURIComponent(path);

const files = {
  async read(path) {
    return new Uint8Array(await (await fetch(at(path))).arrayBuffer());
  },
  async write(path, bytes) {
    await fetch(at(path), { method: "POST", body: bytes });
  },
};

async function create({ host, port, dc: id, key }) {
  const crypto = new WebCryptoProvider({ wasmInput: "/mtcute.wasm" });
  await crypto.initialize();
  addPublicKey(crypto, new TextDecoder().decode(await files.read(key)));
  // mtcute dials the names of the official servers whatever address it is told.
  class Here extends WebSocket {
    constructor(_, protocols) {
      super(`ws://${host}:${port}/apiws`, protocols);
    }
  }
  const dc = { id, ipAddress: host, port };
  return new TelegramClient({
    apiId: 1, apiHash: "parley", storage: new MemoryStorage(), logLevel: 2, crypto,
    defaultDcs: { main: dc, media: { ...dc, mediaOnly: true } },
    transport: new WebSocketTransport({ ws: Here }),
  });
}

const person = people({ create, files, emit: (event) => say({ event }) });

async function answer({ id, do: name, with: args }) {
  try {
    say({ id, ok: (await person[name](args ?? {})) ?? null });
  } catch (error) {
    say({ id, error: error.stack ?? String(error) });
  }
}

for (;;) answer(await (await fetch("/call")).json());
