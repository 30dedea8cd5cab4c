// The inspector: every envelope, acknowledgement, Web API call and deed of a person.

const pane = document.getElementById("inspector"), list = document.getElementById("log"), filter = document.getElementById("inspector-filter");
const entry = document.getElementById("entry"), count = document.getElementById("inspector-count");
const keep = 1000;
let last = 0, reconnect;

export const inspecting = () => !pane.hidden;
export const lastLine = () => last;

const cell = (className, text) => {
  const s = document.createElement("span");
  s.className = className;
  s.textContent = text;
  return s;
};

const arrows = { api: "app → Slack", envelope: "Slack → app", ack: "app → Slack", response: "app → Slack", person: "person", socket: "socket", fault: "fault" };

export function addLines(entries) {
  const bottom = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  for (const e of entries) {
    if (e.seq <= last) continue;
    last = e.seq;
    const li = document.createElement("li"), b = document.createElement("button");
    b.type = "button";
    b.dataset.seq = e.seq;
    b.className = e.error || e.status >= 400 ? "bad" : "";
    const at = new Date(e.time);
    b.append(cell("at", at.toTimeString().slice(0, 8) + "." + String(at.getMilliseconds()).padStart(3, "0")), cell("kind " + e.kind, e.kind),
      cell("arrow", arrows[e.kind] || ""), cell("method", e.method), cell("about", e.about || ""),
      cell("outcome", [e.status || "", e.error || ""].filter(Boolean).join(" ")), cell("took", e.took ? e.took.toFixed(1) + " ms" : ""));
    li.append(b);
    list.append(li);
    match(li);
  }
  while (list.children.length > keep) list.firstChild.remove();
  tally();
  if (bottom) list.scrollTop = list.scrollHeight;
}

function match(li) {
  const words = filter.value.toLowerCase().split(/\s+/), text = li.textContent.toLowerCase();
  li.hidden = !words.every((w) => text.includes(w));
}

function tally() {
  const shown = list.querySelectorAll("li:not([hidden])").length;
  count.textContent = shown === list.children.length ? `${shown} lines` : `${shown} of ${list.children.length} lines`;
}

async function open(button) {
  for (const b of list.querySelectorAll("[aria-pressed]")) b.removeAttribute("aria-pressed");
  button.setAttribute("aria-pressed", "true");
  const answer = await fetch("/ui/log/" + button.dataset.seq);
  entry.textContent = answer.ok ? await answer.text() : "This entry is no longer in the log.";
  entry.hidden = false;
}

function toggle() {
  pane.hidden = !pane.hidden;
  document.body.classList.toggle("inspecting", !pane.hidden);
  sessionStorage.setItem("inspecting", pane.hidden ? "" : "yes");
  reconnect();
  if (!pane.hidden) filter.focus();
}

export function watchInspector(connect) {
  reconnect = connect;
  document.addEventListener("click", (e) => { if (e.target.closest("[data-do=inspect]")) toggle(); });
  list.addEventListener("click", (e) => { const b = e.target.closest("button"); if (b) open(b); });
  filter.addEventListener("input", () => { for (const li of list.children) match(li); tally(); });
  pane.addEventListener("keydown", (e) => {
    if (e.key !== "Escape") return;
    e.preventDefault();
    if (!entry.hidden) entry.hidden = true;
    else toggle();
  });
  if (sessionStorage.getItem("inspecting") || "inspect" in document.body.dataset) {
    pane.hidden = false;
    document.body.classList.add("inspecting");
  }
}
