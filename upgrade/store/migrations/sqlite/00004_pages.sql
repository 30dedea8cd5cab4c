-- +goose Up

-- What those outside of Slack are to be told, in the order in which it happened, and how far each of them has come.
create table pages (
    id   integer primary key autoincrement,
    body text    not null,
    at   bigint  not null
);

create table hooks (
    name     text   primary key check (name <> ''),
    page     bigint not null, -- the last one that was told or given up
    attempts bigint not null, -- at the one after it
    next_at  bigint not null
);
