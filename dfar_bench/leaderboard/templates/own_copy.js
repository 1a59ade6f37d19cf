"use strict";
// The reader's own copy of the data: what they choose is read here and goes nowhere.
const LARGEST = 64 * 2 ** 20; // bytes, more than any file of the data has
const own = new Map(); // [statement, reason], by place ("paper test:261") or row id
const SAVE = `dfar_bench.load("${dataName}")["test"].to_json("rows.jsonl")`;
const CHOOSE = `choose ${[...new Set(layouts.map(({ file }) => file)), "rows"].join(" or ")} that you saved with ${SAVE}`;

const textsOf = ({ texts, at, id }) => texts ?? own.get(at) ?? own.get(id);

// The text that a part of a response quotes, undefined without the data. Positions count code points.
function quoted({ row, at, field, start, end, swapcase = [] }) {
  const source = (own.get(at) ?? own.get(row))?.[field === "statement" ? 0 : 1];
  if (source === undefined) return undefined;
  const swap = (letter) => (letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase());
  return Array.from(source).slice(start, end).map((letter, at) => (swapcase.includes(start + at) ? swap(letter) : letter)).join("");
}

// Cells of a CSV text: quoted ones may hold separators, quotes (doubled) and line ends.
function csvCells(text, separator) {
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

function readSaved(text) {
  const lines = text.split("\n").filter((line) => line.trim());
  return lines.map((line, at) => {
    let row;
    try { row = JSON.parse(line); } catch { throw new Error(`is cut off or damaged at line ${at + 1} of ${lines.length}: save it again with ${SAVE}`); }
    if (typeof row?.row_id !== "string" || typeof row.statement !== "string") throw new Error(`has no row_id and statement in line ${at + 1}: ${CHOOSE}`);
    return [row.row_id, [row.statement, String(row.reason ?? "")]];
  });
}

function readPublished(text, header) {
  const alike = layouts.filter((layout) => layout.header === header);
  if (!alike.length) throw new Error(`is not a file of this data: ${CHOOSE}`);
  const [, ...lines] = csvCells(text, alike[0].separator);
  const fitting = alike.filter(({ rows }) => rows === lines.length);
  if (!fitting.length) {
    const sizes = [...new Set(alike.map(({ rows }) => rows))].join(" or ");
    throw new Error(`has ${lines.length} rows where the published file has ${sizes}, so it is cut off or changed: download it again`);
  }
  return fitting.flatMap((layout) => lines.map((cells, at) => [`${layout.key}${at}`, [cells[layout.statement] ?? "", layout.reason === null ? "" : cells[layout.reason] ?? ""]]));
}

// Whether texts are as long as the published ones. A reason may be left out.
function differs({ sizes }, [statement, reason]) {
  const [first, second] = [statement, reason].map((text) => Array.from(text).length);
  return first !== sizes[0] || (second > 0 && second !== sizes[1]);
}

// Keep the texts of a file, all or none, and return what to say of it.
function keep(text, rows) {
  const header = text.slice(0, text.indexOf("\n") >>> 0).trim();
  const textsAt = new Map(header.startsWith("{") ? readSaved(text) : readPublished(text, header));
  const here = rows.map((row) => [row, textsAt.get(row.at) ?? textsAt.get(row.id)]).filter(([, texts]) => texts);
  const wrong = here.filter(([row, texts]) => differs(row, texts)).length;
  if (wrong) throw new Error(`has other texts than the published ones in ${wrong} of the ${rows.length} rows of ${dataTitle}: ${CHOOSE}`);
  for (const [place, texts] of textsAt) own.set(place, texts);
  return `has ${here.length} of the ${rows.length} rows of ${dataTitle}${here.length ? "" : ", and helps only where answers quote it"}.`;
}

// Read files, and return one sentence on each, and one on all that was read.
async function readFiles(files, rows) {
  const sentences = [];
  for (const file of files) {
    let outcome;
    try {
      if (file.size > LARGEST) throw new Error(`is larger than any file of this data: ${CHOOSE}`);
      const text = await file.text().catch(() => { throw new Error("cannot be read: choose it again"); });
      outcome = keep(text.replace(/^\ufeff/, ""), rows);
    } catch ({ message }) { outcome = `${message}.`; }
    sentences.push(`${file.name} ${outcome}`);
  }
  const missing = rows.filter((row) => !textsOf(row)).length;
  if (missing === 0) sentences.push("All statements are shown.");
  else if (missing < rows.length) sentences.push(`${missing} statements are not here yet: ${CHOOSE}.`);
  return sentences;
}
