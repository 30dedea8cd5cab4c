-- The journal. Times are milliseconds since 1970 by now_ms(), except events.at and inbox.at, which
-- keep the nanoseconds their writer saw. Booleans are 0 and 1, so that one SQL text serves SQLite
-- and PostgreSQL. The facts in events are the truth; votes, grants, operations, cards and
-- rollouts.ended_at repeat what the database itself must be able to refuse or find.

-- +goose Up

-- The end of each stream of events: what a writer compares, and the proof that no tail was cut off.
create table streams (
    rollout text   primary key,
    seq     bigint not null,
    hash    text   not null
);
insert into streams (rollout, seq, hash) values ('', 0, '');

create table events (
    rollout text   not null references streams (rollout),
    seq     bigint not null,
    at      bigint not null,
    person  text   not null,
    kind    text   not null,
    body    text   not null,
    prev    text   not null,
    hash    text   not null,
    primary key (rollout, seq)
);

create table rollouts (
    id          text   primary key references streams (rollout),
    target      text   not null check (target <> ''),
    plan_digest text   not null,
    parent      text   references rollouts (id),
    opened_at   bigint not null,
    ended_at    bigint,
    wake_at     bigint, -- null = never by itself
    wakes       bigint not null,
    epoch       bigint not null,
    lease_until bigint not null, -- 0 = nobody's
    unique (id, target)
);
-- The lock of a scale set (R16).
create unique index rollouts_lock on rollouts (target) where ended_at is null;
create index rollouts_due on rollouts (wake_at) where ended_at is null;

-- A plan is kept per rollout: who made it, when and why are no part of its digest.
create table plans (
    rollout text not null references rollouts (id),
    digest  text not null,
    body    text not null,
    primary key (rollout, digest)
);

create table votes (
    rollout text   not null references rollouts (id),
    gate    text   not null,
    asking  bigint not null,
    person  text   not null,
    primary key (rollout, gate, asking, person)
);

create table grants (
    rollout     text   not null,
    plan_digest text   not null,
    gate        text   not null,
    asking      bigint not null,
    primary key (rollout, plan_digest, gate, asking),
    foreign key (rollout, plan_digest) references plans (rollout, digest)
);

create table operations (
    id          text   primary key,
    rollout     text   not null,
    target      text   not null,
    kind        text   not null,
    plan_digest text,
    gate        text,
    asking      bigint,
    state       text   not null check (state in
        ('intended', 'sending', 'accepted', 'done', 'failed', 'refused', 'dropped')),
    poll        text,
    -- A rollout writes only to the set whose lock it holds.
    foreign key (rollout, target) references rollouts (id, target),
    -- Nothing starts without a grant; only putting back what we changed needs none.
    foreign key (rollout, plan_digest, gate, asking) references grants (rollout, plan_digest, gate, asking),
    check (kind in ('revert', 'restore')
        or (plan_digest is not null and gate is not null and asking is not null)),
    check (poll is null or state = 'accepted')
);
-- One unfinished operation per scale set.
create unique index operations_unfinished on operations (target)
    where state in ('intended', 'sending', 'accepted');

create table cards (
    nonce       text   primary key check (nonce <> ''),
    rollout     text   not null references rollouts (id),
    gate        text   not null, -- '' = the model question
    asking      bigint not null,
    plan_digest text   not null,
    channel     text   not null,
    ts          text   not null
);
create index cards_of on cards (rollout, gate, asking);

create table inbox (
    id         integer primary key autoincrement,
    dedupe     text    not null unique check (dedupe <> ''),
    kind       text    not null,
    body       text, -- null once settled
    at         bigint  not null,
    settled_at bigint
);
create index inbox_open on inbox (id) where settled_at is null;
create index inbox_settled on inbox (settled_at) where settled_at is not null;

create table outbox (
    id           integer primary key autoincrement,
    rollout      text    not null,
    slot         text    not null,
    channel      text    not null,
    person       text    not null,
    want         text    not null,
    broadcast    bigint  not null,
    version      bigint  not null, -- of the wanted state
    sent_version bigint  not null, -- the last one sent or given up; 0 = none yet
    ts           text    not null,
    hash         text    not null,
    attempts     bigint  not null,
    next_at      bigint  not null,
    error        text    not null, -- why it was not sent, '' when it was
    unique (rollout, slot)
);
create index outbox_due on outbox (next_at) where version > sent_version;
