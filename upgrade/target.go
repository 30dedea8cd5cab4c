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
		newest, err := d.newest(ctx, seen.Location, image)
		if err != nil {
			return err
		}
		w.Pinned, image = Latest, image.At(newest)
	}
	w.Target = Target{Setting: Setting{Image: image}}
	if image.Kind() == KindVHD {
		w.Hazards = append(w.Hazards, "nobody looks whether the VHD is there: Azure says so when the first instance asks for it")
		return nil
	}
	return d.usable(ctx, seen, image)
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
func (d Desk) usable(ctx context.Context, seen ScaleSet, image Image) error {
	found, err := d.Catalogue.Version(ctx, seen.Location, image)
	show := "/vmss images " + seen.Name
	switch {
	case err != nil:
		return d.unknownVersion(ctx, seen, image, err)
	case found.Unusable != "":
		return Refuse(CodePolicy, show, "%s cannot be used in %s: %s", image, seen.Location, found.Unusable)
	case found.Deprecated:
		return Refuse(CodePolicy, show, "%s is deprecated: %s", image, cmp.Or(found.Note, "Azure gives no alternative"))
	}
	return nil
}

func (d Desk) newest(ctx context.Context, location string, family Image) (string, error) {
	versions, err := d.Catalogue.Versions(ctx, location, family)
	if err != nil {
		return "", azure("list the versions of "+family.Name(), err)
	}
	for _, v := range versions {
		if !v.Deprecated && !v.Excluded && v.Unusable == "" {
			return v.Image.Running(), nil
		}
	}
	return "", Refuse(CodeUnknown, "", "%s has no version that may be used in %s", family.Name(), location)
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
	var names []string
	for _, v := range versions {
		names = append(names, v.Image.Running())
	}
	no.What += ": it has " + strings.Join(names[:min(5, len(names))], ", ")
	if near := Nearest(image.Running(), names); near != "" {
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
			names = append(names, s.Name)
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
		return []string{fmt.Sprintf("autoscale on (%s, %d to %d instances): those it adds are born as the model says, those it takes away are passed by", a.Name, a.Min, a.Max)}
	}
	return nil
}
