package commands

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/vmssbot/vmssbot/upgrade"
)

const (
	gallery   = compute + "/galleries/shared_gallery/images/web-base"
	community = "/CommunityGalleries/ContosoImages-0b1f/Images/Ubuntu2204"
	vhdOf     = "https://acct1.blob.core.windows.net/vhds/web-2016.vhd"
)

func upgrading(target string, which upgrade.Selection) Request {
	return Request{Verb: VerbUpgrade, Set: "s", Target: target, Which: which}
}

func ordering(o upgrade.Order) Request {
	return Request{Verb: VerbUpgrade, Set: "s", Target: "latest", Order: o}
}

func TestTargetsOfEveryKind(t *testing.T) {
	all := upgrade.Selection{}
	understood(t, []reading{
		{"a version of a gallery's image", "upgrade s " + gallery + "/versions/1.2.3", upgrading(gallery+"/versions/1.2.3", all)},
		{"a gallery's image, of which the latest is meant", "upgrade s " + gallery, upgrading(gallery, all)},
		{"a managed image", "upgrade s " + compute + "/images/web-2016", upgrading(compute+"/images/web-2016", all)},
		{"a community gallery's image", "upgrade s " + community + "/Versions/1.0.0", upgrading(community+"/Versions/1.0.0", all)},
		{"a gallery's image that was shared", "upgrade s /SharedGalleries/g-1/Images/web ud=0", upgrading("/SharedGalleries/g-1/Images/web", upgrade.Selection{UpdateDomains: []int{0}})},
		{"a resource group as other languages write it", "upgrade s " + strings.Replace(compute, "rg-images", "gröup_(1)", 1) + "/images/x", upgrading(strings.Replace(compute, "rg-images", "gröup_(1)", 1)+"/images/x", all)},
		{"a VHD's address", "upgrade s " + vhdOf, upgrading(vhdOf, all)},
		{"a VHD's address as Slack sends it", "upgrade s <" + vhdOf + ">", upgrading(vhdOf, all)},
		{"a VHD's address with what Slack showed of it", "upgrade s <" + vhdOf + "|" + vhdOf + ">", upgrading(vhdOf, all)},
		{"of a link the address that people saw", "upgrade s <https://evil.blob.core.windows.net/x/y.vhd|" + vhdOf + ">", upgrading(vhdOf, all)},
		{"another SKU, with a version", "upgrade s 16.04.202109280 sku=16.04-LTS", Request{Verb: VerbUpgrade, Set: "s", Target: "16.04.202109280", SKU: "16.04-LTS"}},
		{"what a resize would come to", "plan s to Standard_D4s_v5 ud=0", Request{Verb: VerbPlan, Set: "s", Size: "Standard_D4s_v5", Which: upgrade.Selection{UpdateDomains: []int{0}}}},
		{"the same without a word between", "plan s standard_d4s_v5", Request{Verb: VerbPlan, Set: "s", Size: "standard_d4s_v5"}},
		{"another SKU, and its newest version", "plan sku=22_04-lts-gen2 s Latest", Request{Verb: VerbPlan, Set: "s", Target: "latest", SKU: "22_04-lts-gen2"}},
		{"a VM size", "resize web to Standard_D4s_v5", Request{Verb: VerbResize, Set: "web", Size: "Standard_D4s_v5"}},
		{"a VM size, in fewer words and with options", "resize rg/web Standard_E96-24ads_v5 by=fd ud=0", Request{Verb: VerbResize, Set: "rg/web", Size: "Standard_E96-24ads_v5", Order: upgrade.Order{By: upgrade.ByFaultDomain}, Which: upgrade.Selection{UpdateDomains: []int{0}}}},
		{"a VM size of a set that is named like the word", "resize to To Standard_D4s_v5", Request{Verb: VerbResize, Set: "to", Size: "Standard_D4s_v5"}},
		{"the versions of a set's image", "images rg/web", Request{Verb: VerbImages, About: "rg/web"}},
		{"the versions of a rollout's set", "images r-4f2k9a", Request{Verb: VerbImages, About: "r-4f2k9a"}},
	})
	refused(t, []no{
		{"the id of something else", "upgrade s " + compute + "/virtualMachineScaleSets/web", "it takes the whole id of an image", "/vmss help upgrade"},
		{"an id that leads up", "upgrade s " + compute + "/images/..", "it takes the whole id of an image", "/vmss help upgrade"},
		{"an id without its slash, and puts it there", "upgrade s " + gallery[1:] + " ud=0", "Did you mean `/subscriptions/0b1f6471", "/vmss upgrade s " + gallery + " ud=0"},
		{"an address that is not encrypted, and says how", "upgrade s http" + vhdOf[5:], "Did you mean `https://acct1.blob", "/vmss upgrade s " + vhdOf},
		{"an address with a secret, and does not repeat it", "upgrade s <" + vhdOf + "?sv=1&amp;sig=SECRET> ud=0", "I do not know the target `" + vhdOf + "`. Did you mean `" + vhdOf + "`?", "/vmss upgrade s " + vhdOf + " ud=0"},
		{"an address on no storage account", "upgrade s <https://store/image.vhd>", "it takes the address of a VHD in a storage account", "/vmss help upgrade"},
		{"a link that shows another text than its address", "upgrade s <" + vhdOf + "|image>", "I do not know the target `image`", "/vmss help upgrade"},
		{"an image's name as other tools write it", "upgrade s Canonical:UbuntuServer:16.04-LTS:latest", "I do not know the target", "/vmss help upgrade"},
		{"an id before its set", "upgrade " + gallery + " web", "the scale set comes first, then the target", "/vmss upgrade web " + gallery},
		{"a SKU with an image's id", "upgrade s " + gallery + " sku=16.04-LTS", "`sku=` goes with a version or `latest`", "/vmss help upgrade"},
		{"a SKU with the model", "upgrade s model sku=16.04-LTS", "`sku=` goes with a version or `latest`", "/vmss help upgrade"},
		{"a SKU with a path in it", "upgrade s latest sku=../x", "it takes the SKU of a platform image", "/vmss help upgrade"},
		{"a SKU of a size", "resize s to Standard_D4s_v5 sku=16.04-LTS", "`sku=` does not go with `resize`", "/vmss help resize"},
		{"a size that is none", "resize s to big", "I do not know the VM size `big`: it takes a VM size such as Standard_D4s_v5", "/vmss help resize"},
		{"a size that is a number", "resize s 4", "I do not know the VM size `4`", "/vmss help resize"},
		{"a size before its set", "resize Standard_D4s_v5 web by=fd", "the scale set comes first, then the VM size", "/vmss resize web Standard_D4s_v5 by=fd"},
		{"no size", "resize web to", "`resize` needs a VM size after `web`, such as `Standard_D4s_v5`", "/vmss help resize"},
		{"resize of nothing", "resize", "`resize` needs a scale set and a VM size", "/vmss help resize"},
		{"images of nothing", "images", "`images` needs a scale set", "/vmss list"},
		{"images of a path", "images ../..", "is no scale set's name", "/vmss list"},
		{"images of more than a set", "images web all", "`images` does not know what to do with `all`", "/vmss images web"},
	})
}

func TestSelections(t *testing.T) {
	understood(t, []reading{
		{"fault domains", "upgrade s latest fd=2,0", upgrading("latest", upgrade.Selection{FaultDomains: []int{0, 2}})},
		{"zones, as names", "upgrade s latest zone=3,1", upgrading("latest", upgrade.Selection{Zones: []string{"1", "3"}})},
		{"a range of zones", "upgrade s latest —zone=1–3", upgrading("latest", upgrade.Selection{Zones: []string{"1", "2", "3"}})},
		{"instances, sorted as people count", "upgrade s latest vm=12,4-7,1", upgrading("latest", upgrade.Selection{Instances: []string{"1", "4", "5", "6", "7", "12"}})},
		{"names on a Flexible set", "upgrade s latest vm=web_1a2b3c,web_0", upgrading("latest", upgrade.Selection{Instances: []string{"web_0", "web_1a2b3c"}})},
		{"what is left out", "upgrade s latest skip=vm:9,3", upgrading("latest", upgrade.Selection{Skip: []string{"3", "9"}})},
		{"what is left out, in fewer words", "upgrade s latest skip=3,9", upgrading("latest", upgrade.Selection{Skip: []string{"3", "9"}})},
		{"what is left out, as a phone writes it", "upgrade s latest Skip=VM:3,9", upgrading("latest", upgrade.Selection{Skip: []string{"3", "9"}})},
		{"all of it together", "upgrade skip=vm:4 s zone=1 vm=0-5 latest fd=0 ud=1",
			upgrading("latest", upgrade.Selection{UpdateDomains: []int{1}, FaultDomains: []int{0}, Zones: []string{"1"}, Instances: []string{"0", "1", "2", "3", "4", "5"}, Skip: []string{"4"}})},
		{"as many as a set can have", "upgrade s latest vm=0-999", upgrading("latest", upgrade.Selection{Instances: numbers(upTo(1000))})},
		{"a set may be named like a selection", "upgrade zone latest", Request{Verb: VerbUpgrade, Set: "zone", Target: "latest"}},
	})
	refused(t, []no{
		{"all instances in a word", "upgrade s latest vm=all", "never all", "/vmss help upgrade"},
		{"more than any set has", "upgrade s latest vm=0-1000", "that is more than 1000 instances", "/vmss help upgrade"},
		{"a range beyond counting", "upgrade s latest skip=0-999999999", "that is more than 1000 instances", "/vmss help upgrade"},
		{"an instance with a path in it", "upgrade s latest vm=3/../4", "it takes instances by their ids", "/vmss help upgrade"},
		{"an instance named twice", "upgrade s latest vm=3,1-4", "an instance is named twice. Did you mean `vm=1-4`?", "/vmss upgrade s latest vm=1-4"},
		{"an instance left out twice", "upgrade s latest skip=3,9,3", "Did you mean `skip=vm:3,9`?", "/vmss upgrade s latest skip=vm:3,9"},
		{"a range to leave out that goes backwards", "upgrade s latest skip=vm:9-3", "Did you mean `skip=vm:3-9`?", "/vmss upgrade s latest skip=vm:3-9"},
		{"domains to leave out", "upgrade s latest skip=ud:0", "it leaves out instances", "/vmss help upgrade"},
		{"nothing to leave out", "upgrade s latest skip=vm:", "it leaves out instances", "/vmss help upgrade"},
		{"a zone by another name", "upgrade s latest zone=westeurope-1", "it takes availability zones", "/vmss help upgrade"},
		{"a fault domain beyond any set's", "upgrade s latest fd=100", "it takes fault domains", "/vmss help upgrade"},
		{"a zone named twice", "upgrade s latest zone=1,2,1", "a zone is named twice. Did you mean `zone=1,2`?", "/vmss upgrade s latest zone=1,2"},
		{"a key that could be two, and takes neither", "upgrade s latest d=0", "I do not know `d=0`: the options are", "/vmss help upgrade"},
		{"a selection whose value stands apart", "upgrade s latest zone 3", "`zone` and its value are one word", "/vmss upgrade s latest zone=3"},
		{"what is left out, apart from its key", "upgrade s latest skip vm:3,9", "`skip` and its value are one word", "/vmss upgrade s latest skip=vm:3,9"},
		{"a value apart in the command for a set that is named like its key", "upgrade canary latest ud 0", "`ud` and its value are one word", "/vmss upgrade canary latest ud=0"},
		{"more than one command holds", "upgrade s latest vm=" + manyNames(64) + " note='" + strings.Repeat("\"", maxSaid) + "'", "name fewer instances", "/vmss help upgrade"},
	})
}

// manyNames are the names of so many instances, of the length Azure gives them.
func manyNames(n int) string {
	var out []string
	for i := range n {
		out = append(out, "web-prod-blue_"+numbers([]int{10_000_000 + i})[0])
	}
	return strings.Join(out, ",")
}

// One slip in a word that chooses instances never comes to a command that says less than was said,
// neither at once nor with the correction.
func TestASlipNeverDropsAChoice(t *testing.T) {
	const seed, rounds = 11, 60_000
	said := func(r Request) (n int) {
		for _, key := range whichKeys {
			if r.chose(key) {
				n++
			}
		}
		return n
	}
	refusals := 0
	for i := range uint64(rounds) {
		r := rand.New(rand.NewPCG(seed, i))
		req := upgrading("latest", randomSelection(r))
		words := strings.Fields(Format(req))
		if len(words) < 4 {
			continue
		}
		at := 3 + r.IntN(len(words)-3)
		w := words[at]
		cut := r.IntN(len(w))
		words[at] = w[:cut] + pick(r, "", " ", "x", "0", "-", "=", ":", ",", "\"", "—", "v", "d") + w[cut+r.IntN(2):]
		text := strings.Join(words, " ")
		got, no := Parse(text)
		switch {
		case no == nil && said(got) != said(req):
			t.Fatalf("round %d: %q chooses by %d keys, meant were %d: %s", i, text, said(got), said(req), Format(got))
		case no == nil:
			continue
		}
		refusals++
		if next := parsed(t, no.Next); next.Verb.plans() && said(next) != said(req) {
			t.Fatalf("round %d: %q is corrected to %q", i, text, no.Next)
		}
		if lacks := got.Verb.plans() && said(got) < said(req); lacks && len(got.Unclear) == 0 {
			t.Fatalf("round %d: of %q the form knows %q, and lets it be all", i, text, Format(got))
		}
	}
	if refusals < rounds/10 {
		t.Errorf("only %d slips in %d rounds are refused", refusals, rounds)
	}
}

func TestOrders(t *testing.T) {
	understood(t, []reading{
		{"by fault domain", "upgrade s latest by=FD", ordering(upgrade.Order{By: upgrade.ByFaultDomain})},
		{"by what the set suggests anyway, said once more", "upgrade s latest by=ud", ordering(upgrade.Order{By: upgrade.ByUpdateDomain})},
		{"by zone, a canary first", "upgrade by=zone canary=1 s latest", ordering(upgrade.Order{By: upgrade.ByZone, Canary: 1})},
		{"by batches of a size", "upgrade s latest by=batch batch=2", ordering(upgrade.Order{By: upgrade.ByBatch, Batch: upgrade.Limit{N: 2}})},
		{"a part of the set at a time", "upgrade s latest batch=20%", ordering(upgrade.Order{Batch: upgrade.Limit{Percent: 20}})},
		{"a failure that ends the rollout", "upgrade s latest on-failure=abort", Request{Verb: VerbUpgrade, Set: "s", Target: "latest", Options: Options{OnFailure: upgrade.AbortOnFailure}}},
		{"a failure that takes it back", "upgrade s latest on-failure=Rollback", Request{Verb: VerbUpgrade, Set: "s", Target: "latest", Options: Options{OnFailure: upgrade.RollbackOnFailure}}},
	})
	refused(t, []no{
		{"an order with a slip", "upgrade s latest by=zones", "Did you mean `by=zone`?", "/vmss upgrade s latest by=zone"},
		{"an order that could be two", "upgrade s latest by=d", "it takes `ud`, `fd`, `zone` or `batch`", "/vmss help upgrade"},
		{"an order of nobody's", "upgrade s latest by=name", "it takes `ud`, `fd`, `zone` or `batch`", "/vmss help upgrade"},
		{"a batch of nothing", "upgrade s latest batch=0", "leave it out for as many as the limits let go", "/vmss help upgrade"},
		{"a batch of no part", "upgrade s latest batch=0%", "it takes a number of instances or a percentage", "/vmss help upgrade"},
		{"a batch of more than all", "upgrade s latest batch=101%", "it takes a number of instances or a percentage", "/vmss help upgrade"},
		{"a batch with a sign", "upgrade s latest batch=+2", "it takes a number of instances or a percentage", "/vmss help upgrade"},
		{"no canary", "upgrade s latest canary=0", "leave it out for none", "/vmss help upgrade"},
		{"a part of the set as canaries", "upgrade s latest canary=10%", "it takes the number of instances that go first", "/vmss help upgrade"},
		{"a canary by name", "upgrade s latest canary=web_1", "it takes the number of instances that go first", "/vmss help upgrade"},
		{"an end with a slip", "upgrade s latest on-failure=rolback", "Did you mean `on-failure=rollback`?", "/vmss upgrade s latest on-failure=rollback"},
	})
}
