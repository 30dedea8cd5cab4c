// Package upgradetest tells whole rollouts as stories.
package upgradetest
