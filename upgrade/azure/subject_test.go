package azure

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The id of an image leads to what it names, in any subscription, and to nothing beside it.
func TestImagesAreReadWhereTheirIDLeadsAndNowhereElse(t *testing.T) {
	const elsewhere = "/subscriptions/2b1f6f0a-93a1-4c55-8f37-0d5c1b7e4a10/resourceGroups/rg-images/providers/Microsoft.Compute"
	const gallery = elsewhere + "/galleries/corp/images/web/versions"
	rows := []struct {
		name, method, about, path string
		leaves                    bool
	}{
		{"the versions asked for", "GET", gallery, gallery, true},
		{"the same in another case", "GET", gallery, strings.ToLower(gallery), true},
		{"the version asked for", "GET", gallery + "/1.0.0", gallery + "/1.0.0", true},
		{"the managed images asked for", "GET", elsewhere + "/images", elsewhere + "/images", true},
		{"the managed image asked for", "GET", elsewhere + "/images/web", elsewhere + "/images/web", true},
		{"nothing was asked for", "GET", "", gallery, false},
		{"another version", "GET", gallery + "/1.0.0", gallery + "/1.0.1", false},
		{"all versions where one was asked for", "GET", gallery + "/1.0.0", gallery, false},
		{"another image", "GET", gallery, strings.Replace(gallery, "/web/", "/db/", 1), false},
		{"another gallery", "GET", gallery, strings.Replace(gallery, "corp", "others", 1), false},
		{"another group", "GET", gallery, strings.Replace(gallery, "rg-images", "rg-secret", 1), false},
		{"another subscription", "GET", gallery, strings.Replace(gallery, "2b1f6f0a", "3b1f6f0a", 1), false},
		{"another managed image", "GET", elsewhere + "/images/web", elsewhere + "/images/db", false},
		{"the gallery itself", "GET", gallery, elsewhere + "/galleries/corp", false},
		{"a set where an image was asked for", "GET", setPath, setPath, false},
		{"another list where an image was asked for", "GET", gallery, "/subscriptions/" + testSub + setsType, false},
		{"a set in the image's group", "GET", elsewhere + "/virtualMachineScaleSets/web", elsewhere + "/virtualMachineScaleSets/web", false},
		{"machines in the image's group", "GET", elsewhere + "/virtualMachines", elsewhere + "/virtualMachines", false},
		{"a deletion of the version", "DELETE", gallery + "/1.0.0", gallery + "/1.0.0", false},
		{"a change of the version", "PATCH", gallery + "/1.0.0", gallery + "/1.0.0", false},
		{"a write to it", "PUT", elsewhere + "/images/web", elsewhere + "/images/web", false},
		{"dots", "GET", elsewhere + "/images/..", elsewhere + "/images/..", false},
	}
	for _, row := range rows {
		f := &flight{since: time.Now(), image: row.about, write: row.method != "GET"}
		ctx, cancel := f.begin(context.Background())
		req, err := http.NewRequestWithContext(ctx, row.method, armHost+row.path+"?api-version=1", nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = testGuard().Do(req)
		if cancel(); (err == nil) != row.leaves {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

// Without configured groups every group is ours, and still a set's machines are looked for in its own.
func TestWhatIsReadForASetIsReadInItsGroup(t *testing.T) {
	g := testGuard()
	g.groups = nil
	for _, path := range []string{machines(setPath), inGroup + "Microsoft.Insights/autoscaleSettings?api-version=1"} {
		if err := pass(t, g, request{method: "GET", url: path}); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if err := pass(t, g, request{method: "GET", url: strings.Replace(path, "/"+testGroup+"/", "/rg-shop/", 1)}); err == nil {
			t.Errorf("%s left in another group", path)
		}
	}
}
