"""tf.resource_loader: files beside the program."""

import os
import sys


def _folder():
    return os.path.dirname(os.path.abspath(sys._getframe(2).f_code.co_filename))


def load_resource(path):
    """Returns the bytes of a file beside the caller."""
    with open(os.path.join(_folder(), path), "rb") as file:
        return file.read()


def get_data_files_path():
    """Returns the folder of the caller."""
    return _folder()


def get_root_dir_with_all_resources():
    """Returns the folder of the caller."""
    return _folder()


def get_path_to_datafile(path):
    """Returns the path of a file beside the caller."""
    return os.path.join(_folder(), path)


def readahead_file_path(path, readahead="128M"):
    """Returns the path."""
    return path
