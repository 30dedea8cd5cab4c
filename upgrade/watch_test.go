package upgrade

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// out makes the versions of an image, newest first.
func out(names ...string) []ImageVersion {
	var all []ImageVersion
	for _, n := range names {
		all = append(all, ImageVersion{Image: v1.At(n)})
	}
	return all
}

// watchers are two policies of sets that want to know, in two channels.
func watchers() []Policy {
	return []Policy{{Pattern: "api*", Channel: "C2", Watch: true}, {Pattern: "*", Channel: "C1", Watch: true}}
}

func listedSet(name string, image Image) SetSummary {
	return SetSummary{ID: SetID("/subscriptions/1/resourcegroups/shop/providers/microsoft.compute/virtualmachinescalesets/" + name), Name: name, ResourceGroup: "shop", Location: "westeurope", Image: image}
}

func TestANewerImageIsToldOnceToWhomItIsNews(t *testing.T) {
	web, api, db := listedSet("web", v1), listedSet("api", v1), listedSet("db", v1.At("1.5"))
	marked := func(change func(*ImageVersion)) []ImageVersion {
		all := out("3.0", "2.0")
		change(&all[0])
		return all
	}
	for _, row := range []struct {
		name     string
		known    string
		versions []ImageVersion
		sets     []SetSummary
		busy     map[SetID]string
		seen     string   // the version that is remembered, "" = none
		told     []string // channel: sets
	}{
		{"at the first look it is only remembered", "", out("2.0", "1.0"), []SetSummary{web}, nil, "2.0", nil},
		{"nothing new", "2.0", out("2.0", "1.0"), []SetSummary{web}, nil, "", nil},
		{"a newer one, a message for each channel", "2.0", out("3.0", "2.0"), []SetSummary{web, api, db}, nil, "3.0", []string{"C1: db web", "C2: api"}},
		{"numbers, not letters", "9.0", out("10.0", "9.0"), []SetSummary{web}, nil, "10.0", []string{"C1: web"}},
		{"of several the newest", "1.0", out("4.0", "3.0", "2.0"), []SetSummary{web}, nil, "4.0", []string{"C1: web"}},
		{"R45 a deprecated one is none", "2.0", marked(func(v *ImageVersion) { v.Deprecated = true }), []SetSummary{web}, nil, "", nil},
		{"nor one that its publisher keeps out of latest", "2.0", marked(func(v *ImageVersion) { v.Excluded = true }), []SetSummary{web}, nil, "", nil},
		{"nor one that is not in the region", "2.0", marked(func(v *ImageVersion) { v.Unusable = "not replicated" }), []SetSummary{web}, nil, "", nil},
		{"one that was withdrawn brings nothing up again", "3.0", out("2.0"), []SetSummary{web}, nil, "", nil},
		{"a set that is on it already knows", "1.0", out("2.0"), []SetSummary{web, listedSet("new", v2)}, nil, "2.0", []string{"C1: web"}},
		{"a set that follows latest is told, as its instances do not", "1.0", out("2.0"), []SetSummary{listedSet("web", v1.At(Latest))}, nil, "2.0", []string{"C1: web"}},
		{"a set that is on its way to it knows", "1.0", out("2.0"), []SetSummary{web, api}, map[SetID]string{web.ID: "2.0"}, "2.0", []string{"C2: api"}},
		{"a set that is on its way to another does not", "1.0", out("2.0"), []SetSummary{web}, map[SetID]string{web.ID: "1.5"}, "2.0", []string{"C1: web"}},
		{"no versions at all", "1.0", nil, []SetSummary{web}, nil, "", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, is := sighted("westeurope x", row.known, row.versions, row.sets, row.busy, watchers(), night)
			if is != (row.seen != "") {
				t.Fatalf("remembered: %v, %+v", is, c)
			}
			var told []string
			for _, p := range c.Posts {
				var want struct{ Release Release }
				if err := json.Unmarshal(p.Want, &want); err != nil {
					t.Fatal(err)
				}
				var names []string
				for _, s := range want.Release.Sets {
					names = append(names, s.Name)
				}
				if told = append(told, p.Channel+": "+strings.Join(names, " ")); want.Release.Image.Running() != row.seen || p.User != "" || p.Rollout != "" {
					t.Errorf("told %+v", p)
				}
			}
			if !slices.Equal(told, row.told) {
				t.Errorf("told %q, want %q", told, row.told)
			}
			if is {
				f := c.Events[0].Fact.(Sighted)
				if f.Version != row.seen || f.Before != row.known || f.Place != "westeurope x" || len(f.Channels) != len(row.told) {
					t.Errorf("remembered %+v", f)
				}
			}
		})
	}
}

// shelf is a catalogue that counts what it is asked.
type shelf struct {
	Catalogue
	sets     []SetSummary
	versions []ImageVersion
	err      error
	lists    []string
	asked    int
}

func (s *shelf) Sets(context.Context) ([]SetSummary, error) { s.asked++; return s.sets, nil }

func (s *shelf) Versions(_ context.Context, location string, family Image) ([]ImageVersion, error) {
	s.lists = append(s.lists, location+" "+family.Family())
	return s.versions, s.err
}

// onLookout lets a lookout run for a while in a bubble.
func onLookout(t *testing.T, policies []Policy, f func(*shelf, *memory, func() *Lookout)) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(night))
		s, m := &shelf{versions: out("2.0", "1.0")}, newMemory()
		f(s, m, func() *Lookout {
			return &Lookout{Catalogue: s, Journal: m, Book: m, Policies: func() []Policy { return policies }, Now: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
		})
	})
}

func (l *Lookout) during(d time.Duration) {
	ctx, stop := context.WithTimeout(context.Background(), d)
	defer stop()
	l.Run(ctx) //nolint:errcheck // it returns none
}

func TestImagesAreLookedForNowAndThenWithOneListForAllSets(t *testing.T) {
	onLookout(t, watchers(), func(s *shelf, m *memory, start func() *Lookout) {
		other := listedSet("far", v1)
		other.Location = "eastus"
		s.sets = []SetSummary{listedSet("web", v1), listedSet("web2", v1), listedSet("api", v1), other, listedSet("vhd", Image{URI: "https://acct.blob.core.windows.net/a/b.vhd"})}
		if start().during(4 * time.Minute); len(s.lists) > 0 {
			t.Errorf("a program that lives for minutes asked Azure: %v", s.lists)
		}
		start().during(24 * time.Hour)
		if want := []string{"eastus " + v1.Family(), "westeurope " + v1.Family()}; !slices.Equal(s.lists[:2], want) || len(s.lists) < 6 || len(s.lists) > 8 {
			t.Errorf("in a day it asked for %v", s.lists)
		}
		if len(m.posts) > 0 {
			t.Errorf("what has long been out was told: %+v", m.posts)
		}
		s.versions = out("3.0", "2.0", "1.0")
		start().during(24 * time.Hour)
		start().during(24 * time.Hour)
		if len(m.posts) != 3 { // C1 of two regions, C2 of one
			t.Errorf("told %+v", m.posts)
		}
	})
}

func TestNobodyAsksForImagesThatNobodyWantsToKnowOf(t *testing.T) {
	quiet := watchers()
	quiet[0].Watch, quiet[1].Watch = false, false
	onLookout(t, quiet, func(s *shelf, _ *memory, start func() *Lookout) {
		s.sets = []SetSummary{listedSet("web", v1)}
		if start().during(24 * time.Hour); s.asked > 0 {
			t.Errorf("Azure was asked %d times", s.asked)
		}
	})
	quiet[0].Watch = true
	onLookout(t, quiet, func(s *shelf, _ *memory, start func() *Lookout) {
		s.sets = []SetSummary{listedSet("web", v1)}
		if start().during(24 * time.Hour); len(s.lists) > 0 {
			t.Errorf("of sets that are not watched it asked for %v", s.lists)
		}
	})
}

func TestWhatCannotBeLookedAtIsLookedAtTheNextTime(t *testing.T) {
	for _, row := range []struct {
		err   error
		lists int
	}{{&Fault{Kind: FaultThrottled}, 1}, {&Fault{Kind: FaultUnavailable}, 2}, {errors.New("broken"), 2}} {
		onLookout(t, watchers(), func(s *shelf, m *memory, start func() *Lookout) {
			other := listedSet("far", v1)
			other.Location = "eastus"
			s.sets, s.err = []SetSummary{listedSet("web", v1), other}, row.err
			if start().during(time.Hour); len(s.lists) != row.lists {
				t.Errorf("%v: it asked for %v", row.err, s.lists)
			}
			s.err = nil
			if start().during(time.Hour); len(m.sightings) != 2 {
				t.Errorf("%v: it knows %v", row.err, m.sightings)
			}
		})
	}
}

func TestOfTwoThatLookAtOnceOneTells(t *testing.T) {
	onLookout(t, watchers(), func(s *shelf, m *memory, start func() *Lookout) {
		s.sets = []SetSummary{listedSet("web", v1)}
		m.sightings["westeurope "+v1.Family()] = "1.0"
		other := start()
		l := start()
		l.Book = slowBook{m, func() error { other.look(context.Background()); return nil }}
		l.look(context.Background())
		if len(m.posts) != 1 || len(m.system) != 1 {
			t.Errorf("told %+v", m.posts)
		}
	})
}
