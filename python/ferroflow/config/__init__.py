"""tf.config: devices and threads, outside of any session."""

from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.framework.device_config import (
    experimental_list_devices as experimental_list_devices,
    get_soft_device_placement as get_soft_device_placement,
    set_soft_device_placement as set_soft_device_placement,
)
_contents.end(__name__)
