"""tf.contrib.slim.utils: what layers are written with."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.contrib.layers.arguments import (
    channel_dimension as channel_dimension,
    constant_value as constant_value,
    last_dimension as last_dimension,
    n_positive_integers as n_positive_integers,
    smart_cond as smart_cond,
    static_cond as static_cond,
    two_element_tuple as two_element_tuple,
)
from ferroflow._src.contrib.layers.outputs import (
    append_tensor_alias as append_tensor_alias,
    collect_named_outputs as collect_named_outputs,
    convert_collection_to_dict as convert_collection_to_dict,
    gather_tensors_aliases as gather_tensors_aliases,
    get_tensor_aliases as get_tensor_aliases,
    get_variable_collections as get_variable_collections,
)
_contents.end(__name__)
# fmt: on
