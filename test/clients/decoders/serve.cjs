// Lets a library read the values on standard input, each after its length, and tells on standard
// output what came of it.
const fs = require("fs");

const shown = 10;

exports.serve = function serve(layer, read) {
  const data = fs.readFileSync(0);
  const answer = { layer, read: 0, failed: 0, differ: 0, samples: [] };
  const sample = (n, body, what) => {
    if (answer.samples.length < shown) {
      answer.samples.push(`${n} ${body.readUInt32LE(0).toString(16)} ${what}`.slice(0, 200));
    }
  };
  for (let at = 0, n = 0; at < data.length; n++) {
    const size = data.readUInt32LE(at);
    const body = data.subarray(at + 4, at + 4 + size);
    at += 4 + size;
    try {
      const { name, left, same } = read(body);
      if (left !== 0) throw new Error(`${left} bytes left of ${name}`);
      answer.read++;
      if (!same) {
        answer.differ++;
        sample(n, body, `${name} is written in another way`);
      }
    } catch (e) {
      answer.failed++;
      sample(n, body, e.message);
    }
  }
  process.stdout.write(JSON.stringify(answer), () => process.exit(0));
};
