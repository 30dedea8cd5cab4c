-- +goose Up

-- When a message was first wanted: since when people wait for one that never reached Slack. Of what an
-- older version left behind nothing says that any more (next_at is the next try, not the first), so it
-- counts from now on: this version gets its try before it calls the channel out of reach.
alter table outbox add column wanted_at bigint not null default 0;
update outbox set wanted_at = now_ms();

-- What is written here, and taken out again, shows that the journal takes writes.
create table scratch (body text not null);
