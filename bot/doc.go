// Package bot is the Slack edge: payloads come in, messages go out, and neither is ever lost. A
// [Session] is one Socket Mode connection: what it brings is
// persisted as a delivery, then acknowledged. The worker turns deliveries into requests of package
// commands, has them carried out, and settles each in one transaction with its facts and its
// answer. The sender brings the outbox to Slack: a slot is one message, edited in place. [People]
// says who somebody is. Forms and Home tabs are drawn beside that, at once or not at all: what is
// filled in is a delivery like the rest.
//
// It decides nothing about rollouts, keeps no state that a restart would miss, and never acts on a
// click: a click is a delivery like any other.
package bot
