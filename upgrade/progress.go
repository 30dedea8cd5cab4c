package upgrade

// ModelAnswer is what becomes of the model when a rollout ends early.
type ModelAnswer string

const (
	ModelOpen ModelAnswer = ""       // nobody has said
	Revert    ModelAnswer = "revert" // put the old image back
	Keep      ModelAnswer = "keep"   // leave the new one
)

// Progress is where one instance of a rollout stands.
type Progress string

const (
	Waiting   Progress = ""          // not started
	Going     Progress = "upgrading" // named in a call that was sent
	Checking  Progress = "checking"  // on the new image, not yet confirmed healthy
	Confirmed Progress = "confirmed" // seen good once; a second list must agree (R28)
	OK        Progress = "ok"
	Broken    Progress = "failed"
	Vanished  Progress = "vanished"
	Left      Progress = "left out"     // current, protected or deallocated since the plan
	Unclear   Progress = "inconclusive" // its time is up and nothing says whether it is well (R29)
	Passed    Progress = "skipped"      // by a person
	Aside     Progress = "quarantined"
)

// Final reports whether the rollout is done with the instance.
func (p Progress) Final() bool {
	switch p {
	case OK, Broken, Vanished, Left, Passed, Aside:
		return true
	}
	return false
}

// Verdict is what a person says of what the bot cannot tell.
type Verdict string

const (
	Started    Verdict = "started"     // the call without an answer did happen
	NotStarted Verdict = "not-started" // it did not
	IsOK       Verdict = "ok"          // the instance is well
	IsFailed   Verdict = "failed"      // it is not
	GoOn       Verdict = "go-on"       // a wave may begin although one before it did not succeed
	Passes     Verdict = "passed"      // external gates that tell nothing would pass
)

// Outcome is how a rollout ended.
type Outcome string

const (
	OutcomeSucceeded Outcome = "succeeded"
	OutcomeAborted   Outcome = "aborted"
	OutcomeFailed    Outcome = "failed"
	OutcomeExpired   Outcome = "expired"
	OutcomeNothing   Outcome = "nothing to do" // not one instance was left to upgrade (R33)
	OutcomeAside     Outcome = "succeeded with quarantine"
	OutcomeRollback  Outcome = "rolled back" // a rollout back to the image before has taken over (R5)
)

// Tally is the closing count of the planned instances, as last seen.
type Tally struct {
	Planned, OK, Failed, Vanished, Left, Untouched int
	Unknown                                        int // started, and not seen to the end
	Aside, Passed                                  int // quarantined, skipped
	OnNew, OnOld                                   int // instances of the whole set by image
	LowestServing, Total                           int
	Born                                           int // instances the set got meanwhile
}
