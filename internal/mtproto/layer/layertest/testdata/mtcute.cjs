// Reads values with mtcute: node mtcute.cjs FOLDER-WITH-node_modules DUMP
const fs = require("fs");
const path = require("path");
const [, , home, dump] = process.argv;
const scope = path.join(home, "node_modules", "@mtcute");
const { TlBinaryReader, TlBinaryWriter } = require(path.join(scope, "tl-runtime", "index.cjs"));
const { __tlReaderMap } = require(path.join(scope, "core", "tl", "binary", "reader.cjs"));
const { __tlWriterMap } = require(path.join(scope, "core", "tl", "binary", "writer.cjs"));
const schema = require(path.join(scope, "core", "tl", "api-schema.json"));

const data = fs.readFileSync(dump);
const answer = { layer: schema.l, read: 0, failed: 0, differ: 0, samples: [] };
for (let at = 0, n = 0; at < data.length; n++) {
  const size = data.readUInt32LE(at);
  const body = new Uint8Array(data.subarray(at + 4, at + 4 + size));
  at += 4 + size;
  try {
    const reader = new TlBinaryReader(__tlReaderMap, body);
    const value = reader.object();
    const left = size - reader.pos;
    if (left !== 0) throw new Error(`${left} bytes left of ${value._}`);
    answer.read++;
    const again = TlBinaryWriter.serializeObject(__tlWriterMap, value);
    // Its writer leaves out optional vectors that are empty.
    if (again.length > size || again.length === size && !Buffer.from(again).equals(body)) {
      answer.differ++;
      answer.samples.push(`${n} ${value._} is written in another way`);
    }
  } catch (e) {
    answer.failed++;
    answer.samples.push(`${n} ${Buffer.from(body).readUInt32LE(0).toString(16)} ${e.message}`);
  }
}
answer.samples = answer.samples.slice(0, 10);
process.stdout.write(JSON.stringify(answer));
