// Package commands is the language people speak to the bot.
//
// Its nouns. A [Request] is what somebody wants, however it was said: [Parse] makes it of typed
// text, [ParseAction] of a pressed button, [ParseForm] of a filled-in [Form]. [Format] writes it as text again, [Action] and [Option]
// as a button. [Do] carries it out against [Rollouts], the domain, and returns a [Reply], which the
// view renders, and the changes, which the caller commits. What is not understood is an
// [upgrade.Refusal] that proposes the command that was perhaps meant.
//
// The bot calls it for every delivery, the view for every button it draws. It knows nothing of
// Slack's wire, does no I/O of its own, holds no state, and decides nothing about who may do what:
// that is the domain's for every verb.
package commands
