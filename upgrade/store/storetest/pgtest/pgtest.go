//go:build postgres

// Package pgtest gives tests a PostgreSQL: empty schemas for journals, and what somebody with psql could do to them.
// The server is the one that .ci/postgres starts for as long as a command runs.
package pgtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
)

// variable names the server.
const variable = "VMSSBOT_TEST_POSTGRES"

var schemas atomic.Int64

// Server is where the server is. The test fails where there is none.
func Server(t testing.TB) *url.URL {
	t.Helper()
	u, err := url.Parse(os.Getenv(variable))
	if err != nil || u.Scheme == "" {
		t.Fatalf("%s does not name a server: run .ci/postgres", variable)
	}
	return u
}

// Schema makes an empty one for as long as the test runs, and returns the URL of a journal in it.
func Schema(t testing.TB) string {
	t.Helper()
	u := Server(t)
	name := fmt.Sprintf("t%d_%d", os.Getpid(), schemas.Add(1))
	Admin(t, `create schema `+name)
	t.Cleanup(func() { Admin(t, `drop schema `+name+` cascade`) })
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
}

// Admin says something on a connection of its own, as somebody with psql would.
func Admin(t testing.TB, text string) {
	t.Helper()
	ctx := context.Background() // cleanups run it, too
	conn, err := pgx.Connect(ctx, Server(t).String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, text); err != nil {
		t.Fatal(err)
	}
}

// Cut ends the sessions that have a journal open, as a server that restarts or a network that fails does. The place
// is the URL of the journal.
func Cut(t testing.TB, place string) {
	t.Helper()
	u, err := url.Parse(place)
	if err != nil {
		t.Fatal(err)
	}
	Admin(t, `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted
		and objid = hashtext('`+u.Query().Get("search_path")+`')::oid`)
}
