package azuresim

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// seenImages collects the images of imported sets.
type seenImages struct {
	subscription string
	platform     map[string]*Image
	galleries    map[string]*Gallery
	regions      []string
	managed      map[string]ManagedImage
	sizes        map[string]Size
}

func newCatalogue(subscription string) *seenImages {
	return &seenImages{subscription: subscription, platform: map[string]*Image{}, galleries: map[string]*Gallery{},
		managed: map[string]ManagedImage{}, sizes: map[string]Size{}}
}

// see takes in the images and sizes of a set and its instances.
func (c *seenImages) see(spec Set, s *importedSet) {
	profile := dig(s.doc, "properties", "virtualMachineProfile")
	os := cmp.Or(text(profile, "storageProfile", "osDisk", "osType"), "Linux")
	if dig(profile, "osProfile", "windowsConfiguration") != nil {
		os = "Windows"
	}
	if !slices.Contains(c.regions, spec.Location) {
		c.regions = append(c.regions, spec.Location)
	}
	c.image(spec.Image, "", os, spec.Location)
	c.size(spec.Size)
	for _, d := range spec.instances {
		props := dig(d, "properties")
		c.image(profileImage(props), text(props, "storageProfile", "imageReference", "exactVersion"), os, spec.Location)
		c.size(cmp.Or(text(d, "sku", "name"), text(props, "hardwareProfile", "vmSize"), spec.Size))
	}
}

// image takes in one reference, and the exact version that an instance got for it.
func (c *seenImages) image(r ImageRef, exact, os, location string) {
	kind, parts := r.parse()
	switch {
	case r == ImageRef{}: // an instance listed without its image
	case kind == platformImage:
		key := strings.ToLower(r.at("").urn())
		if c.platform[key] == nil {
			c.platform[key] = &Image{Publisher: r.Publisher, Offer: r.Offer, SKU: r.SKU, OS: os}
		}
		c.platform[key].know(r, exact)
	case kind == galleryImage || kind == sharedImage || kind == communityImage:
		c.galleryImage(kind, parts, os).know(r, exact, parts["version"])
	case kind == managedImage:
		if strings.EqualFold(parts["subscription"], c.subscription) {
			c.managed[strings.ToLower(r.ID)] = ManagedImage{Name: parts["image"], ResourceGroup: parts["group"], Location: location, OS: os}
		}
	}
}

// know adds the versions that a reference and its exact version tell.
func (i *Image) know(r ImageRef, exact string) {
	for _, v := range []string{r.Version, exact} {
		if _, known := i.version(v); v != "" && !strings.EqualFold(v, "latest") && !known {
			i.Versions = append(i.Versions, Version{Version: v})
		}
	}
}

func (i *GalleryImage) know(r ImageRef, exact, pinned string) {
	for _, v := range []string{pinned, exact} {
		if _, known := i.version(v); v != "" && !strings.EqualFold(v, "latest") && !known {
			i.Versions = append(i.Versions, GalleryVersion{Version: v})
		}
	}
}

// galleryImage is the image definition that a parsed id names, made when it is new.
func (c *seenImages) galleryImage(kind imageKind, parts map[string]string, os string) *GalleryImage {
	key := strings.ToLower(strconv.Itoa(int(kind)) + " " + parts["subscription"] + "/" + parts["group"] + "/" + parts["gallery"])
	g := c.galleries[key]
	if g == nil {
		g = &Gallery{Name: parts["gallery"], ResourceGroup: parts["group"], Subscription: parts["subscription"]}
		if kind != galleryImage { // nobody can tell whose it is
			g.Name, g.ResourceGroup, g.Subscription = "g"+guid("gallery", key)[:8], "rg-owner", guid("owner", key)
		}
		switch kind {
		case communityImage:
			g.Community = parts["gallery"]
		case sharedImage:
			g.Shared = parts["gallery"]
		}
		c.galleries[key] = g
	}
	n := slices.IndexFunc(g.Images, func(i GalleryImage) bool { return strings.EqualFold(i.Name, parts["image"]) })
	if n < 0 {
		n = len(g.Images)
		g.Images = append(g.Images, GalleryImage{Name: parts["image"], OS: os})
	}
	return &g.Images[n]
}

var coresInName = regexp.MustCompile(`^[A-Za-z]+_[A-Za-z]+(\d+)`)

// size takes in a size that is none of the usual ones. Its cores are those in its name.
func (c *seenImages) size(name string) {
	if _, known := (Fleet{}).size(name); known {
		return
	}
	cores := 2
	if m := coresInName.FindStringSubmatch(name); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil && n > 0 {
			cores = n
		}
	}
	c.sizes[strings.ToLower(name)] = Size{Name: name, Cores: cores}
}

// fill puts what was seen into a fleet, with a newer version of each image that has versions.
func (c *seenImages) fill(f *Fleet, im *importer) {
	for _, key := range sortedKeys(c.platform) {
		i := c.platform[key]
		for _, v := range newer(len(i.Versions) == 0, i.newestName()) {
			i.Versions = append(i.Versions, Version{Version: v})
			im.note("%s is invented, to have something newer to roll out: Azure does not know it", ImageRef{Publisher: i.Publisher, Offer: i.Offer, SKU: i.SKU, Version: v}.urn())
		}
		f.Images = append(f.Images, *i)
	}
	for _, key := range sortedKeys(c.galleries) {
		g := c.galleries[key]
		for n := range g.Images {
			i := &g.Images[n]
			for _, v := range newer(len(i.Versions) == 0, i.newestName()) {
				i.Versions = append(i.Versions, GalleryVersion{Version: v})
				im.note("version %s of image %s in gallery %s is invented, to have something newer to roll out: Azure does not know it", v, i.Name, cmp.Or(g.Community, g.Shared, g.Name))
			}
			for k := range i.Versions {
				i.Versions[k].TargetRegions = c.regions
			}
		}
		f.Galleries = append(f.Galleries, *g)
	}
	for _, key := range sortedKeys(c.managed) {
		f.ManagedImages = append(f.ManagedImages, c.managed[key])
	}
	for _, key := range sortedKeys(c.sizes) {
		f.Sizes = append(f.Sizes, c.sizes[key])
	}
}

// newestName sorts the versions, oldest first, and names the last one, if any.
func (i *Image) newestName() string {
	slices.SortFunc(i.Versions, func(a, b Version) int { return compareVersions(a.Version, b.Version) })
	if len(i.Versions) == 0 {
		return ""
	}
	return i.Versions[len(i.Versions)-1].Version
}

func (i *GalleryImage) newestName() string {
	slices.SortFunc(i.Versions, func(a, b GalleryVersion) int { return compareVersions(a.Version, b.Version) })
	if len(i.Versions) == 0 {
		return ""
	}
	return i.Versions[len(i.Versions)-1].Version
}

func compareVersions(a, b string) int {
	switch {
	case versionLess(a, b):
		return -1
	case versionLess(b, a):
		return 1
	}
	return 0
}

// newer are the versions to invent after the newest one: one, or two where none is known, so that
// instances have one to run and one to go to.
func newer(none bool, newest string) []string {
	if none {
		return []string{"1.0.0", "1.0.1"}
	}
	start := strings.LastIndexByte(newest, '.') + 1
	n, err := strconv.ParseUint(newest[start:], 10, 63)
	if err != nil {
		return []string{newest + ".1"}
	}
	return []string{newest[:start] + strconv.FormatUint(n+1, 10)}
}
