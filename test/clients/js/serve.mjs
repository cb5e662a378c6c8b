// Lets a test call a client: one call a line on standard input, one answer or event a line on
// standard output, in JSON. What libraries print goes to standard error.
import { createInterface } from "node:readline";

for (const level of ["log", "info", "warn", "debug"]) console[level] = console.error;

function write(line) {
  process.stdout.write(JSON.stringify(line) + "\n");
}

// emit tells the test of something that the library learned.
export function emit(event) {
  write({ event });
}

// serve calls the methods of client until standard input ends.
export async function serve(client) {
  const calls = createInterface({ input: process.stdin });
  const underWay = new Set();
  for await (const line of calls) {
    const { id, do: name, with: args } = JSON.parse(line);
    const done = answer(client, name, args).then((result) => {
      write({ id, ...result });
      underWay.delete(done);
    });
    underWay.add(done);
  }
  await Promise.all(underWay);
  process.exit(0);
}

async function answer(client, name, args) {
  try {
    return { ok: (await client[name](args ?? {})) ?? null };
  } catch (error) {
    return { error: error.stack ?? String(error) };
  }
}
