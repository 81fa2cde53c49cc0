"""TensorFlow 1 programs, unmodified, on any GPU and any current Python: `import ferroflow as tf`.

A contents page: what stands here is made in `ferroflow._src`. Groups follow its folders.
"""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)

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
    COMPILER_VERSION as __compiler_version__,
    GIT_VERSION as __git_version__,
    VERSION as __version__,
)

# -- framework: control flow --
from ferroflow._src.framework.control_flow import (
    Assert as Assert,
    case as case,
    cond as cond,
    group as group,
    no_op as no_op,
    tuple as tuple,
    switch_case as switch_case,
)
from ferroflow._src.framework.py_func import (
    numpy_function as numpy_function,
    py_func as py_func,
)
from ferroflow._src.framework.py_function import py_function as py_function
from ferroflow._src.framework.while_loops import while_loop as while_loop

# -- framework: gradients --
from ferroflow._src.framework.custom_gradient import (
    custom_gradient as custom_gradient,
    grad_pass_through as grad_pass_through,
)
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
    initialize_all_tables as initialize_all_tables,
    initialize_all_variables as initialize_all_variables,
    initialize_local_variables as initialize_local_variables,
    initialize_variables as initialize_variables,
    is_variable_initialized as is_variable_initialized,
    local_variables as local_variables,
    local_variables_initializer as local_variables_initializer,
    model_variables as model_variables,
    moving_average_variables as moving_average_variables,
    report_uninitialized_variables as report_uninitialized_variables,
    tables_initializer as tables_initializer,
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
from ferroflow._src.framework.operators import matmul as matmul
from ferroflow._src.ops.filling import (
    fill as fill,
    one_hot as one_hot,
    ones as ones,
    ones_like as ones_like,
    zeros as zeros,
    zeros_like as zeros_like,
)
from ferroflow._src.ops.shaping import (
    broadcast_dynamic_shape as broadcast_dynamic_shape,
    broadcast_static_shape as broadcast_static_shape,
    ensure_shape as ensure_shape,
    rank as rank,
    shape as shape,
    shape_n as shape_n,
    size as size,
)
from ferroflow._src.ops.array import (
    bitcast as bitcast,
    broadcast_to as broadcast_to,
    concat as concat,
    expand_dims as expand_dims,
    guarantee_const as guarantee_const,
    identity as identity,
    identity_n as identity_n,
    matrix_transpose as matrix_transpose,
    meshgrid as meshgrid,
    newaxis as newaxis,
    pad as pad,
    parallel_stack as parallel_stack,
    reshape as reshape,
    slice as slice,
    split as split,
    squeeze as squeeze,
    stack as stack,
    stop_gradient as stop_gradient,
    strided_slice as strided_slice,
    tile as tile,
    transpose as transpose,
    unstack as unstack,
)
from ferroflow._src.ops.checks import (
    add_check_numerics_ops as add_check_numerics_ops,
    assert_equal as assert_equal,
    assert_greater as assert_greater,
    assert_greater_equal as assert_greater_equal,
    assert_integer as assert_integer,
    assert_less as assert_less,
    assert_less_equal as assert_less_equal,
    assert_near as assert_near,
    assert_negative as assert_negative,
    assert_non_negative as assert_non_negative,
    assert_non_positive as assert_non_positive,
    assert_none_equal as assert_none_equal,
    assert_positive as assert_positive,
    assert_proper_iterable as assert_proper_iterable,
    assert_rank as assert_rank,
    assert_rank_at_least as assert_rank_at_least,
    assert_rank_in as assert_rank_in,
    assert_same_float_dtype as assert_same_float_dtype,
    assert_scalar as assert_scalar,
    assert_type as assert_type,
    check_numerics as check_numerics,
    is_non_decreasing as is_non_decreasing,
    is_numeric_tensor as is_numeric_tensor,
    is_strictly_increasing as is_strictly_increasing,
    verify_tensor_all_finite as verify_tensor_all_finite,
)
from ferroflow._src.ops.clip import (
    clip_by_average_norm as clip_by_average_norm,
    clip_by_global_norm as clip_by_global_norm,
    clip_by_norm as clip_by_norm,
    clip_by_value as clip_by_value,
    global_norm as global_norm,
)
from ferroflow._src.ops.einsum import einsum as einsum
from ferroflow._src.ops.elementwise import (
    acos as acos,
    acosh as acosh,
    add as add,
    asin as asin,
    asinh as asinh,
    atan as atan,
    atan2 as atan2,
    atanh as atanh,
    ceil as ceil,
    cos as cos,
    cosh as cosh,
    cross as cross,
    exp as exp,
    expm1 as expm1,
    floor as floor,
    floor_div as floor_div,
    floormod as floormod,
    greater as greater,
    greater_equal as greater_equal,
    is_finite as is_finite,
    is_inf as is_inf,
    is_nan as is_nan,
    less as less,
    less_equal as less_equal,
    log as log,
    log1p as log1p,
    logical_and as logical_and,
    logical_not as logical_not,
    logical_or as logical_or,
    maximum as maximum,
    minimum as minimum,
    floormod as mod,
    multiply as multiply,
    negative as negative,
    realdiv as realdiv,
    reciprocal as reciprocal,
    rint as rint,
    rsqrt as rsqrt,
    sign as sign,
    sin as sin,
    sinh as sinh,
    sqrt as sqrt,
    square as square,
    squared_difference as squared_difference,
    subtract as subtract,
    tan as tan,
    tanh as tanh,
    truncatediv as truncatediv,
    truncatemod as truncatemod,
)
from ferroflow._src.ops.special import (
    betainc as betainc,
    digamma as digamma,
    erf as erf,
    erfc as erfc,
    igamma as igamma,
    igammac as igammac,
    lgamma as lgamma,
    polygamma as polygamma,
    zeta as zeta,
)
from ferroflow._src.ops.functional import (
    foldl as foldl,
    foldr as foldr,
    map_fn as map_fn,
    scan as scan,
)
from ferroflow._src.ops.hessians import hessians as hessians
from ferroflow._src.ops.histograms import (
    confusion_matrix as confusion_matrix,
    histogram_fixed_width as histogram_fixed_width,
    histogram_fixed_width_bins as histogram_fixed_width_bins,
)
from ferroflow._src.ops.indexing import (
    batch_gather as batch_gather,
    boolean_mask as boolean_mask,
    dynamic_partition as dynamic_partition,
    dynamic_stitch as dynamic_stitch,
    gather as gather,
    gather_nd as gather_nd,
    invert_permutation as invert_permutation,
    repeat as repeat,
    reverse as reverse,
    reverse_sequence as reverse_sequence,
    reverse as reverse_v2,
    roll as roll,
    scatter_nd as scatter_nd,
    searchsorted as searchsorted,
    sequence_mask as sequence_mask,
    setdiff1d as setdiff1d,
    sparse_mask as sparse_mask,
    tensor_scatter_add as tensor_scatter_add,
    tensor_scatter_add as tensor_scatter_nd_add,
    tensor_scatter_sub as tensor_scatter_nd_sub,
    tensor_scatter_update as tensor_scatter_nd_update,
    tensor_scatter_sub as tensor_scatter_sub,
    tensor_scatter_update as tensor_scatter_update,
    unique as unique,
    unique_with_counts as unique_with_counts,
    unravel_index as unravel_index,
    where as where,
    where_v2 as where_v2,
)
from ferroflow._src.ops.io import (
    decode_compressed as decode_compressed,
    decode_csv as decode_csv,
    decode_json_example as decode_json_example,
    decode_raw as decode_raw,
    fingerprint as fingerprint,
    matching_files as matching_files,
    parse_tensor as parse_tensor,
    read_file as read_file,
    serialize_tensor as serialize_tensor,
    write_file as write_file,
)
from ferroflow._src.ops.parsing import (
    FixedLenFeature as FixedLenFeature,
    FixedLenSequenceFeature as FixedLenSequenceFeature,
    SparseFeature as SparseFeature,
    VarLenFeature as VarLenFeature,
    parse_example as parse_example,
    parse_single_example as parse_single_example,
)
from ferroflow._src.ops.linalg import (
    cholesky as cholesky,
    cholesky_solve as cholesky_solve,
    diag as diag,
    diag_part as diag_part,
    eye as eye,
    lbeta as lbeta,
    matrix_band_part as matrix_band_part,
    matrix_determinant as matrix_determinant,
    matrix_diag as matrix_diag,
    matrix_diag_part as matrix_diag_part,
    matrix_inverse as matrix_inverse,
    matrix_set_diag as matrix_set_diag,
    matrix_solve as matrix_solve,
    matrix_solve_ls as matrix_solve_ls,
    matrix_square_root as matrix_square_root,
    matrix_triangular_solve as matrix_triangular_solve,
    norm as norm,
    qr as qr,
    self_adjoint_eig as self_adjoint_eig,
    self_adjoint_eigvals as self_adjoint_eigvals,
    svd as svd,
    tensordot as tensordot,
    trace as trace,
)
from ferroflow._src.ops.logging import (
    Print as Print,
    print_v2 as print,
    timestamp as timestamp,
)
from ferroflow._src.ops.math import (
    abs as abs,
    accumulate_n as accumulate_n,
    add_n as add_n,
    angle as angle,
    cast as cast,
    complex as complex,
    conj as conj,
    div as div,
    div_no_nan as div_no_nan,
    divide as divide,
    equal as equal,
    floordiv as floordiv,
    imag as imag,
    lin_space as lin_space,
    lin_space as linspace,
    log_sigmoid as log_sigmoid,
    logical_xor as logical_xor,
    not_equal as not_equal,
    pow as pow,
    range as range,
    real as real,
    round as round,
    saturate_cast as saturate_cast,
    scalar_mul as scalar_mul,
    sigmoid as sigmoid,
    to_bfloat16 as to_bfloat16,
    to_complex128 as to_complex128,
    to_complex64 as to_complex64,
    to_double as to_double,
    to_float as to_float,
    to_int32 as to_int32,
    to_int64 as to_int64,
    truediv as truediv,
)
from ferroflow._src.ops.accumulators import (
    ConditionalAccumulator as ConditionalAccumulator,
    ConditionalAccumulatorBase as ConditionalAccumulatorBase,
    SparseConditionalAccumulator as SparseConditionalAccumulator,
)
from ferroflow._src.ops.queues import (
    FIFOQueue as FIFOQueue,
    PaddingFIFOQueue as PaddingFIFOQueue,
    PriorityQueue as PriorityQueue,
    QueueBase as QueueBase,
    RandomShuffleQueue as RandomShuffleQueue,
)
from ferroflow._src.ops.random import (
    multinomial as multinomial,
    random_crop as random_crop,
    random_gamma as random_gamma,
    random_normal as random_normal,
    random_poisson as random_poisson,
    random_shuffle as random_shuffle,
    random_uniform as random_uniform,
    truncated_normal as truncated_normal,
)
from ferroflow._src.ops.readers import (
    FixedLengthRecordReader as FixedLengthRecordReader,
    IdentityReader as IdentityReader,
    ReaderBase as ReaderBase,
    TFRecordReader as TFRecordReader,
    TextLineReader as TextLineReader,
    WholeFileReader as WholeFileReader,
)
from ferroflow._src.ops.reductions import (
    arg_max as arg_max,
    arg_min as arg_min,
    argmax as argmax,
    argmin as argmin,
    bincount as bincount,
    count_nonzero as count_nonzero,
    cumprod as cumprod,
    cumsum as cumsum,
    reduce_all as reduce_all,
    reduce_any as reduce_any,
    reduce_logsumexp as reduce_logsumexp,
    reduce_max as reduce_max,
    reduce_mean as reduce_mean,
    reduce_min as reduce_min,
    reduce_prod as reduce_prod,
    reduce_sum as reduce_sum,
)
from ferroflow._src.ops.segments import (
    segment_max as segment_max,
    segment_mean as segment_mean,
    segment_min as segment_min,
    segment_prod as segment_prod,
    segment_sum as segment_sum,
    sparse_segment_mean as sparse_segment_mean,
    sparse_segment_sqrt_n as sparse_segment_sqrt_n,
    sparse_segment_sum as sparse_segment_sum,
    unsorted_segment_max as unsorted_segment_max,
    unsorted_segment_mean as unsorted_segment_mean,
    unsorted_segment_min as unsorted_segment_min,
    unsorted_segment_prod as unsorted_segment_prod,
    unsorted_segment_sqrt_n as unsorted_segment_sqrt_n,
    unsorted_segment_sum as unsorted_segment_sum,
)
from ferroflow._src.ops.sorting import (
    argsort as argsort,
    sort as sort,
)
from ferroflow._src.ops.spaces import (
    batch_to_space as batch_to_space,
    batch_to_space_nd as batch_to_space_nd,
    depth_to_space as depth_to_space,
    dequantize as dequantize,
    extract_image_patches as extract_image_patches,
    extract_volume_patches as extract_volume_patches,
    fake_quant_with_min_max_args as fake_quant_with_min_max_args,
    fake_quant_with_min_max_args_gradient as fake_quant_with_min_max_args_gradient,
    fake_quant_with_min_max_vars as fake_quant_with_min_max_vars,
    fake_quant_with_min_max_vars_gradient as fake_quant_with_min_max_vars_gradient,
    fake_quant_with_min_max_vars_per_channel as fake_quant_with_min_max_vars_per_channel,
    fake_quant_with_min_max_vars_per_channel_gradient as fake_quant_with_min_max_vars_per_channel_gradient,
    quantize as quantize,
    quantize_v2 as quantize_v2,
    quantized_concat as quantized_concat,
    required_space_to_batch_paddings as required_space_to_batch_paddings,
    space_to_batch as space_to_batch,
    space_to_batch_nd as space_to_batch_nd,
    space_to_depth as space_to_depth,
)
from ferroflow._src.ops.sparse import (
    edit_distance as edit_distance,
    sparse_add as sparse_add,
    sparse_concat as sparse_concat,
    sparse_fill_empty_rows as sparse_fill_empty_rows,
    sparse_matmul as sparse_matmul,
    sparse_maximum as sparse_maximum,
    sparse_merge as sparse_merge,
    sparse_minimum as sparse_minimum,
    sparse_reduce_max as sparse_reduce_max,
    sparse_reduce_max_sparse as sparse_reduce_max_sparse,
    sparse_reduce_sum as sparse_reduce_sum,
    sparse_reduce_sum_sparse as sparse_reduce_sum_sparse,
    sparse_reorder as sparse_reorder,
    sparse_reset_shape as sparse_reset_shape,
    sparse_reshape as sparse_reshape,
    sparse_retain as sparse_retain,
    sparse_slice as sparse_slice,
    sparse_softmax as sparse_softmax,
    sparse_split as sparse_split,
    sparse_tensor_dense_matmul as sparse_tensor_dense_matmul,
    sparse_tensor_to_dense as sparse_tensor_to_dense,
    sparse_to_dense as sparse_to_dense,
    sparse_to_indicator as sparse_to_indicator,
    sparse_transpose as sparse_transpose,
)
from ferroflow._src.ops.spectral import (
    fft as fft,
    fft2d as fft2d,
    fft3d as fft3d,
    ifft as ifft,
    ifft2d as ifft2d,
    ifft3d as ifft3d,
)
from ferroflow._src.ops.state import (
    assign as assign,
    assign_add as assign_add,
    assign_sub as assign_sub,
    batch_scatter_update as batch_scatter_update,
    count_up_to as count_up_to,
    scatter_add as scatter_add,
    scatter_div as scatter_div,
    scatter_max as scatter_max,
    scatter_min as scatter_min,
    scatter_mul as scatter_mul,
    scatter_nd_add as scatter_nd_add,
    scatter_nd_sub as scatter_nd_sub,
    scatter_nd_update as scatter_nd_update,
    scatter_sub as scatter_sub,
    scatter_update as scatter_update,
)
from ferroflow._src.ops.strings import (
    as_string as as_string,
    decode_base64 as decode_base64,
    encode_base64 as encode_base64,
    reduce_join as reduce_join,
    regex_replace as regex_replace,
    string_join as string_join,
    string_split as string_split,
    string_strip as string_strip,
    string_to_hash_bucket as string_to_hash_bucket,
    string_to_hash_bucket_fast as string_to_hash_bucket_fast,
    string_to_hash_bucket_strong as string_to_hash_bucket_strong,
    string_to_number as string_to_number,
    substr as substr,
)
from ferroflow._src.ops.tensor_array import TensorArray as TensorArray
from ferroflow._src.platform.tf_logging import get_logger as get_logger

# -- messages: the first that is asked for loads protobuf --
from ferroflow._src.proto import (
    AttrValue as AttrValue,
    ConfigProto as ConfigProto,
    Event as Event,
    GPUOptions as GPUOptions,
    GraphDef as GraphDef,
    GraphOptions as GraphOptions,
    HistogramProto as HistogramProto,
    LogMessage as LogMessage,
    MetaGraphDef as MetaGraphDef,
    NameAttrList as NameAttrList,
    NodeDef as NodeDef,
    OptimizerOptions as OptimizerOptions,
    RunMetadata as RunMetadata,
    RunOptions as RunOptions,
    SessionLog as SessionLog,
    Summary as Summary,
    SummaryMetadata as SummaryMetadata,
    TensorInfo as TensorInfo,
)

_contents.end(__name__)
# fmt: on
