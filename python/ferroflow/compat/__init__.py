"""tf.compat: texts and dimensions whatever the version, and `tf.compat.v1`, which is this library itself."""

import sys as _sys

import ferroflow as v1
from ferroflow._src import contents as _contents
from ferroflow._src.shim.finder import install as install, uninstall as uninstall

_contents.begin(__name__)
from ferroflow._src.framework.modes import (
    forward_compatibility_horizon as forward_compatibility_horizon,
    forward_compatible as forward_compatible,
)
from ferroflow._src.framework.tensor_shape import (
    dimension_at_index as dimension_at_index,
    dimension_value as dimension_value,
)
from ferroflow._src.framework.text import (
    as_bytes as as_bytes,
    as_str as as_str,
    as_str_any as as_str_any,
    as_text as as_text,
    bytes_or_text_types as bytes_or_text_types,
    complex_types as complex_types,
    integral_types as integral_types,
    path_to_str as path_to_str,
    real_types as real_types,
)
_contents.end(__name__)

# `import ferroflow.compat.v1 as tf` finds it here.
_sys.modules[__name__ + ".v1"] = v1
