"use strict";
const $ = (id) => document.getElementById(id);
// Of each entry and metric: which rows (or groups) are hits (in parts, where ties make parts of a hit), and which count.
// Both come from Python, packed.
const { name: dataName, title: dataTitle, clusters, counted, entries, fields, kinds, labels, layouts, metrics, resamples, seed, withAnswers } = JSON.parse($("data").textContent);
const PATIENCE = 3000; // ms after a frame has loaded, by which it has handed over what it holds
const opened = new Map(); // promises of the answers of an entry, by its key

function element(name, text, kind) {
  const node = document.createElement(name);
  if (text !== undefined) node.textContent = text;
  if (kind) node.className = kind;
  return node;
}

const option = (value, text) => Object.assign(element("option", text), { value });
const bytesOf = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

async function unpack(text) {
  const stream = new Blob([bytesOf(text.trim())]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

function unpackBits(text) {
  const bytes = bytesOf(text);
  return clusters.map((_, row) => (bytes[row >> 3] >> (row & 7)) & 1);
}

// Of every row, how far it is a hit (0 to 1), and whether it counts.
function hitsAndCounts({ bits }, metric) {
  const [parts, rows] = bits[metric], each = parts.map(unpackBits);
  return [clusters.map((_, row) => each.reduce((sum, part) => sum + part[row], 0) / parts.length), unpackBits(counted[rows])];
}

// The text that a page of the site hands over, which is opened in a hidden frame.
function handedOver(address) {
  return new Promise((resolve, reject) => {
    const frame = document.createElement("iframe");
    const finish = (settle, value) => {
      removeEventListener("message", receive);
      frame.remove();
      settle(value);
    };
    const receive = ({ source, data }) => { if (source === frame.contentWindow) finish(resolve, String(data)); };
    addEventListener("message", receive);
    frame.addEventListener("load", () => setTimeout(finish, PATIENCE, reject, new Error("not there")));
    frame.setAttribute("sandbox", "allow-scripts");
    Object.assign(frame, { hidden: true, title: "Answers", src: address });
    document.body.append(frame);
  });
}

// The answers of an entry by kind of task, in the order of the rows.
async function answersOf({ key, label }) {
  if (!withAnswers) throw new Error("This board was built without the answers, row by row; the submissions hold them.");
  if (!opened.has(key)) {
    const address = `answers/${dataName}/${key.split("/").map(encodeURIComponent).join("/")}.html`;
    opened.set(key, handedOver(address).then(unpack).catch(() => {
      opened.delete(key);
      throw new Error(`The answers of ${label} cannot be shown: ${address} is missing or damaged in this copy of the site. Copy the whole folder of the site again, or build it again.`);
    }));
  }
  return opened.get(key);
}
