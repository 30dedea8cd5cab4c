package upgrade

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"maps"
	"slices"
	"time"
)

// Lookout tells people that a newer version of an image has come out, in the channels of the sets that run the
// image and whose policy wants that. It reads Azure, one list for each image and region whatever the number of
// sets, and changes nothing: what becomes of it is what people type.
type Lookout struct {
	Catalogue Catalogue
	Journal   Reader
	Book      Book
	Policies  func() []Policy
	Now       func() time.Time
	Log       *slog.Logger
}

// How often is looked: not at once after a start, as a program that dies again and again would ask Azure each
// time; and not by everybody at the same minute.
const (
	looksFirst = 5 * time.Minute
	looksEvery = 6 * time.Hour
	looksApart = 30 * time.Minute // at most, by chance
	lookTime   = 5 * time.Minute  // what one look may take
)

// Run looks until the context ends.
func (l *Lookout) Run(ctx context.Context) error {
	wait := looksFirst
	for {
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
		l.look(ctx)
		h := fnv.New32a()
		fmt.Fprint(h, l.Now().UnixNano())
		wait = looksEvery + time.Duration(h.Sum32()%uint32(looksApart/time.Second))*time.Second
	}
}

// look makes one look at every image. What cannot be read now is looked at the next time. A panic in it ends
// this look only.
func (l *Lookout) look(ctx context.Context) {
	defer func() {
		if p := recover(); p != nil {
			l.Log.Error("looking for images panicked", "panic", p)
		}
	}()
	if !slices.ContainsFunc(l.Policies(), func(p Policy) bool { return p.Watch }) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	places, known, busy, err := l.read(ctx)
	if err != nil {
		l.Log.Warn("images could not be looked for", "err", err)
		return
	}
	for _, place := range slices.Sorted(maps.Keys(places)) {
		sets := places[place]
		versions, err := l.Catalogue.Versions(ctx, sets[0].Location, sets[0].Image)
		if err != nil {
			l.Log.Warn("the versions of an image could not be listed", "image", place, "err", err)
			if AsFault(err, place).Kind == FaultThrottled {
				return // it was for all of them
			}
			continue
		}
		change, is := sighted(place, known[place], versions, sets, busy, l.Policies(), l.Now())
		if !is {
			continue
		}
		if err := l.Book.Commit(ctx, change); err != nil && !errors.Is(err, ErrStale) { // stale: somebody else told it
			l.Log.Error("journal: a new version of an image", "image", place, "err", err)
		}
	}
}

// read gathers the sets that want to know by image and region, what is known of these, and the versions that
// sets are being rolled to.
func (l *Lookout) read(ctx context.Context) (places map[string][]SetSummary, known map[string]string, busy map[SetID]string, err error) {
	sets, err := l.Catalogue.Sets(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	places, busy = map[string][]SetSummary{}, map[SetID]string{}
	for _, s := range sets {
		if pol := PolicyFor(l.Policies(), s.ID); pol.Watch && pol.Channel != "" && s.Image.versioned() {
			place := s.Location + " " + s.Image.Family()
			places[place] = append(places[place], s)
		}
	}
	open, err := l.Journal.Open(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, r := range open {
		busy[r.Plan.Set] = r.Plan.Target.Image.Running()
	}
	known, err = l.Book.Sightings(ctx)
	return places, known, busy, err
}

// Release is what a channel is told of a version that has come out. The post wants it under its name.
type Release struct {
	Image     Image     // in that version
	Published time.Time // zero = not told
	Sets      []SetSummary
}

// sighted is the change that remembers the newest version that may be used, and tells of it in the channels of
// the sets that are neither on it nor on their way to it. Nothing is new at the first look: what has long
// been out is no news. is is false when nothing is to be remembered.
func sighted(place, known string, versions []ImageVersion, sets []SetSummary, busy map[SetID]string, policies []Policy, now time.Time) (change Change, is bool) {
	i := slices.IndexFunc(versions, func(v ImageVersion) bool { return !v.Deprecated && !v.Excluded && v.Unusable == "" })
	if i < 0 {
		return Change{}, false
	}
	newest := versions[i]
	version := newest.Image.Running()
	if known != "" && CompareVersions(version, known) <= 0 {
		return Change{}, false
	}
	fact := Sighted{Place: place, Version: version, Before: known}
	told := map[string]*Release{}
	for _, s := range sets {
		if known == "" || busy[s.ID] == version || !s.Image.Follows() && CompareVersions(s.Image.Running(), version) >= 0 {
			continue
		}
		channel := PolicyFor(policies, s.ID).Channel
		if told[channel] == nil {
			told[channel] = &Release{Image: newest.Image, Published: newest.Published}
		}
		told[channel].Sets = append(told[channel].Sets, s)
	}
	var posts []Post
	for _, channel := range slices.Sorted(maps.Keys(told)) {
		r := told[channel]
		slices.SortFunc(r.Sets, func(a, b SetSummary) int { return cmp.Compare(a.ID, b.ID) })
		want, err := json.Marshal(struct{ Release *Release }{r})
		if err != nil {
			panic("release: " + err.Error()) // only types of this package, all of which marshal
		}
		fact.Channels = append(fact.Channels, channel)
		posts = append(posts, Post{Slot: fmt.Sprintf("told/%s %s/%s", place, version, channel), Channel: channel, Want: want})
	}
	return Change{Events: At(now, "", fact), Posts: posts}, true
}
