package view

import (
	"strings"

	"github.com/vmssbot/vmssbot/commands"
	"github.com/vmssbot/vmssbot/upgrade"
)

// family is the image without its version, as people call it: offer and SKU, gallery and image. What has
// no versions has none.
func family(i upgrade.Image) string {
	switch parts := strings.Split(strings.Trim(i.ID, "/"), "/"); i.Kind() {
	case upgrade.KindPlatform:
		return esc(i.Offer+" "+i.SKU, 60)
	case upgrade.KindGallery:
		return esc(parts[7], 30) + "/" + esc(parts[9], 30)
	case upgrade.KindCommunity, upgrade.KindShared:
		return esc(parts[1], 30) + "/" + esc(parts[3], 30)
	}
	return ""
}

// called is an image in full, as people call it.
func called(i upgrade.Image) string { return join(family(i), version(i)) }

// kindly is what an image is, at the beginning of a line.
func kindly(i upgrade.Image) string {
	if k := i.Kind(); k != upgrade.KindPlatform && k != "" {
		return upperFirst(string(k))
	}
	return "Image"
}

// inFull is the id or the address of an image that has one: what its name was made of, for people who look
// it up. It is cut only where it is longer than Azure's are.
func inFull(i upgrade.Image) string {
	if i.ID+i.URI == "" {
		return ""
	}
	return "`" + mono(i.ID+i.URI, 600) + "`"
}

// newer is how much later one version was published than another, as far as their numbers tell.
func newer(is, was upgrade.Image) string {
	a, dated := upgrade.Dated(is.Running())
	b, both := upgrade.Dated(was.Running())
	days := int(a.Sub(b).Hours() / 24)
	switch {
	case !dated || !both || days == 0 || is.Family() != was.Family():
		return ""
	case days < 0:
		return upgrade.Count(-days, "day") + " older"
	}
	return upgrade.Count(days, "day") + " newer"
}

// join puts words beside each other, without those that are empty.
func join(words ...string) string {
	return strings.Join(strings.Fields(strings.Join(words, " ")), " ")
}

// again is the request that does the same to other instances of the plan's set, nil = all that are left. A
// version is enough where the model's image is of the target's family by then.
func again(verb commands.Verb, p upgrade.Plan, ids []string) commands.Request {
	r := commands.Request{Verb: verb, Set: p.Name, Which: upgrade.Selection{Instances: ids}}
	switch t := p.Target; {
	case t.Size != "":
		r.Size = t.Size
		if verb == commands.VerbUpgrade {
			r.Verb = commands.VerbResize
		}
	case t.Model:
		r.Target = "model"
	case t.Platform() || t.Family() == p.From.Family() && t.Kind() != upgrade.KindManaged && t.Kind() != upgrade.KindVHD:
		r.Target = t.Running()
		if t.Family() != p.From.Family() {
			r.SKU = t.SKU
		}
	default:
		r.Target = t.ID + t.URI
	}
	return r
}

// copied is a request as a command to copy, which is not cut where it names an image by its id.
func copied(r commands.Request) string { return "`" + mono("/vmss "+commands.Format(r), 900) + "`" }
