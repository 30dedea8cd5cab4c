package store

import (
	"errors"
	"os"
	"syscall"
)

// errHeld says that another process (or another Store of this one) holds the lock file.
var errHeld = errors.New("held by another process")

const sharingViolation = syscall.Errno(32)

// holdFile opens the file so that nobody else can open it for writing until the process ends.
func holdFile(path string) (*os.File, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, syscall.FILE_SHARE_READ,
		nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	switch {
	case errors.Is(err, sharingViolation):
		return nil, errHeld
	case err != nil:
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}

// syncDir does nothing: NTFS journals renames.
func syncDir(string) error { return nil }

// OpenToAll is always false, as wide is.
func OpenToAll(string) bool { return false }

// wide is always false: access is a matter of the folder's ACL there, not of mode bits.
func wide(os.FileMode) bool { return false }
