// Package vmssbot holds what belongs to the product as a whole: the Slack app's manifest. The
// rooms of the code are the folders beside it; see docs/architecture.md.
package vmssbot

import _ "embed"

// Manifest is the Slack app manifest, YAML as in manifest.yaml.
//
//go:embed manifest.yaml
var Manifest string
