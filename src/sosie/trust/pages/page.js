// Shows a certificate: what is verified first, then what it says; every word comes from the texts.
const TEXTS = JSON.parse(document.getElementById("texts").textContent);
const CARRIED = JSON.parse(document.getElementById("certificate").textContent);
const SVG = "http://www.w3.org/2000/svg";
const SHAPES = {
  good: ["circle", { cx: 8, cy: 8, r: 7.4 }, "M4.6 8.4 7 10.7 11.5 5.6"],
  bad: ["rect", { x: 1, y: 1, width: 14, height: 14 }, "M5 5l6 6M11 5l-6 6"],
  unsure: ["path", { d: "M8 .8 15.6 14.6H.4Z" }, "M8 5.6V9.6M8 12.1v.1"],
  none: ["path", { d: "M3 7.2h10v1.6H3z" }, ""],
};
const VERDICTS = { pass: "good", attention: "unsure", fail: "bad" };

const state = {
  lang: (navigator.language || "en").toLowerCase().startsWith("fr") ? "fr" : "en",
  text: CARRIED.text, carried: true, given: new Map(), recognised: new Set(), dropped: [], found: null,
};

function t(key, values = {}) {
  let text = key.split(".").reduce((at, part) => at?.[part], TEXTS[state.lang]) ?? key;
  for (const [name, value] of Object.entries(values)) text = text.replaceAll(`{${name}}`, value);
  return text;
}

/** Makes an element; texts become text nodes, so that nothing in a certificate can run. */
function el(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const made = document.createElement(name || "div");
  if (classes.length) made.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== ""));
  return made;
}

function draw(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function mark(kind) {
  const [tag, attributes, line] = SHAPES[kind];
  return draw("svg", { viewBox: "0 0 16 16", class: `mark ${kind}`, "aria-hidden": "true" },
    draw(tag, attributes), draw("path", { d: line, class: "line" }));
}

const kindOf = (ok) => (ok === true ? "good" : ok === false ? "bad" : "unsure");
const locale = () => ({ en: "en-GB", fr: "fr-FR" }[state.lang]);
const number = (value, digits = 3) =>
  value === null || value === undefined ? "–" :
    value.toLocaleString(locale(), { maximumFractionDigits: digits }).replace("-", "−");
const count = (value) => (value === null ? t("page.fewer") : t("page.about", { n: number(value, 0) }));
const date = (day) => new Date(`${day.slice(0, 10)}T12:00:00Z`).toLocaleDateString(locale(),
  { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
const listed = (names) => names.join(state.lang === "fr" ? " ; " : "; ");

/** Draws a rosette whose waves are those of the hash: another document, another rosette. */
function rosette(hash, kind) {
  const bytes = (hash ?? "").match(/../g)?.map((b) => parseInt(b, 16)) ?? new Array(32).fill(96);
  const picture = draw("svg", { viewBox: "-100 -100 200 200", class: `rosette ${kind}`, "aria-hidden": "true" });
  for (let ring = 0; ring < 6; ring += 1) {
    const waves = 6 + (bytes[ring] % 13);
    const second = 3 + (bytes[ring + 6] % 9);
    const depth = 4 + (bytes[ring + 12] % 9);
    const radius = 46 + 8 * ring;
    for (let turn = 0; turn < 3; turn += 1) {
      const shift = (turn * 2 * Math.PI) / 3 + bytes[ring + 18] / 40;
      let path = "";
      for (let step = 0; step <= 360; step += 1.5) {
        const angle = (step * Math.PI) / 180;
        const r = radius + depth * Math.cos(waves * angle + shift) +
          3 * Math.sin(second * angle - shift);
        path += `${step ? "L" : "M"}${(r * Math.cos(angle)).toFixed(1)} ${(r * Math.sin(angle)).toFixed(1)}`;
      }
      picture.append(draw("path", { d: `${path}Z` }));
    }
  }
  const inner = draw("svg", { x: -24, y: -24, width: 48, height: 48, viewBox: "0 0 16 16" });
  const shape = { good: "good", bad: "bad", unsure: "unsure" }[kind];
  inner.append(...mark(shape).childNodes);
  inner.setAttribute("class", `mark ${kind}`);
  picture.append(draw("circle", { r: 38, class: "core" }), inner);
  return picture;
}

function outcome() {
  const { found } = state;
  if (found.unable) return "unsure";
  const dropped = state.dropped.some((one) => one.ok === false);
  return found.verified && !dropped ? "good" : "bad";
}

function sealSection() {
  const { found } = state;
  const kind = outcome();
  const required = found.record?.signers.filter((one) => one.required) ?? [];
  const recognised = required.length > 0 && required.every(
    (one) => state.recognised.has(one.key) || state.given.has(one.key));
  const broken = [...found.items, ...state.dropped].find((one) => one.ok === false);
  const said = kind === "good" ? t(recognised ? "seal.recognised" : "seal.good")
    : kind === "bad" ? t("seal.bad", { item: item(broken).name }) : t("seal.unsure");
  const rows = [...found.items, ...state.dropped].map((one) => {
    const { name, why } = item(one);
    return el("li", { "data-item": one.name, "data-ok": String(one.ok) }, mark(kindOf(one.ok)),
      el("div", {}, el("b", {}, name), " ", why));
  });
  return el("section.seal", { "data-state": kind, id: "seal" },
    el("div.sign", {}, rosette(found.hash, kind)),
    el("div.said", {}, el(`p.word.${kind}`, {}, t(`seal.${kind}_word`)), el("p.lead", {}, said)),
    el("ul.items", {}, rows), dropZone());
}

function item(one) {
  const values = { ...one.values };
  if (values.day) values.day = date(values.day);
  return { name: t(`items.${one.name}`, values), why: t(`reasons.${one.reason}`, values) };
}

function dropZone() {
  const input = el("input", { type: "file", id: "files", multiple: "" });
  input.addEventListener("change", () => take([...input.files]));
  const zone = el("label.drop", { for: "files" }, el("b", {}, t("drop.title")),
    el("span", {}, t("drop.text")), input);
  zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("over"); });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => { event.preventDefault(); take([...event.dataTransfer.files]); });
  return zone;
}

/** Takes what was dropped: a key, another certificate, or a file to compare. */
async function take(files) {
  for (const file of files) {
    const text = file.size < LARGEST && /\.(pub|json)$/i.test(file.name) ? await file.text() : null;
    try {
      if (text?.includes("sosie public key 1")) {
        const [id, key] = await keyOf(text);
        state.given.set(id, key);
        continue;
      }
      if (text?.includes('"payloadType"')) {
        Object.assign(state, { text, carried: false, dropped: [], recognised: new Set() });
        continue;
      }
    } catch (error) {
      state.dropped.push({ name: "given_key", ok: false, reason: error.reason ?? "not_key", values: { file: file.name } });
      continue;
    }
    const digest = await sha256(await file.arrayBuffer());
    const same = state.found.record?.results.find((one) => one.sha256 === digest);
    state.dropped.push({ name: "result", ok: Boolean(same), values: { file: file.name },
      reason: same ? "result_same" : "result_other" });
  }
  await refresh();
}

async function refresh() {
  state.found = await verify(state.text, state.given, new Date().toISOString().slice(0, 10));
  show();
}

function show() {
  document.documentElement.lang = state.lang;
  const { record } = state.found;
  document.title = record ? `${t("page.kind")} – ${record.agreement.title}` : t("page.kind");
  const body = record ? sectionsOf(record) : [el("p.note", {}, t("page.nothing"))];
  const main = document.getElementById("main");
  main.replaceChildren(switchOf(), ...coverOf(record), sealSection(), ...body);
  main.dataset.state = outcome();
  main.dataset.ready = "yes";
}

function switchOf() {
  const buttons = ["en", "fr"].map((lang) => {
    const button = el("button", { type: "button", lang, "aria-pressed": String(lang === state.lang) },
      { en: "English", fr: "Français" }[lang]);
    button.addEventListener("click", () => { state.lang = lang; show(); });
    return button;
  });
  return el("nav.lang", { "aria-label": "Language" }, buttons);
}

refresh();
