package azuresim

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

const someIDs = `{"instanceIds":["0"]}`

// Every refusal, in Azure's words. Rows with busy ask while an upgrade holds myvmss.
func TestRefusals(t *testing.T) {
	const sub = "/subscriptions/" + testSub
	rows := []struct {
		name, method, path, body string
		headers                  []string
		busy                     bool
		status                   int
		code, target, says       string
	}{
		{name: "no api-version", method: "GET", path: sub, status: 400, code: "MissingApiVersionParameter",
			says: "The api-version query parameter (?api-version=) is required for all requests."},
		{name: "no token", method: "GET", path: demoSet + testVer, headers: []string{"Authorization", ""}, status: 401,
			code: "AuthenticationFailed", says: "The 'Authorization' header is missing."},
		{name: "basic authentication", method: "GET", path: demoSet + testVer, headers: []string{"Authorization", "Basic abc"}, status: 401,
			code: "AuthenticationFailed", says: "invalid format"},
		{name: "another subscription", method: "GET", path: "/subscriptions/00000000-0000-0000-0000-000000000001" + testVer, status: 404,
			code: "SubscriptionNotFound", says: "could not be found"},
		{name: "a subscription that is no UUID", method: "GET", path: "/subscriptions/mine" + testVer, status: 400,
			code: "InvalidSubscriptionId", says: "malformed or invalid"},
		{name: "another resource group", method: "GET", path: sub + "/resourceGroups/nope" + testVer, status: 404,
			code: "ResourceGroupNotFound", says: "Resource group 'nope' could not be found."},
		{name: "sets of another resource group", method: "GET", path: sub + "/resourceGroups/nope/providers/Microsoft.Compute/virtualMachineScaleSets" + testVer,
			status: 404, code: "ResourceGroupNotFound", says: "'nope'"},
		{name: "another set", method: "GET", path: shop + "nope" + testVer, status: 404, code: "ResourceNotFound",
			says: "The Resource 'Microsoft.Compute/virtualMachineScaleSets/nope' under resource group 'rg-shop' was not found."},
		{name: "another kind of resource", method: "GET", path: sub + "/providers/Microsoft.Compute/toasters" + testVer, status: 404,
			code: "InvalidResourceType", says: "'Microsoft.Compute'"},
		{name: "another provider", method: "GET", path: sub + "/providers/Contoso.Toast/toasters" + testVer, status: 404,
			code: "InvalidResourceNamespace", says: "'Contoso.Toast'"},
		{name: "a path that is nothing", method: "GET", path: "/hello" + testVer, status: 404, code: "NotFound", says: "/hello"},
		{name: "a wrong method", method: "DELETE", path: sub + testVer, status: 405, code: "MethodNotAllowed", says: "'DELETE'"},

		{name: "a stale etag", method: "PATCH", path: demoSet + testVer, body: imagePatch("4.0.20160229"), headers: []string{"If-Match", `"77"`},
			status: 412, code: "PreconditionFailed", says: `Etag provided in if-match header "77" does not match etag "1" of resource.`},
		{name: "create only, but it exists", method: "PUT", path: demoSet + testVer, body: rollingSet, headers: []string{"If-None-Match", "*"},
			status: 412, code: "PreconditionFailed", says: "if-none-match"},
		{name: "update only, but it does not exist", method: "PUT", path: shop + "new" + testVer, body: rollingSet, headers: []string{"If-Match", "*"},
			status: 412, code: "PreconditionFailed", says: "if-match"},
		{name: "an unknown image version", method: "PATCH", path: demoSet + testVer, body: imagePatch("9.9.9"), status: 404,
			code: "PlatformImageNotFound", target: "imageReference", says: "The platform image 'Canonical:UbuntuServer:16.04-LTS:9.9.9' is not available."},
		{name: "another publisher", method: "PATCH", path: demoSet + testVer, status: 409, code: "PropertyChangeNotAllowed",
			body:   `{"properties":{"virtualMachineProfile":{"storageProfile":{"imageReference":{"publisher":"Debian"}}}}}`,
			target: "imageReference.publisher", says: "Changing property 'imageReference.publisher' is not allowed."},
		{name: "another offer", method: "PATCH", path: demoSet + testVer, status: 409, code: "PropertyChangeNotAllowed",
			body:   `{"properties":{"virtualMachineProfile":{"storageProfile":{"imageReference":{"offer":"Other"}}}}}`,
			target: "imageReference.offer", says: "imageReference.offer"},
		{name: "a custom image instead of a platform image", method: "PATCH", path: demoSet + testVer, status: 409, code: "OperationNotAllowed",
			body: `{"properties":{"virtualMachineProfile":{"storageProfile":{"imageReference":{"id":"/subscriptions/x/images/y"}}}}}`,
			says: "The Image type for a Virtual Machine Scale Set may not be changed."},
		{name: "another user name", method: "PATCH", path: demoSet + testVer, status: 409, code: "PropertyChangeNotAllowed",
			body: `{"properties":{"virtualMachineProfile":{"osProfile":{"adminUsername":"root"}}}}`, target: "osProfile.adminUsername", says: "adminUsername"},
		{name: "another number of fault domains", method: "PATCH", path: demoSet + testVer, status: 409, code: "PropertyChangeNotAllowed",
			body: `{"properties":{"platformFaultDomainCount":3}}`, target: "platformFaultDomainCount", says: "platformFaultDomainCount"},
		{name: "back to one placement group", method: "PATCH", path: shop + "queue-zonal" + testVer, status: 409, code: "PropertyChangeNotAllowed",
			body: `{"properties":{"singlePlacementGroup":true}}`, target: "singlePlacementGroup", says: "singlePlacementGroup"},
		{name: "a capacity below zero", method: "PATCH", path: demoSet + testVer, body: `{"sku":{"capacity":-1}}`, status: 400,
			code: "InvalidParameter", target: "sku.capacity", says: "sku.capacity"},
		{name: "an upgrade mode that is none", method: "PATCH", path: demoSet + testVer, body: `{"properties":{"upgradePolicy":{"mode":"Yolo"}}}`,
			status: 400, code: "InvalidParameter", target: "upgradePolicy.mode", says: "'Yolo'"},
		{name: "a body that is no JSON", method: "PATCH", path: demoSet + testVer, body: `{"sku":`, status: 400, code: "InvalidRequestContent",
			says: "The request content was invalid and could not be deserialized"},
		{name: "a body that is null", method: "PATCH", path: demoSet + testVer, body: `null`, status: 400, code: "InvalidRequestContent", says: "null"},
		{name: "a set without location", method: "PUT", path: shop + "new" + testVer, body: `{"properties":{}}`, status: 400, code: "LocationRequired",
			says: "The location property is required for this definition."},
		{name: "a set without profile", method: "PUT", path: shop + "new" + testVer, body: `{"location":"westeurope","properties":{}}`, status: 400,
			code: "InvalidParameter", target: "virtualMachineProfile", says: "virtualMachineProfile"},
		{name: "a set moved to another region", method: "PUT", path: demoSet + testVer, body: strings.Replace(rollingSet, "westeurope", "eastus", 1),
			status: 409, code: "InvalidResourceLocation", says: "already exists in location 'westeurope'"},
		{name: "another orchestration", method: "PATCH", path: demoSet + testVer, body: `{"properties":{"orchestrationMode":"Flexible"}}`, status: 409,
			code: "PropertyChangeNotAllowed", target: "orchestrationMode", says: "orchestrationMode"},

		{name: "the instance view of a Flexible set", method: "GET", path: orders + "/instanceView" + testVer, status: 400, code: "BadRequest",
			says: "Operation 'VirtualMachineScaleSets.instanceView.GET' is not allowed on Virtual Machine Scale Set 'orders-flex'."},
		{name: "its VMs with instance views", method: "GET", path: orders + "/virtualMachines" + testVer + "&$expand=instanceView", status: 400, code: "BadRequest",
			says: "Operation 'VirtualMachineScaleSets.virtualMachines.GET' is not allowed on Virtual Machine Scale Set 'orders-flex'."},
		{name: "a VM's name as an id, by an older version", method: "GET", path: orders + "/virtualMachines/orders-flex_00000000?api-version=2022-08-01", status: 400,
			code: "InvalidParameter", target: "instanceId", says: "Virtual Machine Scale Set VM instanceId must be a number."},
		{name: "upgrade of a name that is none", method: "POST", path: orders + "/manualupgrade" + testVer, body: someIDs, status: 400, code: "InvalidParameter",
			target: "instanceIds", says: "The provided instanceId 0 is not an active Virtual Machine Scale Set VM instanceId."},
		{name: "instance views of all VMs", method: "GET", path: sub + "/providers/Microsoft.Compute/virtualMachines" + testVer + "&$expand=instanceView", status: 400,
			code: "InvalidParameter", target: "$expand", says: "can only be specified together with a valid $filter option"},
		{name: "VMs by a filter that is none", method: "GET", path: ordersVMs + testVer + "&$filter=name%20eq%20'x'", status: 400, code: "InvalidParameter", target: "$filter", says: "$filter"},
		{name: "VMs of another resource group", method: "GET", path: strings.Replace(ordersVMs, "rg-orders", "nope", 1) + testVer, status: 404, code: "ResourceGroupNotFound", says: "'nope'"},
		{name: "another VM", method: "GET", path: ordersVMs + "/orders-flex_00000000" + testVer, status: 404, code: "ResourceNotFound",
			says: "The Resource 'Microsoft.Compute/virtualMachines/orders-flex_00000000' under resource group 'rg-orders' was not found."},
		{name: "a VM that is in a Uniform set", method: "GET", path: strings.Replace(ordersVMs, "rg-orders", "rg-demo", 1) + "/myvmss_0" + testVer, status: 404,
			code: "ResourceNotFound", says: "myvmss_0"},
		{name: "a VM with an expansion nobody knows", method: "GET", path: ordersVMs + testVer + "&$expand=everything", status: 400, code: "InvalidParameter", target: "$expand", says: "everything"},

		{name: "upgrade without a body", method: "POST", path: demoSet + "/manualupgrade" + testVer, status: 400, code: "InvalidRequestContent", says: "deserialized"},
		{name: "upgrade without ids", method: "POST", path: demoSet + "/manualupgrade" + testVer, body: `{}`, status: 400, code: "InvalidParameter",
			target: "instanceIds", says: "Required parameter 'instanceIds' is missing (null)."},
		{name: "upgrade of nothing", method: "POST", path: demoSet + "/manualupgrade" + testVer, body: `{"instanceIds":[]}`, status: 400,
			code: "InvalidParameter", target: "instanceIds", says: "instanceIds"},
		{name: "delete of nothing", method: "POST", path: demoSet + "/delete" + testVer, body: `{"instanceIds":[]}`, status: 400,
			code: "InvalidParameter", target: "instanceIds", says: "instanceIds"},
		{name: "ids that are no list", method: "POST", path: demoSet + "/manualupgrade" + testVer, body: `{"instanceIds":"0"}`, status: 400,
			code: "InvalidRequestContent", says: "instanceIds"},
		{name: "an id that is no number", method: "POST", path: demoSet + "/manualupgrade" + testVer, body: `{"instanceIds":["11 14"]}`, status: 400,
			code: "InvalidParameter", target: "instanceIds", says: `The provided instanceId 11 14 is invalid. It must be a non-negative integer or the character "*".`},
		{name: "an instance that is not there", method: "POST", path: demoSet + "/manualupgrade" + testVer, body: `{"instanceIds":["0","77"]}`, status: 400,
			code: "InvalidParameter", target: "instanceIds", says: "The provided instanceId 77 is not an active Virtual Machine Scale Set VM instanceId."},
		{name: "a restart of an instance that is not there", method: "POST", path: demoSet + "/virtualMachines/77/restart" + testVer, status: 400,
			code: "InvalidParameter", target: "instanceIds", says: "instanceId 77"},
		{name: "reading an instance that is not there", method: "GET", path: demoSet + "/virtualMachines/77" + testVer, status: 404,
			code: "NotFound", target: "instanceIds", says: "instanceId 77"},

		{name: "an upgrade during an upgrade", busy: true, method: "POST", path: demoSet + "/manualupgrade" + testVer, body: someIDs, status: 409,
			code: "Conflict", says: "The request failed due to conflict with a concurrent request."},
		{name: "a restart during an upgrade", busy: true, method: "POST", path: demoSet + "/restart" + testVer, body: someIDs, status: 409, code: "Conflict", says: "concurrent"},
		{name: "a model change during an upgrade", busy: true, method: "PATCH", path: demoSet + testVer, body: imagePatch("4.0.20160315"), status: 409, code: "Conflict", says: "concurrent"},
		{name: "a call on the very instance", busy: true, method: "POST", path: demoSet + "/virtualMachines/3/restart" + testVer, status: 409, code: "Conflict", says: "concurrent"},
		{name: "protecting the very instance", busy: true, method: "PATCH", path: demoSet + "/virtualMachines/3" + testVer, body: `{"tags":{"a":"b"}}`, status: 409, code: "Conflict", says: "concurrent"},

		{name: "a filter nobody understands", method: "GET", path: demoSet + "/virtualMachines" + testVer + "&$filter=x", status: 400,
			code: "InvalidParameter", target: "$filter", says: "$filter"},
		{name: "an expansion nobody knows", method: "GET", path: demoSet + "/virtualMachines" + testVer + "&$expand=everything", status: 400,
			code: "InvalidParameter", target: "$expand", says: "everything"},
		{name: "a skiptoken that is none", method: "GET", path: demoSet + "/virtualMachines" + testVer + "&$skiptoken=abc", status: 400,
			code: "InvalidParameter", target: "$skiptoken", says: "$skiptoken"},
		{name: "a rolling upgrade where there is none", method: "GET", path: demoSet + "/rollingUpgrades/latest" + testVer, status: 404, code: "NotFound", says: "myvmss"},
		{name: "cancelling nothing", method: "POST", path: demoSet + "/rollingUpgrades/cancel" + testVer, status: 409, code: "OperationNotAllowed", says: "myvmss"},
		{name: "suspending repairs that are off", method: "POST", path: demoSet + "/setOrchestrationServiceState" + testVer,
			body: `{"serviceName":"AutomaticRepairs","action":"Suspend"}`, status: 409, code: "OperationNotAllowed", says: "automatic repairs"},
		{name: "an operation nobody knows", method: "GET", path: sub + "/providers/Microsoft.Compute/locations/westeurope/operations/00000000-0000-0000-0000-000000000000" + testVer,
			status: 404, code: "NotFound", says: "The entity was not found in this Azure location."},
		{name: "an image nobody has", method: "GET", path: sub + "/providers/Microsoft.Compute/locations/westeurope/publishers/Canonical/artifacttypes/vmimage/offers/UbuntuServer/skus/16.04-LTS/versions/9.9.9" + testVer,
			status: 404, code: "NotFound", says: "Artifact: VMImage was not found."},
		{name: "versions of a SKU nobody has", method: "GET", path: sub + "/providers/Microsoft.Compute/locations/westeurope/publishers/Canonical/artifacttypes/vmimage/offers/UbuntuServer/skus/99/versions" + testVer,
			status: 404, code: "NotFound", says: "Artifact: VMImage was not found."},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			inBubble(t, Options{}, func(t *testing.T, b *bench) {
				if r.busy {
					b.patchVersion(demoSet, "4.0.20160229")
					b.upgrade(demoSet, "3").want(http.StatusAccepted)
					time.Sleep(20 * time.Second)
				}
				before := b.sim.Snapshot()
				a := b.do(r.method, r.path, r.body, r.headers...).refused(r.status, r.code)
				if got := text(a.doc, "error", "message"); !strings.Contains(got, r.says) {
					t.Errorf("message %q does not say %q", got, r.says)
				}
				if got := text(a.doc, "error", "target"); got != r.target {
					t.Errorf("target %q, want %q", got, r.target)
				}
				if r.status == http.StatusUnauthorized && !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer ") {
					t.Errorf("WWW-Authenticate %q", a.header.Get("WWW-Authenticate"))
				}
				after := b.sim.Snapshot()
				before.Now = after.Now
				before.Buckets, after.Buckets = nil, nil // a refused call counts, too
				if !sameJSON(before, after) {
					t.Errorf("the refusal changed something")
				}
				b.lastWriteIs(r.method, r.status, r.code)
			})
		})
	}
}

// lastWriteIs checks that a refused change is on record as refused; reads leave no record.
func (b *bench) lastWriteIs(method string, status int, code string) {
	b.t.Helper()
	writes := b.sim.Writes()
	if method == http.MethodGet {
		return
	}
	if len(writes) == 0 {
		b.t.Fatal("the refused call is not on record")
	}
	last := writes[len(writes)-1]
	if last.Status != status || last.Code != code || last.Accepted || !last.Answered || len(last.Started) > 0 {
		b.t.Errorf("record %+v", last)
	}
}

func TestAWrongTokenIsRefusedWhereOneIsConfigured(t *testing.T) {
	inBubble(t, Options{Token: "right"}, func(t *testing.T, b *bench) {
		b.do("GET", demoSet+testVer, "", "Authorization", "Bearer wrong").refused(401, "InvalidAuthenticationToken")
		b.do("GET", demoSet+testVer, "", "Authorization", "Bearer right").want(200)
	})
}

func TestOptionsTurnUndocumentedLeniencyIntoRefusals(t *testing.T) {
	inBubble(t, Options{RefuseProtected: true, RefuseDeallocated: true}, func(t *testing.T, b *bench) {
		b.upgrade(shop+"web-prod", "9").refused(409, "OperationNotAllowed")
		runners := strings.Replace(shop, "rg-shop", "rg-batch", 1) + "ci-runners"
		b.upgrade(runners, "2").refused(409, "OperationNotAllowed")
		b.upgrade(runners, "1").want(http.StatusAccepted)
	})
}
