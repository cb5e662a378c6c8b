// Reads values with GramJS or teleproto, which descends from it: node gramjs.cjs MODULE < VALUES
const path = require("path");
const { serve } = require("./serve.cjs");

const home = path.resolve(process.argv[2]);
const { BinaryReader } = require(path.join(home, "extensions"));
let { LAYER } = require(path.join(home, "tl"));
LAYER ??= require(path.join(home, "tl", "AllTLObjects")).LAYER;

serve(LAYER, (body) => {
  const reader = new BinaryReader(body);
  const value = reader.tgReadObject();
  return {
    name: value.className,
    left: body.length - reader.tellPosition(),
    same: value.getBytes().equals(body),
  };
});
