package azuresim

import (
	"net/http"
	"slices"
)

// Galleries of other people: community galleries for everybody, shared ones for this tenant. They
// are read below a location, and there only what is replicated to it.

// communal is what the two kinds call things.
type communal struct {
	kind    imageKind
	segment string // in identifiers
	types   bool   // documents say their type
}

var (
	ofCommunity = communal{communityImage, "CommunityGalleries", true}
	ofShared    = communal{sharedImage, "SharedGalleries", false}
)

// onGallery gives a handler the gallery of a path.
func (k communal) onGallery(do func(communal, *world, *call, Gallery) *reply) func(*world, *call) *reply {
	return func(w *world, c *call) *reply {
		g, known := w.opt.Fleet.gallery(k.kind, c.params)
		if !known {
			return k.missing(c)
		}
		return do(k, w, c, g)
	}
}

// onImage gives a handler the image definition of a path.
func (k communal) onImage(do func(communal, *world, *call, GalleryImage) *reply) func(*world, *call) *reply {
	return k.onGallery(func(k communal, w *world, c *call, g Gallery) *reply {
		i, known := g.image(c.param("image"))
		if !known {
			return k.missing(c)
		}
		return do(k, w, c, i)
	})
}

// missing is an assumption: no thread quotes what Azure says.
func (k communal) missing(c *call) *reply {
	return fail(http.StatusNotFound, "NotFound", "The resource '%s' was not found in region '%s'.", k.unique(c, c.param("image"), c.param("version")), c.param("location"))
}

// unique is the identifier of the gallery in the path, or of an image or a version in it.
func (k communal) unique(c *call, image, version string) string {
	id := "/" + k.segment + "/" + c.param("gallery")
	if image != "" {
		id += "/Images/" + image
	}
	if version != "" {
		id += "/Versions/" + version
	}
	return id
}

func (k communal) document(c *call, name, kind, unique string, props document) document {
	d := document{"name": name, "location": c.param("location"), "identifier": document{"uniqueId": unique}, "properties": props}
	if k.types {
		d["type"] = "Microsoft.Compute/locations/" + kind
	}
	return d
}

func (k communal) get(w *world, c *call, g Gallery) *reply {
	return ok(k.document(c, c.param("gallery"), "communityGallery", k.unique(c, "", ""), document{"artifactTags": document{}}))
}

func (k communal) listImages(w *world, c *call, g Gallery) *reply {
	return pageOf(w, c, g.Images, func(i GalleryImage) string { return i.Name }, func(i GalleryImage) document { return k.imageDocument(c, i) })
}

func (k communal) getImage(w *world, c *call, i GalleryImage) *reply {
	return ok(k.imageDocument(c, i))
}

func (k communal) imageDocument(c *call, i GalleryImage) document {
	return k.document(c, i.Name, "communityGalleryImage", k.unique(c, i.Name, ""), document{
		"osType": i.OS, "osState": "Generalized", "hyperVGeneration": "V2", "architecture": "x64", "artifactTags": document{},
		"identifier": document{"publisher": i.Publisher, "offer": i.Offer, "sku": i.SKU},
	})
}

func (k communal) listVersions(w *world, c *call, i GalleryImage) *reply {
	here := slices.DeleteFunc(slices.Clone(i.Versions), func(v GalleryVersion) bool { return !v.usable(c.param("location")) })
	return pageOf(w, c, here, func(v GalleryVersion) string { return v.Version },
		func(v GalleryVersion) document { return k.versionDocument(c, i, v) })
}

func (k communal) getVersion(w *world, c *call, i GalleryImage) *reply {
	v, known := i.version(c.param("version"))
	if !known || !v.usable(c.param("location")) {
		return k.missing(c)
	}
	return ok(k.versionDocument(c, i, v))
}

func (k communal) versionDocument(c *call, i GalleryImage, v GalleryVersion) document {
	props := document{
		"excludeFromLatest": v.ExcludeFromLatest, "artifactTags": document{},
		"storageProfile": document{"osDiskImage": document{"diskSizeGB": 30, "hostCaching": "ReadWrite"}},
	}
	v.dates(props)
	return k.document(c, v.Version, "communityGalleryImageVersion", k.unique(c, i.Name, v.Version), props)
}
