package commands

import (
	"context"

	"github.com/vmssbot/vmssbot/upgrade"
)

func images(ctx context.Context, t turn) (Reply, error) {
	name, err := t.set(ctx)
	if err != nil {
		return Reply{}, err
	}
	sight, err := t.look(ctx, upgrade.QueryVersions, name)
	if err != nil {
		return Reply{}, err
	}
	return Reply{Images: imagesOf(*sight.Set, sight.Versions)}, nil
}

// maxVersions keeps a reply within what a message holds.
const maxVersions = 40

func imagesOf(s upgrade.ScaleSet, versions []upgrade.ImageVersion) *Images {
	current := s.Model.Image
	out := &Images{Current: current, Running: map[string]int{}, Set: upgrade.SetSummary{
		ID: s.ID, Name: s.Name, ResourceGroup: s.ResourceGroup, Location: s.Location, Mode: s.Mode, UpgradeMode: s.UpgradeMode,
		Image: current, Capacity: s.Capacity, Provisioning: s.Provisioning}}
	for _, i := range s.Instances {
		if version := i.Image.Running(); version != "" && i.Image.Family() == current.Family() {
			out.Running[version]++
		} else {
			out.Others++
		}
	}
	for n, v := range versions {
		if n < maxVersions || v.Image.Same(current) || out.Running[v.Image.Running()] > 0 {
			out.Versions = append(out.Versions, v)
		} else {
			out.Older++
		}
	}
	return out
}
