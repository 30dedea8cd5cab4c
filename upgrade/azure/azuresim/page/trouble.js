// Everything that makes trouble: it all goes through POST /_control/fault, as from any other client.
import { h, listed, plural, time } from "./dom.js";

const said = document.getElementById("said"), box = document.getElementById("ask");
let silence, fresh = () => {};

/** onAct sets what is done after each action: look again. */
export const onAct = (f) => (fresh = f);

/** tell shows a sentence for a while. */
export function tell(sentence, bad = false) {
  said.textContent = sentence;
  said.classList.toggle("bad", bad);
  said.classList.add("up");
  clearTimeout(silence);
  silence = setTimeout(() => said.classList.remove("up"), bad ? 12000 : 5000);
}

/** act injects a fault and says what was done, or why not. */
export const act = (fault, done) => post("/_control/fault", fault, done);

async function post(path, body, done) {
  try {
    const r = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    if (r.ok) tell(done);
    else tell((await r.json()).error.message, true);
  } catch {
    tell("The simulated Azure did not answer.", true);
  }
  fresh();
}

/** ask lets do happen only when the person agrees. */
export function ask(title, words, yes, go, ...fields) {
  const form = h("form", { method: "dialog" }, h("h2", { id: "ask-title" }, title), h("p", {}, words), ...fields,
    h("p", { class: "buttons" }, h("button", { value: "no", formnovalidate: "" }, "Cancel"), h("button", { value: "yes", class: "grave" }, yes)));
  box.replaceChildren(form);
  box.onclose = () => box.returnValue === "yes" && go(new FormData(form));
  box.returnValue = "no";
  box.showModal();
}

const lro = [
  ["lro-fails", "fails half way"], ["lro-hangs", "never ends"], ["lro-404", "is not to be found"], ["lro-lies", "lies"],
];

/** setTrouble makes the buttons for a whole set. */
export function setTrouble(s) {
  const button = (label, onclick) => h("button", { type: "button", onclick }, label);
  const scale = (count, label) => button(label, () => act({ kind: "scale", set: s.id, count }, `${s.name}: the autoscaler moves the capacity by ${count}, within its limits, when no operation has the set.`));
  const box = h("details", { class: "trouble" }, h("summary", {}, "Make trouble"),
    h("p", { class: "buttons" },
      button("+1 instance", () => act({ kind: "born", set: s.id }, `${s.name}: one more instance, on the model.`)),
      ...(s.autoscale && !s.autoscale.disabled ? [scale(2, "Scale out by 2"), scale(-2, "Scale in by 2")] : []),
      button("Change the model…", () => changeModel(box.current ?? s)),
      button("Upgrade what is outdated", () => act({ kind: "foreign-upgrade", set: s.id }, `${s.name}: somebody else starts manualupgrade for what is outdated and idle.`)),
      button("Start a native rolling upgrade", () => act({ kind: "foreign-rolling", set: s.id }, `${s.name}: somebody else starts Azure's own rolling upgrade of what is outdated.`)),
      button("Cancel it", () => act({ kind: "cancel-rolling", set: s.id }, `${s.name}: if Azure's own rolling upgrade runs, somebody else cancels it.`)),
      button("Mode Automatic…", () => switchMode(s)),
      button("Hide starts for 20 s", () => act({ kind: "lag", set: s.id, delay: "20s" }, `${s.name}: for 20 s after a start ARM shows instances as they were.`))),
    h("p", { class: "quiet" }, "The next operation on it"),
    h("p", { class: "buttons" }, ...lro.map(([kind, label]) => button(label, () => act({ kind, set: s.id }, `The next operation on ${s.name} ${label}.`)))));
  return box;
}

/** switchMode asks whether somebody else may let Azure move all instances by itself. */
function switchMode(s) {
  const patch = { properties: { upgradePolicy: { mode: "Automatic" } } };
  ask(`Switch ${s.name} to mode Automatic?`, "Somebody else, not the caller, changes the upgrade policy. From then on a change of the model moves all instances at once.", "Switch it",
    () => act({ kind: "change-model", set: s.id, patch }, `${s.name}: somebody else switched it to mode Automatic.`));
}

/** changeModel asks for the version that somebody else writes into the model. */
function changeModel(s) {
  if (!s.versions?.length) return tell(`${s.name}: its image is not in the catalogue here, so there is no other version to choose.`, true);
  const choice = h("select", { name: "version", id: "ask-version" }, ...s.versions.map((v) => h("option", { value: v }, v)));
  choice.value = s.versions.findLast((v) => v !== s.imageVersion) ?? s.imageVersion;
  ask(`Change the model of ${s.name}`, "Somebody else, not the caller, writes this image version into the model.", "Change it",
    (form) => act({ kind: "change-model", set: s.id, version: form.get("version") }, `${s.name}: somebody else put ${form.get("version")} into the model.`),
    h("p", {}, h("label", { for: "ask-version" }, "Version "), choice));
}

const wire = {
  throttle: { fault: { kind: "throttle", retryAfter: "10" }, word: "answered 429, Retry-After 10 s" },
  outage: { fault: { kind: "http-status", status: 503 }, word: "answered 503" },
  denied: { fault: { kind: "http-status", status: 403 }, word: "answered 403" },
  slow: { fault: { kind: "slow", delay: "3s" }, word: "3 s late" },
  drip: { fault: { kind: "drip" }, word: "answered without end" },
  garbage: { fault: { kind: "malformed" }, word: "answered with broken JSON, after the work" },
  reset: { fault: { kind: "reset" }, word: "dropped without an answer" },
};

/** callTrouble makes the form of the wire faults and the two big buttons work. */
export function callTrouble() {
  const form = document.getElementById("wire");
  form.addEventListener("submit", (e) => {
    e.preventDefault();
    const { fault, word } = wire[e.submitter.value], times = Number(form.times.value);
    act({ ...fault, times, match: form.match.value }, `The next ${plural(times, "call")} (${form.match.selectedOptions[0].text}): ${word}.`);
  });
  document.getElementById("lift").addEventListener("click", () => act({ kind: "lift" }, "No fault waits or holds any more; what has happened stays."));
  document.getElementById("restart").addEventListener("click", () => ask("Start the world over?",
    "Every set goes back to how it was at the start; faults, operations and the record of writes are forgotten. A bot at work will find its world changed.",
    "Start over", () => post("/_control/reset", {}, "The world is as it was at the start.")));
}

const words = {
  "http-status": (f) => `answer ${f.status ?? 503}${f.retryAfter ? `, Retry-After ${f.retryAfter}` : ""}`,
  throttle: (f) => `answer 429, Retry-After ${f.retryAfter ?? 30}`,
  slow: (f) => `${f.delay} late`,
  drip: () => "an answer without end",
  malformed: () => "broken JSON",
  "wrong-type": () => "an answer marked as HTML",
  "big-body": (f) => `an answer of ${f.count ?? 50} MB`,
  reset: () => "connection dropped",
  lag: (f) => `starts hidden for ${f.delay}`,
  "fail-instance": () => "next upgrade fails",
  "never-healthy": () => "never healthy",
  "health-unknown": () => "health never known",
  "health-missing": () => "health not told",
  flap: (f) => `flaps every ${f.delay}`,
  ...Object.fromEntries(lro.map(([kind, label]) => [kind, () => `next operation ${label}`])),
};

/** describe says what an active fault does, and to whom. */
export function describe(f) {
  const name = f.set ? f.set.split("/").at(-1) : "";
  const ids = [f.instance, ...(f.instances ?? [])].filter(Boolean);
  const whom = [name, ids.length ? listed(ids, 8) : ""].filter(Boolean).join(" ");
  const left = f.left > 1 ? `${f.left} times` : f.left < 0 ? "until lifted" : "once";
  const what = words[f.kind]?.(f) ?? f.kind;
  return [what, whom, f.match ? `on ${f.match}` : "", left, f.from ? `from ${time(f.from)}` : ""].filter(Boolean).join(" · ");
}
