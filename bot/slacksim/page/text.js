// What only the reader's browser knows: the zone of times, and colours that come as data.

const date = (style) => (d) => new Intl.DateTimeFormat(undefined, style).format(d);
const long = { year: "numeric", month: "long", day: "numeric" }, short = { year: "numeric", month: "short", day: "numeric" };

function dayOffset(d) {
  const day = (x) => Math.floor((x.getTime() - x.getTimezoneOffset() * 60000) / 86400000);
  return day(d) - day(new Date());
}

function pretty(style) {
  return (d) => ({ "-1": "yesterday", 0: "today", 1: "tomorrow" })[dayOffset(d)] ?? date(style)(d);
}

function ago(d) {
  const s = Math.round((d.getTime() - Date.now()) / 1000), f = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) if (Math.abs(s) >= size) return f.format(Math.round(s / size), unit);
  return f.format(s, "second");
}

const tokens = {
  date_num: (d) => `${d.getFullYear()}-${String(d.getMonth() + 1).padStart(2, "0")}-${String(d.getDate()).padStart(2, "0")}`,
  date_slash: date({ year: "numeric", month: "2-digit", day: "2-digit" }),
  date: date(long), date_short: date(short), date_long: date({ ...long, weekday: "long" }),
  date_pretty: pretty(long), date_short_pretty: pretty(short), date_long_pretty: pretty({ ...long, weekday: "long" }),
  day_divider_pretty: pretty({ weekday: "long", month: "long", day: "numeric" }),
  time: date({ hour: "numeric", minute: "2-digit" }), time_secs: date({ hour: "numeric", minute: "2-digit", second: "2-digit" }),
  ago,
};

const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

export function formatTimes(root) {
  for (const el of root.querySelectorAll("time[data-unix]")) {
    const d = new Date(el.dataset.unix * 1000);
    if (isNaN(d)) continue;
    let text = el.dataset.format.replace(/\{(\w+)\}/g, (all, name) => tokens[name]?.(d) ?? all);
    if (el.dataset.format.startsWith("{")) text = text.replace(/^./, (c) => el.previousSibling ? c : c.toUpperCase());
    if (el.textContent !== text) el.textContent = text;
    el.title = full.format(d);
  }
  for (const el of root.querySelectorAll("input[data-unix]")) {
    if (el.value || !el.dataset.unix) continue;
    const d = new Date(el.dataset.unix * 1000);
    el.value = new Date(d - d.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
  }
}

// dividers puts a line with the date between messages of different days.
export function dividers(region) {
  for (const el of region.querySelectorAll(":scope > .day")) el.remove();
  if (region.id !== "messages") return;
  let last = "";
  for (const el of region.querySelectorAll(":scope > .item")) {
    const ts = el.querySelector(".msg")?.dataset.ts;
    if (!ts) continue;
    const d = new Date(ts * 1000), day = tokens.date_num(d);
    if (day === last) continue;
    last = day;
    const line = document.createElement("div");
    line.className = "day";
    line.innerHTML = "<span></span>";
    const text = tokens.day_divider_pretty(d);
    line.firstChild.textContent = text[0].toUpperCase() + text.slice(1);
    region.insertBefore(line, el);
  }
}

// paint sets colours that an app chose; the page's policy forbids them as attributes.
export function paint(root) {
  for (const el of root.querySelectorAll("[data-color]")) {
    const c = { good: "#2eb67d", warning: "#ecb22e", danger: "#e01e5a" }[el.dataset.color] ?? (el.dataset.color[0] === "#" ? el.dataset.color : "#" + el.dataset.color);
    el.style.setProperty("--tone", c);
  }
}
