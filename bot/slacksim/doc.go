// Package slacksim is a local Slack workspace: the Web API and Socket Mode over HTTP and WebSocket, with
// people who can type, click and fill in forms, a page at / on which somebody can be them, and a control API for
// tests and for scripts.
//
// Its nouns are Slack's. A [Sim] is one workspace with one app installed in it. It holds [User]s, [Channel]s,
// [UserGroup]s, [Message]s, [View]s and [File]s. An app calls /api/METHOD, opens a socket with
// apps.connections.open, receives envelopes there and acknowledges them. A person acts through [Sim.Command],
// [Sim.Interact], [Sim.SubmitView], [Sim.Say] and [Sim.OpenHome]; the [Outcome] says what that person saw.
// A [Fault] is trouble ordered in advance. An [Entry] is one line of the log of everything that happened.
//
// It is called by tests, in process and inside testing/synctest bubbles, by the demo program, and over HTTP by
// any Slack SDK and by curl. What it refuses, it refuses in Slack's own words, because an app that was only
// ever tried against a forgiving server meets those words in production first.
//
// It never knows which app talks to it: it imports nothing of this project and no Slack client, decides nothing
// by an app's texts or action ids, and keeps what it was sent as raw JSON. It never calls out: not to Slack, not
// to any URL it was given.
package slacksim
