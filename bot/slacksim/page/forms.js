// Modals: the form on top of an app's stack, in one native dialog.
import { post, toast } from "./post.js";
import { valuesOf, summarise } from "./controls.js";
import { here } from "./place.js";

const dialog = document.getElementById("form");

// showForm opens or closes the dialog to match what the server says is on top.
export function showForm() {
  const view = dialog.querySelector(".view");
  if (!view) {
    if (dialog.open) leave();
    return;
  }
  for (const m of view.querySelectorAll(".boxes[popover]")) summarise(m);
  if (dialog.open && dialog.shown === view.dataset.view) return;
  dialog.shown = view.dataset.view;
  if (!dialog.open) dialog.showModal();
  (view.querySelector("[data-focus]") || view.querySelector(".view-body :is(input, textarea, select):not([disabled])") || view.querySelector("[type=submit]"))?.focus();
}

// leave closes the dialog and lets the box that had the focus before be typed into again: Chromium gives it back the
// focus, but no caret.
function leave() {
  dialog.close();
  const back = document.activeElement;
  back.blur();
  back.focus();
}

function explain(view, errors = {}, trouble = "") {
  view.querySelector(".view-trouble").textContent = trouble;
  let first;
  for (const field of view.querySelectorAll("[data-field]")) {
    const text = errors[field.dataset.field] || "", slot = field.querySelector(".field-error"), ctl = field.querySelector("[data-ctl]");
    slot.textContent = text;
    field.classList.toggle("wrong", !!text);
    ctl?.setAttribute("aria-invalid", !!text);
    if (text) first ??= ctl;
  }
  first?.focus();
}

async function submit(view) {
  const button = view.querySelector("[type=submit]");
  if (!button || button.disabled) return;
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  try {
    const out = await post("submit", { as: here().as, view_id: view.dataset.view, values: valuesOf(view.firstElementChild) });
    explain(view, out.errors, out.notice);
  } catch (err) {
    toast(err);
  }
  button.removeAttribute("aria-busy");
  button.disabled = false;
}

function close(clear) {
  const view = dialog.querySelector(".view");
  if (view) post("close", { as: here().as, view_id: view.dataset.view, clear }).catch(toast);
}

export function watchForms() {
  dialog.addEventListener("cancel", (e) => { if (e.target === dialog) { e.preventDefault(); close(false); } });
  dialog.addEventListener("submit", (e) => { e.preventDefault(); submit(e.target); });
  dialog.addEventListener("click", (e) => {
    const what = e.target.closest("[data-do]")?.dataset.do;
    if (what === "close" || what === "close-all") close(what === "close-all");
  });
  dialog.addEventListener("input", (e) => {
    const field = e.target.closest(".wrong");
    if (!field) return;
    field.classList.remove("wrong");
    field.querySelector(".field-error").textContent = "";
  });
}
