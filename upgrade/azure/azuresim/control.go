package azuresim

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"
)

// State is everything there is, for tests and pages. It shows the truth, not what a lag fault lets
// ARM show.
type State struct {
	Now        time.Time        `json:"now"`
	Sets       []SetState       `json:"sets"` // by id
	Operations []OperationState `json:"operations"`
	Faults     []ActiveFault    `json:"faults,omitempty"`  // that wait or still hold
	Buckets    []BucketState    `json:"buckets,omitempty"` // of requests: what they hold and how many calls they saw
}

// SetState is one scale set.
type SetState struct {
	ID                string          `json:"id"`
	Name              string          `json:"name"`
	ResourceGroup     string          `json:"resourceGroup"`
	Location          string          `json:"location"`
	Orchestration     string          `json:"orchestration"` // Uniform or Flexible
	Etag              string          `json:"etag"`
	Mode              string          `json:"mode"`
	ProvisioningState string          `json:"provisioningState"`
	Image             string          `json:"image"`              // URN or resource id of the model's image
	ImageVersion      string          `json:"imageVersion"`       // exact version it stands for now
	Versions          []string        `json:"versions,omitempty"` // of a platform image, oldest first
	HealthSource      string          `json:"healthSource"`       // probe, extension or none
	Repairs           string          `json:"repairs"`            // state of automatic repairs: Running, Suspended or NotRunning
	Spot              bool            `json:"spot,omitempty"`     // its instances can be evicted
	Autoscale         *Autoscale      `json:"autoscale,omitempty"`
	Operation         string          `json:"operation"` // that holds the set, "" if none
	Instances         []InstanceState `json:"instances"`
}

// InstanceState is one instance. Provisioning, Power and Health are the last parts of ARM's status
// codes, such as updating, running and healthy; Health is "" without a health source.
type InstanceState struct {
	ID                 string    `json:"id"`
	UD                 int       `json:"ud"` // -1: in none, as all of a Flexible set
	FD                 int       `json:"fd"`
	Zone               string    `json:"zone,omitempty"`
	PlacementGroup     string    `json:"placementGroup"`
	Version            string    `json:"version"` // exact
	Size               string    `json:"size"`    // of the VM
	LatestModelApplied bool      `json:"latestModelApplied"`
	Provisioning       string    `json:"provisioning"`
	Power              string    `json:"power"`
	Health             string    `json:"health"`
	Phase              Phase     `json:"phase"`
	Message            string    `json:"message,omitempty"` // of a failure
	Doing              string    `json:"doing,omitempty"`   // the action it is in
	Protected          bool      `json:"protected"`
	Since              time.Time `json:"since"` // of Provisioning
	PowerSince         time.Time `json:"powerSince,omitzero"`
	HealthSince        time.Time `json:"healthSince,omitzero"`
}

// OperationState is one operation that has not been forgotten.
type OperationState struct {
	ID      string    `json:"id"`
	Kind    string    `json:"kind"`
	Set     string    `json:"set"`
	Status  string    `json:"status"`
	Start   time.Time `json:"start"`
	End     time.Time `json:"end,omitzero"`
	Pending []string  `json:"pending,omitempty"` // ids still in it
}

func (w *world) state() State {
	st := State{Now: w.clock, Faults: w.activeFaults(), Buckets: w.limits.state(w.clock)}
	for _, s := range w.sortedSets() {
		st.Sets = append(st.Sets, w.setState(s))
	}
	for _, id := range sortedKeys(w.ops) {
		op := w.ops[id]
		o := OperationState{ID: id, Kind: op.kind, Set: op.set.key(), Status: op.status, Start: op.start, End: op.end}
		for _, i := range op.set.instances {
			if op.pending[i] {
				o.Pending = append(o.Pending, i.id)
			}
		}
		st.Operations = append(st.Operations, o)
	}
	return st
}

func (w *world) setState(s *scaleSet) SetState {
	out := SetState{ID: s.id(), Name: s.name, ResourceGroup: s.group.name, Location: s.location, Orchestration: s.orchestration(), Etag: quoted(s.etag),
		Mode: s.mode(), ProvisioningState: s.prov, Image: w.imageName(s), HealthSource: s.health(), Versions: w.opt.Fleet.versions(s.image()),
		Repairs: s.repairs, Spot: s.spot(), Autoscale: s.spec.Autoscale}
	out.ImageVersion, _ = w.opt.Fleet.resolve(s.image(), s.location)
	if s.op != nil {
		out.Operation = s.op.id
	}
	for _, i := range s.instances {
		out.Instances = append(out.Instances, InstanceState{
			ID: i.id, UD: i.ud, FD: i.fd, Zone: i.zone, PlacementGroup: i.group, Version: i.exact, Size: i.size,
			LatestModelApplied: i.latest(), Provisioning: i.prov.code, Power: i.power.code, Health: i.healthCode(),
			Phase: w.phase(i), Message: i.prov.message, Doing: i.doing, Protected: i.protected(),
			Since: i.prov.since, PowerSince: i.power.since, HealthSince: i.health.since,
		})
	}
	return out
}

// sameOrigin lets through what a browser sends from our own pages, and everything that is no browser.
var sameOrigin = http.NewCrossOriginProtection()

// control is the simulator's own API. It asks for no token: it is meant for loopback, where other
// web sites must not reach it through the browser of the person in front of it.
func (s *Sim) control(rw http.ResponseWriter, r *http.Request) {
	rw.Header().Set("Cache-Control", "no-store")
	rw.Header().Set("X-Content-Type-Options", "nosniff")
	if err := sameOrigin.Check(r); err != nil {
		fail(http.StatusForbidden, "CrossOriginRequest", "control API: %s", err).write(rw)
		return
	}
	switch r.Method + " " + r.URL.Path {
	case "GET /_control/state":
		ok(s.Snapshot()).write(rw)
	case "GET /_control/stats":
		ok(s.Stats()).write(rw)
	case "GET /_control/writes":
		ok(s.Writes()).write(rw)
	case "GET /_control/view":
		s.serveView(rw, r)
	case "GET /_control/faults":
		ok(faultKinds).write(rw)
	case "POST /_control/fault":
		outcome(rw, s.injectBody(r.Body))
	case "POST /_control/reset":
		outcome(rw, s.Reset())
	default:
		fail(http.StatusNotFound, "NotFound",
			"Known: GET /_control/state, stats, writes, view, faults; POST /_control/fault, reset.").write(rw)
	}
}

func outcome(rw http.ResponseWriter, err error) {
	if err != nil {
		fail(http.StatusBadRequest, "BadRequest", "%s", err).write(rw)
		return
	}
	ok(document{"ok": true}).write(rw)
}

// injectBody reads one fault; unknown members are refused.
func (s *Sim) injectBody(body io.Reader) error {
	data, err := io.ReadAll(io.LimitReader(body, maxBody))
	if err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var f Fault
	if err := dec.Decode(&f); err != nil {
		return err
	}
	return s.Inject(f)
}

func itoa(n int) string { return strconv.Itoa(n) }
