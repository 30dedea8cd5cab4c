// Package commands is the language people speak to the bot. Typed text, button values and form
// submissions parse to the same [Request]; [Format] writes it back; [Do] carries it out against
// [Rollouts] and returns a [Reply], which the view renders. It knows nothing of Slack's wire and
// does no I/O of its own.
package commands
