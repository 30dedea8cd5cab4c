// Package upgrade is the domain: rolling OS images out to Azure VM scale sets, one approved
// gate at a time.
//
// Its nouns. A [ScaleSet] is what was read from Azure; an [Instance] is a VM in it. A [Plan] says
// once and for all what is meant: the action, the pinned image, the gates with their instances,
// the limits; its Digest is what people agree to. A [Gate] is what one person's yes covers; a
// batch is what one call to Azure carries. A [Rollout] is one execution of a plan, folded from
// its [Event]s: what people said, what was sent, what was first seen. An [Observation] is what was
// read from outside in one pass. [Decide] takes these and the time and returns a [Decision]: the
// one next thing to do, and every reason why nothing more is done.
//
// The [Engine] is the only caller that acts on a Decision. People's requests come in through
// [Desk]: it turns an [Ask] into a plan and a [Word] into events, and the caller commits them.
//
// This package reads no clock in deciding, opens no connection and knows neither Slack nor the
// Azure SDK: rooms below it (store, azure) and beside it (bot, commands) implement its small
// interfaces. It never starts anything that no grant covers.
package upgrade
