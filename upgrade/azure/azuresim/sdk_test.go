package azuresim

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	azfake "github.com/Azure/azure-sdk-for-go/sdk/azcore/fake"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v8"
)

// factory is the real Go SDK pointed at endpoint.
func factory(t *testing.T, endpoint string, web *http.Client) *armcompute.ClientFactory {
	t.Helper()
	return factoryOf(t, testSub, endpoint, web)
}

func factoryOf(t *testing.T, subscription, endpoint string, web *http.Client) *armcompute.ClientFactory {
	t.Helper()
	o := arm.ClientOptions{DisableRPRegistration: true}
	o.Cloud = cloud.Configuration{
		ActiveDirectoryAuthorityHost: "https://login.microsoftonline.com/",
		Services:                     map[cloud.ServiceName]cloud.ServiceConfiguration{cloud.ResourceManager: {Audience: endpoint, Endpoint: endpoint}},
	}
	o.InsecureAllowCredentialWithHTTP = true
	o.Transport = web
	o.Retry = policy.RetryOptions{MaxRetries: -1}
	f, err := armcompute.NewClientFactory(subscription, &azfake.TokenCredential{}, &o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func instanceIDs(ids ...string) armcompute.VirtualMachineScaleSetVMInstanceRequiredIDs {
	return armcompute.VirtualMachineScaleSetVMInstanceRequiredIDs{InstanceIDs: to.SliceOfPtrs(ids...)}
}

func imageUpdate(version string) armcompute.VirtualMachineScaleSetUpdate {
	return armcompute.VirtualMachineScaleSetUpdate{Properties: &armcompute.VirtualMachineScaleSetUpdateProperties{
		VirtualMachineProfile: &armcompute.VirtualMachineScaleSetUpdateVMProfile{
			StorageProfile: &armcompute.VirtualMachineScaleSetUpdateStorageProfile{
				ImageReference: &armcompute.ImageReference{Version: &version}}}}}
}

func TestTheGoSDKRollsAnUpdateDomain(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		ctx := t.Context()
		f := factory(t, "http://arm.local", b.web)
		sets := f.NewVirtualMachineScaleSetsClient()
		got, err := sets.Get(ctx, "rg-demo", "myvmss", nil)
		if err != nil {
			t.Fatal(err)
		}
		patch, err := sets.BeginUpdate(ctx, "rg-demo", "myvmss", imageUpdate("4.0.20160229"),
			&armcompute.VirtualMachineScaleSetsClientBeginUpdateOptions{IfMatch: got.Etag})
		if err != nil {
			t.Fatal(err)
		}
		done, err := patch.PollUntilDone(ctx, nil)
		if err != nil || *done.Properties.ProvisioningState != "Succeeded" || *done.Etag == *got.Etag {
			t.Fatalf("patch: %v %+v", err, done.Properties)
		}
		upgrade, err := sets.BeginUpdateInstances(ctx, "rg-demo", "myvmss", instanceIDs("0", "5", "10", "15"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := upgrade.PollUntilDone(ctx, nil); err != nil {
			t.Fatal(err)
		}
		for _, vm := range listVMs(t, f) {
			ud := *vm.Properties.InstanceView.PlatformUpdateDomain
			version := *vm.Properties.StorageProfile.ImageReference.ExactVersion
			if (version == "4.0.20160229") != (ud == 0) || *vm.Properties.LatestModelApplied != (ud == 0) {
				t.Errorf("instance %s in UD %d runs %s", *vm.InstanceID, ud, version)
			}
		}
	})
}

func listVMs(t *testing.T, f *armcompute.ClientFactory) []*armcompute.VirtualMachineScaleSetVM {
	t.Helper()
	var out []*armcompute.VirtualMachineScaleSetVM
	pager := f.NewVirtualMachineScaleSetVMsClient().NewListPager("rg-demo", "myvmss",
		&armcompute.VirtualMachineScaleSetVMsClientListOptions{Expand: to.Ptr("instanceView")})
	for pager.More() {
		page, err := pager.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, page.Value...)
	}
	return out
}

func TestTheGoSDKPagesThroughASet(t *testing.T) {
	inBubble(t, Options{PageSize: 3}, func(t *testing.T, b *bench) {
		vms := listVMs(t, factory(t, "http://arm.local", b.web))
		if len(vms) != 20 {
			t.Errorf("%d instances", len(vms))
		}
		for _, vm := range vms {
			if vm.Properties.InstanceView.VMHealth == nil || *vm.Properties.InstanceView.VMHealth.Status.Code != "HealthState/healthy" {
				t.Errorf("instance %s has no health", *vm.InstanceID)
			}
		}
	})
}

func TestTheGoSDKSeesRefusalsAsAzures(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		ctx := t.Context()
		f := factory(t, "http://arm.local", b.web)
		sets := f.NewVirtualMachineScaleSetsClient()
		_, stale := sets.BeginUpdate(ctx, "rg-demo", "myvmss", imageUpdate("4.0.20160229"),
			&armcompute.VirtualMachineScaleSetsClientBeginUpdateOptions{IfMatch: to.Ptr(`"9"`)})
		_, unknown := sets.Get(ctx, "rg-demo", "nope", nil)
		_, inactive := sets.BeginUpdateInstances(ctx, "rg-demo", "myvmss", instanceIDs("77"), nil)
		rows := []struct {
			err    error
			status int
			code   string
		}{{stale, 412, "PreconditionFailed"}, {unknown, 404, "ResourceNotFound"}, {inactive, 400, "InvalidParameter"}}
		for _, r := range rows {
			var e *azcore.ResponseError
			if !errors.As(r.err, &e) || e.StatusCode != r.status || e.ErrorCode != r.code {
				t.Errorf("%v, want %d %s", r.err, r.status, r.code)
			}
		}
	})
}

func TestTheGoSDKSeesAFailedOperationWithItsCode(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		ctx := t.Context()
		b.patchVersion(demoSet, "4.0.20160229")
		b.inject(Fault{Kind: "fail-instance", Set: "myvmss", Instance: "0", Code: "AllocationFailed"})
		sets := factory(t, "http://arm.local", b.web).NewVirtualMachineScaleSetsClient()
		p, err := sets.BeginUpdateInstances(ctx, "rg-demo", "myvmss", instanceIDs("0"), nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.PollUntilDone(ctx, nil)
		var e *azcore.ResponseError
		if !errors.As(err, &e) || e.ErrorCode != "AllocationFailed" || e.StatusCode != http.StatusOK {
			t.Errorf("error %v", err)
		}
	})
}

// A second client, as after a restart of the process, goes on with the operation of the first.
func TestAResumeTokenWorksForASecondClient(t *testing.T) {
	sim, err := New(Options{Speed: 600})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(sim)
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	first := factory(t, server.URL, server.Client()).NewVirtualMachineScaleSetsClient()
	p, err := first.BeginUpdateInstances(ctx, "rg-demo", "myvmss", instanceIDs("1"), nil)
	if err != nil {
		t.Fatal(err)
	}
	token, err := p.ResumeToken()
	if err != nil {
		t.Fatal(err)
	}
	second := factory(t, server.URL, server.Client()).NewVirtualMachineScaleSetsClient()
	again, err := second.BeginUpdateInstances(ctx, "ignored", "ignored", instanceIDs(),
		&armcompute.VirtualMachineScaleSetsClientBeginUpdateInstancesOptions{ResumeToken: token})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.PollUntilDone(ctx, &runtime.PollUntilDoneOptions{Frequency: time.Second}); err != nil {
		t.Error(err)
	}
	if len(sim.Writes()) != 1 {
		t.Errorf("%d writes", len(sim.Writes()))
	}
}

func TestTheGoSDKReadsImages(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		images := factory(t, "http://arm.local", b.web).NewVirtualMachineImagesClient()
		list, err := images.List(t.Context(), "westeurope", "Canonical", "UbuntuServer", "16.04-LTS",
			&armcompute.VirtualMachineImagesClientListOptions{Top: to.Ptr(int32(2)), Orderby: to.Ptr("name desc")})
		if err != nil || len(list.VirtualMachineImageResourceArray) != 2 || *list.VirtualMachineImageResourceArray[1].Name != "4.0.20160229" {
			t.Errorf("%v %+v", err, list.VirtualMachineImageResourceArray)
		}
		old, err := images.Get(t.Context(), "westeurope", "Canonical", "UbuntuServer", "16.04-LTS", "4.0.20151120", nil)
		if err != nil {
			t.Fatal(err)
		}
		st := old.Properties.ImageDeprecationStatus
		if *st.ImageState != armcompute.ImageStateDeprecated || *st.AlternativeOption.Value != "Canonical:UbuntuServer:16.04-LTS:4.0.20160229" {
			t.Errorf("status %+v", st)
		}
	})
}

// One throttled answer with a short Retry-After is all the SDK's own retries are asked to bear.
func TestTheGoSDKRetriesWhatItIsToldToRetry(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, b *bench) {
		b.inject(Fault{Kind: "http-status", Match: "GET", Status: 429, RetryAfter: "7", Times: 2})
		o := arm.ClientOptions{DisableRPRegistration: true}
		o.Cloud = cloud.Configuration{Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			cloud.ResourceManager: {Audience: "http://arm.local", Endpoint: "http://arm.local"}}}
		o.InsecureAllowCredentialWithHTTP, o.Transport = true, b.web
		f, err := armcompute.NewClientFactory(testSub, &azfake.TokenCredential{}, &o)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := f.NewVirtualMachineScaleSetsClient().Get(t.Context(), "rg-demo", "myvmss", nil); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d != 14*time.Second {
			t.Errorf("took %s", d)
		}
	})
}
