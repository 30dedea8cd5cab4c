//go:build unix

package store

import (
	"errors"
	"os"
	"syscall"
)

// errHeld says that another process (or another Store of this one) holds the lock file.
var errHeld = errors.New("held by another process")

// holdFile opens and locks the file for as long as it stays open; the kernel frees the lock when the
// process dies, however it dies.
func holdFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600) // a link would have another file cut short
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		return f, nil
	}
	f.Close()
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errHeld
	}
	return nil, &os.PathError{Op: "flock", Path: path, Err: err}
}

// syncDir makes a rename in the directory survive a power loss.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// OpenToAll reports whether everybody can rename and remove the files in a directory, whatever their modes.
// Kubernetes mounts a ConfigMap in one of mode 0777, but read-only.
func OpenToAll(dir string) bool {
	info, err := os.Stat(dir)
	return err == nil && info.Mode()&0o002 != 0 && info.Mode()&os.ModeSticky == 0 && !errors.Is(syscall.Access(dir, writes), syscall.EROFS)
}

const writes = 2 // W_OK

// wide reports whether others than the owner may read or write the file.
func wide(mode os.FileMode) bool { return mode.Perm()&0o077 != 0 }
