"""TensorFlow 1 programs, unmodified, on any GPU and any current Python: `import ferroflow as tf`.

A contents page: what stands here is made in `ferroflow._src`. Groups follow its folders.
"""

# fmt: off
# -- framework: types, shapes, constants --
from ferroflow._src.framework.constant import constant as constant
from ferroflow._src.framework.convert import (
    convert_to_tensor as convert_to_tensor,
    convert_to_tensor_or_indexed_slices as convert_to_tensor_or_indexed_slices,
    register_tensor_conversion_function as register_tensor_conversion_function,
)
from ferroflow._src.framework.composite import (
    IndexedSlices as IndexedSlices,
    SparseTensor as SparseTensor,
    SparseTensorValue as SparseTensorValue,
    convert_to_tensor_or_sparse_tensor as convert_to_tensor_or_sparse_tensor,
)
from ferroflow._src.framework.dtypes import (
    DType as DType,
    QUANTIZED_DTYPES as QUANTIZED_DTYPES,
    as_dtype as as_dtype,
    bfloat16 as bfloat16,
    bool as bool,
    complex64 as complex64,
    complex128 as complex128,
    double as double,
    float16 as float16,
    float32 as float32,
    float64 as float64,
    half as half,
    int8 as int8,
    int16 as int16,
    int32 as int32,
    int64 as int64,
    qint8 as qint8,
    qint16 as qint16,
    qint32 as qint32,
    quint8 as quint8,
    quint16 as quint16,
    resource as resource,
    string as string,
    uint8 as uint8,
    uint16 as uint16,
    uint32 as uint32,
    uint64 as uint64,
    variant as variant,
)
from ferroflow._src.framework.errors import OpError as OpError
from ferroflow._src.framework.tensor import Tensor as Tensor
from ferroflow._src.framework.tensor_proto import (
    MakeNdarray as make_ndarray,
    make_tensor_proto as make_tensor_proto,
)
from ferroflow._src.framework.tensor_shape import (
    Dimension as Dimension,
    TensorShape as TensorShape,
    dimension_at_index as dimension_at_index,
    dimension_value as dimension_value,
)
from ferroflow._src.framework.tensor_spec import (
    TensorSpec as TensorSpec,
    TypeSpec as TypeSpec,
)
from ferroflow._src.framework.tensor_util import (
    constant_value as get_static_value,
    is_tensor as is_tensor,
)

# -- framework: graphs and scopes --
from ferroflow._src.framework.collections import (
    add_to_collection as add_to_collection,
    add_to_collections as add_to_collections,
    get_collection as get_collection,
    get_collection_ref as get_collection_ref,
)
from ferroflow._src.framework.device_spec import DeviceSpec as DeviceSpec
from ferroflow._src.framework.graph import Graph as Graph
from ferroflow._src.framework.graph_keys import GraphKeys as GraphKeys
from ferroflow._src.framework.importer import import_graph_def as import_graph_def
from ferroflow._src.framework.name_scopes import name_scope as name_scope
from ferroflow._src.framework.operation import Operation as Operation
from ferroflow._src.framework.placeholders import (
    placeholder as placeholder,
    placeholder_with_default as placeholder_with_default,
    sparse_placeholder as sparse_placeholder,
)
from ferroflow._src.framework.random_seed import (
    get_seed as get_seed,
    set_random_seed as set_random_seed,
)
from ferroflow._src.framework.scopes import (
    colocate_with as colocate_with,
    container as container,
    control_dependencies as control_dependencies,
    device as device,
    init_scope as init_scope,
    op_scope as op_scope,
)
from ferroflow._src.framework.stacks import (
    get_default_graph as get_default_graph,
    get_default_session as get_default_session,
    reset_default_graph as reset_default_graph,
)
from ferroflow._src.framework.versions import (
    COMPILER_VERSION as COMPILER_VERSION,
    CXX11_ABI_FLAG as CXX11_ABI_FLAG,
    GIT_VERSION as GIT_VERSION,
    GRAPH_DEF_VERSION as GRAPH_DEF_VERSION,
    GRAPH_DEF_VERSION_MIN_CONSUMER as GRAPH_DEF_VERSION_MIN_CONSUMER,
    GRAPH_DEF_VERSION_MIN_PRODUCER as GRAPH_DEF_VERSION_MIN_PRODUCER,
    MONOLITHIC_BUILD as MONOLITHIC_BUILD,
    VERSION as VERSION,
)

# -- framework: control flow --
from ferroflow._src.framework.control_flow import (
    Assert as Assert,
    case as case,
    cond as cond,
    group as group,
    no_op as no_op,
    tuple as tuple,
)
from ferroflow._src.framework.py_func import (
    numpy_function as numpy_function,
    py_func as py_func,
)
from ferroflow._src.framework.while_loops import while_loop as while_loop

# -- framework: gradients --
from ferroflow._src.framework.custom_gradient import custom_gradient as custom_gradient
from ferroflow._src.framework.gradient_registry import (
    NoGradient as NoGradient,
    NotDifferentiable as NotDifferentiable,
    RegisterGradient as RegisterGradient,
    no_gradient as no_gradient,
)
from ferroflow._src.framework.gradients import (
    AggregationMethod as AggregationMethod,
    UnconnectedGradients as UnconnectedGradients,
    gradients as gradients,
    hessians as hessians,
)

# -- framework: variables --
from ferroflow._src.framework.initializers import (
    Constant as constant_initializer,
    GlorotNormal as glorot_normal_initializer,
    GlorotUniform as glorot_uniform_initializer,
    Ones as ones_initializer,
    Orthogonal as orthogonal_initializer,
    RandomNormal as random_normal_initializer,
    RandomUniform as random_uniform_initializer,
    TruncatedNormal as truncated_normal_initializer,
    UniformUnitScaling as uniform_unit_scaling_initializer,
    VarianceScaling as variance_scaling_initializer,
    Zeros as zeros_initializer,
)
from ferroflow._src.framework.variable_lists import (
    all_variables as all_variables,
    assert_variables_initialized as assert_variables_initialized,
    global_variables as global_variables,
    global_variables_initializer as global_variables_initializer,
    initialize_all_variables as initialize_all_variables,
    initialize_local_variables as initialize_local_variables,
    initialize_variables as initialize_variables,
    is_variable_initialized as is_variable_initialized,
    local_variables as local_variables,
    local_variables_initializer as local_variables_initializer,
    model_variables as model_variables,
    moving_average_variables as moving_average_variables,
    report_uninitialized_variables as report_uninitialized_variables,
    trainable_variables as trainable_variables,
    variables_initializer as variables_initializer,
)
from ferroflow._src.framework.variable_scope import (
    AUTO_REUSE as AUTO_REUSE,
    VariableScope as VariableScope,
    create_partitioned_variables as create_partitioned_variables,
    disable_resource_variables as disable_resource_variables,
    enable_resource_variables as enable_resource_variables,
    fixed_size_partitioner as fixed_size_partitioner,
    get_local_variable as get_local_variable,
    get_variable as get_variable,
    get_variable_scope as get_variable_scope,
    min_max_variable_partitioner as min_max_variable_partitioner,
    no_regularizer as no_regularizer,
    resource_variables_enabled as resource_variables_enabled,
    variable_axis_size_partitioner as variable_axis_size_partitioner,
    variable_creator_scope as variable_creator_scope,
    variable_op_scope as variable_op_scope,
    variable_scope as variable_scope,
)
from ferroflow._src.framework.variables import (
    Variable as Variable,
    VariableAggregation as VariableAggregation,
    VariableSynchronization as VariableSynchronization,
)
from ferroflow._src.framework.template import make_template as make_template

# -- framework: sessions --
from ferroflow._src.framework.session import (
    InteractiveSession as InteractiveSession,
    Session as Session,
)

# -- framework: what TensorFlow 1.15 lets programs switch --
from ferroflow._src.framework.modes import (
    control_flow_v2_enabled as control_flow_v2_enabled,
    disable_control_flow_v2 as disable_control_flow_v2,
    disable_eager_execution as disable_eager_execution,
    disable_tensor_equality as disable_tensor_equality,
    disable_v2_behavior as disable_v2_behavior,
    disable_v2_tensorshape as disable_v2_tensorshape,
    enable_control_flow_v2 as enable_control_flow_v2,
    enable_eager_execution as enable_eager_execution,
    enable_tensor_equality as enable_tensor_equality,
    enable_v2_behavior as enable_v2_behavior,
    enable_v2_tensorshape as enable_v2_tensorshape,
    executing_eagerly as executing_eagerly,
)

newaxis = None

# -- ops --

# -- what pages stand beside this one --
import importlib as _importlib

__version__ = VERSION
__git_version__ = GIT_VERSION
__compiler_version__ = COMPILER_VERSION

# Pages that `tf.NAME` loads on first use.
_PAGES = frozenset({"errors", "initializers", "nest", "compat", "python_io", "train", "nn", "layers", "losses", "metrics",
                    "summary", "image", "math", "linalg", "random", "data", "contrib", "keras", "app", "flags", "logging",
                    "gfile", "io", "strings", "sets", "sparse", "spectral", "signal", "saved_model", "graph_util", "test",
                    "sysconfig", "resource_loader", "version", "debugging", "distributions", "estimator", "bitwise",
                    "dtypes", "feature_column", "initializers", "lookup", "manip", "profiler", "quantization", "queue",
                    "ragged", "raw_ops", "tpu", "user_ops", "xla", "autograph", "config", "audio", "lite", "experimental",
                    "distribute", "mixed_precision"})
# Messages that programs name, found on first use: they need protobuf.
_MESSAGES = {"AttrValue", "ConfigProto", "Event", "GPUOptions", "GraphDef", "GraphOptions", "HistogramProto",
             "LogMessage", "MetaGraphDef", "NameAttrList", "NodeDef", "OptimizerOptions", "RunMetadata", "RunOptions",
             "SessionLog", "Summary", "SummaryMetadata", "TensorInfo"}


def __getattr__(name):
    if name in _MESSAGES:
        from ferroflow._src import proto

        found = globals()[name] = getattr(proto, name)
        return found
    if name in _PAGES:
        try:
            return _importlib.import_module(f"ferroflow.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"ferroflow.{name}":
                raise
    raise AttributeError(f"module 'ferroflow' has no attribute {name!r}")
# fmt: on
