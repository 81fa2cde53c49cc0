"""tf.contrib.framework: arg_scope, variables of models, checks."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.contrib.framework.arg_scope import (
    add_arg_scope as add_arg_scope,
    arg_scope as arg_scope,
    arg_scoped_arguments as arg_scoped_arguments,
    current_arg_scope as current_arg_scope,
    has_arg_scope as has_arg_scope,
)
from ferroflow._src.contrib.framework.checkpoints import (
    assign_from_checkpoint as assign_from_checkpoint,
    assign_from_checkpoint_fn as assign_from_checkpoint_fn,
    assign_from_values as assign_from_values,
    assign_from_values_fn as assign_from_values_fn,
    filter_variables as filter_variables,
    get_variable_full_name as get_variable_full_name,
)
from ferroflow._src.contrib.framework.script import py_func as py_func
from ferroflow._src.contrib.framework.shapes import (
    with_same_shape as with_same_shape,
    with_shape as with_shape,
)
from ferroflow._src.contrib.framework.tensors import (
    assert_scalar_int as assert_scalar_int,
    get_graph_from_inputs as get_graph_from_inputs,
    get_placeholders as get_placeholders,
    reduce_sum_n as reduce_sum_n,
)
from ferroflow._src.contrib.framework.variables import (
    add_model_variable as add_model_variable,
    assert_same_float_dtype as assert_same_float_dtype,
    assert_scalar as assert_scalar,
    get_local_variables as get_local_variables,
    get_model_variables as get_model_variables,
    get_trainable_variables as get_trainable_variables,
    get_unique_variable as get_unique_variable,
    get_variables as get_variables,
    get_variables_by_name as get_variables_by_name,
    get_variables_by_suffix as get_variables_by_suffix,
    get_variables_to_restore as get_variables_to_restore,
    global_variable as global_variable,
    local_variable as local_variable,
    model_variable as model_variable,
    variable as variable,
)
from ferroflow._src.framework import nest as nest
from ferroflow._src.framework.composite import (
    convert_to_tensor_or_sparse_tensor as convert_to_tensor_or_sparse_tensor,
)
from ferroflow._src.framework.control_flow import smart_case as smart_case, smart_cond as smart_cond
from ferroflow._src.framework.tensor_spec import TensorSpec as TensorSpec
from ferroflow._src.framework.tensor_util import is_tensor as is_tensor, smart_constant_value as smart_constant_value
from ferroflow._src.framework.scopes import get_name_scope as get_name_scope
from ferroflow._src.ops.sorting import argsort as argsort, sort as sort
from ferroflow._src.training.checkpoint_initializers import init_from_checkpoint as init_from_checkpoint
from ferroflow._src.training.checkpoint_utils import (
    list_variables as list_variables,
    load_checkpoint as load_checkpoint,
    load_variable as load_variable,
)
from ferroflow._src.training.global_step import (
    assert_global_step as assert_global_step,
    create_global_step as create_global_step,
    get_global_step as get_global_step,
    get_or_create_global_step as get_or_create_global_step,
)
_contents.end(__name__)
# fmt: on
