"use strict";

// Time that is left, counted by this machine from what the server said: its clock may be wrong.
const since = new WeakMap();

function spelled(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (seconds < 60) return `in ${seconds} s`;
  if (minutes < 60) return `in ${minutes} min ${seconds % 60} s`;
  return `in ${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function count() {
  for (const element of document.querySelectorAll(".countdown[data-left]")) {
    if (!since.has(element)) since.set(element, performance.now());
    const passed = (performance.now() - since.get(element)) / 1000;
    const left = Math.floor(Number(element.dataset.left) - passed);
    element.textContent = left > 0 ? spelled(left) : "now";
  }
}
setInterval(count, 1000);
count();

// The inbox by keyboard: j and k go down and up, x picks, Enter opens (as on any link).
const list = document.querySelector("[data-keys]");
if (list) {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("textarea, select, input:not([type=checkbox])");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const links = [...list.querySelectorAll(".row-link")];
    const row = document.activeElement && document.activeElement.closest("tr");
    const at = links.findIndex((link) => row && row.contains(link));
    if (event.key === "j" || event.key === "k") {
      const next = event.key === "j" ? at + 1 : (at < 0 ? links.length : at) - 1;
      if (links[next]) links[next].focus();
    } else if (event.key === "x" && at >= 0) {
      const box = links[at].closest("tr").querySelector("input[type=checkbox]");
      if (box) box.checked = !box.checked;
    }
  });
}
