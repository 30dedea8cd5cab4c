package upgrade

// Sentence says in plain words what Azure's code and message mean for somebody who rolls images out,
// and what to do about it; "" when the code is not known. The message is Azure's innermost one.
func Sentence(code, message string) string { return "" }
