"use strict";
// Before the first paint, so that nothing flashes. Storage may be denied; then the choice lasts as long as the page.
const theme = {
  get() { try { return localStorage.getItem("dfar-bench-theme"); } catch { return null; } },
  set(name) {
    document.documentElement.dataset.theme = name;
    try { localStorage.setItem("dfar-bench-theme", name); } catch { /* not kept */ }
  },
  dark() {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  },
};
if (["light", "dark"].includes(theme.get())) document.documentElement.dataset.theme = theme.get();
document.documentElement.dataset.script = ""; // what needs a script to be opened may be closed
addEventListener("DOMContentLoaded", () => {
  const button = document.getElementById("theme");
  const label = () => { button.textContent = theme.dark() ? "Light" : "Dark"; };
  button.addEventListener("click", () => { theme.set(theme.dark() ? "light" : "dark"); label(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", label);
  label();
});
