"""tf.graph_util: GraphDefs cut out, frozen and cleaned."""

from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.framework.graph_util import (
    convert_variables_to_constants as convert_variables_to_constants,
    extract_sub_graph as extract_sub_graph,
    import_graph_def as import_graph_def,
    must_run_on_cpu as must_run_on_cpu,
    remove_training_nodes as remove_training_nodes,
    tensor_shape_from_node_def_name as tensor_shape_from_node_def_name,
)
_contents.end(__name__)
