"""Files by the names of `tensorflow.python.lib.io.file_io`."""

import filecmp as _filecmp
import os
import secrets

from ferroflow._src.framework.text import as_bytes
from ferroflow._src.platform import gfile
from ferroflow._src.platform.gfile import GFile as FileIO

__all__ = [
    "FileIO",
    "atomic_write_string_to_file",
    "copy",
    "create_dir",
    "delete_file",
    "delete_recursively",
    "file_exists",
    "filecmp",
    "get_matching_files",
    "is_directory",
    "list_directory",
    "read_file_to_string",
    "recursive_create_dir",
    "rename",
    "stat",
    "walk",
    "write_string_to_file",
]

copy = gfile.Copy
create_dir = gfile.MkDir
delete_file = gfile.Remove
delete_recursively = gfile.DeleteRecursively
file_exists = gfile.Exists
get_matching_files = gfile.Glob
is_directory = gfile.IsDirectory
list_directory = gfile.ListDirectory
recursive_create_dir = gfile.MakeDirs
rename = gfile.Rename
stat = gfile.Stat
walk = gfile.Walk


def read_file_to_string(filename, binary_mode=False):
    """Returns what a file holds: text, or bytes in binary mode."""
    with FileIO(filename, "rb" if binary_mode else "r") as file:
        return file.read()


def write_string_to_file(filename, file_content):
    """Writes a text or bytes to a file."""
    with FileIO(filename, "wb") as file:
        file.write(as_bytes(file_content))


def atomic_write_string_to_file(filename, contents, overwrite=True):
    """Writes a file under another name first: nobody ever sees a part of it.

    Raises:
      AlreadyExistsError: when the file is there and `overwrite` is not set.
    """
    name = f"{os.fspath(filename)}.tmp{secrets.token_hex(8)}"
    write_string_to_file(name, contents)
    try:
        rename(name, filename, overwrite)
    except Exception:
        delete_file(name)
        raise


def filecmp(filename_a, filename_b):
    """Whether two files hold the same bytes."""
    return _filecmp.cmp(filename_a, filename_b, shallow=False)
