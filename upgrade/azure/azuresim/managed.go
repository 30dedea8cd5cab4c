package azuresim

import (
	"slices"
	"strings"
)

func (w *world) listManagedImages(c *call) *reply {
	group, named := c.params["group"]
	if named {
		if refusal := w.groupOf(c); refusal != nil {
			return refusal
		}
	}
	images := slices.DeleteFunc(slices.Clone(w.opt.Fleet.ManagedImages), func(m ManagedImage) bool {
		return named && !strings.EqualFold(m.ResourceGroup, group)
	})
	return pageOf(w, c, images, w.managedID, w.managedDocument)
}

func (w *world) getManagedImage(c *call) *reply {
	if refusal := w.groupOf(c); refusal != nil {
		return refusal
	}
	m, known := w.opt.Fleet.managedImage(c.param("group"), c.param("image"))
	if !known {
		return noResource(c, typeImage, c.param("image"))
	}
	return ok(w.managedDocument(m))
}

func (w *world) managedID(m ManagedImage) string {
	return "/subscriptions/" + w.opt.Fleet.Subscription + "/resourceGroups/" + m.ResourceGroup + "/providers/" + typeImage + "/" + m.Name
}

// managedDocument says nothing of when the image was made: Azure does not either.
func (w *world) managedDocument(m ManagedImage) document {
	source := "/subscriptions/" + w.opt.Fleet.Subscription + "/resourceGroups/" + m.ResourceGroup + "/providers/Microsoft.Compute/"
	return document{
		"name": m.Name, "id": w.managedID(m), "type": typeImage, "location": m.Location, "tags": document{},
		"properties": document{
			"sourceVirtualMachine": document{"id": source + "virtualMachines/" + m.Name + "-build"},
			"storageProfile": document{
				"osDisk": document{
					"osType": m.OS, "osState": "Generalized", "diskSizeGB": 30, "caching": "ReadWrite", "storageAccountType": "Premium_LRS",
					"managedDisk": document{"id": source + "disks/" + m.Name + "-build_OsDisk"},
				},
				"dataDisks": []any{}, "zoneResilient": false,
			},
			"hyperVGeneration": "V2", "provisioningState": m.ProvisioningState,
		},
	}
}
