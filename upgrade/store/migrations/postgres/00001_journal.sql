-- The journal, as schema 5 of the SQLite files has it; see there what each table is for. What differs: numbers that
-- count up, texts that sort by their bytes, and that the entries of all streams are numbered by a trigger, as SQLite
-- does by itself: a stream that is taken out leaves a gap (audit verify).

-- +goose Up

create table streams (
    rollout text   collate "C" primary key,
    seq     bigint not null,
    hash    text   not null
);
insert into streams (rollout, seq, hash) values ('', 0, '');

create table events (
    rollout text   collate "C" not null references streams (rollout),
    seq     bigint not null,
    at      bigint not null,
    person  text   not null,
    kind    text   not null,
    body    text   not null,
    prev    text   not null,
    hash    text   not null,
    place   bigint not null unique, -- among those of all streams
    primary key (rollout, seq)
);

-- +goose StatementBegin
create function place_event() returns trigger language plpgsql as $$
begin
    new.place := (select coalesce(max(place), 0) + 1 from events);
    return new;
end
$$;
-- +goose StatementEnd

create trigger place_event before insert on events for each row execute function place_event();

create table rollouts (
    id          text   collate "C" primary key references streams (rollout),
    target      text   collate "C" not null check (target <> ''),
    plan_digest text   collate "C" not null,
    parent      text   collate "C" references rollouts (id),
    opened_at   bigint not null,
    ended_at    bigint,
    wake_at     bigint,
    wakes       bigint not null,
    epoch       bigint not null,
    lease_until bigint not null,
    unique (id, target)
);
create unique index rollouts_lock on rollouts (target) where ended_at is null;
create index rollouts_due on rollouts (wake_at) where ended_at is null;

create table plans (
    rollout text collate "C" not null references rollouts (id),
    digest  text collate "C" not null,
    body    text not null,
    primary key (rollout, digest)
);

create table votes (
    rollout text   collate "C" not null references rollouts (id),
    gate    text   collate "C" not null,
    asking  bigint not null,
    person  text   collate "C" not null,
    primary key (rollout, gate, asking, person)
);

create table grants (
    rollout     text   collate "C" not null,
    plan_digest text   collate "C" not null,
    gate        text   collate "C" not null,
    asking      bigint not null,
    primary key (rollout, plan_digest, gate, asking),
    foreign key (rollout, plan_digest) references plans (rollout, digest)
);

create table operations (
    id          text   collate "C" primary key,
    rollout     text   collate "C" not null,
    target      text   collate "C" not null,
    kind        text   not null,
    plan_digest text   collate "C",
    gate        text   collate "C",
    asking      bigint,
    state       text   not null check (state in
        ('intended', 'sending', 'accepted', 'done', 'failed', 'refused', 'dropped')),
    poll        text,
    foreign key (rollout, target) references rollouts (id, target),
    foreign key (rollout, plan_digest, gate, asking) references grants (rollout, plan_digest, gate, asking),
    check (kind in ('revert', 'restore')
        or (plan_digest is not null and gate is not null and asking is not null)),
    check (poll is null or state = 'accepted')
);
create unique index operations_unfinished on operations (target)
    where state in ('intended', 'sending', 'accepted');

create table cards (
    nonce       text   collate "C" primary key check (nonce <> ''),
    rollout     text   collate "C" not null references rollouts (id),
    gate        text   collate "C" not null,
    asking      bigint not null,
    plan_digest text   collate "C" not null,
    channel     text   not null,
    ts          text   not null
);
create index cards_of on cards (rollout, gate, asking);

create table inbox (
    id         bigint generated always as identity primary key,
    dedupe     text   collate "C" not null unique check (dedupe <> ''),
    kind       text   not null,
    body       text,
    at         bigint not null,
    settled_at bigint
);
create index inbox_open on inbox (id) where settled_at is null;
create index inbox_settled on inbox (settled_at) where settled_at is not null;

create table outbox (
    id           bigint generated always as identity primary key,
    rollout      text   collate "C" not null,
    slot         text   collate "C" not null,
    channel      text   collate "C" not null,
    person       text   collate "C" not null,
    want         text   not null,
    broadcast    bigint not null,
    version      bigint not null,
    sent_version bigint not null,
    ts           text   not null,
    hash         text   not null,
    attempts     bigint not null,
    next_at      bigint not null,
    error        text   not null,
    wanted_at    bigint not null,
    unique (rollout, slot)
);
create index outbox_due on outbox (next_at) where version > sent_version;

create table scratch (body text not null);

create table freezes (
    id      text   collate "C" primary key check (id <> ''),
    body    text   not null,
    ends_at bigint not null,
    lifted  bigint not null default 0
);
create index freezes_open on freezes (ends_at) where lifted = 0;

create table pages (
    id   bigint primary key,
    body text   not null,
    at   bigint not null
);

create table hooks (
    name     text   collate "C" primary key check (name <> ''),
    page     bigint not null,
    attempts bigint not null,
    next_at  bigint not null
);

create table schedules (
    id     text   collate "C" primary key check (id <> ''),
    body   text   not null,
    served bigint not null,
    ended  bigint not null default 0
);
create index schedules_open on schedules (id) where ended = 0;

create table sightings (
    place   text collate "C" primary key check (place <> ''),
    version text not null
);
