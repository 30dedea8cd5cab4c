package app

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/vmssbot/vmssbot/upgrade/store"
)

// VerifyAudit checks a journal's hash chain and says what it has looked at. Its error names the first
// place where something was changed, removed or put in. The bot may be at work meanwhile.
func VerifyAudit(ctx context.Context, journal string, out io.Writer) error {
	a, err := store.VerifyAt(ctx, journal)
	if err != nil { // it names what is in the journal, which may be forged to look like another answer
		return errors.New(Plain(err.Error()))
	}
	fmt.Fprintf(out, "the audit is whole: %d entries, the plans of %d rollouts among them, each as it was written\n", a.Entries, a.Rollouts)
	return nil
}
