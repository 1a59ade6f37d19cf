"use strict";
const $ = (id) => document.getElementById(id);
const PAGE = 25;
const FILES = { // rows of the published files, by part
  "Statement,Label,Reason": (count) => (count > 2000 ? "train" : "test"),
  "comment;isHate": () => "test",
};
let rows = {}, page = 0;
const loaded = {}; // "paper test:261" -> [statement, label, reason]
const SEALED = "The response quotes the data: it is shown when the data is loaded.";

const unbase64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

async function unpacked() {
  const bytes = unbase64($("packed").textContent.trim());
  return JSON.parse(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text());
}

async function sha256(...parts) {
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) { bytes.set(part, at); at += part.length; }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

// What dfar_bench/leaderboard/seal.py sealed, null if it was done with other texts.
async function unsealed(sealed, id, [statement, , reason]) {
  const bytes = unbase64(sealed), nonce = bytes.subarray(0, 8), text = bytes.subarray(8);
  const key = await sha256(new TextEncoder().encode(JSON.stringify(["dfar-bench seal 1", id, statement, reason])));
  await Promise.all(Array.from({ length: Math.ceil(text.length / 32) }, async (_, block) => {
    const stream = await sha256(key, nonce, [block >>> 24, block >>> 16, block >>> 8, block]);
    stream.forEach((byte, at) => { text[32 * block + at] ^= byte; }); // beyond the end nothing is written
  }));
  const made = await sha256(key, text);
  const right = nonce.every((byte, at) => byte === made[at]);
  return right ? new TextDecoder("utf-8", { ignoreBOM: true }).decode(text) : null;
}

async function openRow(row, split) {
  const data = dataOf(row, split), sealed = row[4]?.sealed;
  if (!data || !sealed) return;
  if (crypto.subtle) row[4] = await unsealed(sealed, row[0], data) ?? { sealed, why: "The response does not open with this data." };
  else row[4].why = "The response quotes the data, and browsers open it only from disk or over https.";
}

function dataOf([, place], split) { return loaded[`${split === "clean" ? "paper" : split} ${place}`]; }

function element(name, text, kind) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function mark(right) { return element("span", right ? "right" : "wrong", right ? "good" : "bad"); }

function shownRow(row) {
  const [id, , cls, reason, response] = row;
  const item = element("li");
  const head = element("p", undefined, "head");
  head.append(element("b", id));
  if (cls) head.append(" by likelihood ", mark(cls[0]), ` (${(100 * cls[1]).toFixed(1)} % unethical)`);
  if (reason) head.append(" by response ", mark(reason[0]), " ", element("span", reason[1].replaceAll("_", " "), "code"));
  item.append(head);
  const data = dataOf(row, $("split").value);
  if (data) {
    const [statement, label, why] = data;
    item.append(element("p", statement, "statement"));
    item.append(element("p", `People: ${label === 1 ? "unethical" : "ethical"}. ${why}`, "human"));
  }
  if (typeof response === "string") {
    const text = element("p", response.trim(), "response");
    text.dir = "auto";
    item.append(text);
  } else if (response) item.append(element("p", response.why ?? SEALED, "quiet"));
  return item;
}

function fitting() {
  const code = $("code").value, right = $("right").value, wanted = $("search").value.toLowerCase();
  return (rows[$("split").value] ?? []).filter(([, , cls, reason, response]) =>
    (!code || reason?.[1] === code) &&
    (!right || String((reason ?? cls)[0]) === right) &&
    (!wanted || (typeof response === "string" && response.toLowerCase().includes(wanted))));
}

function show() {
  const found = fitting(), last = Math.max(0, Math.ceil(found.length / PAGE) - 1);
  page = Math.min(Math.max(page, 0), last);
  $("rows").replaceChildren(...found.slice(page * PAGE, (page + 1) * PAGE).map(shownRow));
  $("count").textContent = `${found.length} of ${(rows[$("split").value] ?? []).length} rows`;
  $("page").textContent = `page ${page + 1} of ${last + 1}`;
  $("back").disabled = page === 0;
  $("next").disabled = page === last;
}

function restart() { page = 0; show(); }

function codes() {
  const counts = {};
  for (const [, , , reason] of rows[$("split").value] ?? []) if (reason) counts[reason[1]] = (counts[reason[1]] ?? 0) + 1;
  const made = Object.keys(counts).sort().map((code) => {
    const option = element("option", `${code.replaceAll("_", " ")} (${counts[code]})`);
    option.value = code;
    return option;
  });
  const all = element("option", "all");
  all.value = "";
  $("code").replaceChildren(all, ...made);
  restart();
}

// Cells of a CSV text: quoted ones may hold separators, quotes (doubled) and line ends.
function table(text, separator) {
  const out = [];
  let line = [], cell = "", quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (quoted) {
      if (character !== '"') cell += character;
      else if (text[at + 1] === '"') { cell += '"'; at += 1; } else quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === separator) { line.push(cell); cell = ""; }
    else if (character === "\n") { line.push(cell); out.push(line); line = []; cell = ""; }
    else if (character !== "\r") cell += character;
  }
  if (cell || line.length) out.push([...line, cell]);
  return out;
}

function read(text) {
  const first = text.slice(0, text.indexOf("\n")).trim();
  if (first.startsWith("{")) { // mini.jsonl
    const counts = { train: 0, test: 0 };
    for (const line of text.split("\n").filter(Boolean)) {
      const row = JSON.parse(line);
      loaded[`mini ${row.split}:${counts[row.split]}`] = [row.statement, row.label, row.reason];
      counts[row.split] += 1;
    }
    return counts.test;
  }
  if (!FILES[first]) return 0;
  const ethos = first === "comment;isHate";
  const [, ...found] = table(text, ethos ? ";" : ",");
  const part = FILES[first](found.length);
  found.forEach(([statement, label, reason], at) => {
    loaded[`${ethos ? "ethos" : "paper"} ${part}:${at}`] = [statement, ethos ? Number(label >= 0.5) : Number(label), reason ?? ""];
  });
  return found.length;
}

async function load() {
  const said = [];
  for (const file of $("data").files) {
    let count = 0;
    try { count = read((await file.text()).replace(/^\ufeff/, "")); } catch { /* not a file of the data */ }
    said.push(count ? `${file.name}: ${count} rows` : `${file.name} is none of the published files`);
  }
  await Promise.all(Object.entries(rows).flatMap(([split, found]) => found.map((row) => openRow(row, split))));
  $("loaded").textContent = said.join(" · ");
  show();
}

unpacked().then((found) => {
  rows = found;
  $("split").addEventListener("change", codes);
  for (const id of ["code", "right"]) $(id).addEventListener("change", restart);
  $("search").addEventListener("input", restart);
  $("data").addEventListener("change", load);
  for (const [id, step] of [["back", -1], ["next", 1]]) $(id).addEventListener("click", () => {
    page += step;
    show();
    $("rows-title").scrollIntoView();
  });
  codes();
});
