-- +goose Up

-- The freezes that were said in Slack, so that those which hold are found without reading the system stream.
create table freezes (
    id      text   primary key check (id <> ''),
    body    text   not null,
    ends_at bigint not null, -- 0 = when somebody lifts it
    lifted  bigint not null default 0
);
create index freezes_open on freezes (ends_at) where lifted = 0;
