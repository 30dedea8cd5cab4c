package upgrade

import (
	"cmp"
	"regexp"
	"strings"
)

// Sentence says in plain words what Azure's code and message mean for somebody who rolls images out,
// and what to do about it; "" when the code is not known. The message is Azure's innermost one. Codes
// are compared without case. The kinds of a [Fault] stand for answers in which Azure gave no code; a
// few codes are the bot's own (see [Note]). A sentence has at most 200 characters and takes from the
// message only what looks like a name, cut to size.
func Sentence(code, message string) string {
	say, known := sentences[strings.ToLower(strings.TrimSpace(code))]
	if !known {
		return ""
	}
	return say(message)
}

// telling makes a sentence of a message.
type telling func(message string) string

// always is a telling for codes that say it all.
func always(sentence string) telling { return func(string) string { return sentence } }

// sentences are the table below by code.
var sentences = func() map[string]telling {
	out := map[string]telling{}
	for _, row := range sentenceTable {
		for code := range strings.FieldsSeq(row.codes) {
			out[strings.ToLower(code)] = row.say
		}
	}
	return out
}()

// sentenceTable has codes that mean the same in one row. "Seen" is a public thread, "documented" a page
// of Azure's or its SDK's, "general" what is generally known and nobody has checked for scale sets.
var sentenceTable = []struct {
	codes string
	say   telling
}{
	// Another operation is at work, or came in between. Seen: Conflict in azure-powershell#23105 and
	// #25627, OperationPreempted in azure-rest-api-specs#22434. General: AnotherOperationInProgress.
	// OperationCanceled is the adapter's, for an operation that Azure calls canceled without an error.
	{"Conflict AnotherOperationInProgress " + string(FaultBusy), sayBusy},
	{"OperationPreempted", always("A newer operation on the scale set pushed this one aside. The activity log says whose; see what the instances run now, then retry the rest.")},
	{"OperationCanceled", always("Azure's work was cancelled, by a person or by a newer operation. See what the instances run now, then retry the rest.")},
	// Seen: cloud-provider-azure#9728. That a stale etag of a scale set gets it is general.
	{"PreconditionFailed " + string(FaultPrecondition), always("Somebody changed the scale set after the bot had read it, so nothing was written. See what is different now, then retry or replan.")},
	{"OperationNotAllowed", sayNotAllowed},

	// The target or the request is wrong, and nothing was touched. Seen: PropertyChangeNotAllowed in
	// azure-powershell#11911, InvalidParameter in terraform-provider-azurerm#14499 and
	// azure-sdk-for-java#27991, the instance ids in onefuzz#1712. General: the others.
	{"PropertyChangeNotAllowed", sayFixed},
	{"InvalidParameter InvalidRequestContent BadRequest", sayInvalid},
	{"InstanceIdsListInstanceIdNotActiveVM", sayInactive},
	{"ImageNotFound PlatformImageNotFound GalleryImageNotFound", sayNoImage},
	{string(FaultRefused), always("Azure refused, but not in words of its own: something between the bot and Azure may have answered. Check proxies, and the bot's log.")},

	// Rights. Seen: the first two in azure-cli#15594 and aad-pod-identity#752. General: the others.
	// Authentication is the adapter's: there was no token to send.
	{"AuthorizationFailed LinkedAuthorizationFailed " + string(FaultDenied), sayMissingRight},
	{"ScopeLocked", always("A lock on the scale set or its resource group forbids changes. Whoever owns the lock must lift it; then retry.")},
	{"RequestDisallowedByPolicy", always("A policy of your organisation (Azure Policy) forbids this change. Ask its owners for an exemption, or choose what it allows.")},
	{"InvalidAuthenticationToken ExpiredAuthenticationToken AuthenticationFailed", always("Azure did not accept the bot's token, so nothing was done. A new one is fetched; if that does not help, check the bot's identity.")},
	{"Authentication " + string(FaultSignIn), always("The bot could not sign in to Azure, so nothing was done. It tries again; if that does not help, check its identity and credentials.")},

	// Seen: TooManyRequests inside OperationNotAllowed in aks-engine#3655. General: Resource Manager's own.
	{"TooManyRequests SubscriptionRequestsThrottled ResourceRequestsThrottled " + string(FaultThrottled), sayThrottled},

	// An instance did not come back. Seen: AllocationFailed in azure-powershell#11896, the first two of
	// extensions in vm-scale-sets#82 and #76. General: the others.
	{"AllocationFailed", always("Azure has no machine of this size free in the region now. Retry later, or ask for another size.")},
	{"ZonalAllocationFailed OverconstrainedZonalAllocationRequest", always("Azure has no machine of this size free in this zone now. Retry later; other zones may still go on.")},
	{"OverconstrainedAllocationRequest SkuNotAvailable", always("Azure cannot place a machine of this size with the set's zones and settings. Ask for another size, or ask Azure for capacity.")},
	{"VMExtensionProvisioningError VMExtensionHandlerNonTransientError", sayExtension("failed")},
	{"VMExtensionProvisioningTimeout", sayExtension("was not done in time")},
	{"VMAgentStatusCommunicationError VMStartTimedOut", always("The machine did not start in time, or its agent does not report. Look at its boot diagnostics, then retry or quarantine it.")},
	{"OSProvisioningTimedOut", always("The operating system did not report itself ready in time. Look at the boot diagnostics; retry it, or roll back if the image is at fault.")},
	{"OSProvisioningClientError OSProvisioningInternalError", always("The operating system's first boot on the new image failed. Look at the boot diagnostics; roll back if the image is at fault.")},

	// Azure's own trouble. Seen: the first. General: the others.
	{"InternalExecutionError InternalServerError InternalOperationError", always("Azure had an error of its own. Retry after a while; if it stays, ask Azure's support, with the correlation id.")},
	{"ServerBusy ServiceUnavailable GatewayTimeout BadGateway " + string(FaultUnavailable), always("Azure was not able to answer. It is asked again; if it stays so, look at Azure's status page and at the network between.")},

	// Azure's own rolling upgrade has stopped: documented for rolling upgrades, and no business of ours.
	{"MaxUnhealthyInstancePercentExceededBeforeRollingUpgrade", always("Azure did not begin its own rolling upgrade: too many instances are unhealthy. Look into these first.")},
	{"MaxUnhealthyInstancePercentExceededInRollingUpgrade", always("Azure stopped its own rolling upgrade: too many of the set's instances are unhealthy. Look into these before more is upgraded.")},
	{"MaxUnhealthyUpgradedInstancePercentExceededInRollingUpgrade", always("Azure stopped its own rolling upgrade: too many instances did not get healthy after it. Look into these before more is upgraded.")},

	// What is not there. Seen: the first. General: the others. ScaleSetGone is the bot's own.
	{"ResourceNotFound ParentResourceNotFound ScaleSetGone " + string(FaultGone), always("Azure knows no such scale set any more. If it was deleted on purpose, abort the rollout; a new set under the name needs a new plan.")},
	{"ResourceGroupNotFound", always("Azure knows no such resource group any more. If it was deleted on purpose, abort the rollout.")},
	{"SubscriptionNotFound", always("Azure knows no such subscription, or the bot's identity may not see it. Check the bot's configuration and its role.")},
	{"NotFound", always("Azure does not find it any more. Look at the list again; if the scale set itself is gone, abort the rollout.")},

	// What the bot itself found.
	{"OperationFailed", always("Azure reported that its work failed, and not why. Each instance shows how it came out; the activity log may know more.")},
	{"OperationTimeout", always("Azure did not say in time how its work ended. Each instance shows how it came out; retry those that are left.")},
	{"OperationGone", always("Azure has forgotten the operation, as it does with finished ones. Each instance shows how it came out.")},
	{"UnknownOutcome", always("A call to Azure brought no answer, and the scale set does not show whether it happened. Look at it in the portal, then say resolve.")},
	{"ModelNotSet", always("Azure reported success, but the model does not name the image. Somebody may have changed it at once: look who, then retry or abort.")},
	{string(FaultUnknown), always("A call to Azure brought no answer that says whether it happened. The bot looks at the scale set before it does anything else.")},
	{string(FaultUnsafe), always("The bot's own guard did not let the call out; nothing was sent. It does not pass by itself: tell whoever runs the bot.")},
}

func sayBusy(string) string {
	return "Another operation is at work on the scale set or its instances. It may end by itself; the activity log says who started it. Then retry."
}

// notAllowed are the meanings of OperationNotAllowed, which only its message tells apart. Seen:
// throttling (aks-engine#3655), quota ("exceeding approved … cores"), deletion (onefuzz#511), Flexible
// (nomad-autoscaler#1096), the kind of image (azure-powershell#11817, azure-docs#32800). General: the
// others.
var notAllowed = []struct {
	words *regexp.Regexp
	say   telling
}{
	{regexp.MustCompile(`(?i)too ?many ?requests|throttl`), sayThrottled},
	{regexp.MustCompile(`(?i)quota|exceeding approved`), always("The subscription's quota does not suffice. Ask Azure for more in this region, or free some, then retry.")},
	{regexp.MustCompile(`(?i)marked for deletion`), always("The scale set is being deleted. If that is meant, abort the rollout.")},
	{regexp.MustCompile(`(?i)orchestration mode flexible`), always("Azure does not offer this for scale sets in Flexible orchestration. Use a Uniform set, or do it in Azure, one instance at a time.")},
	{regexp.MustCompile(`(?i)image type`), always("Azure does not let a set change between platform and custom images. Choose a version of the image it has, or make a new set.")},
	{regexp.MustCompile(`(?i)protected`), always("An instance is protected from actions of the scale set, so Azure refused. Take the protection away, or skip the instance.")},
	{regexp.MustCompile(`(?i)deallocated`), always("An instance is deallocated, so Azure refused. Start it first, or skip it.")},
	{regexp.MustCompile(`(?i)in progress|another operation|concurrent`), sayBusy},
}

func sayNotAllowed(message string) string {
	for _, row := range notAllowed {
		if row.words.MatchString(message) {
			return row.say(message)
		}
	}
	return "Azure does not allow this on the scale set as it is; its message says why. Put that right first, then retry."
}

func sayThrottled(message string) string {
	return "Azure asked for quiet: too many requests" + around(" (", quoted(message, `"operationGroup"\s*:\s*"([^"]+)"`, 60), ")") +
		". Nothing was done. It goes on by itself when the wait is over."
}

func sayFixed(message string) string {
	return "Azure does not let " + cmp.Or(quoted(message, `property '([^']+)'`, 60), "this property") +
		" change on an existing scale set. Choose a version of the same image, or make a new set."
}

func sayInvalid(message string) string {
	switch lower := strings.ToLower(message); {
	case strings.Contains(lower, "not an active"):
		return sayInactive(message)
	case strings.Contains(lower, "skiptoken"):
		return "Azure lost its place in a long list. The list is read again from the start; nothing needs doing."
	}
	return "Azure found " + cmp.Or(quoted(message, `parameter '?([\w.]+)`, 60), "a value") +
		" in the request wrong, and nothing was done. Check the image and the instances, then replan."
}

func sayInactive(message string) string {
	return cmp.Or(around("Instance ", quoted(message, `instanceId ([\w-]+)`, 64), ""), "An instance") +
		" is not in the scale set any more, so Azure refused the whole call. Retry: the list is read again first."
}

func sayNoImage(message string) string {
	return "Azure does not offer the image" + around(" ", quoted(message, `image '([^']+)'`, 80), "") +
		" in this region. Check the version, or the gallery's replication, then plan again."
}

// rightLacking finds what may not be done, and where: in Azure's own words, in which that comes last,
// after what may, and in the adapter's.
var rightLacking = regexp.MustCompile(`(?:perform action(?:\(s\)|s)?|lacks the right) '?([^'\s]+)'?(?: (?:on|over) (?:the )?(?:linked )?(?:scope(?:\(s\)|s)? )?'?([^'\s]+))?`)

func sayMissingRight(message string) string {
	all := rightLacking.FindAllStringSubmatch(message, -1)
	if len(all) == 0 {
		return "Azure says that the bot's identity may not do this, not what it lacks. Compare its role with docs/azure-role.json, then retry."
	}
	last := all[len(all)-1]
	return "The bot's identity lacks " + cmp.Or(plainName(last[1], 80), "a right") + around(" on ", plainName(resourceIn(last[2]), 60), "") +
		". Have it granted, then retry."
}

// resourceIn is the part of a scope that tells: a resource without its provider, or the group or the
// subscription.
func resourceIn(scope string) string {
	if _, resource, found := strings.Cut(scope, "/providers/"); found {
		_, resource, _ = strings.Cut(resource, "/")
		return resource
	}
	parts := strings.Split(scope, "/")
	return strings.Join(parts[max(0, len(parts)-2):], "/")
}

// sayExtension names the extension, which Azure does in the middle of its message and the adapter at
// the beginning.
func sayExtension(what string) telling {
	return func(message string) string {
		name := cmp.Or(quoted(message, `extension '([^']+)'`, 60), quoted(message, `^extension ([^:\s]+):`, 60))
		return "The extension" + around(" ", name, "") + " " + what + ", so the instance is not up. See its own message, mend that, then retry or quarantine the instance."
	}
}

// quoted returns a name out of a message: the first group of a pattern, if it is one.
func quoted(message, pattern string, most int) string {
	m := regexp.MustCompile(`(?i)` + pattern).FindStringSubmatch(message)
	if m == nil {
		return ""
	}
	return plainName(m[1], most)
}

// nameForm has no place for markup, mentions and links.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._/:()-]*[A-Za-z0-9)])?$`)

// plainName returns s if it is a name, with its middle left out beyond so many characters, else "".
func plainName(s string, most int) string {
	switch {
	case !nameForm.MatchString(s) || strings.Contains(s, "://"):
		return ""
	case len(s) <= most:
		return s
	}
	head := most / 2
	return s[:head] + "…" + s[len(s)-(most-head-1):]
}

// around puts a word between two others; no word, nothing.
func around(before, word, after string) string {
	if word == "" {
		return ""
	}
	return before + word + after
}
