// Which instances are selected, of one scale set at a time, and the bar that makes trouble for them.
import { h, listed, plural, set } from "./dom.js";
import { act, ask } from "./trouble.js";

const now = { set: null, ids: new Set(), from: null, spot: new Set() }; // from: the tile that has been chosen last; spot: the Spot sets
const bar = document.getElementById("picked");
const text = h("p", { role: "status" });

const faults = [
  ["fail-instance", "Fail the next upgrade", (t) => `The next upgrade of ${t} will fail.`],
  ["never-healthy", "Never healthy", (t) => `${t} will come up, but never healthy.`],
  ["health-unknown", "Health never known", (t) => `${t} will come up, but its health stays unknown.`],
  ["health-missing", "Health not told", (t) => `${t}: nothing is told of its health.`],
  ["flap", "Flap", (t) => `${t}: healthy and not by turns, every 30 s.`],
  ["stale-failed", "Failed long ago", (t) => `${t}: provisioning failed a day ago, and stays so until an upgrade succeeds.`],
  ["unhealthy-now", "Unhealthy now", (t) => `${t}: unhealthy.`],
  ["healthy-now", "Healthy again", (t) => `${t}: healthy, and able to stay so.`],
  ["protect", "Protect", (t) => `${t}: protected from scale set actions.`],
];

const evict = h("button", { type: "button", onclick: () => strike("evict", (t) => `${t}: evicted.`) }, "Evict");

bar.append(text, h("div", { class: "buttons" },
  ...faults.map(([kind, label, told]) => h("button", { type: "button", onclick: () => strike(kind, told) }, label)),
  evict,
  h("button", { type: "button", class: "grave", onclick: vanish }, "Vanish…"),
  h("button", { type: "button", class: "mild", onclick: clear }, "Clear")));
bar.addEventListener("keydown", (e) => e.key === "Escape" && clear());

export const picked = (s, id) => now.set === s && now.ids.has(id);

/** pick selects an instance, or takes it out of the selection. */
export function pick(s, id) {
  if (now.set !== s) now.ids.clear();
  now.set = s;
  if (!now.ids.delete(id)) now.ids.add(id);
  show();
}

/** pickAll selects all of ids, or none of them if they all were. */
export function pickAll(s, ids) {
  if (now.set !== s) now.ids.clear();
  now.set = s;
  const all = ids.every((id) => now.ids.has(id));
  for (const id of ids) all ? now.ids.delete(id) : now.ids.add(id);
  show();
}

export function clear() {
  now.ids.clear();
  show();
}

/** keep drops from the selection what is no more, and notes which sets are Spot. */
export function keep(sets) {
  now.spot = new Set(sets.filter((x) => x.spot).map((x) => x.id));
  const s = sets.find((x) => x.id === now.set);
  const there = new Set((s?.instances ?? []).map((i) => i.id));
  const before = now.ids.size;
  for (const id of now.ids) if (!there.has(id)) now.ids.delete(id);
  if (now.ids.size !== before) show();
}

/** reach moves the focus to the bar, if anything is selected. */
export const reach = () => bar.hidden || bar.querySelector("button").focus();

function show() {
  const leave = now.ids.size === 0 && bar.contains(document.activeElement);
  if (document.activeElement.matches(".tile")) now.from = document.activeElement;
  bar.hidden = now.ids.size === 0;
  if (leave) (now.from?.isConnected ? now.from : document.getElementById("sets")).focus();
  evict.hidden = !now.spot.has(now.set);
  if (!bar.hidden) text.textContent = target();
  for (const t of document.querySelectorAll(".tile")) set(t, "aria-pressed", picked(t.dataset.set, t.dataset.id));
}

const ids = () => [...now.ids].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
const name = () => now.set.split("/").at(-1);
const target = () => `${name()}, ${now.ids.size === 1 ? "instance" : plural(now.ids.size, "instance") + ":"} ${listed(ids())}`;
const strike = (kind, told) => act({ kind, set: now.set, instances: ids() }, told(target()));

function vanish() {
  ask(`Delete ${plural(now.ids.size, "instance")} of ${name()}?`, `${listed(ids())}: gone at once, as when autoscale scales in.`,
    "Vanish", () => strike("vanish", (t) => `${t}: gone.`));
}
