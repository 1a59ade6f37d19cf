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

function differences(a, b) {
  const out = [];
  for (const kind of Object.keys(a.signatures).filter((name) => name in b.signatures)) { // baselines were not asked
    const [one, other] = [a.signatures[kind], b.signatures[kind]];
    const names = new Set([...Object.keys(one), ...Object.keys(other)]);
    if (a.byKind.includes(kind) && b.byKind.includes(kind)) for (const name of ["prompt", "chat"]) names.delete(name);
    for (const name of names) {
      if (one[name] !== other[name]) out.push(`${kind} ${name} (${one[name] ?? "–"} and ${other[name] ?? "–"})`);
    }
  }
  return out;
}

function addLine({ name, title, higher, ofGroups }, parts, drawn, compared) {
  const line = $("differences").tBodies[0].insertRow(), heading = document.createElement("th");
  const cell = (text, kind = "n") => Object.assign(line.insertCell(), { textContent: text, className: kind });
  const [a, b] = [total(parts[0]) / total(parts[1]), total(parts[2]) / total(parts[3])], ends = interval(drawn);
  heading.append(Object.assign(document.createElement("code"), { textContent: name }), higher === null ? "" : higher ? " ↑" : " ↓");
  Object.assign(heading, { scope: "row", title });
  line.dataset.metric = name;
  line.append(heading);
  for (const text of [perCent(a), perCent(b), points(b - a)]) cell(text);
  cell(ends ? `${points(ends.low)} to ${points(ends.high)}` : "–");
  cell(ends ? (ends.p < 0.0005 ? "< 0.0005" : ends.p.toFixed(4)) : "–");
  if (!ends || ends.p >= 0.05) cell("not distinguished", "quiet");
  else cell(higher === null ? "different" : (b > a) === higher ? "B" : "A", "better");
  const counts = countSorts(name, compared);
  for (const who of ["a", "b"]) countCell(line, counts[who], { by: name, who }, `${title}, ${WHO[who]}`, !ofGroups ? "" : counts[who] === 1 ? " group" : " groups");
}

// What A or B is, its signatures, and how often the judge errs on such answers. A baseline has only a name.
function addAsked(side, { key, label, isBaseline, asked, judgeErrs }) {
  const line = (...parts) => { const made = element("p"); made.append(...parts); $("asked").append(made); };
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

function writeAddress() {
  const where = marked ? { row: marked } : page ? { page: page + 1 } : {};
  history.replaceState(null, "", address({ ...filters(), ...where }));
}

function showDifferences(compared) {
  const [a, b] = compared.map(({ entry }) => entry), all = sums(a, b), drawn = resample(all);
  $("caption").textContent = `A: ${nameOf(a, compared)} · B: ${nameOf(b, compared)} · ${clusters.length} rows in ${groups} contrast groups`;
  $("differences").tBodies[0].replaceChildren();
  all.forEach(([metric, parts], at) => addLine(metric, parts, drawn[at], compared));
  const differ = differences(a, b);
  return [
    ...(differ.length ? [`The signatures differ in ${differ.join(", ")}: compare only if you mean to.`] : []),
    ...(all.length ? [] : ["The two have no task in common."]),
  ];
}

// Show the pair that is chosen: the differences at once, the rows when its answers are there.
async function show(notices = [], asked = undefined) {
  const compared = chosen(), two = compared.length > 1;
  $("compared").hidden = !two;
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
function fill(select, key, otherwise) {
  entries.forEach((entry, at) => select.append(option(at, entry.label)));
  const at = entries.findIndex((entry) => entry.key === key);
  select.value = key === "" && select.id === "b" ? "" : at < 0 ? otherwise : at;
  return key && at < 0 ? [`${key} is not on this board for this test set.`] : [];
}

async function start() {
  const query = new URLSearchParams(location.search);
  $("page-body").hidden = false;
  const missing = fill($("a"), query.get("a"), 0);
  missing.push(...fill($("b"), query.get("b"), Number($("a").value) === 0 ? Math.min(1, entries.length - 1) : 0));
  await startRows(writeAddress);
  for (const id of ["a", "b"]) $(id).addEventListener("change", () => show());
  $("swap").addEventListener("click", () => { [$("a").value, $("b").value] = [$("b").value, $("a").value]; show(); });
  await show(missing, Object.fromEntries(query));
}

start();
