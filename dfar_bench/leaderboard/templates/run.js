"use strict";
const $ = (id) => document.getElementById(id);
const PAGE = 25;
const { titles, layouts } = JSON.parse($("files").textContent); // of kinds of task; of the published files (own_copy.py)
const texts = {}; // [statement, reason] of the reader's own copy, by place ("paper test:261") or row id
let data = {}, page = 0;

async function unpack() {
  const bytes = Uint8Array.from(atob($("packed").textContent.trim()), (character) => character.charCodeAt(0));
  return JSON.parse(await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text());
}

const current = () => data[$("name").value];
const textsOf = (row) => row.texts ?? texts[row.at] ?? texts[row.id];

// The text that a part of a response quotes, undefined without the data. Positions count code points.
function quoted({ row, at, field, start, end, swapcase = [] }) {
  const source = (texts[at] ?? texts[row])?.[field === "statement" ? 0 : 1];
  if (source === undefined) return undefined;
  const swap = (letter) => (letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase());
  return Array.from(source).slice(start, end).map((letter, at) => (swapcase.includes(start + at) ? swap(letter) : letter)).join("");
}

function element(name, text, kind) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

const partText = (part) => (typeof part === "string" ? part : quoted(part));
const searchable = ({ response = [] }) => response.map((part) => partText(part) ?? " … ").join("").toLowerCase();

function responseElement(response) {
  const out = element("p", undefined, "response");
  out.dir = "auto";
  for (const part of response) {
    out.append(partText(part) ?? element("span", `[quotes ${part.end - part.start} characters of the ${part.field} of ${part.row}]`, "quoted"));
  }
  return out;
}

function rowElement(row) {
  const { labels } = current(), item = element("li"), head = element("p", undefined, "head"), body = textsOf(row);
  head.append(element("b", row.id));
  for (const [kind, { right, verdict, probability, code }] of Object.entries(row.answers)) {
    head.append(` ${titles[kind].toLowerCase()}: `);
    if (row.label !== null) head.append(element("span", right === 1 ? "right" : right ? "tie" : "wrong", right === 1 ? "good" : "bad"));
    if (probability !== undefined) head.append(` (${labels[verdict]}, ${(100 * probability).toFixed(1)} %)`);
    if (code) head.append(" ", element("span", code.replaceAll("_", " "), "code"));
  }
  item.append(head);
  if (body) item.append(element("p", body[0], "statement"));
  if (body && row.label !== null) item.append(element("p", `${body[1] ? "People" : "Label"}: ${labels[row.label]}. ${body[1] ?? ""}`, "human"));
  for (const { response } of Object.values(row.answers)) if (response) item.append(responseElement(response));
  return item;
}

function filtered() {
  const code = $("code").value, right = $("right").value, wanted = $("search").value.toLowerCase();
  return current().rows.filter((row) => {
    const answers = Object.values(row.answers);
    return (!code || answers.some((answer) => answer.code === code)) &&
      (!right || (row.label !== null && (right === "0.5" ? answers : answers.slice(-1)).some((answer) => String(answer.right) === right))) && // only likelihoods tie
      (!wanted || answers.some((answer) => searchable(answer).includes(wanted)));
  });
}

function show() {
  const found = filtered(), last = Math.max(0, Math.ceil(found.length / PAGE) - 1);
  page = Math.min(Math.max(page, 0), last);
  $("rows").replaceChildren(...found.slice(page * PAGE, (page + 1) * PAGE).map(rowElement));
  $("count").textContent = `${found.length} of ${current().rows.length} rows`;
  $("page").textContent = `page ${page + 1} of ${last + 1}`;
  $("back").disabled = page === 0;
  $("next").disabled = page === last;
}

function restart() { page = 0; show(); }

function fillCodes() {
  const counts = {};
  for (const { answers } of current().rows) for (const { code } of Object.values(answers)) if (code) counts[code] = (counts[code] ?? 0) + 1;
  const options = Object.keys(counts).sort().map((code) => Object.assign(element("option", `${code.replaceAll("_", " ")} (${counts[code]})`), { value: code }));
  $("code").replaceChildren(Object.assign(element("option", "all"), { value: "" }), ...options);
  restart();
}

// Cells of a CSV text: quoted ones may hold separators, quotes (doubled) and line ends.
function table(text, separator) {
  const out = [];
  let line = [], cell = "", inside = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (inside) {
      if (character !== '"') cell += character;
      else if (text[at + 1] === '"') { cell += '"'; at += 1; } else inside = false;
    } else if (character === '"') inside = true;
    else if (character === separator) { line.push(cell); cell = ""; }
    else if (character === "\n") { line.push(cell); out.push(line); line = []; cell = ""; }
    else if (character !== "\r") cell += character;
  }
  if (cell || line.length) out.push([...line, cell]);
  return out;
}

// Keep the texts of a file, and return how many: rows saved as JSON Lines, or a published CSV file.
function read(text) {
  const header = text.slice(0, text.indexOf("\n")).trim();
  if (header.startsWith("{")) {
    const rows = text.split("\n").filter(Boolean).map((line) => JSON.parse(line)).filter((row) => row.row_id && row.statement);
    for (const { row_id: id, statement, reason } of rows) texts[id] = [statement, reason ?? ""];
    return rows.length;
  }
  for (const layout of layouts.filter((one) => one.header === header)) {
    const [, ...rows] = table(text, layout.separator);
    if (rows.length !== layout.rows) continue;
    rows.forEach((cells, at) => { texts[layout.key + at] = [cells[layout.statement], layout.reason === null ? "" : cells[layout.reason]]; });
    return rows.length;
  }
  return 0;
}

async function load() {
  const messages = [];
  for (const file of $("data").files) {
    let count = 0;
    try { count = read((await file.text()).replace(/^\ufeff/, "")); } catch { /* not a file of the data */ }
    messages.push(count ? `${file.name}: ${count} rows` : `${file.name} is not one of the files`);
  }
  $("loaded").textContent = messages.join(" · ");
  show();
}

unpack().then((found) => {
  data = found;
  $("name").addEventListener("change", fillCodes);
  for (const id of ["code", "right"]) $(id).addEventListener("change", restart);
  $("search").addEventListener("input", restart);
  $("data").addEventListener("change", load);
  for (const [id, step] of [["back", -1], ["next", 1]]) $(id).addEventListener("click", () => {
    page += step;
    show();
    $("rows-title").scrollIntoView();
  });
  fillCodes();
});
