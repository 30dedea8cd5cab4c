package upgrade

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	aRight = "The client '0c1e' with object id '0c1e' does not have authorization to perform action 'Microsoft.Compute/virtualMachineScaleSets/manualUpgrade/action' over scope '/subscriptions/7c0ffee0-0000-4000-8000-5e7ba5e5f1ee/resourceGroups/rg-shop/providers/Microsoft.Compute/virtualMachineScaleSets/web-prod' or the scope is invalid. If access was recently granted, please refresh your credentials."
	linked = "The client '0c1e' with object id '0c1e' has permission to perform action 'Microsoft.Compute/virtualMachineScaleSets/write' on scope '/subscriptions/s/resourceGroups/rg-shop/providers/Microsoft.Compute/virtualMachineScaleSets/web-prod'; however, it does not have permission to perform action(s) 'Microsoft.Compute/galleries/images/versions/read' on the linked scope(s) '/subscriptions/s/resourceGroups/rg-img/providers/Microsoft.Compute/galleries/shop/images/web/versions/1.2.3' (respectively) or the linked scope(s) are invalid."
)

// said are the messages that come with codes whose sentence depends on them; the other codes are told
// without one.
var said = map[string][]string{
	"authorizationfailed": {aRight, "The client does not have authorization to perform action 'Microsoft.Compute/virtualMachineScaleSets/write'.",
		"the bot's identity lacks the right Microsoft.Compute/virtualMachineScaleSets/write on /subscriptions/s/resourceGroups/rg-shop", "no"},
	"linkedauthorizationfailed": {linked},
	"denied":                    {"the bot's identity lacks the right Microsoft.Compute/virtualMachineScaleSets/read on /subscriptions/7c0ffee0-0000-4000-8000-5e7ba5e5f1ee"},
	"operationnotallowed": {
		"The server rejected the request because too many requests have been received for this subscription.",
		"Operation could not be completed as it results in exceeding approved standardDSv5Family Cores quota.",
		"Operation 'Update Virtual Machine Scale Set' is not allowed on Virtual Machine Scale Set 'web' since it is marked for deletion.",
		"Get InstanceView on VMSS operation is not allowed on Virtual Machine Scale Sets with orchestration mode Flexible.",
		"The Image type for a Virtual Machine Scale Set may not be changed.",
		"Operation 'manualupgrade' is not allowed on instance 9: it is protected from scale set actions.",
		"Operation 'manualupgrade' is not allowed on instance 9: it is deallocated.",
		"Another operation is in progress on the scale set.",
		"Something else.",
	},
	"toomanyrequests":                      {`{"operationGroup":"HighCostGetVMScaleSet30Min","allowedRequestCount":900}`, "slow down"},
	"propertychangenotallowed":             {"Changing property 'imageReference.sku' is not allowed.", "No."},
	"invalidparameter":                     {"The provided instanceId 7 is not an active Virtual Machine Scale Set VM instanceId.", "The value of parameter $skiptoken is invalid.", "The value of parameter imageReference.version is invalid.", "Required parameter 'instanceIds' is missing (null).", "no"},
	"instanceidslistinstanceidnotactivevm": {"The provided instanceId web_1a2b is not an active Virtual Machine Scale Set VM instanceId.", ""},
	"platformimagenotfound":                {"The platform image 'Canonical:UbuntuServer:16.04-LTS:9.9.9' is not available. Verify that all fields in the storage profile are correct.", ""},
	"vmextensionprovisioningerror":         {"VM has reported a failure when processing extension 'HealthExtension' (publisher 'Microsoft.ManagedServices' and type 'ApplicationHealthLinux').", "extension setup: exit status 1", "the handler failed"},
}

// The golden file is what people read: each code with what Azure said, and the sentence made of it.
func TestEveryCodeHasASentence(t *testing.T) {
	var got bytes.Buffer
	for _, code := range slices.Sorted(maps.Keys(sentences)) {
		messages := said[code]
		if messages == nil {
			messages = []string{""}
		}
		for _, m := range messages {
			fmt.Fprintf(&got, "%s: %s\n    %s\n", code, m, Sentence(code, m))
		}
	}
	for code := range said {
		if sentences[code] == nil {
			t.Errorf("there are messages for %s, which has no sentence", code)
		}
	}
	const file = "testdata/sentences.golden"
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%v: not as its golden says (go test -update writes it anew):\n%s", err, got.Bytes())
	}
}

// Whatever Azure writes, a sentence stays short, plain and whole.
func TestASentenceCannotBeBentByItsMessage(t *testing.T) {
	long := strings.Repeat("long/", 60) + "end"
	hostile := []string{"", long, "<!channel> *x* _y_ ~z~ `c` & <http://evil.example|click>", strings.Repeat("<@U1>", 500)}
	for _, name := range []string{long, "a", "<!here>", "`x`", "*b*", "https://evil.example", "a b", "é", "_under_"} {
		for _, form := range []string{"extension '%s'", "extension %s: x", "property '%s'", "image '%s'", "instanceId %s is not an active", "parameter '%s'",
			`{"operationGroup":"%s"}`, "perform action '%s' over scope '%[1]s'", "lacks the right %s on /a/providers/b/%[1]s"} {
			hostile = append(hostile, fmt.Sprintf(form, name))
		}
	}
	for code := range sentences {
		for _, m := range hostile {
			s := Sentence(strings.ToUpper(code), m)
			if n := len([]rune(s)); n == 0 || n > 200 || !strings.HasSuffix(s, ".") {
				t.Errorf("%s with %.60q: %d characters: %s", code, m, n, s)
			}
			if strings.ContainsAny(s, "<>&*`~|\n") || strings.Contains(s, "://") || strings.Contains(s, "_under_") {
				t.Errorf("%s with %.60q: markup: %s", code, m, s)
			}
		}
	}
}

func TestACodeWeDoNotKnowHasNoSentence(t *testing.T) {
	for _, code := range []string{"", "TeapotError", "Conflict "} {
		if got := Sentence(code, "m"); (got == "") != (strings.TrimSpace(code) != "Conflict") {
			t.Errorf("%q: %q", code, got)
		}
	}
}

// Every code that the bot writes into the journal by itself must be explained.
func TestTheBotsOwnCodesHaveSentences(t *testing.T) {
	for _, code := range []string{"ScaleSetGone", "UnknownOutcome", "OperationTimeout", "ModelNotSet", "OperationGone", "OperationFailed", "OperationCanceled", "Authentication"} {
		if Sentence(code, "") == "" {
			t.Errorf("%s has none", code)
		}
	}
	for _, kind := range []FaultKind{FaultUnknown, FaultUnavailable, FaultThrottled, FaultBusy, FaultPrecondition, FaultGone, FaultDenied, FaultSignIn, FaultRefused, FaultUnsafe} {
		if Sentence(string(kind), "") == "" {
			t.Errorf("a fault of kind %s has none", kind)
		}
	}
}
