"use strict";
document.documentElement.dataset.script = ""; // long tables may be cut: a button shows the rest
const $ = (id) => document.getElementById(id);
const sections = [...document.querySelectorAll("section[data-name]")];
const tabs = [...document.querySelectorAll(".tabs button")];
const tables = [...document.querySelectorAll("table.board")];
const lines = tables.flatMap((table) => [...table.tBodies[0].rows]);
const words = new Map(lines.map((line) => [line, line.textContent.toLowerCase()]));
const order = new Map(lines.map((line, at) => [line, at])); // the default one, which also decides between equals

function shownSection() { return sections.find((section) => !section.hidden); }

function choose(name) {
  if (!sections.some((section) => section.dataset.name === name)) return;
  for (const section of sections) section.hidden = section.dataset.name !== name;
  for (const tab of tabs) tab.setAttribute("aria-pressed", String(tab.dataset.name === name));
  clearPair();
  filter();
}

function filter() {
  const wanted = $("search").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const mode = $("mode").value;
  let shown = 0, all = 0;
  for (const section of sections) {
    for (const line of section.querySelectorAll("table.board tbody tr")) {
      const isBaseline = line.dataset.mode === "";
      const fits = (!mode || isBaseline || line.dataset.mode === mode) && wanted.every((word) => words.get(line).includes(word));
      if (line.hidden === fits) line.hidden = !fits;
      if (!section.hidden && !isBaseline) { all += 1; shown += fits; }
    }
  }
  $("count").textContent = `${shown} of ${all} submissions`;
}

function valueOf(cell) {
  const text = cell.firstChild?.nodeName === "INPUT" ? "" : cell.textContent.trim();
  if (text === "" || text === "–") return null;
  if (!cell.classList.contains("n")) return text.toLowerCase();
  return parseFloat(cell.firstChild.textContent.replace("−", "-")); // the interval below it would add digits
}

function sort(table, column) {
  const heading = table.tHead.rows[0].cells[column];
  const before = heading.getAttribute("aria-sort");
  const way = before === "none" ? heading.dataset.first ?? "ascending" : before === "ascending" ? "descending" : "ascending";
  for (const other of table.tHead.rows[0].cells) if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
  heading.setAttribute("aria-sort", way);
  const sign = way === "ascending" ? 1 : -1;
  const keyed = [...table.tBodies[0].rows].map((line) => [valueOf(line.cells[column]), line]);
  keyed.sort(([one, first], [other, second]) => {
    if (one === null || other === null) { // what has no value comes last either way
      if (one !== other) return one === null ? 1 : -1;
    } else if (one !== other) return sign * (one < other ? -1 : 1);
    return order.get(first) - order.get(second);
  });
  table.tBodies[0].append(...keyed.map(([, line]) => line));
}

function picked() { return [...document.querySelectorAll(".pick input:checked")]; }

function pair() {
  const chosen = picked();
  for (const box of document.querySelectorAll(".pick input")) box.disabled = chosen.length === 2 && !box.checked;
  $("pair").hidden = chosen.length === 0;
  const names = chosen.map((box) => box.closest("tr").querySelector("th").firstChild.textContent);
  $("pair-text").textContent = names.length === 1 ? `${names[0]}: choose another to compare it with` : names.join(" and ");
  $("pair-link").hidden = chosen.length < 2;
  if (chosen.length === 2) {
    const [a, b] = chosen.map((box) => encodeURIComponent(box.value));
    $("pair-link").href = `compare-${shownSection().dataset.name}.html?a=${a}&b=${b}`;
  }
}

function clearPair() {
  for (const box of document.querySelectorAll(".pick input")) { box.checked = false; box.disabled = false; }
  $("pair").hidden = true;
}

if (sections.length) {
  for (const tab of tabs) tab.addEventListener("click", () => {
    choose(tab.dataset.name);
    history.replaceState(null, "", `#${tab.dataset.name}`);
  });
  for (const table of tables) {
    table.tHead.addEventListener("click", (event) => {
      const cell = event.target.closest("button")?.closest("th");
      if (cell) sort(table, cell.cellIndex);
    });
    table.addEventListener("change", pair);
    const more = table.parentElement.querySelector(".more");
    more?.addEventListener("click", () => { table.classList.add("whole"); more.hidden = true; });
  }
  $("search").addEventListener("input", filter);
  $("mode").addEventListener("change", filter);
  $("pair-clear").addEventListener("click", clearPair);
  addEventListener("hashchange", () => choose(location.hash.slice(1)));
  clearPair(); // browsers remember ticks
  choose(sections[0].dataset.name);
  choose(location.hash.slice(1));
}
