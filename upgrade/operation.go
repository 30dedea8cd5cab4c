package upgrade

// OpKind is what an operation writes.
type OpKind string

const (
	OpModel   OpKind = "model"   // PATCH what the plan sets in the model: its image, or its VM size
	OpUpgrade OpKind = "upgrade" // POST manualupgrade
	OpRevert  OpKind = "revert"  // PATCH the previous one back; needs no grant
	OpReimage OpKind = "reimage" // POST reimage: a retry of instances that have the model already
)

// OnInstances reports whether the write is to instances, not to the model.
func (k OpKind) OnInstances() bool { return k == OpUpgrade || k == OpReimage }

// Operation is one write to Azure. Its ID is unique in the journal and travels as the request id.
type Operation struct {
	ID        string
	Kind      OpKind
	Set       SetID
	Gate      string // the gate whose grant covers it; "" for a revert
	Asking    int
	Digest    string
	Batch     int
	Instances []string
	To        Setting `json:"Image"` // of a write to the model
	IfMatch   string
	Resend    bool // the one re-send after an unknown outcome (R48), also of a revert that was lost
	Ephemeral bool // of a reimage: the OS disks are ephemeral and must be forced to the model's image
	Traceless bool // its instances were on the target before: their image does not tell whether it happened
}

// repeatable reports whether the call may be sent once more should its outcome stay unknown: a manualupgrade
// whose absence shows in the set, once (R48).
func (o Operation) repeatable() bool { return o.Kind == OpUpgrade && !o.Traceless && !o.Resend }

// OpState is how far an operation has come.
type OpState string

const (
	StateIntended OpState = "intended"
	StateSending  OpState = "sending"
	StateAccepted OpState = "accepted"
	StateDone     OpState = "done"
	StateFailed   OpState = "failed"
	StateRefused  OpState = "refused"
	StateDropped  OpState = "dropped"
)
