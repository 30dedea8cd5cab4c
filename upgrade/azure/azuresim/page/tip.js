// The tooltip: all that is known of the instance under the pointer or the focus.
import { ago, h, list } from "./dom.js";
import { whereabouts } from "./marks.js";

const box = document.getElementById("tip");
let over = null, look = () => null;

/** start shows find(set, id) of a tile as long as the pointer or the focus is on it. */
export function start(find) {
  look = find;
  const tile = (e) => e.target.closest?.(".tile");
  document.addEventListener("pointerover", (e) => e.pointerType === "mouse" && show(tile(e)));
  document.addEventListener("focusin", (e) => show(tile(e)));
  document.addEventListener("focusout", () => show(null));
  document.addEventListener("keydown", (e) => e.key === "Escape" && show(null));
  addEventListener("scroll", () => show(null), { passive: true });
}

/** refresh brings an open tooltip up to date. */
export const refresh = () => over && show(over.isConnected ? over : null);

function show(tile) {
  over = tile ?? null;
  const found = over && look(over.dataset.set, over.dataset.id);
  box.hidden = !found;
  if (!found) return;
  const { s, i, faults, now } = found;
  const rows = [
    ["", `${s.name} / ${i.id}`],
    ["domains", whereabouts(i).join(" · ") || "none"],
    ["image", i.version + (i.version === s.imageVersion ? ", as the model" : `, model ${s.imageVersion}`)],
    ["provisioning", `${i.provisioning} · ${ago(i.since, now)}`],
    ["power", `${i.power || "none yet"}${i.powerSince ? ` · ${ago(i.powerSince, now)}` : ""}`],
    ["health", i.health ? `${i.health}${i.healthSince ? ` · ${ago(i.healthSince, now)}` : ""}` : s.healthSource === "none" ? "no source" : "none yet"],
    i.doing && ["in", i.doing],
    i.message && ["says", i.message],
    i.protected && ["protected", "from scale set actions"],
    faults.length > 0 && ["faults", faults.join(", ")],
  ].filter(Boolean);
  list(box, rows, (r) => r.join("\n"), ([k, v]) => h("p", {}, h("b", {}, k), h("span", {}, v)));
  place(over.getBoundingClientRect(), over.closest("table").getBoundingClientRect());
}

/** place puts the tooltip beside the map, so that it hides no neighbour; where there is no room, below or above its tile. */
function place(tile, map) {
  const w = box.offsetWidth, tall = box.offsetHeight;
  const inside = (v, size, all) => Math.max(8, Math.min(v, all - size - 8));
  const below = tile.bottom + 6 + tall < innerHeight - 8 ? tile.bottom + 6 : tile.top - tall - 6;
  const beside = map.right + 10 + w < innerWidth ? map.right + 10 : map.left - 10 - w;
  box.style.left = `${beside > 0 ? beside : inside(tile.left + tile.width / 2 - w / 2, w, innerWidth)}px`;
  box.style.top = `${inside(beside > 0 ? tile.top - 8 : below, tall, innerHeight)}px`;
}
