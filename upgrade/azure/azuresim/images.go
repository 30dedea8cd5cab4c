package azuresim

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// names lists one level of the catalogue below parent: each name once, with its id.
func (w *world) names(c *call, match func(Image) bool, level string, name func(Image) string) *reply {
	seen := map[string]bool{}
	list := []any{}
	for _, i := range w.opt.Fleet.Images {
		n := name(i)
		if !match(i) || seen[strings.ToLower(n)] {
			continue
		}
		seen[strings.ToLower(n)] = true
		list = append(list, document{"location": c.param("location"), "name": n, "id": imageID(c, level, n)})
	}
	if len(list) == 0 {
		return noImage()
	}
	return ok(list)
}

// imageID is the id of an entry: in these lists Azure writes the path with capitals.
func imageID(c *call, level, name string) string {
	id := "/Subscriptions/" + c.param("subscription") + "/Providers/Microsoft.Compute/Locations/" + c.param("location")
	for _, p := range []struct{ word, param string }{
		{"Publishers", "publisher"}, {"ArtifactTypes/VMImage/Offers", "offer"}, {"Skus", "sku"}, {"Versions", "version"},
	} {
		if p.word == level {
			return id + "/" + p.word + "/" + name
		}
		id += "/" + p.word + "/" + c.param(p.param)
	}
	return id
}

func noImage() *reply {
	return fail(http.StatusNotFound, "NotFound", "Artifact: VMImage was not found.")
}

func (w *world) listPublishers(c *call) *reply {
	return w.names(c, func(Image) bool { return true }, "Publishers", func(i Image) string { return i.Publisher })
}

func (w *world) listOffers(c *call) *reply {
	return w.names(c, func(i Image) bool { return strings.EqualFold(i.Publisher, c.param("publisher")) },
		"ArtifactTypes/VMImage/Offers", func(i Image) string { return i.Offer })
}

func (w *world) listSKUs(c *call) *reply {
	return w.names(c, func(i Image) bool {
		return strings.EqualFold(i.Publisher, c.param("publisher")) && strings.EqualFold(i.Offer, c.param("offer"))
	}, "Skus", func(i Image) string { return i.SKU })
}

// listVersions lists the versions of a SKU: $orderby=name [asc|desc], $top, $expand=properties.
func (w *world) listVersions(c *call) *reply {
	sku, known := w.opt.Fleet.find(c.param("publisher"), c.param("offer"), c.param("sku"))
	if !known {
		return noImage()
	}
	versions := slices.Clone(sku.Versions)
	switch order := strings.Fields(strings.ToLower(c.query.Get("$orderby"))); {
	case len(order) == 0, len(order) == 1 && order[0] == "name", len(order) == 2 && order[0] == "name" && order[1] == "asc":
	case len(order) == 2 && order[0] == "name" && order[1] == "desc":
		slices.Reverse(versions)
	default:
		return fail(http.StatusBadRequest, "InvalidParameter", "The value of parameter $orderby is invalid.").at("$orderby")
	}
	if top := c.query.Get("$top"); top != "" {
		n, err := strconv.Atoi(top)
		if err != nil || n < 1 {
			return fail(http.StatusBadRequest, "InvalidParameter", "The value of parameter $top is invalid.").at("$top")
		}
		versions = versions[:min(n, len(versions))]
	}
	list := []any{}
	for _, v := range versions {
		list = append(list, versionDocument(c, sku, v, strings.EqualFold(c.query.Get("$expand"), "properties")))
	}
	return ok(list)
}

func (w *world) getVersion(c *call) *reply {
	sku, _ := w.opt.Fleet.find(c.param("publisher"), c.param("offer"), c.param("sku"))
	v, known := sku.version(c.param("version"))
	if strings.EqualFold(c.param("version"), "latest") {
		v, known = sku.newest()
	}
	if !known {
		return noImage()
	}
	return ok(versionDocument(c, sku, v, true))
}

func versionDocument(c *call, sku Image, v Version, properties bool) document {
	d := document{"location": c.param("location"), "name": v.Version, "id": imageID(c, "Versions", v.Version)}
	if !properties {
		return d
	}
	state, os := v.State, sku.OS
	if state == "" {
		state = "Active"
	}
	if os == "" {
		os = "Linux"
	}
	deprecation := document{"imageState": state}
	if !v.Deprecated.IsZero() {
		deprecation["scheduledDeprecationTime"] = stamp(v.Deprecated)
	}
	if v.Alternative != "" {
		deprecation["alternativeOption"] = document{"type": "Offer", "value": sku.urn(v.Alternative)}
	}
	d["properties"] = document{
		"osDiskImage": document{"operatingSystem": os, "sizeInGb": 30, "sizeInBytes": 32213303808}, "dataDiskImages": []any{},
		"automaticOSUpgradeProperties": document{"automaticOSUpgradeSupported": true},
		"hyperVGeneration":             "V1", "architecture": "x64", "features": []any{},
		"disallowed":             document{"vmDiskType": "Unmanaged"},
		"imageDeprecationStatus": deprecation,
	}
	return d
}

func (i Image) urn(version string) string {
	return ImageRef{Publisher: i.Publisher, Offer: i.Offer, SKU: i.SKU, Version: version}.urn()
}
