package main

import (
	"net/http"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/vmssbot/vmssbot/bot/slacksim"
)

// room lets the process write so many bytes into any file from now on; negative = no limit. It is how a
// disk is full here: the kernel refuses what goes beyond, and nobody needs to be root.
func (p *apart) room(bytes int64) {
	p.t.Helper()
	limit := syscall.Rlimit{Cur: uint64(bytes), Max: ^uint64(0)}
	_, _, no := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(p.outer.cmd.Process.Pid), syscall.RLIMIT_FSIZE, uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
	if no != 0 {
		p.t.Fatalf("limit the process's files: %v", no)
	}
}

func TestAFullDiskStartsNothingIsToldAndHealsByItself(t *testing.T) {
	p := processOf(t)
	last := p.underway()
	p.room(1)
	p.feels(http.StatusServiceUnavailable, "the journal takes no writes, so nothing is started or acknowledged")
	out, err := p.w.slack.Command("ana", slacksim.Ops, "/vmss", "status")
	if err != nil || out.Acked {
		t.Errorf("what cannot be kept was acknowledged: %+v, %v", out, err)
	}
	// A pass that met the full disk could not give its lease back: it is watched once that is over.
	p.says("in flight, and only watched")
	p.startedNoMore()
	p.room(-1)
	p.feels(http.StatusOK, `"ok":true`)
	p.finishes(last)
	p.must(p.outer.cmd.Process.Signal(syscall.SIGTERM))
	p.ends(0, 10*time.Second, "disk I/O error")
}
