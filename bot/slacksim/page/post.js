// What a person does goes to the server as JSON.
import { here } from "./place.js";

// post returns what Slack itself says to the person: {notice, errors}.
export async function post(what, body) {
  let answer;
  try {
    answer = await fetch("/ui/" + what, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  } catch {
    throw new Error("The workspace does not answer. Is it still running?");
  }
  const out = await answer.json();
  if (out.error) throw new Error(out.error);
  return out;
}

let fading;

// toast shows for a few seconds what went wrong.
export function toast(err) {
  const el = document.getElementById("toast");
  el.textContent = err.message || String(err);
  el.hidden = false;
  clearTimeout(fading);
  fading = setTimeout(() => { el.hidden = true; }, 6000);
}

// notice shows a line from Slack itself at the end of a column, for this person and until the reload.
export function notice(text, region) {
  const el = document.createElement("div");
  el.className = "local";
  el.innerHTML = '<article class="msg private"><div class="avatar slack" aria-hidden="true">●</div><div class="body">' +
    '<div class="only">Only visible to you</div><div class="by"><strong>Slack</strong></div><div class="words"></div></div></article>';
  el.querySelector(".words").textContent = text;
  el.setAttribute("role", "status");
  region.append(el);
  const column = region.closest(".column");
  column.scrollTop = column.scrollHeight;
}

// placeOf says on which message or view an element stands.
export function placeOf(el) {
  const view = el.closest("[data-view]"), msg = el.closest(".msg"), at = here();
  if (view) return { as: at.as, view_id: view.dataset.view };
  return { as: at.as, in: msg.dataset.channel, ts: msg.dataset.ts };
}
