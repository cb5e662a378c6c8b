// Reads values with GramJS: node gramjs.cjs FOLDER-WITH-node_modules DUMP
const fs = require("fs");
const path = require("path");
const [, , home, dump] = process.argv;
const gramjs = path.join(home, "node_modules", "telegram");
const { BinaryReader } = require(path.join(gramjs, "extensions"));
const { LAYER } = require(path.join(gramjs, "tl", "AllTLObjects"));

const data = fs.readFileSync(dump);
const answer = { layer: LAYER, read: 0, failed: 0, differ: 0, samples: [] };
for (let at = 0, n = 0; at < data.length; n++) {
  const size = data.readUInt32LE(at);
  const body = data.subarray(at + 4, at + 4 + size);
  at += 4 + size;
  try {
    const reader = new BinaryReader(body);
    const value = reader.tgReadObject();
    const left = size - reader.tellPosition();
    if (left !== 0) throw new Error(`${left} bytes left of ${value.className}`);
    answer.read++;
    if (!value.getBytes().equals(body)) {
      answer.differ++;
      answer.samples.push(`${n} ${value.className} is written in another way`);
    }
  } catch (e) {
    answer.failed++;
    answer.samples.push(`${n} ${body.readUInt32LE(0).toString(16)} ${e.message}`.slice(0, 200));
  }
}
answer.samples = answer.samples.slice(0, 10);
process.stdout.write(JSON.stringify(answer));
process.exit(0);
