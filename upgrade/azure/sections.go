package azure

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"strings"

	"github.com/vmssbot/vmssbot/upgrade"
)

// sections returns the parts of a set's document that a rollout depends on, in the form they are
// digested in. It reads the document as it came, so settings this SDK does not know of count, too. The
// same settings must always give the same digest, so what Azure adds or rewrites by itself does not:
//
//   - members that are null, and objects and lists that are empty, are absent;
//   - resource ids (texts that begin with /subscriptions/) and the names of user-assigned
//     identities, which are such ids, are in lower case: Azure changes their case at will;
//   - principalId, tenantId and clientId of identities, provisioningState and id of extensions,
//     and timeCreated of the profile are read-only and left out. Only at these places: an
//     extension's own setting named clientId counts.
//
// The image, reference or VHD, is in no section: it is the Model's Image. A document that cannot be read
// has no sections.
func sections(raw []byte) map[upgrade.Section]any {
	doc := object(raw)
	profile := child(child(doc, "properties"), "virtualMachineProfile")
	delete(profile, "timeCreated")
	storage := child(profile, "storageProfile")
	delete(storage, "imageReference")
	delete(child(storage, "osDisk"), "image")
	out := map[upgrade.Section]any{
		upgrade.SectionOSProfile:  canonical(take(profile, "osProfile")),
		upgrade.SectionNetwork:    canonical(take(profile, "networkProfile")),
		upgrade.SectionExtensions: canonical(extensions(take(profile, "extensionProfile"))),
		upgrade.SectionIdentity:   canonical(identity(child(doc, "identity"))),
		upgrade.SectionOther:      canonical(profile), // what the others have left
	}
	maps.DeleteFunc(out, func(_ upgrade.Section, v any) bool { return v == nil })
	return out
}

// digests are the sections as the Model has them.
func digests(parts map[upgrade.Section]any) map[upgrade.Section]string {
	out := map[upgrade.Section]string{}
	for section, v := range parts {
		out[section] = digest(v)
	}
	return out
}

func digest(v any) string {
	text, err := json.Marshal(v) // maps are written in the order of their keys
	if err != nil {
		return "?" // decoded JSON can be encoded
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// object decodes a JSON object, keeping numbers as they are written; nil when it is none.
func object(raw []byte) map[string]any {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var doc map[string]any
	if d.Decode(&doc) != nil {
		return nil
	}
	return doc
}

func child(o map[string]any, name string) map[string]any {
	c, _ := o[name].(map[string]any)
	return c
}

// take removes a member and returns it.
func take(o map[string]any, name string) any {
	v := o[name]
	delete(o, name)
	return v
}

func identity(o map[string]any) any {
	delete(o, "principalId")
	delete(o, "tenantId")
	users := map[string]any{}
	for id := range child(o, "userAssignedIdentities") {
		users[strings.ToLower(id)] = true
	}
	if len(users) > 0 {
		o["userAssignedIdentities"] = users
	}
	return o
}

func extensions(v any) any {
	profile, _ := v.(map[string]any)
	list, _ := profile["extensions"].([]any)
	for _, e := range list {
		e, _ := e.(map[string]any)
		delete(e, "id")
		delete(child(e, "properties"), "provisioningState")
	}
	return v
}

// canonical returns a value in the form that is digested, nil for nothing.
func canonical(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, x := range v {
			if x = canonical(x); x != nil {
				out[k] = x
			}
		}
		if len(out) == 0 {
			return nil
		}
		return out
	case []any:
		if len(v) == 0 {
			return nil
		}
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = canonical(x)
		}
		return out
	case string:
		if strings.HasPrefix(strings.ToLower(v), "/subscriptions/") {
			return strings.ToLower(v)
		}
	}
	return v
}

// managedBy is not among the SDK's members of a set.
func managedBy(raw []byte) string {
	var doc struct {
		ManagedBy string `json:"managedBy"`
	}
	if json.Unmarshal(raw, &doc) != nil {
		return ""
	}
	return doc.ManagedBy
}
