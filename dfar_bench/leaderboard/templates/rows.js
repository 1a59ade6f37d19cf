"use strict";
// The rows of the entries that are compared ("sides": A, or A and B), and which of them are shown.
const PAGE = 25;
const WHO = { both: "both", a: "only A", b: "only B", neither: "neither" };
const ALONE = { a: "A", neither: "not A" };
const TIES = { "": "all rows", 1: "one of them ties", a: "A ties", b: "B ties", 0: "none ties" };
const FILTERS = ["by", "who", "tie", "code_a", "code_b", "leaked", "group", "text"];
let testRows = [], inOrder = []; // inOrder: numbers of rows, those of a contrast group together
let sides = [], page = 0, marked = "", write = () => {};

const words = (name) => name.replaceAll("_", " ");
// A model's name; with its run where both are of one model.
const nameOf = ({ name, label }, all) => (all.every(({ entry }) => entry.name === name) ? label : name);
const kindsOfAll = () => kinds.filter(({ name }) => sides.every(({ answers }) => name in answers));
// Which rows a metric counts says nothing where words stand in place of its figure.
const sharesOfAll = () => metrics.filter(({ name }) => sides.every(({ entry }) => name in entry.bits && !entry.words[name]));
const kindChosen = () => metrics.find(({ name }) => name === $("by").value)?.kind ?? $("by").value;
const groupSize = (row) => clusters.filter((group) => group === clusters[row]).length;
const isTie = (answer) => answer !== undefined && answer.right > 0 && answer.right < 1;

// Row -> for which sides a metric counts it, or whose verdict on it is right; undefined where it does not count.
function sorter(by, all = sides) {
  const name = (yes) => (yes.every(Boolean) && yes.length > 1 ? "both" : yes[0] ? "a" : yes[1] ? "b" : "neither");
  const metric = metrics.find((candidate) => candidate.name === by);
  if (!metric) return (row) => (testRows[row].label === null ? undefined : name(all.map(({ answers }) => answers[by][row].right === 1)));
  const parts = all.map(({ entry }) => hitsAndCounts(entry, by));
  if (!metric.ofGroups) return (row) => (parts.every(([, counts]) => counts[row]) ? name(parts.map(([hits]) => hits[row] === 1)) : undefined);
  const ofGroup = new Map(); // one row stands for its group
  clusters.forEach((group, row) => { if (parts.every(([, counts]) => counts[row])) ofGroup.set(group, name(parts.map(([hits]) => hits[row] === 1))); });
  return (row) => ofGroup.get(clusters[row]);
}

// How many rows (or groups) there are of each sort.
function countSorts(by, all = sides) {
  const sort = sorter(by, all), ofGroups = metrics.find(({ name }) => name === by)?.ofGroups, seen = new Set(), counts = {};
  clusters.forEach((group, row) => {
    if (ofGroups && seen.has(group)) return;
    seen.add(group);
    const who = sort(row);
    if (who) counts[who] = (counts[who] ?? 0) + 1;
  });
  return counts;
}

// A link that acts in this page as a step to which Back returns, and can be opened in another tab.
function linkTo(text, filtering, act) {
  const link = Object.assign(element("a", text), { href: address(filtering) });
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    step(act);
  });
  return link;
}

function goToRows() {
  $("rows-title").focus();
  $("rows-title").scrollIntoView();
}

// A count that opens its rows.
function countLink(count, filtering, what, unit = "") {
  if (!count) return element("span", "0");
  const link = linkTo(`${count}${unit}`, filtering, () => {
    setFilters(filtering);
    restart();
    goToRows();
  });
  link.setAttribute("aria-label", `${count}${unit || " rows"}: ${what}`);
  return link;
}

const countCell = (line, ...link) => { Object.assign(line.insertCell(), { className: "n" }).append(countLink(...link)); };

function fillTable(table, head, lines) {
  const cells = head.map((text, at) => Object.assign(element("th", text, at ? "n" : undefined), { scope: "col" }));
  table.tHead.replaceChildren(element("tr"));
  table.tHead.rows[0].append(...cells);
  table.tBodies[0].replaceChildren();
  for (const [title, ...counts] of lines) {
    const line = table.tBodies[0].insertRow();
    line.append(Object.assign(element("th", title), { scope: "row" }));
    for (const count of counts) countCell(line, ...count);
  }
  table.closest(".scroll").hidden = !lines.length;
}

function fillCounts() {
  const two = sides.length > 1;
  const head = two ? [...Object.entries(WHO), ["tie", "a tie"]] : [["a", "right"], ["tie", "tie"], ["neither", "wrong"]];
  fillTable($("right"), ["Verdict", ...head.map(([, text]) => text)], kindsOfAll().map(({ name, title }) => {
    const counts = countSorts(name);
    const tie = testRows.filter(({ label }, row) => label !== null && sides.some(({ answers }) => isTie(answers[name][row]))).length;
    if (!two) counts.neither = (counts.neither ?? 0) - tie;
    return [title, ...head.map(([who, text]) => [who === "tie" ? tie : counts[who], who === "tie" ? { by: name, tie: 1 } : { by: name, who, ...(two || who === "a" ? {} : { tie: 0 }) }, `${title}, ${text}`])];
  }));
  const counts = {};
  sides.forEach(({ answers }, at) => testRows.forEach((_, row) => {
    for (const code of codesOf(answers, row)) {
      counts[code] ??= [0, 0, 0];
      counts[code][at] += 1;
      if (at && codesOf(sides[0].answers, row).includes(code)) counts[code][2] += 1;
    }
  }));
  const filters = [{ code_a: true }, { code_b: true }, { code_a: true, code_b: true }].slice(0, two ? 3 : 1);
  const titles = ["A", "B", "both"].slice(0, filters.length);
  const codes = Object.keys(counts).sort();
  fillTable($("codes"), ["Code", ...titles], codes.map((code) => [words(code), ...filters.map((of, at) => [counts[code][at], Object.fromEntries(Object.keys(of).map((name) => [name, code])), `${words(code)}, ${titles[at]}`])]));
  for (const label of document.querySelectorAll(".of-code")) label.hidden = !codes.length || (!two && label.classList.contains("of-b"));
  for (const id of ["code_a", "code_b"]) $(id).replaceChildren(option("", "all"), ...codes.map((code) => option(code, words(code))));
}

const codesOf = (answers, row) => Object.values(answers).map((of) => of[row].code).filter(Boolean);

function fillOptions() {
  const grouped = (label, options) => { const group = element("optgroup"); group.label = label; group.append(...options); return group; };
  $("by").replaceChildren(
    grouped("right verdict", kindsOfAll().map(({ name, title }) => option(name, title))),
    grouped("counted by a metric", sharesOfAll().map(({ name, title }) => option(name, `${title} (${name})`))),
  );
  $("who").replaceChildren(option("", "all rows"), ...Object.entries(sides.length > 1 ? WHO : ALONE).map(([value, text]) => option(value, text)));
  $("tie").replaceChildren(...["", "1", ...(sides.length > 1 ? ["a", "b"] : []), "0"].map((value) => option(value, TIES[value])));
  if (sides.length === 1) $("tie").options[1].text = "ties";
  if (sides.length === 1) $("tie").options[2].text = "does not tie";
}

// Set the filters; those that are not named take their first value. A code that nobody was given has no rows; who was
// right by a metric that the two do not share cannot be said.
function setFilters({ ...values }) {
  if (values.by && ![...$("by").options].some(({ value }) => value === values.by)) delete values.who;
  for (const id of FILTERS) {
    const control = $(id), value = String(values[id] ?? "");
    if (value && id.startsWith("code_") && ![...control.options].some((choice) => choice.value === value)) control.append(option(value, `${words(value)} (0)`));
    control.value = value;
    if (control.options && control.selectedIndex < 0) control.selectedIndex = 0;
  }
}

const filters = () => Object.fromEntries(FILTERS.map((id) => [id, $(id).value]).filter(([id, value]) => value && !(id === "by" && $(id).selectedIndex === 0 && !$("who").value && !$("tie").value)));

function filtered() {
  const { who, tie, code_a: codeA, code_b: codeB, leaked, group, text } = filters(), kind = kindChosen();
  const sort = who && $("by").value ? sorter($("by").value) : () => who, wanted = text?.toLowerCase(), name = group?.trim().toLowerCase();
  const ties = (row) => sides.map(({ answers }) => isTie(answers[kind]?.[row]));
  const fitsTie = { 1: (row) => ties(row).some(Boolean), 0: (row) => !ties(row).some(Boolean), a: (row) => ties(row)[0], b: (row) => Boolean(ties(row)[1]) }[tie];
  return inOrder.filter((row) => (!who || sort(row) === who) && (!fitsTie || fitsTie(row)) &&
    (!codeA || codesOf(sides[0].answers, row).includes(codeA)) && (!codeB || (sides[1] !== undefined && codesOf(sides[1].answers, row).includes(codeB))) &&
    (!leaked || testRows[row].leaked === (leaked === "1")) && (!name || testRows[row].group.toLowerCase() === name) && (!wanted || holds(row, wanted)));
}

const partText = (part) => (typeof part === "string" ? part : quoted(part));
const partsOf = ({ response }) => (response === undefined ? [] : [response].flat());

function holds(row, wanted) {
  const responses = sides.flatMap(({ answers }) => Object.values(answers).map((of) => partsOf(of[row]).map((part) => partText(part) ?? " … ").join("")));
  return [...responses, ...(textsOf(testRows[row]) ?? [])].some((text) => text.toLowerCase().includes(wanted));
}

// A verdict in one line: right, wrong or tie, what it was, how likely, and the judge's code.
function verdictElement(title, { right, verdict, probability, code }, label) {
  const line = element("p", `${title}: `, "head"), tie = isTie({ right });
  if (label !== null) line.append(element("b", right === 1 ? "right" : tie ? "tie" : "wrong", right === 1 ? "good" : tie ? "" : "bad"), " ");
  const likely = probability === undefined ? "" : `, ${(100 * probability).toFixed(1)} %`;
  line.append(tie ? `(between labels${likely} each)` : `(${verdict === null ? "no verdict" : labels[verdict]}${likely})`);
  if (code) line.append(" ", element("span", words(code), "code"));
  return line;
}

function responseElement(parts) {
  const out = element("p", undefined, "response");
  out.dir = "auto";
  for (const part of parts) out.append(partText(part) ?? element("span", `[quotes ${part.end - part.start} characters of the ${part.field} of ${part.row}]`, "quoted"));
  return out;
}

function sideElement({ side, entry, answers }, row) {
  const out = element("section", undefined, "side");
  out.append(element("h4", sides.length > 1 ? `${side}: ${nameOf(entry, sides)}` : entry.name));
  for (const { name, title } of kinds.filter((kind) => kind.name in answers)) {
    const answer = answers[name][row];
    out.append(verdictElement(title, answer, testRows[row].label));
    if (answer.response !== undefined) out.append(responseElement(partsOf(answer)));
  }
  return out;
}

function rowElement(row, before) {
  const { id, group, label, leaked } = testRows[row], texts = textsOf(testRows[row]);
  const item = element("li", undefined, before !== undefined && clusters[before] === clusters[row] ? "same-group" : undefined);
  const head = element("div", undefined, "head"), heading = element("h3");
  heading.append(linkTo(id, { ...filters(), row: id }, () => mark(id)));
  head.append(heading);
  const size = groupSize(row);
  if (size > 1) head.append(countLink(size, { group }, `all of contrast group ${group}`, ` rows in group ${group}`));
  if (leaked) head.append(element("span", "leaked", "code"));
  item.id = `row-${id}`;
  if (id === marked) item.setAttribute("aria-current", "true");
  item.append(head);
  if (texts) item.append(element("p", texts[0], "statement"));
  if (texts && label !== null) item.append(element("p", `${texts[1] ? "People" : "Label"}: ${labels[label]}. ${texts[1]}`, "human"));
  const both = element("div", undefined, "sides");
  both.append(...sides.map((side) => sideElement(side, row)));
  item.append(both);
  return item;
}

function mark(id) {
  $(`row-${marked}`)?.removeAttribute("aria-current");
  marked = id;
  $(`row-${id}`)?.setAttribute("aria-current", "true");
  write();
}

// Show the page, or the one with the marked row.
function showRows() {
  const matching = filtered(), at = marked ? matching.findIndex((row) => testRows[row].id === marked) : -1;
  const last = Math.max(0, Math.ceil(matching.length / PAGE) - 1);
  page = Math.min(Math.max(at < 0 ? page : Math.floor(at / PAGE), 0), last);
  const shown = matching.slice(page * PAGE, (page + 1) * PAGE);
  $("rows").replaceChildren(...shown.map((row, number) => rowElement(row, shown[number - 1])));
  $("count").textContent = `${matching.length} of ${testRows.length} rows${marked && at < 0 ? `; ${marked} is not among them` : ""}`;
  $("page").textContent = `page ${page + 1} of ${last + 1}`;
  $("nothing").hidden = matching.length > 0;
  $("pages").hidden = matching.length === 0;
  $("who-title").textContent = metrics.some(({ name }) => name === $("by").value) ? "Counted for" : "Correct for";
  $("back").disabled = page === 0;
  $("next").disabled = page === last;
  write();
}

function restart() { page = 0; marked = ""; showRows(); }

function turn(by) {
  marked = "";
  page += by;
  showRows();
  goToRows();
}

// Show the rows of other sides under the same filters.
function setSides(compared) {
  const current = filters();
  sides = compared;
  fillOptions();
  fillCounts();
  setFilters(current);
  showRows();
}

// Show the rows that an address names.
function openRows(compared, { page: number, row, ...values }) {
  setSides(compared);
  setFilters(values);
  page = Math.max(0, (parseInt(number, 10) || 1) - 1);
  marked = row ?? "";
  showRows();
  if (marked) $(`row-${marked}`)?.scrollIntoView();
  else if (page || Object.keys(filters()).length) $("rows-title").scrollIntoView();
}

async function startRows(writeAddress) {
  testRows = await unpack($("test-rows").textContent);
  const first = new Map(); // of each group, the number of its first row
  clusters.forEach((group, row) => { if (!first.has(group)) first.set(group, row); });
  inOrder = [...clusters.keys()].sort((row, other) => first.get(clusters[row]) - first.get(clusters[other]) || row - other);
  write = writeAddress;
  for (const id of FILTERS) $(id).addEventListener($(id).options ? "change" : "input", restart);
  const clear = () => { setFilters({}); restart(); };
  $("reset").addEventListener("click", () => step(clear));
  $("clear").addEventListener("click", () => { step(clear); goToRows(); });
  $("back").addEventListener("click", () => step(() => turn(-1)));
  $("next").addEventListener("click", () => step(() => turn(1)));
  $("files")?.addEventListener("change", async () => {
    const sentences = await readFiles($("files").files, testRows);
    $("loaded").replaceChildren(...sentences.map((sentence) => element("p", sentence)));
    showRows();
  });
}
