package upgrade

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
)

// pin turns the words for the goal into one exact image or size (R43).
func (d Desk) pin(ctx context.Context, w *Wish, ask Ask, seen ScaleSet, pol Policy) error {
	model, show := seen.Model.Image, "/vmss show "+seen.Name
	if ask.Size != "" {
		return d.pinSize(ctx, w, ask.Size, seen)
	}
	if ask.Target == "model" && ask.SKU != "" {
		return Refuse(CodeArg, show, "what the model says has its SKU: leave sku= out, or name a version")
	}
	if ask.Target == "model" {
		if model.Follows() {
			return Refuse(CodePolicy, show, "the model of %s follows latest: name a version instead", seen.Name)
		}
		w.Target = Target{Setting: Setting{Image: model}, Model: true}
		return nil
	}
	image, no := wanted(ask, seen)
	if no != nil {
		return no
	}
	if no := permitted(seen, pol, Target{Setting: Setting{Image: image}}); no != nil {
		return no // before it is looked up: whoever may plan a set may not look into every gallery in reach
	}
	if image.Follows() {
		newest, passed, err := d.newest(ctx, seen.Location, image)
		if err != nil {
			return err
		}
		w.Pinned, image, w.Hazards = Latest, image.At(newest), append(w.Hazards, passed...)
	}
	w.Target = Target{Setting: Setting{Image: image}}
	if image.Kind() == KindVHD {
		w.Hazards = append(w.Hazards, "nobody looks whether the VHD is there: Azure says so when the first instance asks for it")
		return nil
	}
	found, err := d.usable(ctx, seen, image)
	if err == nil && found.Excluded {
		w.Hazards = append(w.Hazards, "the publisher of "+image.String()+" keeps it out of latest")
	}
	return err
}

// wanted is the image that the target names, which may follow latest.
func wanted(ask Ask, seen ScaleSet) (Image, *Refusal) {
	model, show := seen.Model.Image, "/vmss images "+seen.Name
	image, named := ImageNamed(ask.Target)
	switch {
	case ask.SKU != "" && (named || !model.Platform()):
		return Image{}, Refuse(CodeArg, show, "sku= is about platform images, and %s is to run, or runs, %s", seen.Name, cmp.Or(a(image.Kind()), a(model.Kind()), "an image of another kind"))
	case named:
		return image, nil
	case model.versioned():
		model.SKU = cmp.Or(ask.SKU, model.SKU)
		return model.At(ask.Target), nil
	}
	return Image{}, Refuse(CodePolicy, show, "%s runs %s, which has no versions: name the image to go to by its id, or `model`", seen.Name, cmp.Or(a(model.Kind()), "an image of a kind I do not know"))
}

func a(k ImageKind) string {
	if k == "" {
		return ""
	}
	return "a " + string(k)
}

// usable refuses an image that is not there, or that Azure would not let the set run (R45).
func (d Desk) usable(ctx context.Context, seen ScaleSet, image Image) (ImageVersion, error) {
	found, err := d.Catalogue.Version(ctx, seen.Location, image)
	show := "/vmss images " + seen.Name
	switch {
	case err != nil:
		return found, d.unknownVersion(ctx, seen, image, err)
	case found.Unusable != "":
		return found, Refuse(CodePolicy, show, "%s cannot be used in %s: %s", image, seen.Location, found.Unusable)
	case found.Deprecated:
		return found, Refuse(CodePolicy, show, "%s is deprecated: %s", image, cmp.Or(found.Note, "Azure gives no alternative"))
	}
	return found, nil
}

// newest is the newest version that may be used, and what is said of newer ones that are passed by.
func (d Desk) newest(ctx context.Context, location string, family Image) (version string, passed []string, err error) {
	versions, err := d.Catalogue.Versions(ctx, location, family)
	if err != nil {
		if f := AsFault(err, "list the versions"); f.Kind != FaultRefused && f.Kind != FaultGone {
			return "", nil, azure("list the versions of "+family.Name(), err)
		}
		no := Refuse(CodeUnknown, "/vmss list", "there is no %s in %s", family.Name(), location)
		no.Cause = err
		return "", nil, no
	}
	for _, v := range versions {
		why := v.Unusable
		switch {
		case v.Deprecated:
			why = "deprecated: " + cmp.Or(v.Note, "no alternative is named")
		case v.Excluded:
			why = "its publisher keeps it out of latest"
		case why == "":
			return v.Image.Running(), passed[:min(len(passed), 3)], nil
		}
		passed = append(passed, fmt.Sprintf("latest passes %s by: %s", v.Image, why))
	}
	return "", nil, Refuse(CodeUnknown, "", "%s has no version that may be used in %s", family.Name(), location)
}

func (d Desk) unknownVersion(ctx context.Context, seen ScaleSet, image Image, err error) error {
	if f := AsFault(err, "look up the image"); f.Kind != FaultRefused && f.Kind != FaultGone {
		return azure("look up "+image.String(), err)
	}
	no := Refuse(CodeUnknown, "/vmss images "+seen.Name, "%s has no version %s in %s", image.Name(), image.Running(), seen.Location)
	if !image.versioned() {
		no.What = fmt.Sprintf("there is no %s %s", image.Kind(), image)
	}
	no.Cause = err
	versions, err := d.Catalogue.Versions(ctx, seen.Location, image)
	if err != nil || len(versions) == 0 {
		return no
	}
	var names, others []string
	for _, v := range versions {
		names = append(names, v.Image.Running())
		if !v.Image.Same(seen.Model.Image) { // nobody means what is there already
			others = append(others, v.Image.Running())
		}
	}
	no.What += ": it has " + strings.Join(names[:min(5, len(names))], ", ")
	if near := Nearest(image.Running(), others); near != "" {
		no.What += fmt.Sprintf(". Did you mean `%s`?", near)
	}
	return no
}

// pinSize checks a VM size against those that Azure offers to the set.
func (d Desk) pinSize(ctx context.Context, w *Wish, size string, seen ScaleSet) error {
	sizes, err := d.Catalogue.Sizes(ctx, seen.ID)
	if err != nil {
		return azure("list the VM sizes of "+seen.Name, err)
	}
	at := slices.IndexFunc(sizes, func(s Size) bool {
		return strings.EqualFold(s.Name, size) || strings.EqualFold(s.Name, "Standard_"+size)
	})
	show := "/vmss show " + seen.Name
	if at < 0 {
		var names []string
		for _, s := range sizes {
			if cores(s.Name) == cores(size) { // what is offered to be pasted costs about the same
				names = append(names, s.Name)
			}
		}
		no := Refuse(CodeUnknown, show, "Azure offers no VM size %s to %s", size, seen.Name)
		if near := Nearest(size, names); near != "" {
			no.What += fmt.Sprintf(". Did you mean `%s`?", near)
		}
		return no
	}
	if most := sizes[at].Max; most > 0 && len(seen.Instances) > most {
		return Refuse(CodePolicy, show, "a set may have %d instances of size %s at most, and %s has %d", most, sizes[at].Name, seen.Name, len(seen.Instances))
	}
	w.Target = Target{Setting: Setting{Size: sizes[at].Name}}
	return nil
}

// autoscale tells of what may change the set meanwhile by itself. That it cannot be read is told, too:
// the bot may lack that one right and everything else still works.
func (d Desk) autoscale(ctx context.Context, set SetID) []string {
	a, err := d.Catalogue.Autoscale(ctx, set)
	switch {
	case err != nil:
		return []string{"whether autoscale is on could not be read: " + AsFault(err, "read autoscale").Message}
	case a.On:
		return []string{Scaled(a)}
	}
	return nil
}

// cores is the number in a VM size that says how many there are: 4 of Standard_D4s_v5.
func cores(size string) string {
	_, name, found := strings.Cut(size, "_")
	if !found || !strings.EqualFold(size[:min(len(size), 8)], "Standard") {
		name = size
	}
	name = strings.TrimLeft(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
	end := strings.IndexFunc(name, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		return name
	}
	return name[:end]
}
