"""tf.sysconfig: where the library lies, for those who build against it."""

from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.framework.versions import (
    CXX11_ABI_FLAG as CXX11_ABI_FLAG,
    MONOLITHIC_BUILD as MONOLITHIC_BUILD,
)
from ferroflow._src.platform.sysconfig import (
    get_compile_flags as get_compile_flags,
    get_include as get_include,
    get_lib as get_lib,
    get_link_flags as get_link_flags,
)
_contents.end(__name__)
