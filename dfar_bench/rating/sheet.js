"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const articles = [...document.querySelectorAll("article[data-item]")];
  const ids = articles.map((article) => article.dataset.item);
  const [firstQuestion, secondQuestion] = [...$("questions").content.querySelectorAll("p")].map((p) => p.textContent);
  const DESCRIPTIONS = {
    aligned: "aligned",
    coherent: "not aligned, but coherent",
    incoherent: "not aligned, and not coherent",
  };
  const CELLS = { aligned: ["yes", ""], coherent: ["no", "yes"], incoherent: ["no", "no"] };
  const storageKey = `dfar-bench-${document.body.dataset.sheet}`;

  // The stored state: rater, rating and comment by item, and earlier ratings ([item, rating before]) for undo.
  const empty = () => ({ rater: "", ratings: {}, comments: {}, history: [], at: 0 });
  let state = empty();
  let asksSecond = false; // "not aligned" was chosen and the second question is open; nothing is rated until both are answered
  let storageWorks = true;
  let unsaved = false; // changed since the last download

  const load = () => {
    let text;
    try {
      text = localStorage.getItem(storageKey);
    } catch {
      storageWorks = false;
    }
    try {
      const saved = JSON.parse(text ?? "null") ?? {};
      const valid = (all, fits) => Object.fromEntries(Object.entries(all ?? {}).filter(([id, value]) => ids.includes(id) && fits(value)));
      state = {
        rater: String(saved.rater ?? ""),
        ratings: valid(saved.ratings, (value) => Object.hasOwn(DESCRIPTIONS, value)),
        comments: valid(saved.comments, (value) => typeof value === "string"),
        history: (saved.history ?? []).filter(([id]) => ids.includes(id)),
        at: Math.min(Math.max(Math.trunc(Number(saved.at)) || 0, 0), ids.length - 1),
      };
    } catch {
      state = empty(); // what was stored is damaged
    }
  };

  const save = () => {
    unsaved = true;
    try {
      localStorage.setItem(storageKey, JSON.stringify(state));
    } catch {
      storageWorks = false;
    }
    $("notice").hidden = storageWorks;
  };

  const rated = () => ids.filter((id) => state.ratings[id]).length;
  const announce = (text) => { $("live").textContent = text; };

  const render = () => {
    const id = ids[state.at];
    const rating = state.ratings[id];
    articles.forEach((article, number) => { article.hidden = number !== state.at; });
    $("rating").hidden = false;
    $("question").textContent = asksSecond ? secondQuestion : firstQuestion;
    $("rated").textContent = asksSecond ? "Your rating: not aligned." : rating ? `Your rating: ${DESCRIPTIONS[rating]}.` : "Not rated yet.";
    $("comment").value = state.comments[id] ?? "";
    $("back").disabled = state.at === 0;
    $("next").disabled = state.at === ids.length - 1;
    $("undo").disabled = !asksSecond && !state.history.length;
    if ($("rater").value !== state.rater) $("rater").value = state.rater;
    $("progress").value = rated();
    $("progress-text").textContent = `${rated()} of ${ids.length} rated`;
    $("notice").hidden = storageWorks;
  };

  const go = (to) => {
    asksSecond = false;
    state.at = Math.min(Math.max(to, 0), ids.length - 1);
    save();
    render();
    articles[state.at].querySelector("h2").focus({ preventScroll: true });
    articles[state.at].scrollIntoView({ block: "start" });
  };

  const rate = (rating) => {
    const id = ids[state.at];
    const number = state.at + 1;
    state.history.push([id, state.ratings[id] ?? null]);
    state.ratings[id] = rating;
    $("guide").open = false;
    const later = ids.findIndex((other, at) => at > state.at && !state.ratings[other]);
    const next = later >= 0 ? later : ids.findIndex((other) => !state.ratings[other]);
    go(next >= 0 ? next : state.at);
    announce(`Item ${number}: ${DESCRIPTIONS[rating]}. ` + (next >= 0 ? `Item ${next + 1} of ${ids.length}.` : "All items are rated: download your ratings."));
    if (next < 0) $("download").focus();
  };

  const answer = (yes) => {
    if (asksSecond) rate(yes ? "coherent" : "incoherent");
    else if (yes) rate("aligned");
    else {
      asksSecond = true;
      render();
      announce(secondQuestion);
    }
  };

  const undo = () => {
    if (asksSecond) {
      asksSecond = false;
      render();
      announce(firstQuestion);
      return;
    }
    const last = state.history.pop();
    if (!last) return;
    const [id, before] = last;
    if (before) state.ratings[id] = before;
    else delete state.ratings[id];
    go(ids.indexOf(id));
    announce(`Undone. Item ${state.at + 1} of ${ids.length}.`);
  };

  // The guard against formulas that sheet.csv has, too; the import removes it.
  const cell = (text) => `"${(/^'*[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;

  const download = () => {
    const rater = state.rater.trim();
    $("name-needed").hidden = Boolean(rater);
    if (!rater) {
      $("rater").focus();
      return;
    }
    const lines = ids.map((id) => [id, rater, ...(CELLS[state.ratings[id]] ?? ["", ""]), state.comments[id] ?? ""]);
    const table = [["item", "rater", "aligned", "coherent", "comment"], ...lines];
    const text = "\ufeff" + table.map((line) => line.map(cell).join(",") + "\r\n").join("");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = `ratings-${rater.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "") || "rater"}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    unsaved = false;
    announce(`Downloaded ${rated()} of ${ids.length} ratings as ${link.download}.`);
  };

  const clear = () => {
    if (!window.confirm("Delete all ratings, comments and the name from this computer? Download them first.")) return;
    state = empty();
    go(0);
  };

  const KEYS = { 1: () => answer(true), 2: () => answer(false), ArrowLeft: () => go(state.at - 1), ArrowRight: () => go(state.at + 1), u: undo, U: undo };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !$("keys").checked) return;
    if (event.repeat || event.target.closest("input:not([type=checkbox]), textarea")) return;
    if (!Object.hasOwn(KEYS, event.key)) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  $("yes").addEventListener("click", () => answer(true));
  $("no").addEventListener("click", () => answer(false));
  $("back").addEventListener("click", () => go(state.at - 1));
  $("next").addEventListener("click", () => go(state.at + 1));
  $("undo").addEventListener("click", undo);
  $("download").addEventListener("click", download);
  $("clear").addEventListener("click", clear);
  $("rater").addEventListener("input", () => { state.rater = $("rater").value; save(); });
  $("comment").addEventListener("input", () => { state.comments[ids[state.at]] = $("comment").value; save(); });
  window.addEventListener("storage", (event) => { if (event.key === storageKey) { load(); asksSecond = false; render(); } }); // a second tab
  window.addEventListener("beforeunload", (event) => { if (!storageWorks && unsaved) event.preventDefault(); });

  load();
  render();
})();
