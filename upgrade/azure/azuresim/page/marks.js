// What each phase looks like and is called.
import { h, icon, list, say } from "./dom.js";

export const phases = {
  new: "model's image, ok",
  old: "other image, ok",
  updating: "updating",
  stopping: "stopping",
  stopped: "stopped",
  starting: "starting",
  initializing: "initializing",
  unhealthy: "unhealthy",
  failed: "failed",
  deallocated: "deallocated",
  creating: "being created",
  deleting: "being deleted",
};

/** whereabouts says where an instance is. */
export const whereabouts = (i) => [i.ud >= 0 && `UD ${i.ud}`, i.ud >= 0 && `FD ${i.fd}`, i.zone && `zone ${i.zone}`].filter(Boolean);

/** mark draws a phase. */
export const mark = (phase) => icon(phase, `p-${phase}`);

/** turn changes what a mark shows, gently. */
export function turn(svg, phase) {
  svg.firstChild.setAttribute("href", `#m-${phase}`);
  svg.setAttribute("class", `mark p-${phase} turned`);
  svg.addEventListener("animationend", () => svg.classList.remove("turned"), { once: true });
}

/** count says how many instances are in each phase; phases without any are left out. */
export function count(instances) {
  const n = {};
  for (const i of instances) n[i.phase] = (n[i.phase] ?? 0) + 1;
  return Object.keys(phases).filter((p) => n[p]).map((p) => ({ phase: p, n: n[p] }));
}

/** tally shows counts as marks with numbers. */
export function tally(parent, counts) {
  list(parent, counts, (c) => c.phase,
    (c) => h("li", { title: phases[c.phase] }, mark(c.phase), h("b"), h("span", {}, ` ${phases[c.phase]}`)),
    (e, c) => say(e.querySelector("b"), String(c.n)));
}

/** legend explains every mark, with the number of instances that show it now. */
export function legend(parent, sets) {
  const all = sets.flatMap((s) => s.instances ?? []);
  const n = Object.fromEntries(count(all).map((c) => [c.phase, c.n]));
  const rows = Object.entries(phases).map(([p, word]) => ({ key: p, svg: () => mark(p), word, n: n[p] ?? 0 }));
  rows.push({ key: "protected", svg: () => icon("protected", "p-protected"), word: "protected", n: all.filter((i) => i.protected).length });
  rows.push({ key: "armed", svg: () => icon("armed"), word: "a fault waits", n: null });
  list(parent, rows, (r) => r.key, (r) => h("li", {}, r.svg(), h("span", {}, r.word), h("b")),
    (e, r) => {
      say(e.querySelector("b"), r.n ? String(r.n) : "");
      e.classList.toggle("none", r.n === 0);
    });
}
