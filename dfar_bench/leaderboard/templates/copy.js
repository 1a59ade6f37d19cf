"use strict";
{ // every page's: copying a text that is on it, with a network or without
  const copied = async (text) => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      return true;
    } catch { // no such thing in this browser, or not allowed: as people do it
      getSelection().selectAllChildren(text);
      return document.execCommand("copy");
    }
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button.copy");
    if (!button) return;
    const done = await copied(document.getElementById(button.dataset.from));
    button.nextElementSibling.textContent = done ? "Copied" : "Selected: copy it with your keyboard";
  });
}
