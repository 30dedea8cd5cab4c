package view

import (
	"fmt"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// maxImages is how many versions a message lists; the current one and those that instances run are listed
// besides.
const maxImages = 15

// imageList tells what a set's image comes in, newest first, and what to type next.
func imageList(in commands.Images) Message {
	var p page
	p.para(fmt.Sprintf("*Images of %s* (%s, %s)", name(in.Set.Name), name(in.Set.ResourceGroup), name(in.Set.Location)),
		dots(join(kindly(in.Current), family(in.Current), version(in.Current)), only(in.Current.Follows(), "the model takes whatever is published last")))
	var lines []string
	left := in.Older
	for n, v := range in.Versions {
		if n >= maxImages && in.Running[v.Image.Running()] == 0 && !v.Image.Same(in.Current) {
			left++
			continue
		}
		lines = append(lines, versionLine(v, in))
	}
	if left > 0 {
		lines = append(lines, fmt.Sprintf("… and %d more", left))
	}
	p.para(lines...)
	if in.Others > 0 {
		p.para(fmt.Sprintf(":warning: %s on another image, or one that is not told: %s", upgrade.Count(in.Others, "instance"), code("/vmss show "+in.Set.Name+" image")))
	}
	p.para(nextImage(in))
	return p.done(slotReply, fmt.Sprintf("%s: %s, now %s", name(in.Set.Name), upgrade.Count(len(in.Versions)+in.Older, "version"), version(in.Current)))
}

func versionLine(v upgrade.ImageVersion, in commands.Images) string {
	current, on := v.Image.Same(in.Current), in.Running[v.Image.Running()]
	mark := "○"
	if current {
		mark = "●"
	}
	line := dots(mark+" "+version(v.Image), published(v), only(current, "*current*"), only(on > 0, upgrade.Count(on, "instance")))
	switch {
	case v.Unusable != "":
		line += " · :no_entry_sign: not usable here: " + esc(v.Unusable, 160)
	case v.Deprecated:
		line += " · :no_entry_sign: deprecated" + azureSays(v.Note)
	case v.Note != "":
		line += " · " + esc(v.Note, 160)
	}
	return dots(line, only(v.Excluded, "not taken for latest"))
}

func azureSays(note string) string {
	if note == "" {
		return ""
	}
	return ": " + esc(note, 160)
}

// published is the day, and whose word that is.
func published(v upgrade.ImageVersion) string {
	if !v.Published.IsZero() {
		return v.Published.UTC().Format("2006-01-02")
	}
	if day, ok := upgrade.Dated(v.Image.Running()); ok {
		return day.Format("2006-01-02") + " by its number"
	}
	return ""
}

// nextImage is what to type to go to the first that may be used.
func nextImage(in commands.Images) string {
	for _, v := range in.Versions {
		current, named := v.Image.Same(in.Current), v.Image.Kind() == upgrade.KindManaged // which are in no order but their names'
		switch {
		case v.Unusable != "" || v.Deprecated || v.Excluded || current && named:
			continue
		case current:
			return "The model names the newest that may be used."
		}
		r := commands.Request{Verb: commands.VerbPlan, Set: in.Set.Name, Target: v.Image.Running()}
		if named {
			r.Target = v.Image.ID
		}
		return "Look first, nothing is changed: " + copied(r)
	}
	if len(in.Versions) == 0 {
		return "Azure lists no versions of it. Name the image to go to by its id: " + code("/vmss plan "+in.Set.Name+" ID")
	}
	return "There is no other that may be used."
}
