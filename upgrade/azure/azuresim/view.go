package azuresim

import "strings"

// view is the instance view of i. A deallocated machine is nowhere, so it has neither domains nor a
// placement group, nor an agent. Machines of Flexible sets have no domains at all, "by design".
func (w *world) view(i *instance) document {
	if v, holds := i.asImported(); holds {
		return v
	}
	v := document{
		"computerName": i.computer(), "hyperVGeneration": "V1",
		"disks":    []any{document{"name": i.diskName(), "statuses": []any{entry("ProvisioningState", status{"succeeded", "", i.created})}}},
		"statuses": []any{entry("ProvisioningState", i.prov), entry("PowerState", i.power)},
	}
	if i.power.code != "deallocated" {
		if i.ud != noDomain {
			v["platformUpdateDomain"], v["platformFaultDomain"], v["placementGroupId"] = i.ud, i.fd, i.group
		}
		v["vmAgent"] = i.agent()
		if names := i.set.extensionNames(); len(names) > 0 {
			v["extensions"] = i.extensions(names)
		}
	}
	if i.power.code == "running" {
		v["osName"], v["osVersion"] = strings.ToLower(text(i.profile, "storageProfile", "imageReference", "offer")), i.exact
	}
	if code := i.healthCode(); code != "" && !i.mute {
		v["vmHealth"] = document{"status": entry("HealthState", status{code, i.health.message, i.health.since})}
	}
	return v
}

// healthCode is what the set's health source can say: a load balancer's probe knows only healthy
// and unhealthy, the extension (with rich states) also initializing and unknown.
func (i *instance) healthCode() string {
	if i.health.code != "" && i.health.code != "healthy" && i.set.health() == "probe" {
		return "unhealthy"
	}
	return i.health.code
}

func (i *instance) ready() bool { return i.power.code == "running" && i.health.code != "initializing" }

func (i *instance) agent() document {
	st := document{"code": "ProvisioningState/succeeded", "level": "Info", "displayStatus": "Ready",
		"message": "Guest Agent is running", "time": stamp(i.reported)}
	version := "2.11.1.4"
	if !i.ready() {
		st = document{"code": "ProvisioningState/Unavailable", "level": "Warning", "displayStatus": "Not Ready",
			"message": "VM status blob is found but not yet populated.", "time": stamp(i.power.since)}
		version = "Unknown"
	}
	return document{"vmAgentVersion": version, "statuses": []any{st}}
}

func (i *instance) extensions(names []string) []any {
	out := []any{}
	for _, n := range names {
		st := status{"succeeded", "", i.prov.since}
		if i.failed() {
			st = i.prov
		}
		out = append(out, document{"name": n, "statuses": []any{entry("ProvisioningState", st)}})
	}
	return out
}

// entry is one status in ARM's form. PowerState entries carry no time, as in Azure's own samples.
func entry(kind string, s status) document {
	e := document{"code": kind + "/" + s.code, "level": level(s.code), "displayStatus": displayStatus(kind, s.code)}
	if s.message != "" {
		e["message"] = s.message
	}
	if kind != "PowerState" {
		e["time"] = stamp(s.since)
	}
	return e
}

func level(code string) string {
	switch {
	case strings.HasPrefix(code, "failed"), code == "unhealthy":
		return "Error"
	case code == "unknown":
		return "Warning"
	}
	return "Info"
}

// displayStatus is the label for people. The unhealthy one is quoted in azure-cli#15018.
func displayStatus(kind, code string) string {
	if kind == "PowerState" {
		return "VM " + code
	}
	switch base, _, _ := strings.Cut(code, "/"); base {
	case "succeeded", "failed":
		return "Provisioning " + base
	case "healthy":
		return "The VM is reporting itself as healthy"
	case "unhealthy":
		return "The VM is reporting itself as unhealthy or is unreachable"
	case "unknown":
		return "The health of the VM is unknown"
	case "initializing":
		return "The VM is initializing"
	default:
		return capital(base)
	}
}
