-- +goose Up

-- What people want asked for again and again, so that what is due is found without reading the system stream.
-- served is the last occurrence that was dealt with, or when the schedule was made: no occurrence is dealt with
-- twice, whoever does it.
create table schedules (
    id     text   primary key check (id <> ''),
    body   text   not null,
    served bigint not null, -- milliseconds since 1970, as all occurrences are whole minutes
    ended  bigint not null default 0
);
create index schedules_open on schedules (id) where ended = 0;

-- The newest version that was seen of each image in a region, so that nobody is told of it twice.
create table sightings (
    place   text primary key check (place <> ''),
    version text not null
);
