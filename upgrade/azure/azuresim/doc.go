// Package azuresim is a local Azure.
package azuresim
