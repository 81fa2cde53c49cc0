"""tf.config.threading."""

from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.framework.device_config import (
    get_inter_op_parallelism_threads as get_inter_op_parallelism_threads,
    get_intra_op_parallelism_threads as get_intra_op_parallelism_threads,
    set_inter_op_parallelism_threads as set_inter_op_parallelism_threads,
    set_intra_op_parallelism_threads as set_intra_op_parallelism_threads,
)
_contents.end(__name__)
