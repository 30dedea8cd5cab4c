// One scale set: what it is, what runs on it, and its instances on a map of update by fault domains, or in
// one block where there are no domains.
import { ago, h, icon, list, listed, say, set } from "./dom.js";
import { count, mark, phases, tally, turn, whereabouts } from "./marks.js";
import { clear, pick, pickAll, picked, reach } from "./picked.js";
import { setTrouble } from "./trouble.js";
import { roam } from "./roam.js";

const sources = { probe: "load balancer probe", extension: "health extension", none: "none" };
const crowd = 120; // from here on the tiles are small and show no ids

/** make builds the card of a set. */
export function make(s) {
  const title = `set-${s.id.replace(/[^A-Za-z0-9]/g, "-")}`;
  const facts = h("dl", { class: "facts" });
  for (const name of ["Model", "Instances", "Health"]) facts.append(h("dt", {}, name), h("dd", { class: `f-${name.toLowerCase()}` }));
  const maps = h("div", { class: "maps" });
  roam(maps, clear, (b) => {
    if (b.getAttribute("aria-pressed") !== "true") b.click();
    reach();
  });
  return h("article", { class: "card", "aria-labelledby": title },
    h("header", {}, h("h2", { id: title }, s.name), h("p", { class: "where quiet" }), h("p", { class: "chips" })),
    facts, h("p", { class: "running" }), maps, h("ul", { class: "tally plain" }), setTrouble(s));
}

/** update shows s as it is now. */
export function update(card, s, view, now) {
  const find = (c) => card.querySelector(c);
  say(find(".where"), `${s.resourceGroup} · ${s.location}`);
  chips(find(".chips"), s);
  images(find(".f-model"), find(".f-instances"), s);
  say(find(".f-health"), sources[s.healthSource] ?? s.healthSource);
  running(find(".running"), s, view, now);
  card.classList.toggle("busy", Boolean(s.operation));
  map(find(".maps"), s, faultsOf(s, view));
  tally(find(".tally"), count(s.instances ?? []));
}

function chips(parent, s) {
  const words = [{ word: `${s.mode} mode`, cls: "" }];
  if (s.orchestration === "Flexible") words.push({ word: "Flexible", cls: "" });
  if (s.provisioningState !== "Succeeded") words.push({ word: s.provisioningState, cls: s.provisioningState === "Failed" ? "bad" : "going" });
  list(parent, words, (c) => c.word, (c) => h("span", { class: `chip ${c.cls}` }, c.word));
}

function images(model, instances, s) {
  const parts = s.image.startsWith("/") ? s.image.split("/images/").at(-1).split("/versions/") : s.image.split(":").slice(1);
  const version = parts.length > 1 ? parts.pop() : "";
  const exact = version && version !== s.imageVersion ? `${version} = ${s.imageVersion}` : version;
  list(model, [`${parts.join(" ")}\n${exact}`], (t) => t,
    () => h("span", { title: s.image }, `${parts.join(" ")} `, h("b", { class: "exact" }, exact)));
  const n = new Map();
  for (const i of s.instances ?? []) n.set(i.version, (n.get(i.version) ?? 0) + 1);
  const rows = [...n].sort((a, b) => b[1] - a[1]);
  if (rows.length === 0) rows.push(["none", 0]);
  list(instances, rows, ([v]) => v, ([v]) => h("span", { class: "version" }, v, " ", h("b")), (e, [v, c]) => {
    e.classList.toggle("current", v === s.imageVersion);
    say(e.querySelector("b"), c ? `× ${c}` : "");
  });
}

function running(e, s, view, now) {
  const ops = (view.operations ?? []).filter((o) => o.status === "InProgress" && o.set === s.id.toLowerCase());
  e.classList.toggle("on", ops.length > 0);
  say(e, ops.length === 0 ? "no operation" : ops.map((o) => `${o.kind} · ${ago(o.start, now)}${o.pending ? ` · waits for ${listed(o.pending)}` : ""}`).join("\n"));
}

/** faultsOf says which instances have a fault of their own, and which. */
function faultsOf(s, view) {
  const out = {};
  for (const f of view.faults ?? []) {
    if (f.set !== s.id) continue;
    for (const id of [f.instance, ...(f.instances ?? [])]) if (id) (out[id] ??= []).push(f.kind);
  }
  return out;
}

function map(maps, s, faults) {
  const all = s.instances ?? [];
  const uds = span(all, "ud"), fds = span(all, "fd"), parts = multiples(all);
  const shape = JSON.stringify([uds, fds, parts.map((p) => [p.name, p.instances.map((i) => i.id)])]);
  if (maps.dataset.shape !== shape) {
    maps.dataset.shape = shape;
    lay(maps, s, parts, uds, fds);
  }
  maps.classList.toggle("crowd", all.length > crowd);
  for (const i of all) tile(maps.tiles.get(i.id), s, i, faults[i.id] ?? []);
}

const span = (list, key) => list.reduce((n, i) => Math.max(n, i[key] + 1), 0);

/** multiples are the parts that get a map of their own: zones, or placement groups, or all in one. */
function multiples(all) {
  const parts = new Map();
  for (const i of all) {
    const key = `${i.zone ?? ""}/${i.placementGroup}`;
    if (!parts.has(key)) parts.set(key, { zone: i.zone, instances: [] });
    parts.get(key).instances.push(i);
  }
  const out = [...parts.values()];
  const zoned = new Set(out.map((p) => p.zone)).size === out.length;
  out.forEach((p, n) => {
    p.name = out.length === 1 && !p.zone ? "" : p.zone && zoned ? `zone ${p.zone}` : `placement group ${n + 1}${p.zone ? `, zone ${p.zone}` : ""}`;
  });
  return out;
}

/** lay puts the tiles into tables; those that exist are moved, the focus stays where it was. */
function lay(maps, s, parts, uds, fds) {
  const focus = document.activeElement, old = maps.tiles ?? new Map();
  maps.tiles = new Map();
  const take = (i) => {
    const t = old.get(i.id) ?? newTile(s, i);
    maps.tiles.set(i.id, t);
    return t;
  };
  const tables = parts.map((p) => {
    if (uds === 0) return block(s, p, p.instances.map(take));
    const cells = Array.from({ length: uds }, () => Array.from({ length: fds }, () => h("td")));
    for (const i of p.instances) cells[i.ud][i.fd].append(take(i));
    return table(s, p, cells);
  });
  maps.replaceChildren(...tables);
  if (maps.contains(focus)) focus.focus();
  if (!maps.querySelector('[tabindex="0"]')) maps.querySelector("button")?.setAttribute("tabindex", "0");
}

function table(s, part, cells) {
  const head = h("tr", {}, h("td"), ...(cells[0] ?? []).map((_, fd) => h("th", { scope: "col" }, `FD ${fd}`)));
  const rows = cells.map((row, ud) => {
    const ids = part.instances.filter((i) => i.ud === ud).map((i) => i.id);
    const all = h("button", { type: "button", class: "all", tabindex: -1, title: `select UD ${ud}`, onclick: () => pickAll(s.id, ids) }, `UD ${ud}`);
    return h("tr", {}, h("th", { scope: "row" }, ids.length ? all : `UD ${ud}`), ...row);
  });
  const t = h("table", { "aria-describedby": "map-help" }, h("caption", { class: part.name ? "" : "off" }, part.name || `Instances of ${s.name} by update and fault domain`),
    h("thead", {}, head), h("tbody", {}, ...rows));
  t.style.setProperty("--columns", cells[0]?.length ?? 1);
  return t;
}

/** block holds instances that are in no domains. */
function block(s, part, tiles) {
  const all = h("button", { type: "button", class: "all", tabindex: -1, title: "select all of these", onclick: () => pickAll(s.id, part.instances.map((i) => i.id)) }, "all");
  const t = h("table", { class: "block", "aria-describedby": "map-help" }, h("caption", { class: part.name ? "" : "off" }, part.name || `Instances of ${s.name}`),
    h("tbody", {}, h("tr", {}, h("th", { scope: "row" }, all), h("td", {}, ...tiles))));
  t.style.setProperty("--columns", 4);
  return t;
}

function newTile(s, i) {
  return h("button", { type: "button", class: "tile", tabindex: -1, "data-set": s.id, "data-id": i.id, onclick: () => pick(s.id, i.id) },
    h("span", { class: "cell" }, mark(i.phase)), h("span", { class: "id" }, i.id.split("_").at(-1)));
}

function tile(t, s, i, faults) {
  const cell = t.firstChild;
  if (t.dataset.phase !== i.phase) {
    if (t.dataset.phase) turn(cell.firstChild, i.phase);
    t.dataset.phase = i.phase;
  }
  badge(cell, "protected", i.protected);
  badge(cell, "armed", faults.length > 0);
  set(t, "aria-pressed", picked(s.id, i.id));
  set(t, "aria-label", [`instance ${[i.id, ...whereabouts(i)].join(", ")}: ${phases[i.phase]}`,
    i.protected && "protected", ...faults].filter(Boolean).join(", "));
}

function badge(cell, name, on) {
  const there = cell.querySelector(`.p-${name}`);
  if (on && !there) cell.append(icon(name, `p-${name}`));
  if (!on) there?.remove();
}
