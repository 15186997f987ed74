"use strict";

// Rows of the editors: added and removed here; without a script there are spare ones instead.
for (const editor of document.querySelectorAll("[data-editor]")) {
  const add = editor.querySelector("[data-add]");
  const body = editor.querySelector(".editor-rows tbody");
  if (!add || !body) continue;
  const spare = body.querySelectorAll("[data-spare]");
  const blank = spare[0].cloneNode(true);
  const filled = body.querySelectorAll("[data-row]:not([data-spare])").length;
  spare.forEach((row, index) => { if (filled || index) row.remove(); });
  const wire = (row) => {
    const remove = row.querySelector("[data-remove]");
    remove.hidden = false;
    remove.addEventListener("click", () => { row.remove(); add.focus(); });
  };
  body.querySelectorAll("[data-row]").forEach(wire);
  add.hidden = false;
  add.addEventListener("click", () => {
    const row = blank.cloneNode(true);
    body.append(row);
    wire(row);
    row.querySelector("input, select").focus();
  });
}

// Names separated by commas: the list offers what could follow those that are there already.
for (const editor of document.querySelectorAll("[data-editor]")) {
  const offer = (event) => {
    const field = event.target;
    if (!field.matches("[data-names]") || !field.list) return;
    const before = field.value.slice(0, field.value.lastIndexOf(",") + 1);
    const there = before.split(",").map((name) => name.trim());
    for (const option of field.list.options) {
      option.dataset.name ??= option.value;
      const name = option.dataset.name;
      option.value = before && !there.includes(name) ? `${before} ${name}` : name;
    }
  };
  editor.addEventListener("focusin", offer);
  editor.addEventListener("input", offer);
}

// Trying: the same request that the button sends without a script, with only its part replaced.
const trial = document.getElementById("trial");
if (trial) {
  const form = trial.closest("form");
  const result = trial.querySelector(".trial-result");
  trial.querySelector("[name=_try]").addEventListener("click", async (event) => {
    event.preventDefault();
    const data = new FormData(form, event.currentTarget);
    result.setAttribute("aria-busy", "true");
    try {
      const response = await fetch(form.action, { method: "POST", body: data });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const fresh = page.querySelector("#trial .trial-result");
      if (fresh && !fresh.querySelector(".errornote")) {
        // What was wrong at the last save has been mended.
        for (const old of form.querySelectorAll(".errornote, .errorlist, .node-error")) old.remove();
        for (const cell of form.querySelectorAll("[aria-invalid]")) cell.removeAttribute("aria-invalid");
      }
      if (response.ok && fresh) result.replaceChildren(...fresh.childNodes);
      else location.reload();
    } finally {
      result.removeAttribute("aria-busy");
    }
  });
}
