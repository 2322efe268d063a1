// Verifies a certificate with what the browser has: SHA-256 and Ed25519 of WebCrypto, no network.
"use strict";

const PAYLOAD_TYPE = "application/vnd.in-toto+json";
const PREDICATE_TYPE = "urn:sosie:process-certificate:1";
const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
const LARGEST = 16 * 1024 * 1024;
const DEEPEST = 64;

/** Why a document cannot be verified: the key of a text, and what stands in it. */
class Refusal extends Error {
  constructor(reason, values = {}) {
    super(reason);
    this.reason = reason;
    this.values = values;
  }
}

/** Spells a JSON value as RFC 8785 does: ECMAScript's own spelling of numbers and texts. */
function canonical(value, depth = 1) {
  if (value === null || typeof value !== "object") {
    if (typeof value === "number" && !Number.isFinite(value)) throw new Refusal("not_canonical");
    return JSON.stringify(value);
  }
  if (depth > DEEPEST) throw new Refusal("too_deep");
  if (Array.isArray(value)) return "[" + value.map((v) => canonical(v, depth + 1)).join(",") + "]";
  const parts = Object.keys(value).sort().map(
    (key) => JSON.stringify(key) + ":" + canonical(value[key], depth + 1));
  return "{" + parts.join(",") + "}";
}

/** Reads Base64 in its one right spelling. */
function fromBase64(text) {
  let binary;
  try {
    binary = atob(text);
  } catch {
    throw new Refusal("not_base64");
  }
  if (btoa(binary) !== text) throw new Refusal("not_base64");
  return Uint8Array.from(binary, (c) => c.charCodeAt(0));
}

function hex(bytes) {
  return Array.from(new Uint8Array(bytes), (b) => b.toString(16).padStart(2, "0")).join("");
}

async function sha256(bytes) {
  return hex(await crypto.subtle.digest("SHA-256", bytes));
}

/** Gives the bytes that a DSSE signature is of. */
function preAuthentication(type, payload) {
  const encoder = new TextEncoder();
  const kind = encoder.encode(type);
  const head = encoder.encode(`DSSEv1 ${kind.length} `);
  const middle = encoder.encode(` ${payload.length} `);
  const whole = new Uint8Array(head.length + kind.length + middle.length + payload.length);
  let at = 0;
  for (const part of [head, kind, middle, payload]) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

async function holds(publicKey, signature, message) {
  const key = await crypto.subtle.importKey("raw", publicKey, { name: "Ed25519" }, false, ["verify"]);
  return crypto.subtle.verify({ name: "Ed25519" }, key, signature, message);
}

/** Tells whether this browser can verify at all: it must pass a test vector of RFC 8032. */
async function able() {
  const bytes = (h) => Uint8Array.from(h.match(/../g), (b) => parseInt(b, 16));
  const key = bytes("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  const signature = bytes(
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9" +
    "b46bd25bf5f0595bbe24655141438e7a100b");
  try {
    return (await holds(key, signature, new Uint8Array(0))) &&
      !(await holds(key, signature, new Uint8Array(1)));
  } catch {
    return false;
  }
}

function parsed(text, reason) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(reason);
  }
}

/** Reads an envelope; a key that is there twice is refused, as two programs may read two things. */
function envelopeOf(text) {
  if (text.length > LARGEST) throw new Refusal("too_large");
  const envelope = parsed(text, "not_json");
  const names = ["payload", "payloadType", "signatures"];
  if (envelope === null || typeof envelope !== "object" || Array.isArray(envelope) ||
      Object.keys(envelope).sort().join() !== names.join() ||
      names.some((name) => text.split(`"${name}"`).length !== 2)) {
    throw new Refusal("not_envelope");
  }
  if (envelope.payloadType !== PAYLOAD_TYPE) throw new Refusal("payload_type");
  const { signatures } = envelope;
  if (!Array.isArray(signatures) || signatures.length < 1 || signatures.length > 100 ||
      signatures.some((s) => s === null || typeof s !== "object" ||
        Object.keys(s).sort().join() !== "keyid,sig" ||
        typeof s.keyid !== "string" || typeof s.sig !== "string")) {
    throw new Refusal("not_envelope");
  }
  return envelope;
}

/** Reads what is signed, which must be in its canonical spelling, and finds the record in it. */
function recordOf(payload) {
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(payload);
  } catch {
    throw new Refusal("not_canonical");
  }
  const statement = parsed(text, "not_canonical");
  if (canonical(statement) !== text) throw new Refusal("not_canonical");
  if (statement._type !== STATEMENT_TYPE || statement.predicateType !== PREDICATE_TYPE) {
    throw new Refusal("not_certificate");
  }
  const entity = (statement.predicate?.["@graph"] ?? []).find((e) => e["@id"] === "#record");
  const record = entity?.record?.["@value"];
  if (record?.format !== "sosie-certificate/1") throw new Refusal("not_certificate");
  const subjects = record.results.map((one) => ({
    name: one.name, digest: { sha256: one.sha256, sosieContent1: one.content_sha256 },
  }));
  if (canonical(subjects) !== canonical(statement.subject)) throw new Refusal("other_files");
  const keys = new Map();
  for (const one of record.signers.filter((signer) => signer.public !== null)) {
    keys.set(one.key, { name: one.name, raw: fromBase64(one.public) });
  }
  if (!Array.isArray(record.decisions[0].exceptions)) throw new Refusal("not_certificate");
  return { record, keys };
}

/** Verifies one signature against the key that the record, or the reader, has for it. */
async function signatureItem(one, keys, message, seen) {
  const name = keys.get(one.keyid)?.name ?? one.keyid.slice(0, 16);
  const item = (ok, reason) => ({ name: "signature", ok, reason, values: { name }, key: one.keyid });
  if (seen.has(one.keyid)) return item(false, "signed_twice");
  seen.add(one.keyid);
  const known = keys.get(one.keyid);
  if (!known) return item(null, "key_unknown");
  try {
    const good = (await sha256(known.raw)) === one.keyid &&
      (await holds(known.raw, fromBase64(one.sig), message));
    return item(good, good ? "signature_good" : "signature_bad");
  } catch {
    return item(false, "signature_bad");
  }
}

/**
 * Verifies a certificate: its form, its signatures, who signed, its dates.
 *
 * @param {string} text what the file holds
 * @param {Map<string, {name: string, raw: Uint8Array}>} given keys that the reader brought
 * @param {string} today as 2026-11-22
 * @returns {{items: object[], record: ?object, hash: ?string, verified: boolean}}
 */
async function verify(text, given, today) {
  const items = [];
  const add = (name, ok, reason, values = {}) => items.push({ name, ok, reason, values });
  const ended = (record = null, hash = null) => ({
    items, record, hash,
    verified: items.length > 0 && items.every((item) => item.ok !== false) &&
      items.some((item) => item.name === "signature" && item.ok === true),
  });
  if (!(await able())) {
    add("browser", false, "browser_unable");
    return { ...ended(), unable: true };
  }
  let envelope, payload, record, keys;
  try {
    envelope = envelopeOf(text);
    payload = fromBase64(envelope.payload);
    add("file", true, "file_good");
  } catch (error) {
    add("file", false, error.reason ?? "not_envelope", error.values);
    return ended();
  }
  const hash = await sha256(payload);
  try {
    ({ record, keys } = recordOf(payload));
    add("document", true, "document_good");
  } catch (error) {
    add("document", false, error.reason ?? "not_certificate", error.values);
    return ended(null, hash);
  }
  for (const [id, key] of given) keys.set(id, key);
  const message = preAuthentication(PAYLOAD_TYPE, payload);
  const seen = new Set();
  const signed = new Set();
  for (const one of envelope.signatures) {
    const item = await signatureItem(one, keys, message, seen);
    items.push(item);
    if (item.ok) signed.add(one.keyid);
  }
  const byName = new Set([...given].filter(([id]) => signed.has(id)).map(([, key]) => key.name));
  const missing = record.signers.filter((one) => one.required &&
    !(one.key === null ? byName.has(one.name) : signed.has(one.key)));
  const names = missing.map((one) => one.name).join(", ");
  add("signers", missing.length === 0, missing.length ? "signers_missing" : "signers_good", { names });
  const early = record.made_at.slice(0, 10) > today;
  const late = record.expires < today;
  add("dates", !early && !late, early ? "dates_early" : late ? "dates_late" : "dates_good",
    { day: early ? record.made_at.slice(0, 10) : record.expires });
  if (record.decisions.some((one) => one.exceptions.length)) add("exceptions", null, "exceptions");
  return ended(record, hash);
}

/** Reads a .pub file of a key, whose name and dates its own other half signed. */
async function keyOf(text) {
  const said = parsed(text, "not_key");
  if (said?.type !== "sosie public key 1") throw new Refusal("not_key");
  const raw = fromBase64(said.public);
  const { signature, ...told } = said;
  const message = new TextEncoder().encode(canonical(told));
  if (!(await holds(raw, fromBase64(signature), message))) throw new Refusal("key_changed");
  return [await sha256(raw), { name: said.name, raw }];
}
