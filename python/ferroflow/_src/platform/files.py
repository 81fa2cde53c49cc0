"""tf.io.gfile: `tf.gfile` under the names of Python's `os`."""

import os

from ferroflow._src.framework import errors
from ferroflow._src.platform import gfile
from ferroflow._src.platform.gfile import GFile as GFile


def copy(src, dst, overwrite=False):
    """Copies a file. AlreadyExistsError when there is one and `overwrite` is false."""
    gfile.Copy(src, dst, overwrite)


def exists(path):
    """Whether there is such a file or folder."""
    return gfile.Exists(path)


def glob(pattern):
    """Returns the paths that match a pattern, or one of several."""
    return gfile.Glob(pattern)


def isdir(path):
    """Whether there is such a folder."""
    return gfile.IsDirectory(path)


def listdir(path):
    """Returns the names in a folder. NotFoundError without it."""
    return gfile.ListDirectory(path)


def makedirs(path):
    """Makes a folder and those above it that are not there."""
    gfile.MakeDirs(path)


def mkdir(path):
    """Makes a folder. NotFoundError when the one above is not there."""
    gfile.MkDir(path)


def remove(path):
    """Deletes a file. NotFoundError without it."""
    gfile.Remove(path)


def rename(src, dst, overwrite=False):
    """Renames or moves a file or folder. AlreadyExistsError when there is one and `overwrite` is false."""
    gfile.Rename(src, dst, overwrite)


def rmtree(path):
    """Deletes a folder and all in it. NotFoundError without it."""
    gfile.DeleteRecursively(path)


def stat(path):
    """Returns the statistics of a file or folder. NotFoundError without it."""
    return gfile.Stat(path)


def walk(top, topdown=True, onerror=None):
    """Yields (folder, its folders, its files) below `top`.

    Args:
      top: a path.
      topdown: whether a folder comes before those in it.
      onerror: called with a NotFoundError when `top` is not there; None to pass over it.
    """
    if onerror is not None and not os.path.isdir(top):
        onerror(errors.NotFoundError(None, None, f"Could not find directory {top}"))
    yield from gfile.Walk(top, topdown)
