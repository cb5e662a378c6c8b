// Reads values with mtcute's tables, which were a package of their own until 223:
// node mtcute.cjs MODULE < VALUES
const fs = require("fs");
const path = require("path");
const { serve } = require("./serve.cjs");

const home = path.resolve(process.argv[2]);
const modules = path.resolve(__dirname, "..", "js", "node_modules");
const own = path.join(home, "node_modules", "@mtcute", "tl-runtime");
const runtime = fs.existsSync(own) ? own : path.join(modules, "@mtcute", "tl-runtime");
const { TlBinaryReader, TlBinaryWriter } = require(path.join(runtime, "index.cjs"));
const tables = fs.existsSync(path.join(home, "tl")) ? path.join(home, "tl") : home;

function table(name) {
  const file = path.join(tables, "binary", name);
  return require(fs.existsSync(file + ".cjs") ? file + ".cjs" : file + ".js");
}

const { __tlReaderMap } = table("reader");
const { __tlWriterMap } = table("writer");
const { l } = require(path.join(tables, "api-schema.json"));

serve(l, (body) => {
  const bytes = new Uint8Array(body);
  const reader = new TlBinaryReader(__tlReaderMap, bytes);
  const value = reader.object();
  const again = TlBinaryWriter.serializeObject(__tlWriterMap, value);
  return {
    name: value._,
    left: bytes.length - reader.pos,
    // Its writer leaves out optional vectors that are empty.
    same: again.length < bytes.length || Buffer.from(again).equals(body),
  };
});
