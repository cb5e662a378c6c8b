// Chromium as one person of a conversation: page.mjs runs in it, with mtcute over web sockets. This
// program only carries calls, answers and files between the test and the page.
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

const { outputFiles: [script] } = await build({
  entryPoints: [here("page.mjs")], bundle: true, format: "esm", platform: "browser", write: false,
});
const { resolve } = createRequire(createRequire(import.meta.url).resolve("@mtcute/web"));
const wasm = await readFile(resolve("@mtcute/wasm/mtcute.wasm"));

// calls are lines that the page has yet to fetch, fetching the page that waits for one.
const calls = [];
let fetching;

function hand() {
  if (!fetching || calls.length === 0) return;
  fetching.end(calls.shift());
  fetching = undefined;
}

async function body(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}

async function answer(request, response) {
  const { pathname, searchParams } = new URL(request.url, "http://localhost");
  const path = searchParams.get("path");
  switch (`${request.method} ${pathname}`) {
    case "GET /":
      response.setHeader("Content-Type", "text/html");
      return response.end(`<!doctype html><script type="module" src="/page.js"></script>`);
    case "GET /page.js":
      response.setHeader("Content-Type", "text/javascript");
      return response.end(script.contents);
    case "GET /mtcute.wasm":
      response.setHeader("Content-Type", "application/wasm");
      return response.end(wasm);
    case "GET /call":
      fetching = response;
      return hand();
    case "POST /said":
      process.stdout.write((await body(request)) + "\n");
      return response.end();
    case "POST /log":
      console.error((await body(request)).toString());
      return response.end();
    case "GET /file":
      return response.end(await readFile(path));
    case "POST /file":
      await writeFile(path, await body(request));
      return response.end();
  }
  response.statusCode = 404;
  response.end();
}

const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    response.statusCode = 500;
    response.end(String(error));
  });
});
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));

const profile = await mkdtemp(join(tmpdir(), "chromium-"));
const chromium = spawn("chromium", [
  "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
  `--user-data-dir=${profile}`,
  `http://127.0.0.1:${server.address().port}/`,
], { stdio: "ignore" });
const gone = new Promise((exit) => chromium.on("exit", exit));

for await (const line of createInterface({ input: process.stdin })) {
  calls.push(line);
  hand();
}
chromium.kill();
await gone;
await rm(profile, { recursive: true, force: true, maxRetries: 10 });
process.exit(0);
