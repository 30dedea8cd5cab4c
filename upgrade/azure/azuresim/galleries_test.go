package azuresim

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
)

const (
	hardened  = "/subscriptions/" + testSub + "/resourceGroups/rg-images/providers/Microsoft.Compute/galleries/corpimages/images/ubuntu-hardened"
	edgeImage = "/CommunityGalleries/edgenode-6a0d7f52-31c4-4a8e-9d0c-7b2c9b1d5e77/Images/edge-node"
	partner   = "2b1f6f0a-93a1-4c55-8f37-0d5c1b7e4a10-PARTNER"
	payGroup  = "/subscriptions/" + testSub + "/resourceGroups/rg-pay/providers/Microsoft.Compute/virtualMachineScaleSets/"
	edgeGroup = "/subscriptions/" + testSub + "/resourceGroups/rg-edge/providers/Microsoft.Compute/virtualMachineScaleSets/"
)

// allOf reads every page of a pager of the SDK.
func allOf[P, T any](t *testing.T, pager *runtime.Pager[P], items func(P) []T) []T {
	t.Helper()
	var out []T
	for pager.More() {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, items(page)...)
	}
	return out
}

func TestTheGoSDKReadsGalleries(t *testing.T) {
	inBubble(t, Options{PageSize: 2}, func(t *testing.T, b *bench) {
		f := factory(t, "http://arm.local", b.web)
		galleries := allOf(t, f.NewGalleriesClient().NewListByResourceGroupPager("RG-Images", nil), func(p armcompute.GalleriesClientListByResourceGroupResponse) []*armcompute.Gallery { return p.Value })
		if len(galleries) != 1 || *galleries[0].Name != "corpimages" || *galleries[0].ID != strings.TrimSuffix(hardened, "/images/ubuntu-hardened") {
			t.Fatalf("%d galleries", len(galleries))
		}
		if n := len(allOf(t, f.NewGalleriesClient().NewListPager(nil), func(p armcompute.GalleriesClientListResponse) []*armcompute.Gallery { return p.Value })); n != 1 {
			t.Errorf("%d galleries of the subscription, those of other owners are theirs", n)
		}
		images := allOf(t, f.NewGalleryImagesClient().NewListByGalleryPager("rg-images", "corpimages", nil), func(p armcompute.GalleryImagesClientListByGalleryResponse) []*armcompute.GalleryImage { return p.Value })
		if len(images) != 2 || *images[1].Name != "ubuntu-hardened" || *images[1].Properties.OSType != armcompute.OperatingSystemTypesLinux || *images[1].Properties.Identifier.SKU != "22.04-hardened" {
			t.Errorf("images %+v", images)
		}
		var got []string
		for _, v := range allOf(t, f.NewGalleryImageVersionsClient().NewListByGalleryImagePager("rg-images", "corpimages", "ubuntu-hardened", nil), func(p armcompute.GalleryImageVersionsClientListByGalleryImageResponse) []*armcompute.GalleryImageVersion {
			return p.Value
		}) {
			got = append(got, describe(v))
		}
		want := []string{
			"1.0.0 Succeeded 2023-08-01 ends 2024-08-01 [West Europe North Europe]", "1.1.0 Succeeded 2023-11-06 [West Europe North Europe]",
			"1.2.0 Succeeded 2024-01-22 [West Europe North Europe]", "1.3.0 Succeeded 2024-02-19 excluded [West Europe]", "1.4.0 Succeeded 2024-03-04 [North Europe]",
		}
		if !slices.Equal(got, want) {
			t.Errorf("versions\n%s", strings.Join(got, "\n"))
		}
	})
}

func describe(v *armcompute.GalleryImageVersion) string {
	p := v.Properties.PublishingProfile
	words := fmt.Sprintf("%s %s %s", *v.Name, *v.Properties.ProvisioningState, p.PublishedDate.Format(time.DateOnly))
	if p.EndOfLifeDate != nil {
		words += " ends " + p.EndOfLifeDate.Format(time.DateOnly)
	}
	if *p.ExcludeFromLatest {
		words += " excluded"
	}
	var regions []string
	for _, r := range p.TargetRegions {
		regions = append(regions, *r.Name)
	}
	return fmt.Sprint(words, " ", regions)
}

func TestTheGoSDKReadsReplicationOnlyWhenItAsks(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		versions := factory(t, "http://arm.local", b.web).NewGalleryImageVersionsClient()
		get := func(image, version string, expand *armcompute.ReplicationStatusTypes) armcompute.GalleryImageVersionsClientGetResponse {
			got, err := versions.Get(t.Context(), "rg-images", "corpimages", image, version, &armcompute.GalleryImageVersionsClientGetOptions{Expand: expand})
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		if get("ubuntu-hardened", "1.2.0", nil).Properties.ReplicationStatus != nil {
			t.Error("replication status unasked")
		}
		whole := get("ubuntu-hardened", "1.2.0", to.Ptr(armcompute.ReplicationStatusTypesReplicationStatus)).Properties.ReplicationStatus
		if *whole.AggregatedState != armcompute.AggregatedReplicationStateCompleted || len(whole.Summary) != 2 || *whole.Summary[1].Region != "North Europe" ||
			*whole.Summary[1].State != armcompute.ReplicationStateCompleted || *whole.Summary[1].Progress != 100 {
			t.Errorf("status %+v", whole)
		}
		if failed := get("ubuntu-gpu", "1.0.0", to.Ptr(armcompute.ReplicationStatusTypesReplicationStatus)).Properties; *failed.ProvisioningState != armcompute.GalleryProvisioningStateFailed ||
			*failed.ReplicationStatus.AggregatedState != armcompute.AggregatedReplicationStateFailed {
			t.Errorf("failed version %+v", failed)
		}
		_, err := versions.Get(t.Context(), "rg-images", "corpimages", "ubuntu-hardened", "9.9.9", nil)
		var e *azcore.ResponseError
		if !errors.As(err, &e) || e.StatusCode != http.StatusNotFound || e.ErrorCode != "ResourceNotFound" {
			t.Errorf("an unknown version: %v", err)
		}
	})
}

// A community gallery shows in each region what is replicated there; so does a shared one.
func TestTheGoSDKReadsOtherPeoplesGalleries(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		f := factory(t, "http://arm.local", b.web)
		community, public := f.NewCommunityGalleryImageVersionsClient(), strings.Split(edgeImage, "/")[2]
		count := func(location string) int {
			return len(allOf(t, community.NewListPager(location, public, "edge-node", nil), func(p armcompute.CommunityGalleryImageVersionsClientListResponse) []*armcompute.CommunityGalleryImageVersion {
				return p.Value
			}))
		}
		if here, there := count("westeurope"), count("japaneast"); here != 2 || there != 0 {
			t.Errorf("%d versions here, %d where nothing is replicated", here, there)
		}
		v, err := community.Get(t.Context(), "westeurope", public, "edge-node", "3.5.1", nil)
		if err != nil || *v.Identifier.UniqueID != edgeImage+"/Versions/3.5.1" || *v.Properties.ExcludeFromLatest || v.Properties.PublishedDate.IsZero() {
			t.Errorf("%v %+v", err, v.Properties)
		}
		shared, err := f.NewSharedGalleryImageVersionsClient().Get(t.Context(), "westeurope", partner, "scanner", "7.0.3", nil)
		if err != nil || *shared.Identifier.UniqueID != "/SharedGalleries/"+partner+"/Images/scanner/Versions/7.0.3" {
			t.Errorf("%v %+v", err, shared.Identifier)
		}
		for what, err := range map[string]error{
			"elsewhere": second(f.NewSharedGalleryImageVersionsClient().Get(t.Context(), "northeurope", partner, "scanner", "7.0.3", nil)),
			"unknown":   second(community.Get(t.Context(), "westeurope", public, "edge-node", "1.0.0", nil)),
			"no image":  second(f.NewCommunityGalleryImagesClient().Get(t.Context(), "westeurope", public, "other", nil)),
			"nobody's":  second(f.NewCommunityGalleriesClient().Get(t.Context(), "westeurope", "nobody", nil)),
		} {
			var e *azcore.ResponseError
			if !errors.As(err, &e) || e.StatusCode != http.StatusNotFound {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestTheGoSDKReadsManagedImages(t *testing.T) {
	inBubble(t, Options{PageSize: 1}, func(t *testing.T, b *bench) {
		images := factory(t, "http://arm.local", b.web).NewImagesClient()
		one, err := images.Get(t.Context(), "rg-images", "legacy-2023-10", nil)
		if err != nil || *one.Location != "westeurope" || *one.Properties.ProvisioningState != "Succeeded" || *one.Properties.StorageProfile.OSDisk.OSType != armcompute.OperatingSystemTypesLinux {
			t.Errorf("%v %+v", err, one.Properties)
		}
		all := allOf(t, images.NewListPager(nil), func(p armcompute.ImagesClientListResponse) []*armcompute.Image { return p.Value })
		group := allOf(t, images.NewListByResourceGroupPager("rg-images", nil), func(p armcompute.ImagesClientListByResourceGroupResponse) []*armcompute.Image { return p.Value })
		if len(all) != 2 || len(group) != 2 || *all[1].Name != "legacy-2024-02" {
			t.Errorf("%d images, %d in the group", len(all), len(group))
		}
		_, err = images.Get(t.Context(), "rg-images", "nope", nil)
		var e *azcore.ResponseError
		if !errors.As(err, &e) || e.StatusCode != http.StatusNotFound {
			t.Errorf("an unknown image: %v", err)
		}
	})
}

// Only galleries of another subscription are to be seen, and only by their own path.
func TestAnotherSubscriptionShowsItsGalleryOnly(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		theirs := "/subscriptions/2b1f6f0a-93a1-4c55-8f37-0d5c1b7e4a10/resourceGroups/rg-publish/providers/Microsoft.Compute/"
		b.get(theirs + "galleries/edgenode/images/edge-node/versions/3.5.1")
		b.do("GET", theirs+"galleries/corpimages"+testVer, "").refused(404, "ResourceNotFound")
		b.do("GET", theirs+"virtualMachineScaleSets"+testVer, "").refused(404, "SubscriptionNotFound")
		b.do("GET", strings.Replace(hardened, testSub, "2b1f6f0a-93a1-4c55-8f37-0d5c1b7e4a10", 1)+testVer, "").refused(404, "ResourceNotFound")
	})
}
