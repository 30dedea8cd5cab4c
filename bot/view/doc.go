// Package view turns what the domain knows into what people see: Block Kit and the text that stands
// for it where blocks cannot be shown. It is the only place with emoji and Block Kit.
//
// Its nouns. A [Message] is one Slack message, ready to send. A [Form] is a modal, [Home] a person's
// Home tab. A slot names which message of a
// rollout is meant: the live message, the plan, the card of one asking of a gate, a batch's lines.
// A way is a way out of what is in the way: what is typed and what is pressed are made of the same words.
// Foreign text is whatever a person or Azure supplied: names, reasons, error messages. It passes
// through one place (foreign.go), after which it can neither mention, link, format nor hide a fact.
//
// The bot's outbox calls [Render] and [Answer] when a message is sent, and [Reduce] when Slack
// refuses its blocks, and [Picture] and [SetPicture] for files (drawn by package heatmap); its forms and Home tabs are drawn by [Form], [Loading] and [Home]. The
// workspace's gallery page calls [Gallery] and [ViewGallery].
//
// Everything here is a pure function: no clock, no I/O, no state, no decision. What a button does is
// said by package commands; whether it may be done is decided in the domain, whatever is shown.
package view
