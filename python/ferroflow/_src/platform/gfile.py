"""tf.gfile: files, with errors of `tf.errors`."""

import contextlib
import glob
import os
import re
import shutil

from ferroflow._src.framework import errors
from ferroflow._src.framework.text import as_text


@contextlib.contextmanager
def _translated():
    """Errors of the system as those that TensorFlow raises."""
    try:
        yield
    except FileNotFoundError as error:
        raise errors.NotFoundError(None, None, _message(error)) from None
    except FileExistsError as error:
        raise errors.AlreadyExistsError(None, None, _message(error)) from None
    except PermissionError as error:
        raise errors.PermissionDeniedError(None, None, _message(error)) from None
    except (IsADirectoryError, NotADirectoryError, OSError) as error:
        raise errors.FailedPreconditionError(None, None, _message(error)) from None


def _message(error):
    return f"{error.filename}; {error.strerror}" if error.filename else str(error)


def _path(path):
    return as_text(os.fspath(path))


class GFile:
    """A file for reading ("r"), writing ("w") or appending ("a"), of text or of bytes ("b")."""

    def __init__(self, name, mode="r"):
        """Opens the file when it is first used.

        Args:
          name: its path.
          mode: one of r, w, a, r+, w+, a+, each perhaps with b.
        """
        if mode.replace("b", "") not in ("r", "w", "a", "r+", "w+", "a+"):
            raise errors.InvalidArgumentError(None, None, f"mode {mode!r} is not one of r, w, a, r+, w+, a+")
        self._name = _path(name)
        self._mode = mode
        self._file = None

    @property
    def name(self):
        """The path."""
        return self._name

    @property
    def mode(self):
        """The mode."""
        return self._mode

    def _open(self):
        if self._file is None:
            with _translated():
                encoding = None if "b" in self._mode else "utf-8"
                self._file = open(self._name, self._mode, encoding=encoding)
        return self._file

    def read(self, n=-1):
        """Returns the next `n` characters or bytes; all that is left for -1."""
        with _translated():
            return self._open().read(n)

    def readline(self):
        """Returns the next line, with its end; '' at the end of the file."""
        return self._open().readline()

    def readlines(self):
        """Returns all lines that are left."""
        return self._open().readlines()

    def write(self, file_content):
        """Appends to the file."""
        with _translated():
            self._open().write(file_content)

    def seek(self, offset=None, whence=0, position=None):
        """Goes to a place."""
        self._open().seek(position if offset is None else offset, whence)

    def tell(self):
        """Returns the place."""
        return self._open().tell()

    def size(self):
        """Returns the size in bytes."""
        return Stat(self._name).length

    def flush(self):
        """Hands what was written to the system."""
        if self._file is not None:
            self._file.flush()

    def close(self):
        """Closes the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __iter__(self):
        return iter(self._open())

    def __next__(self):
        return next(self._open())

    def next(self):
        """Returns the next line."""
        return next(self._open())

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


FastGFile = Open = GFile


class FileStatistics:
    """Size, time of change and kind of a file."""

    def __init__(self, length, mtime_nsec, is_directory):
        self.length = length
        self.mtime_nsec = mtime_nsec
        self.is_directory = is_directory


def Exists(filename):
    """Whether there is a file or folder of this path."""
    return os.path.exists(_path(filename))


def IsDirectory(dirname):
    """Whether there is a folder of this path."""
    return os.path.isdir(_path(dirname))


def Stat(filename):
    """Returns the `FileStatistics`; NotFoundError when it is not there."""
    with _translated():
        found = os.stat(_path(filename))
    return FileStatistics(found.st_size, found.st_mtime_ns, os.path.isdir(_path(filename)))


def Glob(filename):
    """Returns the paths that match a pattern (or any of a list of patterns).

    They begin with "./" when the pattern names no folder before its first wildcard, as TensorFlow's do.
    """
    patterns = [_path(p) for p in (filename if isinstance(filename, (list, tuple)) else [filename])]
    return [_here(pattern) + path for pattern in patterns for path in sorted(glob.glob(pattern))]


def _here(pattern):
    """What TensorFlow puts before the paths that it finds: it looks for a bare pattern in "."."""
    bare = "/" not in re.split(r"[*?\[\\]", pattern, maxsplit=1)[0]
    return "./" if bare else ""


def ListDirectory(dirname):
    """Returns the names in a folder; NotFoundError when it is not there."""
    if not IsDirectory(dirname):
        raise errors.NotFoundError(None, None, f"Could not find directory {_path(dirname)}")
    return os.listdir(_path(dirname))


def MkDir(dirname):
    """Makes a folder, whose parent must be there."""
    with _translated():
        os.mkdir(_path(dirname))


def MakeDirs(dirname):
    """Makes a folder and those above it; nothing when it is there."""
    with _translated():
        os.makedirs(_path(dirname), exist_ok=True)


def Remove(filename):
    """Deletes a file."""
    with _translated():
        os.remove(_path(filename))


def DeleteRecursively(dirname):
    """Deletes a folder and all in it."""
    if not os.path.exists(_path(dirname)):
        raise errors.NotFoundError(None, None, f"{_path(dirname)} not found")
    with _translated():
        shutil.rmtree(_path(dirname))


def Copy(oldpath, newpath, overwrite=False):
    """Copies a file; AlreadyExistsError when the new path is taken, unless `overwrite`."""
    _check_free(newpath, overwrite)
    with _translated():
        shutil.copyfile(_path(oldpath), _path(newpath))


def Rename(oldname, newname, overwrite=False):
    """Renames a file; AlreadyExistsError when the new name is taken, unless `overwrite`."""
    _check_free(newname, overwrite)
    with _translated():
        os.replace(_path(oldname), _path(newname))


def _check_free(path, overwrite):
    if not overwrite and os.path.exists(_path(path)):
        raise errors.AlreadyExistsError(None, None, "file already exists")


def Walk(top, in_order=True):
    """Yields (folder, its folders, its files) below `top`, from the top down unless told otherwise."""
    yield from os.walk(_path(top), topdown=in_order)
