package azuresim

// ephemeral tells whether the OS disk of i lies on its host.
func (i *instance) ephemeral() bool {
	return text(i.profile, "storageProfile", "osDisk", "diffDiskSettings", "option") == "Local"
}

// reimaging is what a reimage call does: with forceUpdateOSDiskForEphemeral it brings an ephemeral
// disk to the image of the model, which it leaves alone otherwise (azure-cli#28670, #29085).
func reimaging(body document) work {
	if flag(body, "forceUpdateOSDiskForEphemeral") {
		return (*world).reimageForced
	}
	return (*world).reimage
}

// reimageOf makes the handler of a reimage of several instances.
func reimageOf(kind string) func(*world, *call, *scaleSet) *reply {
	return func(w *world, c *call, s *scaleSet) *reply { return setAction(kind, orAll, reimaging(c.doc))(w, c, s) }
}

// reimageOne is a reimage of one instance.
func reimageOne(w *world, c *call, i *instance) *reply {
	return vmAction("reimage", reimaging(c.doc))(w, c, i)
}

// reimageForced gives an ephemeral instance a disk from the image of the model as it is now. Nothing
// but the image changes: an instance with other changes pending still is not the latest (assumed).
// For other disks the flag means nothing.
func (w *world) reimageForced(i *instance, op *operation) bool {
	if !i.ephemeral() {
		return w.reimage(i, op)
	}
	w.hide(i)
	w.setProv(i, "updating", "")
	image := i.set.image()
	exact, ok := w.opt.Fleet.resolve(image, i.set.location)
	if !ok {
		image, exact = profileImage(i.profile), i.exact
	}
	w.live(i, op.kind, w.replaceDisk(i, op, step{partDiskSwapped, func() {
		i.profile, i.exact = withImage(i.profile, image), exact
		i.applied = fingerprint(i.size, i.profile)
		i.disk++
	}})...)
	return true
}
