// The fleet view: asks the simulated Azure how it is, and shows it.
import { list, say } from "./dom.js";
import * as card from "./card.js";
import { legend } from "./marks.js";
import { keep } from "./picked.js";
import * as record from "./record.js";
import * as tip from "./tip.js";
import { callTrouble, onAct } from "./trouble.js";

const sets = document.getElementById("sets"), link = document.getElementById("link"), lost = document.getElementById("lost");
const calm = 1000, lively = 300; // ms between two looks
let view = null, tag = "", ahead = 0, timer = 0, looking = false;
const order = []; // of the cards: the largest set first when first seen, and stable from then on

const now = () => Date.now() + ahead; // the simulation's clock

async function look() {
  clearTimeout(timer);
  if (looking) return;
  looking = true;
  const began = performance.now(), answered = await ask();
  looking = false;
  // A large fleet is looked at less often: at most an eighth of the time.
  if (!document.hidden) timer = setTimeout(look, Math.max(moving() ? lively : calm, 7 * (performance.now() - began)));
  online(answered);
  if (answered) show();
}

/** ask brings view up to date and tells whether the simulated Azure answered. */
async function ask() {
  try {
    const r = await fetch("/_control/view", { cache: "no-store", signal: AbortSignal.timeout(10000), headers: tag ? { "If-None-Match": tag } : {} });
    if (r.status === 200) {
      view = await r.json();
      tag = r.headers.get("ETag");
      ahead = Date.parse(view.now) - Date.now();
    }
    return r.status === 200 || r.status === 304;
  } catch {
    return false;
  }
}

const moving = () => view?.sets?.some((s) => s.instances?.some((i) => i.doing || i.phase === "initializing"));

function online(yes) {
  lost.hidden = yes;
  say(link, yes ? "live" : "no connection");
  link.classList.toggle("up", yes);
}

function show() {
  const found = sorted(view.sets ?? []);
  list(sets, found, (s) => s.id, card.make, (e, s) => {
    card.update(e, s, view, now());
    e.querySelector(".trouble").current = s;
  });
  legend(document.getElementById("legend"), found);
  keep(found);
  record.update(view);
  tip.refresh();
}

function sorted(found) {
  const fresh = found.filter((s) => !order.includes(s.id));
  fresh.sort((a, b) => (b.instances?.length ?? 0) - (a.instances?.length ?? 0) || a.name.localeCompare(b.name));
  order.push(...fresh.map((s) => s.id));
  return [...found].sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
}

tip.start((set, id) => {
  const s = view?.sets?.find((x) => x.id === set), i = s?.instances?.find((x) => x.id === id);
  const faults = (view?.faults ?? []).filter((f) => f.set === set && (f.instance === id || f.instances?.includes(id))).map((f) => f.kind);
  return i ? { s, i, faults, now: now() } : null;
});
callTrouble();
onAct(look);
document.addEventListener("visibilitychange", () => document.hidden || look());
look();
