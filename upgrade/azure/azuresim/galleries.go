package azuresim

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	typeGallery        = "Microsoft.Compute/galleries"
	typeGalleryImage   = typeGallery + "/images"
	typeGalleryVersion = typeGalleryImage + "/versions"
	typeImage          = "Microsoft.Compute/images"
)

func (g Gallery) id() string {
	return "/subscriptions/" + g.Subscription + "/resourceGroups/" + g.ResourceGroup + "/providers/" + typeGallery + "/" + g.Name
}

// galleriesIn are the galleries that a path can show: those of its subscription, and of its resource
// group if it names one.
func (w *world) galleriesIn(c *call) []Gallery {
	return slices.DeleteFunc(slices.Clone(w.opt.Fleet.Galleries), func(g Gallery) bool {
		group, named := c.params["group"]
		return !strings.EqualFold(g.Subscription, c.param("subscription")) || named && !strings.EqualFold(g.ResourceGroup, group)
	})
}

// owns tells whether a subscription is that of somebody's gallery. Nothing else of it is known.
func (f Fleet) owns(subscription string) bool {
	return slices.ContainsFunc(f.Galleries, func(g Gallery) bool { return strings.EqualFold(g.Subscription, subscription) })
}

// pageOf answers a list call with what is in a slice, by its names.
func pageOf[T any](w *world, c *call, items []T, name func(T) string, show func(T) document) *reply {
	byKey := map[string]T{}
	for _, i := range items {
		byKey[strings.ToLower(name(i))] = i
	}
	keys := sortedKeys(byKey)
	slices.SortFunc(keys, func(a, b string) int {
		if idLess(a, b) {
			return -1
		}
		return 1
	})
	return w.page(c, keys, func(k string) any { return show(byKey[k]) })
}

func (w *world) listGalleries(c *call) *reply {
	return pageOf(w, c, w.galleriesIn(c), Gallery.id, Gallery.document)
}

// onGallery gives a handler the gallery of a path.
func onGallery(do func(*world, *call, Gallery) *reply) func(*world, *call) *reply {
	return func(w *world, c *call) *reply {
		g, known := w.opt.Fleet.gallery(galleryImage, c.params)
		if !known {
			return noResource(c, typeGallery, c.param("gallery"))
		}
		return do(w, c, g)
	}
}

// onGalleryImage gives a handler the image definition of a path.
func onGalleryImage(do func(*world, *call, Gallery, GalleryImage) *reply) func(*world, *call) *reply {
	return onGallery(func(w *world, c *call, g Gallery) *reply {
		i, known := g.image(c.param("image"))
		if !known {
			return noResource(c, typeGallery, c.param("gallery")+"/images/"+c.param("image"))
		}
		return do(w, c, g, i)
	})
}

// noResource is ARM's answer where a resource is not.
func noResource(c *call, kind, name string) *reply {
	return fail(http.StatusNotFound, "ResourceNotFound",
		"The Resource '%s/%s' under resource group '%s' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
		kind, name, c.param("group"))
}

func (w *world) getGallery(c *call, g Gallery) *reply { return ok(g.document()) }

func (w *world) listGalleryImages(c *call, g Gallery) *reply {
	return pageOf(w, c, g.Images, func(i GalleryImage) string { return i.Name }, g.imageDocument)
}

func (w *world) getGalleryImage(c *call, g Gallery, i GalleryImage) *reply {
	return ok(g.imageDocument(i))
}

// listGalleryVersions lists in no order that a caller could rely on: by name, so that 1.0.10 comes
// before 1.0.9.
func (w *world) listGalleryVersions(c *call, g Gallery, i GalleryImage) *reply {
	return pageOf(w, c, i.Versions, func(v GalleryVersion) string { return v.Version },
		func(v GalleryVersion) document { return g.versionDocument(i, v) })
}

func (w *world) getGalleryVersion(c *call, g Gallery, i GalleryImage) *reply {
	v, known := i.version(c.param("version"))
	if !known {
		return noResource(c, typeGallery, c.param("gallery")+"/images/"+c.param("image")+"/versions/"+c.param("version"))
	}
	d := g.versionDocument(i, v)
	switch expand := c.query.Get("$expand"); {
	case expand == "":
		return ok(d)
	case strings.EqualFold(expand, "ReplicationStatus"):
		return ok(with(d, v.replication(), "properties", "replicationStatus"))
	default:
		return fail(http.StatusBadRequest, "InvalidParameter", "The value '%s' of parameter $expand is invalid.", expand).at("$expand")
	}
}

func (g Gallery) document() document {
	props := document{
		"identifier":        document{"uniqueName": strings.ToLower(g.Subscription) + "-" + strings.ToUpper(g.Name)},
		"provisioningState": "Succeeded",
	}
	switch {
	case g.Community != "":
		props["sharingProfile"] = document{"permissions": "Community", "communityGalleryInfo": document{
			"communityGalleryEnabled": true, "publicNames": []any{g.Community}}}
	case g.Shared != "":
		props["sharingProfile"] = document{"permissions": "Groups"}
	}
	return document{"name": g.Name, "id": g.id(), "type": typeGallery, "location": g.Location, "tags": document{}, "properties": props}
}

func (g Gallery) imageDocument(i GalleryImage) document {
	return document{
		"name": i.Name, "id": g.id() + "/images/" + i.Name, "type": typeGalleryImage, "location": g.Location, "tags": document{},
		"properties": document{
			"hyperVGeneration": "V2", "architecture": "x64", "osType": i.OS, "osState": "Generalized",
			"identifier":        document{"publisher": i.Publisher, "offer": i.Offer, "sku": i.SKU},
			"recommended":       document{"vCPUs": document{"min": 1, "max": 16}, "memory": document{"min": 1, "max": 32}},
			"provisioningState": "Succeeded",
		},
	}
}

// versionDocument has the form of a recording of the Azure CLI's tests (2026): regions by their
// display names, although the caller named them otherwise.
func (g Gallery) versionDocument(i GalleryImage, v GalleryVersion) document {
	regions := []any{}
	for _, r := range v.TargetRegions {
		regions = append(regions, document{"name": displayName(r), "regionalReplicaCount": 1, "storageAccountType": "Standard_LRS"})
	}
	publishing := document{"targetRegions": regions, "replicaCount": 1, "excludeFromLatest": v.ExcludeFromLatest, "storageAccountType": "Standard_LRS"}
	v.dates(publishing)
	return document{
		"name": v.Version, "id": g.id() + "/images/" + i.Name + "/versions/" + v.Version,
		"type": typeGalleryVersion, "location": g.Location, "tags": document{},
		"properties": document{
			"publishingProfile": publishing,
			"storageProfile": document{
				"source":      document{"id": "/subscriptions/" + g.Subscription + "/resourceGroups/" + g.ResourceGroup + "/providers/" + typeImage + "/" + i.Name + "-" + v.Version},
				"osDiskImage": document{"sizeInGB": 30, "hostCaching": "ReadWrite", "source": document{}},
			},
			"safetyProfile": document{"reportedForPolicyViolation": false, "blockDeletionBeforeEndOfLife": false,
				"allowDeletionOfReplicatedLocations": false},
			"validationsProfile": document{"validationOperationStatus": "NotExecuted"},
			"provisioningState":  v.ProvisioningState,
		},
	}
}

// dates adds the dates that v has.
func (v GalleryVersion) dates(d document) {
	for name, t := range map[string]time.Time{"publishedDate": v.PublishedDate, "endOfLifeDate": v.EndOfLifeDate} {
		if !t.IsZero() {
			d[name] = stamp(t)
		}
	}
}

// replication is how far v has come in each region.
func (v GalleryVersion) replication() document {
	state, progress := "Completed", 100
	switch v.ProvisioningState {
	case "Creating", "Updating":
		state, progress = "InProgress", 40
	case "Failed":
		state, progress = "Failed", 0
	}
	summary := []any{}
	for _, r := range v.TargetRegions {
		summary = append(summary, document{"region": displayName(r), "state": regional(state), "details": "", "progress": progress})
	}
	return document{"aggregatedState": state, "summary": summary}
}

// regional is the word that a region has for what all regions together call InProgress.
func regional(state string) string {
	if state == "InProgress" {
		return "Replicating"
	}
	return state
}

// displayNames of the regions that fleets are likely to be in.
var displayNames = []string{
	"West Europe", "North Europe", "UK South", "UK West", "France Central", "Germany West Central", "Sweden Central", "Switzerland North",
	"Norway East", "Poland Central", "Italy North", "Spain Central", "East US", "East US 2", "West US", "West US 2", "West US 3",
	"Central US", "North Central US", "South Central US", "Canada Central", "Brazil South", "Southeast Asia", "East Asia", "Japan East",
	"Japan West", "Korea Central", "Central India", "Australia East", "UAE North", "South Africa North",
}

// displayName is what Azure calls a region in galleries; one it does not know here stays as written.
func displayName(region string) string {
	for _, n := range displayNames {
		if sameLocation(n, region) {
			return n
		}
	}
	return region
}
