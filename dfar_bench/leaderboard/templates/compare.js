"use strict";
// The two entries that are compared: their differences, and the address that names them and what is shown of them.
const groups = Math.max(...clusters) + 1;

function perGroup(values) {
  const sums = new Float64Array(groups);
  clusters.forEach((group, row) => { sums[group] += values[row]; });
  return sums;
}

// [hits of A, counted of A, hits of B, counted of B], each per group, of every metric that both have.
function sums(a, b) {
  const both = metrics.filter(({ name }) => name in a.bits && name in b.bits);
  return both.map((metric) => [metric, [a, b].flatMap((entry) => hitsAndCounts(entry, metric.name).map(perGroup))]);
}

// sfc32 (Chris Doty-Humphrey): small, fast, and good enough to draw groups.
function generator(start) {
  let [a, b, c, d] = [start | 0, 0x9e3779b9, 0x243f6a88, 1];
  const next = () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t | 0;
    return (t >>> 0) / 4294967296;
  };
  for (let warm = 0; warm < 20; warm += 1) next();
  return next;
}

// The difference B - A of every metric in every resample of the groups.
function resample(all) {
  const random = generator(seed), weights = new Uint16Array(groups);
  const drawn = all.map(() => new Float64Array(resamples));
  const total = (values) => { let sum = 0; for (let at = 0; at < groups; at += 1) sum += weights[at] * values[at]; return sum; };
  for (let round = 0; round < resamples; round += 1) {
    weights.fill(0);
    for (let draw = 0; draw < groups; draw += 1) weights[Math.floor(random() * groups)] += 1;
    all.forEach(([, parts], at) => {
      const [hitsA, rowsA, hitsB, rowsB] = parts.map(total);
      drawn[at][round] = hitsB / rowsB - hitsA / rowsA; // NaN where nothing counts
    });
  }
  return drawn;
}

function quantile(sorted, share) {
  const at = share * (sorted.length - 1), low = Math.floor(at);
  return sorted[low] + (at - low) * (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]);
}

// As interval_of and the p-value of dfar_bench/scoring/estimate.py; undefined where they give none.
function interval(values) {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  if (groups < 10 || sorted.length < 0.95 * values.length) return undefined;
  const tail = Math.min(sorted.filter((value) => value <= 1e-12).length, sorted.filter((value) => value >= -1e-12).length);
  return { low: quantile(sorted, 0.025), high: quantile(sorted, 0.975), p: Math.min(1, (2 * (tail + 1)) / (sorted.length + 1)) };
}

const total = (values) => values.reduce((sum, value) => sum + value, 0);
const perCent = (share) => (Number.isNaN(share) ? "–" : (100 * share).toFixed(1));
const points = (share) => (Number.isNaN(share) ? "–" : `${share < 0 ? "−" : "+"}${Math.abs(100 * share).toFixed(1)}`.replace(/^[−+](0\.0)$/, "$1"));

// How two entries were asked differently, in what keeps scores apart and in other fields: each as one text, or "".
function askedDifferently(a, b) {
  const titles = { apart: new Map(), other: new Map() }; // of the kinds of task, by what differs
  for (const { name: kind, title } of kinds.filter(({ name }) => name in a.signatures && name in b.signatures)) { // baselines were not asked
    const [ofA, ofB] = [a.signatures[kind], b.signatures[kind]], apart = [...a.apart[kind], ...b.apart[kind]];
    for (const field of new Set([...Object.keys(ofA), ...Object.keys(ofB)])) {
      const sort = titles[apart.includes(field) ? "apart" : "other"], text = `${fields[field] ?? field}: A ${ofA[field] ?? "–"}, B ${ofB[field] ?? "–"}`;
      if (ofA[field] !== ofB[field]) sort.set(text, [...(sort.get(text) ?? []), title.toLowerCase()]);
    }
  }
  return Object.values(titles).map((sort) => [...sort].map(([text, ofKinds]) => `${ofKinds.join(" and ")}, ${text}`).join("; "));
}

const figureOf = ([hits, rows]) => total(hits) / total(rows);

// What stands in place of the figures of A and B where they would mislead; "" where a figure stands.
const wordsOf = (name, compared) => compared.map(({ entry }) => entry.words[name] ?? "");

function addLine(table, { name, title, higher, ofGroups }, parts, drawn, compared) {
  const line = table.tBodies[0].appendChild($("headings").content.querySelector(`[data-metric="${name}"]`).cloneNode(true));
  const cell = (text, kind = "n") => Object.assign(line.insertCell(), { textContent: text, className: kind });
  const figures = [figureOf(parts.slice(0, 2)), figureOf(parts.slice(2))], [a, b] = figures, inPlace = wordsOf(name, compared);
  figures.forEach((figure, at) => (inPlace[at] ? cell(inPlace[at], "n words none") : cell(perCent(figure))));
  if (inPlace.some(Boolean)) {
    for (const kind of ["n", "n", "n", "n", "n", "quiet"]) cell("–", kind);
    return;
  }
  cell(points(b - a));
  const counts = countSorts(name, compared), ends = interval(drawn);
  for (const who of ["a", "b"]) countCell(line, counts[who], { by: name, who }, `${title}, ${WHO[who]}`, !ofGroups ? "" : counts[who] === 1 ? " group" : " groups");
  cell(ends ? `${points(ends.low)} to ${points(ends.high)}` : "–");
  cell(ends ? (ends.p < 0.0005 ? "< 0.0005" : ends.p.toFixed(4)) : "–");
  if (!ends || ends.p >= 0.05) cell("not distinguished", "quiet");
  else cell(higher === null ? "different" : (b > a) === higher ? "B" : "A", "better");
}

// What A or B is, its signatures, and how often the judge errs on such answers. A baseline has only a name.
function addAsked(side, { key, label, isBaseline, asked, judgeErrs }) {
  const line = (...parts) => { const paragraph = element("p"); paragraph.append(...parts); $("asked").append(paragraph); };
  line(`${side}: `, isBaseline ? label : Object.assign(element("a", label), { href: `runs/${key.split("/").map(encodeURIComponent).join("/")}.html` }));
  for (const [title, signature] of Object.entries(asked)) line(`${side}, ${title.toLowerCase()}: `, element("code", signature));
  for (const text of judgeErrs) line(`${side}: ${text}.`);
}

const chosen = () => ["a", "b"].filter((id) => $(id).value !== "").map((id) => ({ side: id.toUpperCase(), entry: entries[$(id).value] }));

// The address of the pair with these filters of rows.
function address(filtering) {
  const { a, b } = Object.fromEntries(["a", "b"].map((id) => [id, entries[$(id).value]?.key ?? ""]));
  return `?${new URLSearchParams({ a, b, ...filtering })}`;
}

let isStep = false; // whether the reader made a step to which Back returns

function writeAddress() {
  const where = marked ? { row: marked } : page ? { page: page + 1 } : {}, current = address({ ...filters(), ...where });
  if (current !== location.search) history[isStep ? "pushState" : "replaceState"](null, "", current);
  isStep = false;
}

// Do something that ends with a new address, to which Back returns.
function step(act) {
  isStep = true;
  act();
}

function showDifferences(compared) {
  const [a, b] = compared.map(({ entry }) => entry), all = sums(a, b), drawn = resample(all);
  $("caption").textContent = `A: ${nameOf(a, compared)} · B: ${nameOf(b, compared)} · ${clusters.length} rows in ${groups} contrast groups`;
  const atZero = all.map(([{ name }, [hitsA, rowsA, hitsB, rowsB]]) => figureOf([hitsA, rowsA]) === 0 && figureOf([hitsB, rowsB]) === 0 && !wordsOf(name, compared).some(Boolean));
  for (const id of ["differences", "zeros"]) $(id).tBodies[0].replaceChildren();
  all.forEach(([metric, parts], at) => addLine($(atZero[at] ? "zeros" : "differences"), metric, parts, drawn[at], compared));
  const zeros = atZero.filter(Boolean).length;
  $("at-zero").hidden = zeros === 0;
  $("zeros-title").textContent = `${zeros} ${zeros === 1 ? "metric" : "metrics"} at 0 for both`;
  const [apart, other] = askedDifferently(a, b);
  $("otherwise").hidden = !other;
  $("otherwise").textContent = `They also differ in what does not keep scores apart: ${other}.`;
  return [
    ...(apart ? [`Asked differently: ${apart}. Compare only if you mean to.`] : []),
    ...(all.length ? [] : ["The two have no task in common."]),
  ];
}

// Show the pair that is chosen: the differences at once, the rows when its answers are there.
async function show(notices = [], asked = undefined) {
  const compared = chosen(), two = compared.length > 1;
  $("compared").hidden = !two;
  $("otherwise").hidden = true;
  $("swap").disabled = !two;
  if (two) notices.push(...showDifferences(compared));
  for (const entry of new Set(compared.map(({ entry }) => entry))) if (entry.contaminated) notices.push(`${entry.name} was trained on statements of this test set.`);
  $("notice").hidden = notices.length === 0;
  $("notice").textContent = notices.join(" ");
  $("asked").replaceChildren();
  for (const { side, entry } of compared) addAsked(side, entry);
  const keys = address({});
  $("answers-state").textContent = "The answers are being opened …";
  $("answers-state").hidden = false;
  try {
    const answers = await Promise.all(compared.map(({ entry }) => answersOf(entry)));
    if (keys !== address({})) return; // another pair was chosen meanwhile
    $("answers-state").hidden = true;
    $("answered").hidden = false;
    const sides = compared.map((side, at) => ({ ...side, answers: answers[at] }));
    if (asked) openRows(sides, asked); else setSides(sides);
  } catch ({ message }) {
    if (keys !== address({})) return;
    $("answers-state").textContent = message;
    $("answered").hidden = true;
    if (!asked) writeAddress();
  }
}

// Returns a notice where the key is of no run on this board, since links outlive submissions.
function choose(select, key, otherwise) {
  const at = entries.findIndex((entry) => entry.key === key);
  select.value = key === "" && select.id === "b" ? "" : at < 0 ? otherwise : at;
  return key && at < 0 ? [`${key} is not on this board for this test set.`] : [];
}

// Show what the address names. Of a pair that is shown already, only the rows change.
function readAddress() {
  const query = new URLSearchParams(location.search), asked = Object.fromEntries(query), before = address({});
  const notices = choose($("a"), query.get("a"), 0);
  notices.push(...choose($("b"), query.get("b"), Number($("a").value) === 0 ? Math.min(1, entries.length - 1) : 0));
  isStep = false;
  if (sides.length && $("answers-state").hidden && address({}) === before) openRows(sides, asked);
  else show(notices, asked);
}

// Show the pair that the reader chose.
function showChosen() {
  step(writeAddress);
  show();
}

async function start() {
  $("page-body").hidden = false;
  for (const id of ["a", "b"]) entries.forEach((entry, at) => $(id).append(option(at, entry.label)));
  await startRows(writeAddress);
  for (const id of ["a", "b"]) $(id).addEventListener("change", showChosen);
  $("swap").addEventListener("click", () => { [$("a").value, $("b").value] = [$("b").value, $("a").value]; showChosen(); });
  addEventListener("popstate", readAddress);
  readAddress();
}

start();
