"use strict";
const $ = (id) => document.getElementById(id);
const sections = [...document.querySelectorAll("section[data-name]")];
const tabs = [...document.querySelectorAll(".tabs a")];
const tables = [...document.querySelectorAll("table.board:not(.others)")];
const lines = tables.flatMap((table) => [...table.tBodies[0].rows]);
const words = new Map(); // by row; only for those who search
const order = new Map(lines.map((line, at) => [line, at])); // the default one, which also decides between equals
const columns = new Map(tables.map((table) => [table, [...table.tHead.rows[0].cells]]));
const FILTERS = ["mode", "kind", "size", "weights", "since"];
const DEFAULT = {}; // column and way in which the page comes sorted: those of its first ranked column
let sorted = DEFAULT;

function wordsOf(line) {
  if (!words.has(line)) words.set(line, line.textContent.toLowerCase());
  return words.get(line);
}

const shownSection = () => sections.find((section) => !section.hidden);
const place = (table, name) => columns.get(table).findIndex((cell) => cell.dataset.column === name);

function choose(name) {
  if (!sections.some((section) => section.dataset.name === name)) return;
  for (const section of sections) section.hidden = section.dataset.name !== name;
  for (const tab of tabs) {
    if (tab.dataset.name === name) tab.setAttribute("aria-current", "true");
    else tab.removeAttribute("aria-current");
  }
  clearPair();
}

function filter() {
  const wanted = $("search").value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  const chosen = FILTERS.map((name) => [name, $(name).value]).filter(([, value]) => value);
  let shown = 0, all = 0;
  for (const table of tables) {
    const places = { kind: place(table, "kind"), weights: place(table, "weights"), since: place(table, "date") };
    const fact = (line, name) => line.dataset[name] ?? line.cells[places[name]].textContent.trim();
    const isIn = table.closest("section") === shownSection();
    let left = 0;
    for (const line of table.tBodies[0].rows) {
      const isBaseline = line.classList.contains("baseline");
      const fits = wanted.every((word) => wordsOf(line).includes(word)) && (isBaseline ||
        chosen.every(([name, value]) => (name === "since" ? fact(line, name) >= value : fact(line, name) === value)));
      if (line.hidden === fits) line.hidden = !fits;
      left += fits && !isBaseline;
      all += isIn && !isBaseline;
    }
    const box = table.parentElement;
    const nothing = left === 0 && (chosen.length > 0 || [...table.tBodies[0].rows].every((line) => line.hidden));
    box.hidden = nothing;
    box.nextElementSibling.hidden = !nothing;
    if (isIn) shown += left;
  }
  $("count").textContent = `${shown} of ${all} submissions`;
  $("filters").classList.toggle("active", chosen.length > 0);
}

function valueOf(cell) {
  if (cell.classList.contains("words")) return null; // there is no figure
  const text = cell.dataset.value ?? (cell.firstChild?.nodeName === "INPUT" ? "" : cell.textContent.trim());
  if (text === "" || text === "–" || text === "not known") return null;
  if (!cell.classList.contains("n")) return text.toLowerCase();
  return parseFloat(cell.dataset.value ?? cell.firstChild.textContent.replace("−", "-")); // the interval below it would add digits
}

// Sort a table as the page says; a table without that column stays in its default order.
function sort(table) {
  const headings = columns.get(table);
  const first = headings.findIndex((cell) => cell.dataset.rank === "0");
  let at = sorted.column ? place(table, sorted.column) : -1;
  const way = at < 0 ? headings[first]?.dataset.first : sorted.way;
  if (at < 0) at = first;
  if (at < 0) return;
  const heading = headings[at];
  for (const other of headings) if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", other === heading ? way : "none");
  const sign = way === "ascending" ? 1 : -1;
  const keyed = [...table.tBodies[0].rows].map((line) => [valueOf(line.cells[at]), line]);
  keyed.sort(([one, first], [other, second]) => {
    if (one === null || other === null) { // what has no value comes last either way
      if (one !== other) return one === null ? 1 : -1;
    } else if (one !== other) return sign * (one < other ? -1 : 1);
    return order.get(first) - order.get(second);
  });
  table.tBodies[0].append(...keyed.map(([, line]) => line));
  rank(table, heading);
}

// One column of ranks: by the ranked column by which the table is sorted, or was sorted last.
function rank(table, heading) {
  const at = columns.get(table).findIndex((cell) => cell.classList.contains("place"));
  if (at < 0 || heading.dataset.rank === undefined) return;
  columns.get(table)[at].querySelector("small").textContent = `by ${heading.querySelector(".sort").textContent.replace(/ [↑↓]?$/, "")}`;
  for (const line of table.tBodies[0].rows) {
    const ranks = line.cells[at].dataset.ranks;
    if (ranks !== undefined) line.cells[at].textContent = ranks.split("|")[heading.dataset.rank];
  }
}

function press(heading) {
  const before = heading.getAttribute("aria-sort");
  const way = before === "none" ? heading.dataset.first ?? "ascending" : before === "ascending" ? "descending" : "ascending";
  sorted = { column: heading.dataset.column, way };
  for (const table of shownSection().querySelectorAll("table.board:not(.others)")) sort(table);
  write();
}

// The address says what is shown: #clean?sort=-mar&q=acme&kind=base (a minus: the largest first).
function write() {
  const query = new URLSearchParams();
  if (sorted.column) query.set("sort", (sorted.way === "descending" ? "-" : "") + sorted.column);
  if ($("search").value) query.set("q", $("search").value);
  for (const name of FILTERS) if ($(name).value) query.set(name, $(name).value);
  history.replaceState(null, "", `#${shownSection().dataset.name}${query.size ? `?${query}` : ""}`);
}

function read() {
  const [name, text = ""] = location.hash.slice(1).split(/\?(.*)/s);
  if (!sections.some((section) => section.dataset.name === name)) return; // a place on the page, or nothing
  const query = new URLSearchParams(text), by = query.get("sort") ?? "";
  const before = sorted;
  sorted = by ? { column: by.replace(/^-/, ""), way: by.startsWith("-") ? "descending" : "ascending" } : DEFAULT;
  $("search").value = query.get("q") ?? "";
  for (const filter of FILTERS) {
    $(filter).value = query.get(filter) ?? "";
    if ($(filter).selectedIndex === -1) $(filter).value = ""; // no such choice
    if ($(filter).value) $("filters").open = true;
  }
  choose(name);
  if (sorted !== before) for (const table of shownSection().querySelectorAll("table.board:not(.others)")) sort(table);
  filter();
}

function clearFilters() {
  for (const name of ["search", ...FILTERS]) $(name).value = "";
  filter();
  write();
}

function pair() {
  const chosen = [...document.querySelectorAll(".pick input:checked")];
  for (const box of document.querySelectorAll(".pick input")) box.disabled = chosen.length >= 2 && !box.checked;
  $("pair").hidden = chosen.length === 0;
  const names = chosen.map((box) => box.closest("tr").dataset.title);
  $("pair-text").textContent = names.length === 1 ? `${names[0]}: choose another to compare it with` : names.join(" and ");
  $("pair-link").hidden = chosen.length !== 2;
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
  for (const tab of tabs) tab.addEventListener("click", (event) => {
    event.preventDefault();
    choose(tab.dataset.name);
    for (const table of shownSection().querySelectorAll("table.board:not(.others)")) sort(table);
    filter();
    write();
  });
  for (const table of tables) {
    table.tHead.addEventListener("click", (event) => {
      const cell = event.target.closest("button.sort")?.closest("th");
      if (cell) press(cell);
    });
    table.addEventListener("change", pair);
    const more = table.parentElement.querySelector(".more");
    more?.addEventListener("click", () => { table.classList.add("whole"); more.hidden = true; });
  }
  for (const [id, event] of [["search", "input"], ...FILTERS.map((name) => [name, "change"])]) {
    $(id).addEventListener(event, () => { filter(); write(); });
  }
  for (const button of document.querySelectorAll(".clear")) button.addEventListener("click", clearFilters);
  $("pair-clear").addEventListener("click", clearPair);
  addEventListener("hashchange", read);
  addEventListener("pageshow", pair); // back from a comparison, the ticks are there again
  for (const name of ["search", ...FILTERS]) $(name).value = ""; // browsers remember what was typed, and ticks
  choose(sections[0].dataset.name);
  filter();
  read();
}
