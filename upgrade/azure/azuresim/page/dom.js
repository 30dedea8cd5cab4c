// Small tools for building and updating elements. Text is only ever set as text.

/** h makes an element. Keys of props that start with "on" are listeners, others attributes; null and false leave one out. */
export function h(tag, props, ...children) {
  const e = document.createElement(tag);
  for (const [k, v] of Object.entries(props ?? {})) {
    if (k.startsWith("on")) e.addEventListener(k.slice(2), v);
    else set(e, k, v);
  }
  e.append(...children);
  return e;
}

/** set gives e an attribute, or takes it away; an equal one is left alone. */
export function set(e, name, value) {
  if (value === null || value === undefined || value === false) e.removeAttribute(name);
  else if (e.getAttribute(name) !== String(value)) e.setAttribute(name, value);
}

/** say gives e a text; an equal one is left alone, so that nothing is announced twice. */
export function say(e, text) {
  if (e.textContent !== text) e.textContent = text;
}

/** list makes the children of parent those of items, by key: what stays is updated in place. */
export function list(parent, items, key, make, update) {
  const keys = items.map((item) => String(key(item))), wanted = new Set(keys), old = new Map();
  for (const c of [...parent.children]) {
    if (wanted.has(c.dataset.key)) old.set(c.dataset.key, c);
    else c.remove(); // first, so that what stays need not move: moving takes the focus away
  }
  items.forEach((item, n) => {
    const e = old.get(keys[n]) ?? make(item);
    e.dataset.key = keys[n];
    update?.(e, item);
    if (parent.children[n] !== e) parent.insertBefore(e, parent.children[n] ?? null);
  });
}

/** icon makes one of the page's marks. */
export function icon(name, cls = "") {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", `mark ${cls}`);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#m-${name}`);
  svg.append(use);
  return svg;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hour12: false });

export const time = (t) => clock.format(new Date(t));

/** ago says how long before now (ms) t was; of long ago, when it was. */
export function ago(t, now) {
  const s = Math.max(0, Math.round((now - new Date(t)) / 1000));
  if (s < 90) return `${s} s`;
  if (s < 5400) return `${Math.round(s / 60)} min`;
  return `since ${day.format(new Date(t))}`;
}

export const plural = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;

/** listed names ids, the middle of a long list left out but counted. */
export function listed(ids, most = 12) {
  if (ids.length <= most) return ids.join(" ");
  return `${ids.slice(0, most - 1).join(" ")} … ${ids.at(-1)} (${ids.length})`;
}
