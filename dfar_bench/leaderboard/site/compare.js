"use strict";
const $ = (id) => document.getElementById(id);
const { clusters, leaked, contrast, entries, resamples, seed, higher } = JSON.parse($("data").textContent);
const count = Math.max(...clusters) + 1;

// Of one row: what it adds to a metric, and whether it counts. As in dfar_bench/metrics.py.
const RATES = [["acc", "cls"], ["mar", "reason"], ["mar_self", "reason"], ["verdict_acc", "reason"]];

function bits(text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return clusters.map((_, at) => (bytes[at >> 3] >> (at & 7)) & 1);
}

// Sums a contrast group: metric -> [numerators of A, of B, denominators].
function sums(a, b) {
  const out = {};
  const add = (name, at, first, second) => {
    out[name] ??= [new Float64Array(count), new Float64Array(count), new Float64Array(count)];
    out[name][0][at] += first; out[name][1][at] += second; out[name][2][at] += 1;
  };
  for (const [metric, kind] of RATES) {
    if (!(metric in a.bits) || !(metric in b.bits)) continue;
    const [first, second] = [bits(a.bits[metric]), bits(b.bits[metric])];
    clusters.forEach((cluster, at) => {
      add(metric, cluster, first[at], second[at]);
      if (leaked.includes(1) && metric !== "mar_self" && !leaked[at]) add(`${metric}_unleaked`, cluster, first[at], second[at]);
    });
    if (metric === "acc") {
      const members = {};
      clusters.forEach((cluster, at) => { if (contrast[at]) (members[cluster] ??= []).push(at); });
      for (const [cluster, at] of Object.entries(members)) {
        add("group_acc", Number(cluster), Number(at.every((row) => first[row])), Number(at.every((row) => second[row])));
      }
    }
  }
  return out;
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

// The differences B - A of every metric in every resample of the groups.
function resampled(found) {
  const names = Object.keys(found), random = generator(seed);
  const moved = Object.fromEntries(names.map((name) => [name, new Float64Array(resamples)]));
  const weights = new Uint16Array(count);
  for (let round = 0; round < resamples; round += 1) {
    weights.fill(0);
    for (let draw = 0; draw < count; draw += 1) weights[Math.floor(random() * count)] += 1;
    for (const name of names) {
      const [first, second, counted] = found[name];
      let above = 0, below = 0;
      for (let at = 0; at < count; at += 1) {
        above += weights[at] * (second[at] - first[at]);
        below += weights[at] * counted[at];
      }
      moved[name][round] = below ? above / below : NaN;
    }
  }
  return moved;
}

function quantile(sorted, share) {
  const at = share * (sorted.length - 1), low = Math.floor(at);
  return sorted[low] + (at - low) * (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low]);
}

// As interval_of and _p_value of the package; undefined where it gives none.
function spread(values) {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  if (count < 10 || sorted.length < 0.95 * values.length) return undefined;
  const either = Math.min(sorted.filter((value) => value <= 1e-12).length, sorted.filter((value) => value >= -1e-12).length);
  return { low: quantile(sorted, 0.025), high: quantile(sorted, 0.975), p: Math.min(1, (2 * (either + 1)) / (sorted.length + 1)) };
}

// McNemar's exact test: two-sided binomial at one half.
function mcnemar(a, b) {
  const [first, second] = [bits(a.bits.acc ?? a.bits.verdict_acc), bits(b.bits.acc ?? b.bits.verdict_acc)];
  let onlyA = 0, onlyB = 0;
  first.forEach((right, at) => { onlyA += right && !second[at]; onlyB += second[at] && !right; });
  const n = onlyA + onlyB;
  let term = -n * Math.LN2, tail = 0; // logarithms, as 2^-n may be too small
  for (let k = 0; k <= Math.min(onlyA, onlyB); k += 1) {
    tail += Math.exp(term);
    term += Math.log(n - k) - Math.log(k + 1);
  }
  return { onlyA, onlyB, p: Math.min(1, 2 * tail) };
}

const total = (values) => values.reduce((sum, value) => sum + value, 0);
const perCent = (share) => (100 * share).toFixed(1);
const points = (share) => `${share < 0 ? "−" : "+"}${Math.abs(100 * share).toFixed(1)}`.replace(/^[−+](0\.0)$/, "$1");
const small = (p) => (p < 0.0005 ? "< 0.0005" : p.toFixed(4));

function cell(line, text, kind) {
  const made = line.insertCell();
  made.textContent = text;
  made.className = kind ?? "n";
  return made;
}

function differing(a, b) {
  const fields = (text) => new Map(text.split("|").slice(1).map((part) => part.split(":")));
  const out = [];
  for (const kind of ["cls", "reason"]) {
    if (!a.signatures[kind] || !b.signatures[kind]) continue; // null models were not asked
    const [one, other] = [fields(a.signatures[kind]), fields(b.signatures[kind])];
    for (const name of new Set([...one.keys(), ...other.keys()])) {
      if (one.get(name) !== other.get(name)) out.push(`${kind} ${name} (${one.get(name) ?? "–"} and ${other.get(name) ?? "–"})`);
    }
  }
  return out;
}

function show() {
  const [a, b] = [entries[$("a").value], entries[$("b").value]];
  const body = $("differences").tBodies[0];
  body.replaceChildren();
  const found = sums(a, b), moved = resampled(found), differs = differing(a, b);
  const said = [];
  if (differs.length) said.push(`The signatures differ in ${differs.join(", ")}: compare only if you mean to.`);
  if (Object.keys(found).length === 0) said.push("The two have no task in common.");
  for (const one of new Set([a, b])) {
    if (one.apart) said.push(`${one.name} was trained on statements of this test set.`);
  }
  $("notice").hidden = said.length === 0;
  $("notice").textContent = said.join(" ");
  $("caption").textContent = `A: ${a.name} · B: ${b.name} · ${clusters.length} rows in ${count} contrast groups`;
  for (const [name, [first, second, counted]] of Object.entries(found)) {
    const line = body.insertRow(), n = total(counted), spreads = spread(moved[name]);
    const heading = document.createElement("th");
    heading.scope = "row";
    heading.append(Object.assign(document.createElement("code"), { textContent: name }), higher[name] ? " ↑" : " ↓");
    line.append(heading);
    line.dataset.metric = name;
    const difference = (total(second) - total(first)) / n;
    cell(line, perCent(total(first) / n));
    cell(line, perCent(total(second) / n));
    cell(line, points(difference));
    cell(line, spreads ? `${points(spreads.low)} to ${points(spreads.high)}` : "–");
    cell(line, spreads ? small(spreads.p) : "–");
    const told = spreads && spreads.p < 0.05;
    cell(line, told ? (difference > 0) === higher[name] ? "B" : "A" : "not told apart", told ? "told" : "quiet");
  }
  if ("acc" in a.bits === "acc" in b.bits && ("acc" in a.bits || ("verdict_acc" in a.bits && "verdict_acc" in b.bits))) {
    const exact = mcnemar(a, b);
    $("mcnemar").textContent = `Verdicts right in A alone: ${exact.onlyA}, in B alone: ${exact.onlyB}. McNemar’s exact test: p ${small(exact.p)}.`;
  } else $("mcnemar").textContent = "";
  const keys = [a.key, b.key].map(encodeURIComponent);
  history.replaceState(null, "", `?a=${keys[0]}&b=${keys[1]}`);
}

function fill(select, wanted, otherwise) {
  for (const [at, entry] of entries.entries()) {
    const option = document.createElement("option");
    option.value = at;
    option.textContent = entry.label;
    select.append(option);
  }
  const at = entries.findIndex((entry) => entry.key === wanted);
  select.value = at < 0 ? otherwise : at;
}

const asked = new URLSearchParams(location.search);
fill($("a"), asked.get("a"), 0);
fill($("b"), asked.get("b"), Number($("a").value) === 0 ? Math.min(1, entries.length - 1) : 0);
for (const id of ["a", "b"]) $(id).addEventListener("change", show);
$("swap").addEventListener("click", () => { [$("a").value, $("b").value] = [$("b").value, $("a").value]; show(); });
show();
