package store

// Every statement of the journal, one text for SQLite and PostgreSQL: $1 placeholders, no time
// functions but now_ms(), no scalar min or max.
const (
	// fence prolongs a lease. It finds no row when the lease was taken over or given back, and it
	// locks the row, so that nobody takes the lease over before the transaction around it ends.
	fence = `update rollouts set lease_until = now_ms() + $3 where id = $1 and epoch = $2 and lease_until > 0`

	claim = `update rollouts set epoch = epoch + 1, lease_until = now_ms() + $1
		where id = (select id from rollouts
			where ended_at is null and wake_at <= now_ms() and lease_until <= now_ms()
			order by wake_at, id limit 1)
		returning id, epoch, wakes`

	nextDue = `select min(case when lease_until > wake_at then lease_until else wake_at end)
		from rollouts where ended_at is null and wake_at is not null`

	release = `update rollouts set lease_until = 0, wake_at = case when wakes = $3 then $4 else now_ms() end
		where id = $1 and epoch = $2 and lease_until > 0`

	// clearLeases takes the leases of a dead process away. What it would have looked at next is due at once:
	// an operation may have ended while nobody was there.
	clearLeases = `update rollouts set lease_until = 0, wake_at = now_ms() where ended_at is null`

	wake = `update rollouts set wake_at = now_ms(), wakes = wakes + 1 where id = $1 and ended_at is null`

	openStream = `insert into streams (rollout, seq, hash) values ($1, 0, '') on conflict (rollout) do nothing`

	// The parent of rollouts that were opened together is the first of them, which is its own.
	openRollout = `insert into rollouts (id, target, plan_digest, parent, opened_at, wake_at, wakes, epoch, lease_until)
		values ($1, $2, $3, nullif($4, ''), now_ms(), now_ms(), 0, 0, 0)
		on conflict (target) where ended_at is null do nothing`

	insertPlan = `insert into plans (rollout, digest, body) values ($1, $2, $3) on conflict do nothing`

	// replan makes another plan of the same set the rollout's.
	replan = `update rollouts set plan_digest = $2 where id = $1 and target = $3 and ended_at is null`

	// advance moves a stream's end and locks it; the hash it returns is that of the old end.
	advance = `update streams set seq = seq + $2 where rollout = $1 returning seq, hash`

	sealStream = `update streams set hash = $2 where rollout = $1`

	insertEvent = `insert into events (rollout, seq, at, person, kind, body, prev, hash)
		values ($1, $2, $3, $4, $5, $6, $7, $8)`

	insertCard = `insert into cards (nonce, rollout, gate, asking, plan_digest, channel, ts)
		select $1, id, $3, cast($4 as bigint), plan_digest, '', '' from rollouts where id = $2`

	insertVote = `insert into votes (rollout, gate, asking, person) values ($1, $2, $3, $4) on conflict do nothing`

	insertGrant = `insert into grants (rollout, plan_digest, gate, asking) values ($1, $2, $3, $4) on conflict do nothing`

	insertOperation = `insert into operations (id, rollout, target, kind, plan_digest, gate, asking, state)
		values ($1, $2, $3, $4, $5, $6, $7, 'intended')`

	// moveOperation finds no row when the operation is not in one of the states it may come from.
	moveOperation = `update operations set state = $3, poll = $4
		where rollout = $1 and id = $2 and state in ($5, $6)`

	endRollout = `update rollouts set ended_at = now_ms(), wake_at = null where id = $1 and ended_at is null`

	insertFreeze = `insert into freezes (id, body, ends_at) values ($1, $2, $3)`

	liftFreeze = `update freezes set lifted = 1 where id = $1 and lifted = 0`

	selectFreezes = `select body from freezes where lifted = 0 and (ends_at = 0 or ends_at > now_ms()) order by id`

	selectGoverned = `select body from events where rollout = '' and kind = 'Governed' order by seq desc limit 1`
	insertSchedule = `insert into schedules (id, body, served) values ($1, $2, $3)`

	endSchedule = `update schedules set ended = 1 where id = $1 and ended = 0`

	// serveSchedule finds no row when the occurrence was dealt with already, or the schedule was taken away.
	serveSchedule = `update schedules set served = $2 where id = $1 and ended = 0 and served < $2`

	selectSchedules = `select body, served from schedules where ended = 0 order by id`

	// Both find no row when another version was seen meanwhile.
	firstSighting = `insert into sightings (place, version) values ($1, $2) on conflict (place) do nothing`
	nextSighting  = `update sightings set version = $2 where place = $1 and version = $3`

	selectSightings = `select place, version from sightings`

	// wakeAll makes everything due: what was said concerns more than one rollout.
	wakeAll = `update rollouts set wake_at = now_ms(), wakes = wakes + 1 where ended_at is null`

	// wakeWaves makes all that belongs to a group due: it may be its turn.
	wakeWaves = `update rollouts set wake_at = now_ms(), wakes = wakes + 1 where ended_at is null and parent is not null`

	// askNoMore has the reports of a group drawn anew when one of its rollouts ends: they may ask what becomes of it.
	askNoMore = `update outbox set version = version + 1,
			next_at = case when version > sent_version or next_at > now_ms() then next_at else now_ms() end
		where slot = 'report' and rollout <> $1 and rollout in (
			select o.id from rollouts o join rollouts r on o.parent = r.parent where r.id = $1)`

	selectRecord = `select p.body,
			coalesce((select o.poll from operations o where o.rollout = r.id and o.state = 'accepted'), ''),
			coalesce((select b.ts from outbox b where b.rollout = r.id and b.slot = 'live'), '')
		from rollouts r join plans p on p.rollout = r.id and p.digest = r.plan_digest where r.id = $1`

	// selectUnsent finds the oldest message of a rollout that everybody must see and nobody ever saw: since
	// when it is wanted, and why it is not there. A picture says nothing that a message does not.
	selectUnsent = `select wanted_at, error from outbox
		where rollout = $1 and person = '' and sent_version = 0 and slot not like 'picture/%' order by wanted_at, id limit 1`

	// selectUnsentOfAll is the same over all rollouts that have not ended.
	selectUnsentOfAll = `select o.wanted_at, o.error from outbox o join rollouts r on r.id = o.rollout
		where r.ended_at is null and o.person = '' and o.sent_version = 0 and o.slot not like 'picture/%' order by o.wanted_at, o.id limit 1`

	selectEvents = `select seq, at, person, kind, body, prev, hash from events where rollout = $1 and seq >= $2 order by seq`

	selectLast = `select seq, at, person, kind, body, prev, hash from events where rollout = $1 order by seq desc limit $2`

	selectOpen = `select id from rollouts where ended_at is null order by opened_at, id`

	selectEnded = `select id from rollouts where ended_at is not null and ($1 = '' or target = $1) order by ended_at desc, id limit $2`

	selectGroup = `select id from rollouts where parent = $1 order by opened_at, id`

	selectHolder = `select id from rollouts where target = $1 and ended_at is null`

	selectCard = `select rollout, gate, asking, plan_digest, channel, ts from cards where nonce = $1`

	selectThread = `select rollout, slot from outbox where slot in ('live', 'group') and channel = $1 and ts = $2 and ts <> ''`

	selectStreams = `select rollout, seq, hash from streams order by rollout`

	selectPlans = `select p.digest, p.body, p.digest = r.plan_digest from plans p join rollouts r on r.id = p.rollout
		where p.rollout = $1 order by p.digest`

	insertDelivery = `insert into inbox (dedupe, kind, body, at) values ($1, $2, $3, $4)
		on conflict (dedupe) do nothing`

	selectDeliveries = `select id, dedupe, kind, body, at from inbox where settled_at is null and id > $1 order by id limit $2`

	settleDelivery = `update inbox set settled_at = now_ms(), body = null where id = $1 and settled_at is null`

	knownDelivery = `select count(*) from inbox where id = $1`

	sweepInbox = `delete from inbox where settled_at < now_ms() - $1`

	sweepOutbox = `delete from outbox where rollout = '' and version = sent_version and next_at < now_ms() - $1`

	// want keeps a slot's place in the queue while an older state of it is still due, and an
	// earliest next edit that was told. A slot was first wanted once.
	want = `insert into outbox (rollout, slot, channel, person, want, broadcast,
			version, sent_version, ts, hash, attempts, next_at, error, wanted_at)
		values ($1, $2, $3, $4, $5, $6, 1, 0, '', '', 0, now_ms(), '', now_ms())
		on conflict (rollout, slot) do update set channel = excluded.channel, person = excluded.person,
			want = excluded.want, broadcast = excluded.broadcast, version = outbox.version + 1,
			next_at = case when outbox.version > outbox.sent_version or outbox.next_at > excluded.next_at
				then outbox.next_at else excluded.next_at end`

	// nextPost finds the first unsent post that waits for no other: not for the live message whose
	// thread it goes to (a group's message stands in none), nor for an older new message of the same rollout ($1: how often that one may
	// have failed). What one person sees stands in no thread, and nothing but a later one waits for a picture.
	// $2: 1 = pictures are wanted as well; $3: 1 = answers to one person are.
	nextPost = `select o.id, o.version, o.rollout, o.slot, o.channel, o.person, o.want, o.broadcast,
			o.ts, coalesce(l.ts, ''), o.hash, o.attempts, o.next_at, o.next_at <= now_ms()
		from outbox o left join outbox l on o.rollout <> '' and o.slot not in ('live', 'group') and o.person = ''
			and l.rollout = o.rollout and l.slot = 'live' and l.channel = o.channel
		where o.version > o.sent_version and (l.id is null or l.sent_version > 0) and ($2 = 1 or o.slot not like 'picture/%')
			and ($3 = 1 or o.person = '' or o.rollout <> '' or o.slot like 'picture/%')
			and (o.person <> '' or o.rollout = '' or o.slot in ('live', 'group') or not exists (
				select 1 from outbox e where e.rollout = o.rollout and e.id < o.id
					and e.sent_version = 0 and e.person = '' and e.attempts < $1
					and (e.slot not like 'picture/%' or o.slot like 'picture/%')))
		order by o.next_at, o.id limit 1`

	selectAnswers = `select id, version, slot, channel, person, want, attempts from outbox
		where version > sent_version and rollout = '' and person = $1 and channel = $2 and id <> $3 and slot not like 'picture/%'
		order by id limit $4`

	// sent takes the version 0 for what was not sent; one that only waits for its turn keeps the reason
	// why it was not there before.
	sent = `update outbox set sent_version = case when sent_version < $2 then $2 else sent_version end,
			ts = case when $3 = '' then ts else $3 end, hash = $4, attempts = $5,
			error = case when $2 = 0 and $6 = '' then error else $6 end, next_at = now_ms() + $7
		where id = $1`

	placeCard = `update cards set channel = $4, ts = $5 where rollout = $1 and gate = $2 and asking = $3`

	// insertPage leaves no number out and gives none twice (the last one is never swept): by them is counted what
	// a receiver missed.
	insertPage = `insert into pages (id, body, at) select coalesce(max(id), 0) + 1, $1, now_ms() from pages`

	// sweepPages bounds the queue: what is dropped is missed by whoever was not told it yet.
	sweepPages = `delete from pages where id <= (select max(id) from pages) - $1 or at < now_ms() - $2`

	insertHook = `insert into hooks (name, page, attempts, next_at)
		values ($1, (select coalesce(max(id), 0) from pages), 0, 0) on conflict (name) do nothing`

	nextPage = `select p.id, p.id - h.page - 1, p.body, h.attempts, h.next_at, h.next_at <= now_ms()
		from hooks h join pages p on p.id > h.page where h.name = $1 order by p.id limit 1`

	retryPage = `update hooks set attempts = $3, next_at = now_ms() + $4 where name = $1 and page < $2`

	passPage = `update hooks set page = $2, attempts = 0, next_at = 0 where name = $1 and page < $2`

	insertScratch = `insert into scratch (body) values ($1)`

	emptyScratch = `delete from scratch`
)

// statements are prepared once: preparing was a quarter of a simulated rollout's time.
var statements = []string{
	fence, claim, nextDue, release, clearLeases, wake, openStream, openRollout, insertPlan, replan, advance, sealStream,
	insertEvent, insertCard, insertVote, insertGrant, insertOperation, moveOperation, endRollout,
	insertFreeze, liftFreeze, selectFreezes, selectGoverned, insertSchedule, endSchedule, serveSchedule, selectSchedules, firstSighting, nextSighting, selectSightings, wakeAll, wakeWaves, askNoMore,
	selectRecord, selectUnsent, selectUnsentOfAll, selectEvents, selectLast, selectOpen, selectEnded, selectGroup, selectHolder, selectCard, selectThread, selectStreams, selectPlans,
	insertDelivery, selectDeliveries, settleDelivery, knownDelivery, sweepInbox, sweepOutbox, want, nextPost, selectAnswers, sent,
	placeCard, insertPage, sweepPages, insertHook, nextPage, retryPage, passPage, insertScratch, emptyScratch,
}
