// mtcute in Node as one person of a conversation. Transports: intermediate; pfs, the same with
// temporary keys.
import { readFile, writeFile } from "node:fs/promises";
import { MemoryStorage, TelegramClient } from "@mtcute/node";
import { addPublicKey, NodeCryptoProvider } from "@mtcute/node/utils.js";
import { people } from "./mtcute-person.mjs";
import { emit, serve } from "./serve.mjs";

async function create({ host, port, dc: id, key, transport }) {
  addPublicKey(new NodeCryptoProvider(), await readFile(key, "utf8"));
  const dc = { id, ipAddress: host, port };
  return new TelegramClient({
    apiId: 1, apiHash: "parley", storage: new MemoryStorage(), logLevel: 2,
    defaultDcs: { main: dc, media: { ...dc, mediaOnly: true } },
    network: { usePfs: transport === "pfs" },
  });
}

await serve(people({ create, emit, files: { read: readFile, write: writeFile } }));
