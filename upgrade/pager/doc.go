// Package pager tells receivers outside of Slack, over HTTPS, that a rollout stands still, goes on or has ended.
//
// # Nouns
//
//   - A [Hook] is one receiver as the configuration has it: where it is, in which form it is told (signed JSON, or
//     PagerDuty's Events v2), and what of which sets it wants to know.
//   - A page ([upgrade.Page]) is one thing to tell. It waits in the journal, where it was committed with the fact that
//     it is made of, until the receiver has it or is given up on.
//   - A [Pager] tells each hook its pages, each hook on its own: one that is slow or dead keeps nobody waiting, neither
//     another one nor Slack nor Azure.
//
// # What it never does
//
// It decides nothing, and nobody waits for it. It follows no redirect, goes through no proxy, and connects to no
// address at which a cloud tells its machines secrets; plain HTTP only to this machine. Neither a key nor what
// stands behind the host of an address is ever printed. docs/webhooks.md has the wire.
package pager
