"use strict";

// Copying: the buttons are hidden without a script. The clipboard needs a secure page; where it
// is missing, the text is selected to be copied by hand.
function copy(button) {
  const source = document.getElementById(button.dataset.copyFrom || "");
  const text = source ? source.textContent : button.dataset.copy;
  const said = button.textContent;
  const done = (word) => {
    button.textContent = word;
    setTimeout(() => { button.textContent = said; }, 1500);
  };
  const byHand = () => {
    if (!source) return;
    getSelection().selectAllChildren(source);
    done("Selected");
  };
  if (navigator.clipboard) navigator.clipboard.writeText(text).then(() => done("Copied"), byHand);
  else byHand();
}

function wire(root) {
  for (const button of root.querySelectorAll("button.copy")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
}

// On a phone the cells of a list stand below each other, each with its column's heading.
function label(table) {
  const heads = [...table.querySelectorAll("thead th")].map((head) => head.textContent.trim());
  for (const row of table.querySelectorAll("tbody tr")) {
    [...row.children].forEach((cell, index) => {
      if (cell.tagName === "TD" && heads[index]) cell.dataset.label = heads[index];
    });
  }
}

// The live part of a page is asked for again while somebody looks at it; what was folded open
// stays so, and nothing moves under a person who is using it.
const SLOWER = 20; // times what an answer took

// Somebody types, picks or marks in it; a link that is merely focused is found again afterwards.
function inUse(element) {
  const focused = document.activeElement;
  const held = element.contains(focused) && !focused.matches("a[id]");
  const fields = [...element.querySelectorAll("textarea, input[type=checkbox]")];
  return held || fields.some((field) => field.checked || (field.matches("textarea") && field.value));
}

function replace(element, fresh) {
  const focused = element.contains(document.activeElement) ? document.activeElement.id : "";
  element.replaceChildren(...fresh.childNodes);
  wire(element);
  if (focused && document.getElementById(focused)) document.getElementById(focused).focus({ preventScroll: true });
}

// What stands elsewhere on the page goes along once its `data-also` differs.
function goAlong(page) {
  for (const element of document.querySelectorAll("[data-also][id]")) {
    const fresh = page.getElementById(element.id);
    if (!fresh || fresh.dataset.also === element.dataset.also || inUse(element)) continue;
    replace(element, fresh);
    element.dataset.also = fresh.dataset.also;
  }
}

function keepFresh(element) {
  const least = 1000 * Number(element.dataset.refresh);
  let wait = least;
  let asked = performance.now();
  const busy = () => inUse(element) || !getSelection().isCollapsed;
  async function refresh() {
    if (document.hidden || busy()) return;
    asked = performance.now();
    try {
      const response = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!response.ok || response.redirected) return;
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const fresh = page.getElementById(element.id);
      if (!fresh || busy()) return;
      for (const open of element.querySelectorAll("details[id][open]")) {
        const same = fresh.querySelector(`#${CSS.escape(open.id)}`);
        if (same) same.open = true;
      }
      element.className = fresh.className;
      replace(element, fresh);
      goAlong(page);
    } catch {
      // The portal is away for a moment; the next round asks again.
    } finally {
      // A portal that takes long to answer is asked less often.
      wait = Math.max(least, SLOWER * (performance.now() - asked));
    }
  }
  setInterval(() => { if (performance.now() - asked > wait) refresh(); }, 1000);
}

wire(document);
for (const table of document.querySelectorAll("#result_list")) label(table);
for (const element of document.querySelectorAll("[data-refresh]")) keepFresh(element);
const narrow = matchMedia("(max-width: 900px)");
const fold = () => {
  for (const menu of document.querySelectorAll("[data-menu]")) menu.open = !narrow.matches;
};
narrow.addEventListener("change", fold);
fold();
