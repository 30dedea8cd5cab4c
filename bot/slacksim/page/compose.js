// The boxes to type into: commands with their list and usage hint, history, drafts.
import { post, toast, notice } from "./post.js";
import { here } from "./place.js";

const commands = [...document.querySelectorAll("#commands option")].map((o) => ({ name: o.value, about: o.textContent, hint: o.dataset.hint }));
const drafts = new Map();
let at = -1; // place in the history; -1: not in it

const key = (box) => [here().as, here().in, box.id === "reply" ? here().thread : ""].join(" ");
const past = () => JSON.parse(localStorage.getItem("typed " + here().as) || "[]");

function remember(text) {
  const list = past().filter((t) => t !== text);
  list.unshift(text);
  localStorage.setItem("typed " + here().as, JSON.stringify(list.slice(0, 50)));
}

export function stashDrafts() {
  for (const box of document.querySelectorAll("[data-composer] textarea")) drafts.set(key(box), box.value);
}

export function restoreDrafts() {
  for (const box of document.querySelectorAll("[data-composer] textarea")) {
    if (box.place === key(box)) continue;
    box.place = key(box);
    box.value = drafts.get(box.place) || "";
    shape(box);
  }
}

// fill puts a command into the channel's box, ready to be sent.
export function fill(text) {
  const box = document.getElementById("compose");
  if (!box) return;
  box.value = text;
  box.focus();
  shape(box);
}

// shape fits the box to its text and shows what goes with it: the list of commands, the usage of one.
function shape(box) {
  box.style.height = "auto";
  box.style.height = Math.min(box.scrollHeight, 160) + "px";
  const form = box.form, list = form.querySelector(".commands"), hint = form.querySelector(".hints");
  const word = box.value.match(/^\/\S*$/)?.[0];
  const fit = word === undefined || commands.some((c) => c.name === box.value) ? [] : commands.filter((c) => c.name.startsWith(word));
  list.hidden = fit.length === 0;
  list.replaceChildren(...fit.map((c, i) => {
    const li = document.createElement("li");
    li.setAttribute("role", "option");
    li.setAttribute("aria-selected", i === 0);
    li.dataset.name = c.name;
    li.innerHTML = "<b></b> <span class='quiet'></span><small></small>";
    li.children[0].textContent = c.name;
    li.children[1].textContent = c.hint;
    li.children[2].textContent = c.about;
    return li;
  }));
  const used = commands.find((c) => box.value === c.name || box.value.startsWith(c.name + " "));
  hint.textContent = used ? `${used.name} ${used.hint}` : "";
}

function complete(box, name) {
  box.value = name + " ";
  box.focus();
  shape(box);
}

async function send(box) {
  const text = box.value.trim();
  if (!text) return;
  const w = here(), thread = box.id === "reply" ? w.thread : "";
  remember(text);
  at = -1;
  box.value = "";
  shape(box);
  const column = document.getElementById(thread ? "thread" : "messages");
  column.dispatchEvent(new CustomEvent("said", { bubbles: true }));
  try {
    const out = await post("send", { as: w.as, in: w.in, thread_ts: thread, text });
    if (out.notice) notice(out.notice, column);
  } catch (err) {
    toast(err);
    if (!box.value) box.value = text;
  }
}

// recall steps through what was typed before.
function recall(box, step) {
  const list = past(), to = Math.max(-1, Math.min(list.length - 1, at + step));
  if (to === at) return false;
  at = to;
  box.value = at < 0 ? "" : list[at];
  shape(box);
  box.setSelectionRange(box.value.length, box.value.length);
  return true;
}

function pressed(e) {
  const box = e.target;
  if (!box.matches?.("[data-composer] textarea") || e.isComposing) return;
  const list = box.form.querySelector(".commands"), options = [...list.children];
  const current = options.findIndex((o) => o.getAttribute("aria-selected") === "true");
  const oneLine = !box.value.includes("\n");
  if (!list.hidden && (e.key === "ArrowDown" || e.key === "ArrowUp") && options.length > 1) {
    e.preventDefault();
    const next = (current + (e.key === "ArrowDown" ? 1 : options.length - 1)) % options.length;
    options.forEach((o, i) => o.setAttribute("aria-selected", i === next));
  } else if (!list.hidden && (e.key === "Tab" || e.key === "Enter") && !e.shiftKey) {
    e.preventDefault();
    complete(box, options[current].dataset.name);
  } else if (!list.hidden && e.key === "Escape") {
    e.preventDefault();
    list.hidden = true;
  } else if (e.key === "Enter" && !e.shiftKey) {
    e.preventDefault();
    send(box);
  } else if (e.key === "ArrowUp" && oneLine && (box.value === "" || at >= 0)) {
    if (recall(box, 1)) e.preventDefault();
  } else if (e.key === "ArrowDown" && oneLine && at >= 0) {
    if (recall(box, -1)) e.preventDefault();
  }
}

export function watchComposer() {
  document.addEventListener("keydown", pressed);
  document.addEventListener("input", (e) => { if (e.target.matches("[data-composer] textarea")) { at = -1; shape(e.target); } });
  document.addEventListener("submit", (e) => {
    if (!e.target.matches("[data-composer]")) return;
    e.preventDefault();
    send(e.target.querySelector("textarea"));
  });
  document.addEventListener("click", (e) => {
    const li = e.target.closest(".commands li");
    if (li) complete(li.closest("form").querySelector("textarea"), li.dataset.name);
  });
  restoreDrafts();
}
