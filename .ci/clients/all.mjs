import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { arm } from "./arm.mjs";
import { slack } from "./bolt.mjs";
import { bot } from "./bot.mjs";

const [, , demoBinary, botBinary] = process.argv;
const demo = spawn(demoBinary, ["--no-bot", "--json", "--addr", "127.0.0.1:0", "--azure-addr", "127.0.0.1:0"], { stdio: ["ignore", "pipe", "inherit"] });
try {
  const line = await new Promise((done, fail) => {
    createInterface({ input: demo.stdout }).once("line", done);
    demo.once("exit", (c) => fail(new Error(`demo ended with ${c}`)));
  });
  const where = JSON.parse(line);
  await arm(where);
  await slack(where);
  await bot(where, botBinary);
} finally {
  demo.kill("SIGTERM");
}
process.exit(0);
