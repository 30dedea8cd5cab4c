package azuresim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// build makes the set of a fleet entry, as if it had been created long ago.
func (w *world) build(spec Set) error {
	spec.subscription = w.opt.Fleet.Subscription
	doc, err := spec.arm()
	if err != nil {
		return err
	}
	s := &scaleSet{
		spec: spec, sub: w.opt.Fleet.Subscription, name: spec.Name, location: spec.Location,
		group:   w.addGroup(spec.ResourceGroup, spec.Location),
		created: w.clock.Add(-240 * time.Hour), etag: 1, prov: "Succeeded",
	}
	s.setDoc(doc)
	w.sets[s.key()] = s
	if spec.document != nil {
		s.settle(spec.document)
	}
	if len(spec.instances) > 0 {
		w.populate(s, spec.instances)
		return nil
	}
	for range spec.Capacity {
		i := w.newInstance(s, s.created)
		i.prov, i.power = status{"succeeded", "", s.created}, status{"running", "", s.created}
		i.reported = s.created
		w.setHealth(i, "healthy", s.created)
	}
	for _, id := range spec.Protected {
		s.numbered(id).own = document{"properties": document{"protectionPolicy": document{
			"protectFromScaleIn": false, "protectFromScaleSetActions": true}}}
	}
	for _, id := range sortedKeys(spec.Exceptions) {
		w.except(s.numbered(id), spec.Exceptions[id])
	}
	return nil
}

// numbered is the instance a fleet means by a number: the one that was made so many before it.
func (s *scaleSet) numbered(n string) *instance {
	i, _ := strconv.Atoi(n) // checked with the fleet
	return s.instances[i]
}

// except makes one instance differ as the fleet says.
func (w *world) except(i *instance, e Exception) {
	s, since := i.set, i.set.created
	if e.Version != "" {
		i.exact = e.Version
		if ref := s.image(); !ref.floating() {
			i.profile = withImage(i.profile, ref.at(e.Version))
			i.applied = fingerprint(i.size, i.profile)
		}
	}
	if e.Power != "" && e.Power != "running" {
		i.power = status{e.Power, "", since}
		w.setHealth(i, "unknown", since)
	}
	if e.Health != "" {
		w.setHealth(i, e.Health, since)
	}
	if e.Failed != "" {
		err := failure(e.Failed, "", i)
		i.prov, i.applied = status{"failed/" + err.Code, err.Message, since}, ""
		s.prov = "Failed"
	}
}

// newInstance adds an instance made from the present model. It is not up yet.
func (w *world) newInstance(s *scaleSet, when time.Time) *instance {
	n := s.next
	s.next++
	i := &instance{set: s, id: s.newID(n), created: when, etag: 1, disk: 1}
	i.vmID = guid("vm", s.key(), n)
	i.profile, i.size, i.applied = s.profile(), text(s.doc, "sku", "name"), s.fingerprint()
	i.exact, _ = w.opt.Fleet.resolve(s.image(), s.location)
	i.place(n)
	s.instances = append(s.instances, i)
	s.setCapacity()
	return i
}

// place gives instance n its zone, placement group and domains: zones take turns, and inside a group
// update domain first, then fault domain. Fault and update domains thus cross (0, 5 and 10 are UD 0
// on FD 0, 1 and 2), as on real racks. Instances of Flexible sets are in zones only.
func (i *instance) place(n int) {
	s := i.set
	if zones := s.zones(); len(zones) > 0 {
		i.zone = zones[n%len(zones)]
	}
	if s.flexible() {
		i.ud, i.fd = noDomain, noDomain
		return
	}
	group, local := s.slot(n)
	i.group = guid("placement group", s.key(), group)
	if len(s.groups) > 0 {
		i.group = s.groups[group%len(s.groups)]
	}
	i.ud = local % cmp.Or(s.spec.UpdateDomains, 5)
	i.fd = local / cmp.Or(s.spec.UpdateDomains, 5) % s.faultDomains()
}

// slot is the placement group of instance n and its place there. Groups take turns: as many as the
// fleet says, or one for each zone. A set made by PUT without zones fills one after another, with
// the 100 instances that a group holds at most.
func (s *scaleSet) slot(n int) (group, local int) {
	groups := cmp.Or(s.spec.PlacementGroups, len(s.zones()))
	switch {
	case groups > 0:
		return n % groups, n / groups
	case flag(s.doc, "properties", "singlePlacementGroup"):
		return 0, n
	}
	return n / 100, n % 100
}

func (s *scaleSet) faultDomains() int {
	n, _ := number(s.doc, "properties", "platformFaultDomainCount")
	return cmp.Or(max(n, 0), 1)
}

// arm is the ARM document of a fleet entry.
func (s Set) arm() (document, error) {
	if s.document != nil {
		return clean(s.document), nil
	}
	doc := document{
		"sku":        document{"name": s.Size, "tier": "Standard", "capacity": json.Number(strconv.Itoa(s.Capacity))},
		"properties": s.properties(),
	}
	if len(s.Tags) > 0 {
		tags := document{}
		for k, v := range s.Tags {
			tags[k] = v
		}
		doc["tags"] = tags
	}
	if len(s.Zones) > 0 {
		doc["zones"] = anySlice(s.Zones)
	}
	if len(s.Extra) == 0 {
		return doc, nil
	}
	extra, err := decodeDocument(s.Extra)
	if err != nil {
		return nil, fmt.Errorf("extra: %w", err)
	}
	return merge(doc, extra), nil
}

func (s Set) properties() document {
	if s.flexible() {
		return s.flexibleProperties()
	}
	return document{
		"singlePlacementGroup":                   s.PlacementGroups == 1,
		"orchestrationMode":                      "Uniform",
		"upgradePolicy":                          s.upgradePolicy(),
		"virtualMachineProfile":                  s.profile(),
		"overprovision":                          false,
		"doNotRunExtensionsOnOverprovisionedVMs": false,
		"platformFaultDomainCount":               json.Number(strconv.Itoa(s.FaultDomains)),
		"zoneBalance":                            false,
	}
}

func (s Set) upgradePolicy() document {
	policy := document{
		"mode":                     s.UpgradeMode,
		"automaticOSUpgradePolicy": document{"enableAutomaticOSUpgrade": false, "disableAutomaticRollback": false},
	}
	if s.UpgradeMode == "Rolling" {
		policy["rollingUpgradePolicy"] = document{
			"maxBatchInstancePercent": json.Number("20"), "maxUnhealthyInstancePercent": json.Number("20"),
			"maxUnhealthyUpgradedInstancePercent": json.Number("20"), "pauseTimeBetweenBatches": "PT0S",
		}
	}
	return policy
}

func (s Set) profile() document {
	network := document{"networkInterfaceConfigurations": []any{s.nic()}}
	profile := document{
		"osProfile": document{
			"computerNamePrefix": s.prefix(), "adminUsername": "azureuser",
			"linuxConfiguration": document{"disablePasswordAuthentication": true, "provisionVMAgent": true},
			"secrets":            []any{}, "allowExtensionOperations": true, "requireGuestProvisionSignal": true,
		},
		"storageProfile": s.storage(),
		"networkProfile": network,
	}
	if s.flexible() {
		network["networkApiVersion"] = "2020-11-01"
		profile = with(profile, "Delete", "storageProfile", "osDisk", "deleteOption")
	}
	if s.spot() {
		profile["priority"], profile["evictionPolicy"] = "Spot", s.EvictionPolicy
		profile["billingProfile"] = document{"maxPrice": json.Number("-1")}
	}
	switch s.Health {
	case "probe":
		network["healthProbe"] = document{"id": s.network("loadBalancers", s.Name+"-lb/probes/health")}
	case "extension":
		profile["extensionProfile"] = document{"extensions": []any{document{
			"name": "HealthExtension",
			"properties": document{
				"publisher": "Microsoft.ManagedServices", "type": "ApplicationHealthLinux", "typeHandlerVersion": "2.0",
				"autoUpgradeMinorVersion": true,
				"settings":                document{"protocol": "http", "port": json.Number("8080"), "requestPath": "/health"},
			},
		}}}
	}
	return profile
}

func (s Set) storage() document {
	disk := document{"osType": "Linux", "createOption": "FromImage", "caching": "ReadWrite", "diskSizeGB": json.Number("30")}
	switch {
	case s.Image.VHD != "":
		disk["name"], disk["image"] = s.Name+"-os", document{"uri": s.Image.VHD}
		disk["vhdContainers"] = []any{s.Image.VHD[:strings.LastIndexByte(s.Image.VHD, '/')] + "/" + s.Name}
		return document{"osDisk": disk}
	case s.Ephemeral:
		disk["caching"], disk["diffDiskSettings"] = "ReadOnly", document{"option": "Local", "placement": "CacheDisk"}
		disk["managedDisk"] = document{"storageAccountType": "Standard_LRS"}
	default:
		disk["managedDisk"] = document{"storageAccountType": "Premium_LRS"}
	}
	return document{"osDisk": disk, "imageReference": s.Image.document(), "diskControllerType": "SCSI"}
}

func (s Set) nic() document {
	subnet := document{"id": s.network("virtualNetworks", s.ResourceGroup+"-vnet/subnets/default")}
	return document{"name": s.prefix() + "Nic", "properties": document{
		"primary": true, "enableAcceleratedNetworking": true, "disableTcpStateTracking": false,
		"dnsSettings": document{"dnsServers": []any{}}, "enableIPForwarding": false,
		"ipConfigurations": []any{document{"name": s.prefix() + "IPConfig", "properties": document{
			"primary": true, "subnet": subnet, "privateIPAddressVersion": "IPv4",
		}}},
	}}
}

// network is the id of a resource of Microsoft.Network beside the set. It only has to look right:
// this world has no networks.
func (s Set) network(kind, name string) string {
	return "/subscriptions/" + s.subscription + "/resourceGroups/" + s.ResourceGroup + "/providers/Microsoft.Network/" + kind + "/" + name
}

// prefix is the computer name prefix: at most nine letters and digits.
func (s Set) prefix() string {
	letters := slices.DeleteFunc([]rune(strings.ToLower(s.Name)), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	return string(letters[:min(len(letters), 9)])
}

func anySlice(list []string) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}
