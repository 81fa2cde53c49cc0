"""tf.sysconfig: where the library lies, for those who build against it."""

import os

from ferroflow._src.framework.versions import CXX11_ABI_FLAG, MONOLITHIC_BUILD


def get_include():
    """Returns the folder of C++ headers. There are none: ops are added in Rust, see docs/adding-an-op.md."""
    return os.path.join(get_lib(), "include")


def get_lib():
    """Returns the folder of the library."""
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def get_compile_flags():
    """Returns flags for a C++ compiler."""
    return [f"-I{get_include()}", f"-D_GLIBCXX_USE_CXX11_ABI={CXX11_ABI_FLAG:d}"]


def get_link_flags():
    """Returns flags for a linker."""
    return [] if MONOLITHIC_BUILD else [f"-L{get_lib()}"]
