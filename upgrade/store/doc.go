// Package store keeps the journal on database/sql: SQLite in one file, or PostgreSQL with the same
// statements, for one process that works and another one that stands by.
//
// Its nouns. A stream is the hash-chained events of one rollout, or the system's; the events are
// the truth, and the side tables (votes, grants, operations, cards) are projected from them in the
// same transaction, so that the database itself refuses a start that nobody granted, a second
// unfinished operation on a scale set, or a second rollout of it. A lease is the right to one pass
// over one rollout: a row's epoch, never a connection or a goroutine. The inbox holds what Slack
// delivered until it is settled; the outbox holds, per rollout and slot, the message that is wanted
// and what was last sent.
//
// The engine uses a [Store] as its upgrade.Store and upgrade.Reader, the bot as its journal of
// deliveries and posts; cmd opens and closes it. All methods may be called from any goroutine.
//
// It decides nothing, renders nothing and calls nobody. It never reads SQL time functions: the only
// clock is the one given to [Open], seen in SQL as now_ms(). No transaction is ever open while
// something is waited for.
package store
