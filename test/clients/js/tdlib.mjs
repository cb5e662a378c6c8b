// Any number of TDLib clients in one process, as a bridge: it reads one request a line,
// {id, client, do, with}, and writes one answer, {id, ok} or {id, error}, or update,
// {client, update}, a line. do is open, close, or send; with are parameters of TDLib, as it has them.
// The first argument is the library.
import { createInterface } from "node:readline";
import * as tdl from "tdl";

tdl.configure({ tdjson: process.argv[2], verbosityLevel: Number(process.env.TDLIB_LOG ?? 1) });

const write = (value) => process.stdout.write(JSON.stringify(value) + "\n");
const clients = new Map();

const work = {
  async open(name, parameters) {
    const client = tdl.createBareClient();
    clients.set(name, client);
    client.on("update", (update) => write({ client: name, update }));
    client.on("error", (error) => process.stderr.write(`${name}: ${error}\n`));
    return client.invoke({ _: "setTdlibParameters", ...parameters });
  },
  send: (name, request) => clients.get(name).invoke(request),
  async close(name) {
    await clients.get(name).close();
    clients.delete(name);
    return {};
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { id, client, do: verb, with: parameters } = JSON.parse(line);
  work[verb](client, parameters)
    .then((ok) => write({ id, ok }))
    .catch((error) => write({ id, error: String(error.message ?? error) }));
}
await Promise.all([...clients.values()].map((client) => client.close()));
