"""tf.contrib.util: tensors as messages, what a graph's ops are."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.framework.meta_graph import (
    ops_used_by_graph_def as ops_used_by_graph_def,
    stripped_op_list_for_graph as stripped_op_list_for_graph,
)
from ferroflow._src.framework.tensor_proto import (
    MakeNdarray as make_ndarray,
    make_tensor_proto as make_tensor_proto,
)
from ferroflow._src.framework.tensor_util import constant_value as constant_value
_contents.end(__name__)
# fmt: on
