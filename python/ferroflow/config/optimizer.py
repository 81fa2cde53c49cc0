"""tf.config.optimizer."""

from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.framework.device_config import (
    get_experimental_options as get_experimental_options,
    get_jit as get_jit,
    set_experimental_options as set_experimental_options,
    set_jit as set_jit,
)
_contents.end(__name__)
