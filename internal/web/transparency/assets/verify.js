// Checks a receipt of the public log in the browser, by the same steps and with the same verdicts
// as the program parley-verify, whose code is the package internal/tlog/verify. Nothing is sent
// anywhere. A test holds the two against each other.
"use strict";

(() => {
  const utf8 = new TextEncoder();
  const receiptMost = 1 << 20;
  const entryMost = 4096;

  // A finding is something that does not fit: what, where, as parley-verify names it.
  class Finding extends Error {
    constructor(what, where) {
      super(what + " " + where);
      this.what = what;
      this.where = where;
    }
  }
  const bad = (what, where) => new Finding(what, where);

  // ---- Bytes ----

  const hex = (b) => Array.from(b, (x) => x.toString(16).padStart(2, "0")).join("");
  const equal = (a, b) => a.length === b.length && a.every((x, i) => x === b[i]);
  function joined(...parts) {
    const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
    let at = 0;
    for (const p of parts) {
      out.set(p, at);
      at += p.length;
    }
    return out;
  }
  const sha256 = async (...parts) =>
    new Uint8Array(await crypto.subtle.digest("SHA-256", joined(...parts)));

  // Base64 in its only form; null for anything else.
  function base64(text) {
    if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return null;
    const plain = atob(text);
    return btoa(plain) === text ? Uint8Array.from(plain, (c) => c.charCodeAt(0)) : null;
  }

  // ---- Signed notes: https://c2sp.org/signed-note ----

  const isName = (s) =>
    s !== "" && !/[\t-\r +\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/.test(s);
  const keyHash = async (name, key) => hex((await sha256(utf8.encode(name + "\n"), key)).slice(0, 4));

  async function verifies(key, signature, message) {
    try {
      const k = await crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
      return await crypto.subtle.verify({ name: "Ed25519" }, k, signature, message);
    } catch (e) {
      if (e.name === "NotSupportedError") throw e;
      return false; // not a key, not a signature
    }
  }

  // Keys are written NAME+HASH+KEY. They are the visitor's, so that one cannot be read is no finding.
  function cut(text) {
    const [name, hash, ...rest] = text.split("+");
    const key = base64(rest.join("+"));
    if (!isName(name) || !/^[0-9A-Fa-f]{8}$/.test(hash || "") || !key || key.length !== 33) {
      throw new Error("key");
    }
    return { name, hash: hash.toLowerCase(), alg: key[0], key };
  }

  async function logKey(text, origin) {
    const k = cut(text);
    if (k.alg !== 1 || k.hash !== await keyHash(k.name, k.key) || k.name !== origin) {
      throw new Error("key");
    }
    const verify = (message, sig) => verifies(k.key.slice(1), sig, utf8.encode(message));
    return { name: k.name, hash: k.hash, verify };
  }

  // https://c2sp.org/tlog-cosignature
  async function witnessKey(text) {
    const k = cut(text);
    if (k.alg !== 1 && k.alg !== 4) throw new Error("key");
    const key = k.key.slice(1);
    const verify = (message, sig) => {
      if (sig.length !== 72) return false;
      const time = new DataView(sig.buffer, sig.byteOffset).getBigUint64(0);
      const cosigned = "cosignature/v1\ntime " + time + "\n" + message;
      return verifies(key, sig.slice(8), utf8.encode(cosigned));
    };
    return { name: k.name, hash: await keyHash(k.name, joined([4], key)), verify };
  }

  // The text and the signatures of a note.
  function note(raw) {
    const wrong = bad("checkpoint", "checkpoint");
    const split = raw.lastIndexOf("\n\n");
    if (/[\0-\x09\x0b-\x1f]/.test(raw) || split < 0 || !raw.endsWith("\n")) throw wrong;
    const lines = raw.slice(split + 2).split("\n").slice(0, -1);
    if (lines.length === 0 || lines.length > 100) throw wrong;
    const signatures = lines.map((line) => {
      const m = /^\u2014 ([^ ]*) ([^ ]*)$/.exec(line);
      const sig = m && base64(m[2]);
      if (!sig || !isName(m[1]) || sig.length < 5) throw wrong;
      return { name: m[1], hash: hex(sig.slice(0, 4)), sig: sig.slice(4) };
    });
    return { text: raw.slice(0, split + 1), signatures };
  }

  // Whether a key signed a note: null when there is no signature of its name and number.
  async function signed(n, key) {
    const s = n.signatures.find((x) => x.name === key.name && x.hash === key.hash);
    return s ? key.verify(n.text, s.sig) : null;
  }

  // https://c2sp.org/tlog-checkpoint
  async function checkpoint(raw, trust) {
    const wrong = bad("checkpoint", "checkpoint");
    const n = note(raw);
    const by = await Promise.all(trust.log.map((k) => signed(n, k)));
    if (by.includes(false) || !by.includes(true)) throw wrong;
    const lines = n.text.split("\n");
    if (lines.length < 4 || lines[0] !== trust.origin) throw wrong;
    if (!/^(?:0|[1-9][0-9]{0,18})$/.test(lines[1])) throw wrong;
    const size = BigInt(lines[1]);
    const root = base64(lines[2]);
    if (size > 9223372036854775807n || !root || root.length !== 32) throw wrong;
    const witnesses = [];
    for (const k of trust.witnesses) if (await signed(n, k)) witnesses.push(k.name);
    if (witnesses.length < trust.witnesses.length) throw bad("witness", "checkpoint");
    return { size, root, witnesses };
  }

  // ---- The tree: RFC 6962, section 2.1 ----

  const nodeHash = (left, right) => sha256([1], left, right);

  async function includes(proof, size, index, leaf, root) {
    let at = index, last = size - 1n, hash = leaf;
    for (const p of proof) {
      if (last === 0n) return false;
      if (at & 1n || at === last) {
        hash = await nodeHash(p, hash);
        while (!(at & 1n) && at !== 0n) {
          at >>= 1n;
          last >>= 1n;
        }
      } else {
        hash = await nodeHash(hash, p);
      }
      at >>= 1n;
      last >>= 1n;
    }
    return last === 0n && equal(hash, root);
  }

  // ---- Entries: docs/transparency.md ----

  const kinds = ["decision", "lift", "expiry", "no-action", "appeal", "settlement", "order",
    "effect", "refusal", "disclosure", "told", "correction", "review", "report", "publication"];
  const word = /"[A-Za-z0-9_-]{1,80}"/y;
  const ascending = (list) => list.every((x, i) => i === 0 || list[i - 1] < x);
  function isDay(s) {
    const [y, m, d] = s.split("-").map(Number);
    const leap = y % 4 === 0 && (y % 100 !== 0 || y % 400 === 0);
    const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    return m >= 1 && m <= 12 && d >= 1 && d <= days[m - 1];
  }
  const forms = {
    one: [/1/y],
    kind: [word, (v) => kinds.includes(v)],
    id: [/"[0-9a-f]{32}"/y],
    day: [/"[0-9]{4}-[0-9]{2}-[0-9]{2}"/y, isDay],
    word: [word],
    words: [/\["[A-Za-z0-9_-]{1,80}"(?:,"[A-Za-z0-9_-]{1,80}")*\]/y, ascending],
    yes: [/true/y],
    code: [/"[A-Z]{2}"/y],
    codes: [/\["[A-Z]{2}"(?:,"[A-Z]{2}")*\]/y, ascending],
    count: [/[1-9][0-9]{0,18}/y, (_, text) => BigInt(text) <= 9223372036854775807n],
    hash: [/"[0-9a-f]{64}"/y],
  };
  // The members of an entry in their order, and which of them must be there.
  const members = [["v", "one", true], ["kind", "kind", true], ["id", "id", true], ["of", "id"],
    ["day", "day", true], ["subject", "word"], ["measures", "words"], ["ground", "word"],
    ["category", "word"], ["keywords", "words"], ["source", "word"], ["detected", "yes"],
    ["decided", "word"], ["content", "words"], ["lang", "code"], ["territory", "codes"],
    ["ends", "day"], ["country", "code"], ["instrument", "word"], ["reason", "word"],
    ["outcome", "word"], ["was", "word"], ["items", "count"], ["accounts", "count"],
    ["told", "count"], ["untold", "count"], ["minutes", "count"], ["persons", "count"],
    ["commitment", "hash", true]];

  // Of what authorities ask, people are counted in bands.
  function banded(e) {
    if (!["order", "effect", "refusal", "disclosure", "told"].includes(e.kind)) {
      return !e.untold;
    }
    return ["items", "accounts", "told", "untold"].every((name) =>
      [undefined, 1, 5, 50, 250, 1000].includes(e[name]));
  }

  // An entry has one form; everything else is refused.
  function entry(text) {
    const wrong = bad("receipt", "entry");
    if (utf8.encode(text).length > entryMost || text[0] !== "{") throw wrong;
    const out = {};
    let at = 1;
    for (const [name, form, needed] of members) {
      const label = (at > 1 ? "," : "") + '"' + name + '":';
      if (!text.startsWith(label, at)) {
        if (needed) throw wrong;
        continue;
      }
      const [pattern, holds] = forms[form];
      pattern.lastIndex = at + label.length;
      const found = pattern.exec(text);
      if (!found) throw wrong;
      out[name] = JSON.parse(found[0]);
      if (holds && !holds(out[name], found[0])) throw wrong;
      at = pattern.lastIndex;
    }
    if (text.slice(at) !== "}" || !banded(out)) throw wrong;
    return out;
  }

  // ---- Receipts ----

  // A receipt has one form too, but for white space between its parts.
  function parse(bytes) {
    const wrong = bad("receipt", "file");
    let text, r;
    try {
      if (bytes.length > receiptMost) throw wrong;
      text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
      r = JSON.parse(text);
    } catch {
      throw wrong;
    }
    if (r === null || typeof r !== "object" || r.v !== 1 || !Number.isSafeInteger(r.index) ||
      !Array.isArray(r.proof) ||
      ![r.origin, r.entry, r.checkpoint].every((s) => typeof s === "string")) throw wrong;
    const out = { ...r, proof: r.proof.map((p) => typeof p === "string" ? base64(p) : null) };
    if (out.proof.some((p) => !p || p.length !== 32)) throw wrong;
    for (const name of ["salt", "record"]) {
      out[name] = new Uint8Array();
      if (!(name in r)) continue;
      out[name] = typeof r[name] === "string" ? base64(r[name]) : null;
      if (!out[name] || out[name].length === 0) throw wrong;
    }
    const { v, origin, index, entry, proof, checkpoint, salt, record } = r;
    const again = JSON.stringify({ v, origin, index, entry, proof, checkpoint, salt, record })
      .replace(/[<>&\u2028\u2029]/g, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));
    const compact = text.replace(/("(?:[^"\\]|\\.)*")|[ \t\r\n]+/g, (_, s) => s ?? "");
    if (compact !== again) throw wrong;
    return out;
  }

  // What a receipt proves to who trusts these keys; a Finding when something does not fit.
  async function prove(bytes, trust) {
    const r = parse(bytes);
    if (r.origin !== trust.origin) throw bad("receipt", "origin");
    const c = await checkpoint(r.checkpoint, trust);
    if (r.index < 0 || BigInt(r.index) >= c.size) throw bad("receipt", "index");
    const leaf = await sha256([0], utf8.encode(r.entry));
    if (!await includes(r.proof, c.size, BigInt(r.index), leaf, c.root)) {
      throw bad("receipt", "proof");
    }
    const out = { receipt: r, checkpoint: c, entry: entry(r.entry), opened: false };
    if (r.salt.length === 0 && r.record.length === 0) return out;
    const opens = r.salt.length === 32 && out.entry.commitment ===
      hex(await sha256(utf8.encode("parley/entry/1\0"), r.salt, r.record));
    if (!opens) throw bad("receipt", "record");
    out.opened = true;
    return out;
  }

  // ---- The page ----

  const form = document.querySelector("#verify");
  if (!form) return;
  const result = document.querySelector("#result");
  const says = Object.fromEntries(Array.from(document.querySelectorAll("#words [data-key]"),
    (e) => [e.dataset.key, e.textContent]));
  const say = (key, ...args) => says[key].replace(/%\[(\d)\]s/g, (_, n) => args[n - 1]);
  const element = (name, text) => {
    const e = document.createElement(name);
    e.textContent = text;
    return e;
  };

  async function able() {
    if (!crypto.subtle) return false;
    try {
      await crypto.subtle.generateKey({ name: "Ed25519" }, false, ["sign", "verify"]);
      return true;
    } catch {
      return false;
    }
  }

  async function trusted() {
    const lines = (name) => [...new Set(form.elements[name].value.split(/\s+/).filter(Boolean))];
    const origin = form.elements.origin.value.trim();
    const log = await Promise.all(lines("keys").map((k) => logKey(k, origin)));
    if (log.length === 0) throw new Error("key");
    return { origin, log, witnesses: await Promise.all(lines("witnesses").map(witnessKey)) };
  }

  function show(verdict, title, ...more) {
    result.className = "panel " + (verdict === "good" ? "note" : "problem");
    const heading = element("h2", title);
    heading.tabIndex = -1;
    result.replaceChildren(heading, ...more);
    result.hidden = false;
    result.dataset.verdict = verdict;
    heading.focus();
  }

  function block(text) {
    const pre = element("pre", text);
    pre.dir = "ltr";
    pre.tabIndex = 0;
    return pre;
  }

  // The sentences of parley-verify, in the visitor's language.
  function tell(p) {
    const { entry: e, checkpoint: c } = p;
    const list = document.createElement("ul");
    list.append(
      element("li", say("entry", p.receipt.index, p.receipt.origin, says["kind." + e.kind], e.day)),
      element("li", say("seen", c.size, c.witnesses.length, c.witnesses.join(", "))),
      element("li", say(p.opened ? "opened" : "sealed")));
    const more = [list];
    if (p.opened) {
      const text = new TextDecoder().decode(p.receipt.record);
      let pretty = text;
      try {
        pretty = JSON.stringify(JSON.parse(text), null, 2);
      } catch { /* the record is shown as it is */ }
      more.push(block(pretty));
    }
    show("good", says.good, ...more, element("h3", says.line), block(p.receipt.entry));
  }

  async function check(bytes) {
    delete result.dataset.verdict;
    delete result.dataset.finding;
    let trust;
    try {
      if (!await able()) throw new Error("able");
      trust = await trusted();
    } catch (e) {
      return show("unchecked", says.unchecked, element("p", says[e.message] || says.able));
    }
    try {
      tell(await prove(bytes, trust));
    } catch (e) {
      if (!(e instanceof Finding)) throw e;
      const why = { receipt: e.where === "entry" ? "form" : e.where }[e.what] || e.what;
      result.dataset.finding = e.message;
      show("bad", says.bad, element("p", says[why]));
    }
  }

  // The bytes of the chosen file, until its text is changed by hand; and the reading of it.
  let file = null, reading = null;
  async function read(f) {
    file = new Uint8Array(await f.slice(0, receiptMost + 1).arrayBuffer());
    form.elements.text.value = new TextDecoder().decode(file);
  }
  const take = (f) => { if (f) reading = read(f); };
  form.elements.file.addEventListener("change", () => take(form.elements.file.files[0]));
  form.elements.text.addEventListener("input", () => { file = null; });
  for (const kind of ["dragover", "drop"]) {
    form.addEventListener(kind, (event) => {
      event.preventDefault();
      if (kind === "drop") take(event.dataTransfer.files[0]);
    });
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    await reading;
    await check(file || utf8.encode(form.elements.text.value));
  });
  for (const e of document.querySelectorAll("[data-scripts]")) e.hidden = false;
})();
