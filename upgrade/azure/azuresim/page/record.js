// The right-hand side: active faults, recent writes, calls.
import { h, list, listed, plural, say, time } from "./dom.js";
import { describe } from "./trouble.js";

const at = (id) => document.getElementById(id);

/** update shows what the view says of faults, writes and calls. */
export function update(view) {
  const active = (view.faults ?? []).map((f, n) => ({ key: n + describe(f), text: describe(f) }));
  list(at("active"), active.length ? active : [{ key: "none", text: "none" }], (f) => f.key, (f) => h("li", {}, f.text));
  writes(view);
  calls(view.stats);
}

function writes(view) {
  const rows = view.writes ?? [];
  list(at("writes"), rows.length ? rows : [{ seq: "none" }], (w) => `${w.seq}/${w.status}/${w.answered}`,
    (w) => (w.seq === "none" ? h("li", { class: "quiet" }, "none yet") : write(w)));
}

function write(w) {
  const version = (image) => image?.split(":").at(-1).split("/").at(-1);
  const what = w.imageBefore && w.imageBefore !== w.imageAfter ? `${version(w.imageBefore)} → ${version(w.imageAfter)}` : "";
  const idle = w.started && w.instances && w.started.length !== w.instances.length ? `, ${w.started.length} had something to do` : "";
  const ids = w.instances?.length ? `${plural(w.instances.length, "instance")}: ${listed(w.instances)}${idle}` : "";
  const lines = [w.set ? w.set.split("/").at(-1) : w.path, what, ids].filter(Boolean).join(" · ");
  return h("li", { class: w.accepted ? "" : "refused" },
    h("p", {}, h("time", { datetime: w.time }, time(w.time)), " ", h("b", {}, w.action), " ",
      h("span", { class: "status" }, `${w.status}${w.code ? ` ${w.code}` : ""}`), w.answered ? "" : h("span", { class: "status" }, " answer lost"),
      h("span", { class: w.by ? "who fault" : "who" }, w.by ? "somebody else (fault)" : "caller")),
    h("p", { class: "quiet" }, lines));
}

function calls(stats) {
  const by = (o) => Object.entries(o ?? {}).sort((a, b) => b[1] - a[1]);
  const odd = by(stats.statuses).filter(([s]) => !s.startsWith("2")).map(([s, n]) => `${n} × ${s}`);
  say(at("calls"), [plural(stats.calls, "call"), ...odd].join(" · "));
  list(at("kinds"), by(stats.kinds), ([k]) => k, ([k]) => h("div", {}, h("dt", {}, k.replace("_", " ")), h("dd")), (e, [, n]) => say(e.lastChild, String(n)));
}
