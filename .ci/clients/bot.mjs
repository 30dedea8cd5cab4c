// The bot as a process of its own, as a user runs it, against the two servers: one domain, by the
// control APIs only.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";

export async function bot(demo, binary) {
  const child = spawn(binary, ["run", "--config", demo.config], { stdio: ["ignore", "inherit", "pipe"] });
  let log = "";
  child.stderr.on("data", (d) => (log += d));
  try {
    const get = async (what) => (await fetch(`${demo.url}/_control/${what}`)).json();
    const post = async (what, body) => (await fetch(`${demo.url}/_control/${what}`, { method: "POST", body: JSON.stringify(body) })).json();
    const until = async (what, look) => {
      for (let i = 0; i < 600; i++) {
        const found = await look();
        if (found) return found;
        await new Promise((r) => setTimeout(r, 100));
      }
      throw new Error(`no ${what} within a minute; the bot's log:\n${log}`);
    };
    await until("socket", async () => (await get("state")).sockets.length > 0);
    assert((await post("command", { user: "ana", channel: "ops", command: "/vmss", text: "upgrade myvmss 4.0.20160229 ud=0" })).acked);
    const flat = (list) => list.flatMap((m) => [m, ...(m.replies ?? [])]);
    const messages = async () => { const all = await get("messages/ops"); return flat(all.messages ?? all); };
    const card = await until("card", async () => (await messages()).find((m) => JSON.stringify(m.blocks ?? "").includes('"action_id":"approve"')));
    assert((await post("interact", { user: "bo", channel: "ops", ts: card.ts, action_id: "approve" })).acked);
    await until("report", async () => (await messages()).find((m) => m.ts !== m.thread_ts && /\bsucceeded\b/.test(m.text)));
    const state = await (await fetch(`${demo.azure_url}/_control/state`)).json();
    const set = state.sets.find((s) => s.name === "myvmss");
    const moved = set.instances.filter((i) => i.version === "4.0.20160229").map((i) => i.id);
    assert.deepEqual(moved.sort(), ["0", "10", "15", "5"]);
    child.kill("SIGTERM");
    const code = await new Promise((done) => child.on("exit", (c) => done(c)));
    assert.equal(code, 0, `exit code after SIGTERM; the bot's log:\n${log}`);
    console.log("clients: vmssbot run as its own process, driven over HTTP only: one domain upgraded, SIGTERM exits 0: ok");
  } finally {
    child.kill("SIGKILL");
  }
}
