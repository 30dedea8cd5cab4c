// The page is rendered by the server. This file keeps it current and wires the rest together.
import { formatTimes, dividers, paint } from "./text.js";
import { morph, whenFree } from "./swap.js";
import { watchControls, closeMenus } from "./controls.js";
import { watchForms, showForm } from "./forms.js";
import { watchComposer, stashDrafts, restoreDrafts, fill } from "./compose.js";
import { watchInspector, addLines, lastLine, inspecting } from "./inspector.js";
import { post, toast } from "./post.js";
import { here } from "./place.js";

const $ = (id) => document.getElementById(id);
let stream, caughtUp = false, seen = "";

// go shows another place without loading the page again: the stream brings it.
function go(href, push = true) {
  const to = new URL(href, location.href), from = here();
  if (!to.searchParams.get("as") && from.as) to.searchParams.set("as", from.as);
  stashDrafts();
  closeMenus();
  if (push) history.pushState(null, "", to.pathname + to.search);
  document.body.classList.remove("drawer");
  const now = here();
  document.body.classList.toggle("threaded", !!now.thread);
  if (now.as !== from.as || now.in !== from.in) leave("messages");
  if (now.as !== from.as || now.thread !== from.thread) leave("thread");
  if (now.in === "home") post("home", { as: now.as }).catch(toast);
  connect();
}

function connect() {
  stream?.close();
  caughtUp = false;
  const q = new URLSearchParams(location.search);
  q.set("born", document.body.dataset.born);
  if (inspecting()) q.set("log", lastLine());
  stream = new EventSource("/ui/stream?" + q);
  stream.onmessage = (e) => take(JSON.parse(e.data));
  stream.onopen = () => { $("lost").hidden = true; };
  stream.onerror = () => {
    caughtUp = false;
    $("lost").hidden = false;
    if (stream.readyState === EventSource.CLOSED) setTimeout(connect, 1500); // the browser gave up: we do not
  };
}

const takers = {
  hello: (n) => { if (n.id !== document.body.dataset.started) location.reload(); }, // another workspace has taken the address
  title: (n) => { document.title = n.html; countUnread(); },
  part: (n) => {
    const el = $(n.id);
    whenFree(el, () => { morph(el, n.html); if (n.id.endsWith("foot")) restoreDrafts(); }, "menu");
    if (n.id === "thread-head") document.body.classList.toggle("threaded", n.html !== "");
    if (n.id === "side") countUnread();
  },
  item: (n) => {
    const region = $(n.region);
    let el = $(n.id);
    if (!el) {
      el = document.createElement("div");
      el.className = "item";
      el.id = n.id;
      el.innerHTML = '<div class="inner"></div>';
      region.append(el);
    }
    if (el.dataset.v === n.v) return;
    const isNew = !el.dataset.v;
    el.dataset.v = n.v;
    whenFree(el, () => { morph(el.firstElementChild, n.html); dress(el); }, n.region === "views" || n.id.startsWith("home") ? "menu" : "all");
    if (isNew && caughtUp && n.region !== "views") announce(el);
  },
  order: (n) => {
    const region = $(n.region);
    const want = new Set(n.ids);
    for (const el of [...region.querySelectorAll(":scope > .item")]) if (!want.has(el.id)) el.remove();
    n.ids.reduce((before, id) => {
      const el = $(id);
      const next = before ? nextItem(before) : region.querySelector(":scope > .item");
      if (next !== el) region.insertBefore(el, next);
      return el;
    }, null);
    dividers(region);
    if (n.region === "views") showForm();
    if (n.region === "messages") markRead();
  },
  log: (n) => addLines(n.entries),
  ready: () => { caughtUp = true; },
};

function take(n) { takers[n.what]?.({ html: "", ids: [], ...n }); }

function nextItem(el) {
  do el = el.nextElementSibling; while (el && !el.classList.contains("item"));
  return el;
}

// dress finishes what only the browser knows: the reader's zone, colours from data.
function dress(root) {
  formatTimes(root);
  paint(root);
}

function announce(el) {
  const msg = el.querySelector(".msg");
  if (!msg) return;
  const words = [...msg.querySelectorAll(".words, .header")].map((w) => w.textContent.trim()).join(". ");
  $("announce").textContent = `${msg.dataset.from}: ${words.slice(0, 300)}`;
}

// markRead tells the workspace how far this person has read, when the person is looking.
function markRead() {
  const last = [...document.querySelectorAll("#messages .msg[data-ts]")].at(-1)?.dataset.ts;
  const at = here();
  if (!last || document.hidden || at.in === "home" || seen === at.as + at.in + last) return;
  seen = at.as + at.in + last;
  post("read", { as: at.as, in: at.in, ts: last }).catch(() => {});
}

function countUnread() {
  const n = [...document.querySelectorAll("#side .count")].reduce((sum, c) => sum + parseInt(c.textContent, 10), 0);
  const title = document.title.replace(/^\(\d+\) /, "");
  document.title = n ? `(${n}) ${title}` : title;
}

// A column that shows its end keeps showing it, whatever grows; a person who has scrolled back is left alone.
const unpinned = new Set();
const ends = new ResizeObserver((list) => { for (const { target } of list) settle(target.closest(".column")); });

function settle(column) {
  if (!unpinned.has(column)) column.scrollTop = column.scrollHeight;
}

function pin(region) {
  const column = $(region).closest(".column");
  unpinned.delete(column);
  settle(column);
}

// leave prepares a column for another conversation: its end shows, and what only this window was told is gone.
function leave(region) {
  for (const el of $(region).querySelectorAll(":scope > .local")) el.remove();
  pin(region);
}

function watchColumns() {
  for (const column of document.querySelectorAll(".column")) {
    for (const el of [column, column.querySelector(".messages")]) ends.observe(el);
    column.addEventListener("wheel", () => requestAnimationFrame(() => scrolled(column)), { passive: true });
    for (const event of ["touchmove", "keyup", "pointerup"]) column.addEventListener(event, () => scrolled(column), { passive: true });
    column.addEventListener("said", () => { unpinned.delete(column); settle(column); });
    settle(column);
  }
}

function scrolled(column) {
  const atEnd = column.scrollHeight - column.scrollTop - column.clientHeight < 60;
  if (atEnd) unpinned.delete(column);
  else unpinned.add(column);
}

document.addEventListener("click", (e) => {
  const a = e.target.closest("a[href]");
  if (!a || e.metaKey || e.ctrlKey || e.shiftKey || e.button) return;
  const to = new URL(a.href, location.href);
  const ours = to.origin === location.origin && (a.hasAttribute("data-go") || to.pathname.startsWith("/archives/"));
  if (!ours) return;
  e.preventDefault();
  if (to.pathname.startsWith("/archives/")) {
    const q = new URLSearchParams({ as: here().as, in: to.pathname.split("/")[2] });
    if (to.searchParams.get("thread_ts")) q.set("thread", to.searchParams.get("thread_ts"));
    to.href = location.origin + "/?" + q;
  }
  go(to.href);
  if (to.searchParams.get("thread")) setTimeout(() => $("reply")?.focus(), 150);
});

document.addEventListener("keydown", (e) => {
  if (e.key !== "Escape" || e.defaultPrevented) return;
  if (document.body.classList.contains("drawer")) drawer(false);
  else if (document.body.classList.contains("threaded") && !document.querySelector("dialog[open], [popover]:popover-open")) document.querySelector("[data-close-thread]")?.click();
});

function drawer(open) {
  document.body.classList.toggle("drawer", open);
  document.querySelector(".burger")?.setAttribute("aria-expanded", open);
}

document.addEventListener("click", (e) => {
  const what = e.target.closest("[data-do]")?.dataset.do;
  if (what === "drawer") drawer(!document.body.classList.contains("drawer"));
  else if (!e.target.closest("#side")) drawer(false);
  if (what === "dismiss") { $("welcome").hidden = true; localStorage.setItem("welcome", document.body.dataset.started); }
  const cmd = e.target.closest(".welcome code")?.textContent;
  if (cmd?.startsWith("/")) fill(cmd);
});

function welcome() {
  const hint = $("welcome");
  if (!hint) return;
  hint.hidden = localStorage.getItem("welcome") === document.body.dataset.started;
  for (const c of hint.querySelectorAll("code")) if (c.textContent.startsWith("/")) { c.tabIndex = 0; c.setAttribute("role", "button"); }
  hint.addEventListener("keydown", (e) => { if (e.key === "Enter" && e.target.matches("code")) fill(e.target.textContent); });
}

addEventListener("popstate", () => go(location.href, false));
document.addEventListener("visibilitychange", markRead);
document.body.classList.toggle("threaded", !!here().thread);
watchControls();
watchForms();
watchComposer();
watchInspector(connect);
welcome();
dress(document.body);
for (const r of document.querySelectorAll(".messages")) dividers(r);
watchColumns();
showForm();
if (here().in === "home") post("home", { as: here().as }).catch(toast);
connect();
setInterval(() => formatTimes(document.body), 20000);
