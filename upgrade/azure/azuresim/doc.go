// Package azuresim is a local Azure: one subscription with virtual machine scale sets, behind the
// ARM HTTP API. A client that is pointed at it (an Azure SDK of any language, curl) works as it
// does with Azure, and sees what it would see there: documents kept word for word, etags, paging,
// long-running operations, instances that stop, change their disk, start and get healthy again,
// refusals in Azure's words. It can also misbehave on demand.
//
// # Nouns
//
//   - A Fleet is what exists at the start: images, sizes, scale sets, exceptions. It is read from JSON
//     (LoadFleet); fleet.json is the default one.
//   - A Sim is that fleet, alive: an http.Handler. Its world is a pure function of the fleet, the
//     calls made and the clock. Nothing runs in the background: each call first lets everything
//     happen that was due. Chance is a hash of names and counters, so the same calls at the same
//     times give the same world, in real time and in a synctest bubble.
//   - A Write is the record of one call that could have changed something; Writes is what an outside
//     observer judges a client by.
//   - A Fault is one piece of trouble, on the wire or in the world; GET /_control/faults lists the kinds.
//   - A bucket holds the calls that a throttling policy still allows. The figures are the published
//     ones, and the headers always tell; only with Throttle does an empty one refuse.
//   - State is the whole truth, whatever a fault lets ARM show, and what each bucket holds and saw.
//
// Tests use it in process, the demo serves it on a port. It imports nothing of this module and no
// Azure SDK, so that it shares no assumption with the client under test. It never listens by itself,
// never asks anybody for tokens and never goes out.
//
// # Surface
//
// Subscriptions, resource groups, VMSS (GET, PUT, PATCH, DELETE, lists, instance view, rolling
// upgrades), their VMs (GET, PUT, PATCH, DELETE, lists with $expand, $filter, $select, instance
// view), the actions manualupgrade, reimage, reimageall, start, restart, poweroff, deallocate and
// delete on the set, most of them on one VM too, the sizes it may have, operations, usages, and images:
// platform images, galleries with their images and versions ($expand=ReplicationStatus), community and
// shared galleries, managed images. Any api-version is accepted, a missing one
// refused. Paths match in any case.
//
// Instances of Flexible sets are virtual machines: lists by subscription, resource group and region,
// with the one $filter there is and $expand=instanceView, GET, DELETE, instance view, start, restart,
// poweroff, deallocate, reimage and simulateEviction. Machines outside of sets and Flexible sets without
// a profile are not simulated.
//
// Autoscale settings of Microsoft.Insights can be listed and read; the fault "scale" is their service.
// Spot machines are evicted by the fault "evict" or by simulateEviction. Automatic repairs act by
// themselves, and setOrchestrationServiceState suspends and resumes them.
//
// # Fleet
//
//	{
//	  "subscription": "7c0ffee0-0000-4000-8000-5e7ba5e5f1ee",
//	  "images": [{"publisher": "Canonical", "offer": "UbuntuServer", "sku": "16.04-LTS", "versions": [
//	    {"version": "4.0.20151120", "state": "Deprecated", "deprecated": "2016-02-01T00:00:00Z"},
//	    {"version": "4.0.20160101"}, {"version": "4.0.20160229", "published": "2016-03-01T08:00:00Z"}]}],
//	  "sets": [{"name": "myvmss", "resourceGroup": "rg-demo", "capacity": 20, "updateDomains": 5, "duration": "3m",
//	    "image": {"publisher": "Canonical", "offer": "UbuntuServer", "sku": "16.04-LTS", "version": "4.0.20160101"},
//	    "exceptions": {"7": {"power": "deallocated"}}, "protected": ["9"], "extra": {"tags": {"any": "ARM JSON"}}}],
//	  "galleries": [{"name": "corpimages", "resourceGroup": "rg-images", "images": [{"name": "ubuntu", "versions": [
//	    {"version": "1.0.0", "publishedDate": "2024-01-22T08:00:00Z", "targetRegions": ["westeurope"]}]}]}],
//	  "managedImages": [{"name": "legacy-2024-02", "resourceGroup": "rg-images"}],
//	  "sizes": [{"name": "Standard_NC4as_T4_v3", "cores": 4, "locations": ["northeurope"]}],
//	  "quotas": [{"location": "westeurope", "name": "standardESv5Family", "limit": 32}]
//	}
//
// ImportFleet reads this, and also what the Azure CLI prints of real sets and their instances: a copy
// of somebody's own sets to try things on.
//
// The types Fleet, Image, Set, Exception, Autoscale, Gallery, ManagedImage, Size and Quota document every
// member, among them orchestration, zones, placementGroups, priority and autoscale. "extra" is merged into the ARM document as it is.
// "duration" is the time from an accepted manualupgrade to its last healthy instance; the operation
// itself ends at 72 % of it at the latest, health follows.
//
// # What Azure does, and what is assumed
//
// Seen in recordings of the Azure CLI's own tests (2023-2024): 202 without a body, both operation
// URLs with p=, and since 2024 signed and 3.5 kB long; the status document; Location ending in 200
// without a body; etags that are small quoted numbers, in the body and as a header; upper-case
// resource groups in the list of a subscription; the rate-limit header; two reimages of different
// instances accepted within a second; gallery versions with the display names of regions. Seen in
// public threads: the 412, 409, 400 and 404 texts (each names its thread in the code), those for images,
// sizes and quotas included, HealthState/unhealthy, failed/CODE; a reimage that leaves an ephemeral disk
// on its old image. Of Flexible sets: their
// properties (a recording of 2023), the names of machines and their role as instance ids (pages on
// instance ids and manual upgrades), the refusals of the set's instance view, of instance views in
// its own VM list, and of names by older API versions (threads in the code).
//
// Assumed, because nothing says otherwise: one set-level operation at a time, PATCH included;
// models compared by content (a model put back as it was is latest again for who never left it);
// an instance that failed reads latestModelApplied false; a set stays Failed until an operation
// succeeds; protected instances are left alone and deallocated ones updated in place (Options turn
// both into refusals); vmHealth times are those of the last change; PATCH takes four seconds; a
// page has 50 items; operations are forgotten after an hour; 404 for reading an instance that is gone;
// manualupgrade draws on the bucket of the actions and the VM list, which no table names either, on
// that of the expensive reads; a call for several instances is charged for each; Azure's own rolling
// upgrade holds its set to the end when somebody started it. Of images: a version that does not exist
// or has not succeeded is refused like one that is not replicated; galleries and managed images may
// follow each other; an id without a version means the highest; an image of a subscription that no
// gallery of the fleet belongs to is taken at its word; any https URI of a VHD exists. Of sizes: what
// cannot be had, and the quota, is looked at when the model changes; the sizes of a set list what is
// short at present, too; the target of these refusals (seen for single VMs).
//
// Assumed of Flexible sets, whose documentation is thin: that they list their VMs under the set's own
// path with latestModelApplied, provisioningState and protectionPolicy and without a model
// (Options.TerseFlexible leaves even that out); that no answer about virtual machines tells
// latestModelApplied, since the type has no such member; that the actions on the set other than
// manualupgrade and delete take names as well, of which one page says they do not; the words of the
// refusal of $expand without $filter; an empty list for a set that is not there; zones by turns.
//
// Documented of what moves by itself: the default scale-in policy (zones even, then the highest id); both
// protections keep an instance from scale-in and repair; repairs after the grace period since the last
// change, 5 % at a time, Replace on the latest model with a new id. Assumed: a change of the capacity
// by a caller spares protected instances as autoscale does; autoscale gives the set a new etag and holds
// it, as any change does, and tries again every minute while an operation has it; evictions and repairs
// do neither, and what Azure's eviction ends fails with OperationPreempted; deletion by eviction lowers
// the capacity; an evicted machine is restored after five minutes where spotRestorePolicy is on;
// resuming repairs starts the grace period anew, as does the start of the world; repairs do not wait
// for an operation on other instances, nor do they suspend themselves when they do not help.
//
// # Control API
//
// Under /_control/, without a token: GET state, stats, writes, view (all of these for the page),
// faults; POST fault (a Fault), reset. It is for the machine it runs on; browsers may POST from our
// own page only.
//
// # Fleet view
//
// GET / is a page that shows the sets as maps of update by fault domains (Flexible ones in blocks, by
// zone), each instance in its Phase, and has a button for most faults. It does nothing the control API
// cannot do.
package azuresim
