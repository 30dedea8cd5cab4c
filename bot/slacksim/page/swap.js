// Swapping what changed without taking away what a person is doing.

const editable = "input, textarea, select";
const waiting = new Map(); // element -> what to do with it when it is free

// busy says whether a person is in the middle of something inside el: an open menu, or, unless only menus count, a
// field that has the focus.
export function busy(el, what = "all") {
  if (el.querySelector("[popover]:popover-open, dialog[open]")) return true;
  if (document.getElementById("confirm")?.open && el.contains(document.getElementById("confirm").asking)) return true;
  const at = document.activeElement;
  return what === "all" && el.contains(at) && at.matches(editable);
}

// whenFree does it now or as soon as el is no longer busy; the latest order wins.
export function whenFree(el, act, what = "all") {
  if (!busy(el, what)) {
    waiting.delete(el);
    act();
    return;
  }
  waiting.set(el, { act, what });
}

function look() {
  for (const [el, { act, what }] of [...waiting]) {
    if (!el.isConnected) waiting.delete(el);
    else if (!busy(el, what)) { waiting.delete(el); act(); }
  }
}

for (const event of ["focusout", "toggle", "close"]) document.addEventListener(event, () => setTimeout(look), true);

// morph makes el's content equal to html and keeps every node that stands for the same thing, and with it what was
// typed into it, its focus and its scroll position.
export function morph(el, html) {
  const to = document.createElement("template");
  to.innerHTML = html;
  children(el, to.content);
}

const key = (n) => n.nodeType === 1 && n.id ? "#" + n.id : "";
const same = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && key(a) === key(b);

function children(from, to) {
  const kept = new Map();
  for (const n of from.childNodes) if (key(n)) kept.set(key(n), n);
  let at = from.firstChild;
  for (const want of [...to.childNodes]) {
    const known = kept.get(key(want));
    if (known && known !== at && same(known, want)) from.insertBefore(known, at);
    const now = known && same(known, want) ? known : at;
    if (now && same(now, want)) {
      node(now, want);
      at = now.nextSibling;
    } else {
      from.insertBefore(want, at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

// live are attributes that the page itself sets.
const live = new Set(["open", "aria-expanded", "aria-busy", "hidden"]);

function node(from, to) {
  if (from.nodeType !== 1) {
    if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
    return;
  }
  if (from.nodeName === "TIME" && from.dataset.unix === to.dataset.unix && from.dataset.format === to.dataset.format) return;
  if (from.nodeName === "TEMPLATE") {
    if (from.innerHTML !== to.innerHTML) from.innerHTML = to.innerHTML;
    return;
  }
  for (const a of [...from.attributes]) if (!to.hasAttribute(a.name) && !live.has(a.name) && a.name !== "style") from.removeAttribute(a.name);
  for (const a of to.attributes) if (from.getAttribute(a.name) !== a.value && !live.has(a.name)) from.setAttribute(a.name, a.value);
  if (from.nodeName === "TEXTAREA") return; // its text is the person's
  children(from, to);
}
