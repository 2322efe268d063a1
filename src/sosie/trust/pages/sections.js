// What a certificate says, section by section, out of its record alone.

function coverOf(record) {
  if (!record) return [el("header", {}, el("p.kind", {}, t("page.kind")), el("h1", {}, t("page.unreadable")))];
  const { agreement } = record;
  return [el("header", {},
    el("p.kind", {}, t("page.kind")),
    el("h1", {}, agreement.title),
    el("p.sub", {}, t("page.sub", { date: date(record.made_at), expires: date(record.expires),
      recipients: listed(agreement.recipients) || t("page.nobody") })))];
}

function section(key, ...children) {
  return el("section.part", { id: key },
    el("div.margin", {}, el("h2", {}, t(`sections.${key}`)), el("p", {}, t(`sections.${key}_text`))),
    el("div.body", {}, children));
}

function facts(pairs) {
  const rows = pairs.filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return el("dl.facts", {}, rows.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

const fingerprint = (hash) => el("code.print", {}, hash.match(/.{4}/g).map((four) => el("span", {}, four)));
const word = (key) => TEXTS[state.lang].words?.[key] ?? key.replaceAll("_", " ");

const inWords = (terms) => terms.split(", ").map((one) =>
  TEXTS[state.lang].words[one] ?? one.replace(".", word("decimal"))).join(` ${word("or")} `);
const meaning = (term) => TEXTS[state.lang].terms[term] ?? term;

function sectionsOf(record) {
  return [signersOf, filesOf, opinionOf, attacksOf, makingOf, originalOf, agreementOf, decisionsOf,
    limitsOf, registerOf, colophonOf].map((make) => make(record));
}

function signersOf(record) {
  const signed = new Map(state.found.items.filter((one) => one.name === "signature")
    .map((one) => [one.key, one.ok]));
  const cards = record.signers.map((one) => {
    const ok = signed.get(one.key ?? keyNamed(one.name)) ?? (one.required ? false : null);
    const box = el("input", { type: "checkbox" });
    box.checked = state.recognised.has(one.key) || state.given.has(one.key);
    box.disabled = state.given.has(one.key);
    box.addEventListener("change", () => {
      state.recognised[box.checked ? "add" : "delete"](one.key);
      show();
    });
    const said = state.given.has(one.key) ? t("signers.given") : t("signers.compare");
    return el("li.card", {}, el("h3", {}, mark(kindOf(ok)), one.name),
      el("p.small", {}, t(ok ? "signers.signed" : "signers.unsigned") + " " +
        t(one.required ? "signers.required" : "signers.optional")),
      one.key === null ? el("p.note", {}, t("signers.any_key")) :
        [fingerprint(one.key), el("label.tick", {}, box, said)]);
  });
  return section("signers", el("ul.cards", {}, cards), el("p.note", {}, t("signers.honest")));
}

const keyNamed = (name) => [...state.given].find(([, key]) => key.name === name)?.[0];

function filesOf(record) {
  const rows = record.results.map((one) => el("li.card.file", {}, el("h3", {}, one.name),
    el("p.small", {}, t(one.columns.length === 1 ? "files.size_one" : "files.size",
      { rows: count(one.rows), columns: number(one.columns.length) })),
    facts([[t("files.sha256"), fingerprint(one.sha256)], [t("files.content"), fingerprint(one.content_sha256)]])));
  return section("files", el("ul.cards.one", {}, rows));
}

function opinionOf(record) {
  const cards = ["singling_out", "linkability", "inference", "membership"].map((name) => {
    const risk = record.opinion[name];
    const kind = VERDICTS[risk.verdict] ?? "none";
    return el(`li.criterion.${kind}`, {}, el("h3", {}, t(`wording.criteria.${name}`)),
      el("p.question", {}, t(`wording.question.${name}`)),
      el("p.verdict", {}, mark(kind), t(`wording.verdict.${risk.verdict}`)),
      el("p.small", {}, t(`arguments.${risk.argument}`, { attacks: listed(risk.attacks.map(called)) })),
      risk.residual === null ? null :
        el("p.small", {}, t("arguments.residual", { most: number(100 * risk.residual, 1) })));
  });
  const exceptions = record.decisions.flatMap((one) => one.exceptions);
  return section("opinion", el("p.lead", {}, t(`conclusions.${record.opinion.conclusion}`)),
    el("ul.criteria", {}, cards), exceptions.length ? exceptionsOf(exceptions) : null);
}

function exceptionsOf(exceptions) {
  return el("div.warning", {}, el("b", {}, t("page.exceptions")), exceptions.map((one) =>
    el("p", {}, t("page.exception", { item: word(one.item), found: inWords(one.found), asked: inWords(one.asked), reason: one.reason }))));
}

const called = (name) => TEXTS[state.lang].wording.privacy[name] ??
  TEXTS[state.lang].wording.utility[name] ?? name.replaceAll("_", " ");

function attacksOf(record) {
  const { evidence } = record;
  const told = (one) => one.verdict !== "not_measured";
  const deciding = (one) => one.criterion !== null;
  const table = (findings, control, plain = false) => {
    const rows = findings.filter(([, one]) => told(one))
      .map(([name, one]) => rowOf(name, one, control, plain));
    if (!rows.length) return null;
    const names = ["measure", "value", ...(control ? ["control"] : []), "interval", "target", "picture", "verdict"];
    return el("div.wide", {}, el("table", {},
      el("thead", {}, el("tr", {}, names.map((name) => el("th", { scope: "col", class: name }, t(`table.${name}`))))),
      el("tbody", {}, rows)));
  };
  const privacy = inOrder(evidence.privacy, "privacy");
  const unmeasured = privacy.filter(([, one]) => !told(one));
  const others = table(privacy.filter(([, one]) => !deciding(one)), true, true);
  const controls = Object.entries(evidence.controls).map(([name, ok]) =>
    el("li", {}, mark(kindOf(ok)), t(`controls.${name}_${ok ? "yes" : "no"}`)));
  const threshold = number(100 * evidence.threshold, 1);
  return section("attacks",
    el("p", {}, t("attacks.lead", { made: date(evidence.made_on), review: date(evidence.review_by),
      threshold, judged: t(`attacks.${evidence.judged}`) })),
    el("ul.items", {}, controls), el("h3", {}, t("attacks.privacy")),
    table(privacy.filter(([, one]) => deciding(one)), true),
    unmeasured.length ? el("p.note", {}, t("attacks.unmeasured", { names: listed(unmeasured.map(([n]) => called(n))) })) : null,
    el("h3", {}, t("attacks.utility")), table(inOrder(evidence.utility, "utility"), false),
    others ? [el("h3", {}, t("attacks.others")), el("p.small", {}, t("attacks.others_text")), others] : null);
}

/** Puts findings in the order in which reports show them; names that these do not know come last. */
function inOrder(findings, section) {
  const names = Object.keys(TEXTS[state.lang].wording[section]);
  const place = (name) => (names.includes(name) ? names.indexOf(name) : names.length);
  return Object.entries(findings).sort(([a], [b]) => place(a) - place(b));
}

function rowOf(name, one, control, plain) {
  const gap = one.difference !== null;
  const interval = gap ? one.difference_ci : one.ci;
  const spelt = one.hidden ? t("table.hidden") : interval ? `${number(interval[0])} ${t("table.to")} ${number(interval[1])}` : "–";
  const kind = plain ? "none" : VERDICTS[one.verdict] ?? "none";
  const said = !plain || !VERDICTS[one.verdict] ? t(`wording.verdict.${one.verdict}`) :
    t(one.verdict === "fail" ? "table.missed" : "table.met");
  const sign = one.better === "lower" ? "≤ " : "≥ ";
  return el("tr", {}, el("th", { scope: "row" }, called(name)),
    el("td.n", {}, number(one.value)), control ? el("td.n", {}, number(one.control)) : null,
    el("td.n", {}, spelt), el("td.n", {}, one.target === null ? "–" : sign + number(one.target)),
    el("td", {}, one.hidden ? null : strip(gap ? one.difference : one.value, interval, one, kind)),
    el(`td.verdict.${kind}`, {}, mark(kind), said));
}

/** Draws a dot and its interval against the target. */
function strip(value, interval, one, kind) {
  if (value === null || one.target === null) return null;
  const ends = [value, one.target, ...(interval ?? []), 0];
  const low = Math.min(...ends), span = (Math.max(...ends) - low) || 1;
  const x = (v) => (4 + (112 * (v - low)) / span).toFixed(1);
  const [from, to] = one.better === "lower" ? [0, x(one.target)] : [x(one.target), 120];
  const picture = draw("svg", { viewBox: "0 0 120 14", class: `strip ${kind}`, "aria-hidden": "true" },
    draw("rect", { x: from, y: 0, width: Math.max(0, to - from), height: 14, class: "side" }),
    draw("path", { d: `M${x(one.target)} 0V14`, class: "target" }));
  if (interval) picture.append(draw("path", { d: `M${x(interval[0])} 7H${x(interval[1])}`, class: "span" }));
  picture.append(draw("circle", { cx: x(value), cy: 7, r: 3.6 }));
  return picture;
}

function makingOf(record) {
  const { computation } = record;
  const spelt = (value) => (value !== null && typeof value === "object" ?
    Object.entries(value).map(([k, v]) => `${k} = ${v}`).join(", ") : String(value));
  return section("making", facts([
    [t("making.generator"), computation.generator ?? t("making.unrecorded")],
    [t("making.version"), computation.version],
    ...Object.entries(computation.parameters).map(([name, value]) => [name, spelt(value)]),
    [t("making.seed"), computation.seed_commitment ? fingerprint(computation.seed_commitment) : t("making.unrecorded")],
  ]));
}

function originalOf(record) {
  const { original } = record;
  return section("original", facts([
    [t("original.rows"), count(original.rows)],
    [t("original.columns"), listed(original.columns.map((one) =>
      one.category ? `${one.name} (${meaning(one.category)})` : one.name))],
    [t("original.commitment"), fingerprint(original.commitment)],
    [t("original.crossings"), record.crossings.length ?
      listed(record.crossings.map((one) => `${one.sets.join(" × ")} (${one.on.join(", ")}): ${one.how}`)) :
      t("original.no_crossing")],
  ]), el("p.note", {}, t("original.why")));
}

function agreementOf(record) {
  const { agreement } = record;
  return section("agreement", facts([
    [t("agreement.purpose"), agreement.purpose],
    [t("agreement.basis"), listed(agreement.legal_basis.map(meaning))],
    [t("agreement.terms"), listed(agreement.purpose_terms.map(meaning))],
    [t("agreement.parties"), listed(agreement.parties.map((one) => `${one.name} (${one.roles.map(word).join(", ")})`))],
    [t("agreement.recipients"), listed(agreement.recipients)],
    [t("agreement.uses"), listed(agreement.uses)],
    [t("agreement.valid"), t("agreement.from_to", { from: date(agreement.valid_from), to: date(agreement.valid_until) })],
    [t("agreement.retention"), agreement.retention], [t("agreement.withdrawal"), agreement.withdrawal],
    [t("agreement.charter"), agreement.charter], [t("agreement.sha256"), fingerprint(agreement.sha256)],
  ]));
}

function decisionsOf(record) {
  const phases = ["check", "validation", "sign_off", "execution", "disclosure", "publishing"];
  return section("decisions",
    el("ol.phases", {}, phases.map((name) => el("li", {}, el("b", {}, t(`phases.${name}`)), el("span", {}, t(`phases.${name}_text`))))),
    record.decisions.map((one) => el("p", {}, t("decisions.release", { who: one.who, date: date(one.at) }))));
}

function limitsOf(record) {
  return section("limits", el("ul.points", {}, record.not_proved.map((key) =>
    el("li", {}, el("b", {}, t(`limits.${key}`)), " ", t(`limits.${key}_text`)))));
}

function categoriesInWords(text) {
  const known = TEXTS[state.lang].terms;
  return text.replace(/\(([^()]*)\)(?=;|$)/g, (whole, inside) => {
    const listed = inside.split(", ");
    return listed.every((one) => Object.hasOwn(known, one)) ? `(${listed.map(meaning).join(", ")})` : whole;
  });
}

function registerOf(record) {
  const article = record.article_30;
  return section("register", facts([
    [t("register.controllers"), listed(article.controllers)], [t("register.purposes"), article.purposes],
    [t("register.persons_and_data"), categoriesInWords(article.persons_and_data)],
    [t("register.recipients"), listed(article.recipients)], [t("register.transfers"), article.transfers],
    [t("register.erasure"), article.erasure], [t("register.security"), listed(article.security.map(word))],
  ]));
}

function colophonOf(record) {
  const { environment } = record;
  const code = state.carried && CARRIED.code ?
    el("img.code", { src: CARRIED.code, alt: t("colophon.code") }) : null;
  return section("colophon", code, facts([
    [t("colophon.id"), record.id], [t("colophon.hash"), fingerprint(state.found.hash)],
    [t("colophon.ledgers"), listed(record.ledgers.map((one) => `${one.name}: ${one.sha256.slice(0, 16)}…`))],
    [t("colophon.programs"), `sosie ${environment.sosie}, Python ${environment.python}`],
    [t("colophon.code_sha256"), fingerprint(environment.code_sha256)],
    [t("colophon.packages"), fingerprint(environment.packages_sha256)],
  ]), el("p.note", {}, t("colophon.honest")));
}
