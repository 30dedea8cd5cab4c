// Slack's own framework against the local workspace: a command, a message with a button, a click.
import assert from "node:assert/strict";
import bolt from "@slack/bolt";

export async function slack(demo) {
  const app = new bolt.App({
    token: demo.bot_token, appToken: demo.app_token, socketMode: true, logLevel: "error",
    clientOptions: { slackApiUrl: demo.slack_api_url },
  });
  const clicked = new Promise((done) => {
    app.command("/vmss", async ({ command, ack, say }) => {
      await ack();
      await say({ text: `you said ${command.text}`, blocks: [{ type: "actions", block_id: "b", elements: [{ type: "button", action_id: "yes", text: { type: "plain_text", text: "Yes" }, value: "v1" }] }] });
    });
    app.action("yes", async ({ ack, body, respond }) => {
      await ack();
      await respond({ replace_original: false, text: "clicked" });
      done(body);
    });
  });
  await app.start();
  const control = async (what, body) => {
    const answer = await fetch(`${demo.url}/_control/${what}`, body && { method: "POST", body: JSON.stringify(body) });
    assert(answer.ok, `${what}: ${answer.status}`);
    return answer.json();
  };
  const command = await control("command", { user: "ana", channel: "ops", command: "/vmss", text: "hello" });
  assert(command.acked);
  let message;
  for (let i = 0; i < 100 && !message; i++) {
    const all = await control("messages/ops");
    message = (all.messages ?? all).find((m) => m.text === "you said hello");
    if (!message) await new Promise((r) => setTimeout(r, 50));
  }
  assert(message, "the message of the app");
  const click = await control("interact", { user: "bo", channel: "ops", ts: message.ts, action_id: "yes" });
  assert(click.acked);
  const body = await clicked;
  assert.equal(body.actions[0].value, "v1");
  assert.equal(body.user.team_id, demo.team);
  await app.stop();
  await control("reset", {});
  console.log("clients: @slack/bolt: command, ack, message, click, response_url: ok");
}
