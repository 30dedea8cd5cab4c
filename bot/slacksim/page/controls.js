// Buttons, menus and inputs of Block Kit.
import { post, toast, placeOf } from "./post.js";

// valueOf is what a control says, as the server's Interaction.Value has it.
export function valueOf(el) {
  if (el.dataset.do === "several") {
    const on = [...el.querySelectorAll("input:checked")].map((i) => i.value);
    return el.querySelector("input[type=radio]") ? on[0] ?? "" : on.length ? JSON.stringify(on) : "";
  }
  if (el.type === "datetime-local") return el.value ? String(Math.round(new Date(el.value) / 1000)) : "";
  return el.value;
}

// valuesOf is the state of every control on the same message or view.
export function valuesOf(el) {
  const out = {};
  for (const c of (el.closest("[data-view]") || el.closest(".msg")).querySelectorAll("[data-ctl]")) (out[c.dataset.block] ??= {})[c.dataset.act] = valueOf(c);
  return out;
}

// use reports the use of an element, after the confirmation it asks for.
async function use(el, value) {
  const ask = el.closest(".control")?.querySelector(":scope > template.confirm");
  const place = placeOf(el), values = valuesOf(el);
  if (ask && !(await confirmed(ask, el))) {
    undo(el);
    return;
  }
  el.setAttribute("aria-busy", "true");
  try {
    const out = await post("press", { ...place, action_id: el.dataset.act, block_id: el.dataset.block, value, values });
    if (out.notice) complain(el, out.notice);
  } catch (err) {
    toast(err);
  }
  el.removeAttribute("aria-busy");
}

// complain says beside the message that the app did not answer.
function complain(el, text) {
  const where = el.closest(".item");
  if (!where?.isConnected) return toast(new Error(text));
  where.querySelector(":scope > .complaint")?.remove();
  const p = document.createElement("p");
  p.className = "complaint";
  p.setAttribute("role", "alert");
  p.textContent = "⚠ " + text;
  where.append(p);
  setTimeout(() => p.remove(), 10000);
}

// undo brings a menu back to what it was when its confirmation was declined.
function undo(el) {
  if (el.matches("select")) for (const o of el.options) o.selected = o.defaultSelected;
  for (const i of el.querySelectorAll?.("input") ?? []) i.checked = i.defaultChecked;
}

function confirmed(ask, el) {
  const dialog = document.getElementById("confirm"), form = dialog.firstElementChild;
  form.replaceChildren(ask.content.cloneNode(true));
  dialog.asking = el;
  dialog.returnValue = "";
  dialog.setAttribute("aria-label", form.querySelector("h2").textContent);
  dialog.showModal();
  form.querySelector("button[value=yes]").focus();
  return new Promise((resolve) => dialog.addEventListener("close", () => {
    resolve(dialog.returnValue === "yes");
    if (el.isConnected) el.focus();
  }, { once: true }));
}

export function closeMenus() {
  for (const m of document.querySelectorAll("[popover]:popover-open")) m.hidePopover();
}

// opener finds the button that opens a menu.
const opener = (menu) => document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`);

// place puts an open menu beside its button, inside the window.
function place(menu) {
  const b = opener(menu).getBoundingClientRect(), m = menu.getBoundingClientRect();
  const below = b.bottom + 4 + m.height < innerHeight;
  menu.style.top = Math.max(4, below ? b.bottom + 4 : b.top - 4 - m.height) + "px";
  menu.style.left = Math.max(4, Math.min(b.left, innerWidth - m.width - 8)) + "px";
}

function opened(menu, open) {
  const button = opener(menu);
  button?.setAttribute("aria-expanded", open);
  if (open) {
    place(menu);
    menu.was = valueOf(menu.matches("[data-do=several]") ? menu : button);
    (menu.querySelector("[aria-current=true]") || menu.querySelector("[role=menuitem], input"))?.focus();
  } else if (menu.dataset.do === "several") {
    summarise(menu);
    if (menu.was !== valueOf(menu) && !("quiet" in menu.dataset)) use(menu, valueOf(menu));
  }
}

// summarise writes on a multi-select's button what is chosen.
export function summarise(menu) {
  const names = [...menu.querySelectorAll("input:checked")].map((i) => i.parentElement.textContent.trim()), b = opener(menu);
  if (b) b.textContent = names.length > 2 ? `${names.length} chosen` : names.join(", ") || b.dataset.placeholder;
}

// rove moves through a menu with the arrow keys.
function rove(e) {
  const menu = e.target.closest("[role=menu]");
  if (!menu) return;
  const items = [...menu.querySelectorAll("[role=menuitem]")], at = items.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[e.key];
  if (e.key === "Tab") menu.hidePopover();
  if (to === undefined) return;
  e.preventDefault();
  items[(to + items.length) % items.length].focus();
}

let settling;

function changed(e) {
  const el = e.target.closest("[data-do=choose], .boxes[data-do=several]");
  if (!el) return;
  const max = Number(el.dataset.max);
  if (max && e.target.checked && el.querySelectorAll("input:checked").length > max) e.target.checked = false;
  if ("quiet" in el.dataset || el.matches("[popover]")) return;
  clearTimeout(settling);
  settling = setTimeout(() => use(el, valueOf(el)), el.matches("input") ? 500 : 0); // a date is typed in several steps
}

function clicked(e) {
  const item = e.target.closest("[role=menuitem][data-value]");
  if (item) {
    const menu = item.closest("[popover]"), button = opener(menu);
    menu.hidePopover();
    button.focus();
    use(button, item.dataset.value);
    return;
  }
  const el = e.target.closest("[data-do=press]");
  if (el && !el.hasAttribute("aria-busy")) use(el, el.dataset.value);
}

function typed(e) {
  const el = e.target.closest("[data-do=text]");
  if (!el || !el.dataset.trigger) return;
  const enter = e.type === "keydown" && e.key === "Enter" && !e.isComposing && !(el.matches("textarea") && e.shiftKey);
  if (enter && el.dataset.trigger.includes("enter")) {
    e.preventDefault();
    use(el, el.value);
  }
  if (e.type === "input" && el.dataset.trigger.includes("char")) use(el, el.value);
}

export function watchControls() {
  document.addEventListener("click", clicked);
  document.addEventListener("change", changed);
  document.addEventListener("keydown", rove);
  document.addEventListener("keydown", typed);
  document.addEventListener("input", typed);
  document.addEventListener("toggle", (e) => { if (e.target.matches("[popover]")) opened(e.target, e.newState === "open"); }, true);
  document.addEventListener("scroll", (e) => { if (!e.target.closest?.("[popover]")) closeMenus(); }, true);
}
