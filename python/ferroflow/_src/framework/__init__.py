"""The layer between programs and the core: graphs, tensors, scopes, variables, sessions, control flow, gradients.

It may import nothing of `ferroflow._src` but itself, `_core` and `proto`. Every op is made through one door:

    apply_op("AddV2", x, y, name="add")          inputs by position or by name, attributes by name; attributes that are
                                                 not given (or None) take their defaults or what the inputs tell

From the bottom up (a module may import those above it):

    errors               OpError and its subclasses, make_error, OperatorNotAllowedInGraphError
    dtypes               DType, as_dtype, float32, ...
    text                 as_bytes, as_text, as_str, as_str_any (tf.compat)
    tensor_shape         Dimension, TensorShape, as_shape, as_dimension, scalar, unknown_shape, vector, matrix
    nest                 flatten, pack_sequence_as, map_structure, assert_same_structure, is_sequence, ...
    tensor_values        as_ndarray(values, dtype, shape, verify_shape): Python values to arrays as TF 1.15 reads them
    graph_keys           GraphKeys;  uids: the numbers in some names
    frames               creation stacks of nodes: cheap to take, formatted on demand
    stacks               get_default_graph, get_default_session and their thread-local stacks
    tensor_like          TensorLike, TensorBase: what is a tensor, before it has operators
    name_scopes          name_scope, graph_from_inputs
    op_plans             the call plan of each op, made from its signature
    convert              convert_to_tensor, register_tensor_conversion_function, ...
    constant             constant
    apply                apply_op
    packing              lists that hold tensors as one tensor
    operators, slicing   what Tensor's Python operators make; cast, matmul, strided_slice are here too
    tensor               Tensor
    composite            IndexedSlices, SparseTensor, SparseTensorValue
    operation            Operation;  attr_values, op_defs: AttrValue and OpDef messages
    collections          the collections of a graph
    graph                Graph, reset_default_graph
    scopes               device, control_dependencies, colocate_with, container, init_scope
    tensor_proto         make_tensor_proto, MakeNdarray;  tensor_util: constant_value, constant_value_as_shape, is_tensor
    device_spec          DeviceSpec;  versions: which TensorFlow this is;  modes: what it lets programs switch
    random_seed          get_seed, set_random_seed
    fills                zeros, ones, fill, random_uniform, random_normal, truncated_normal
    placeholders         placeholder, placeholder_with_default, sparse_placeholder;  tensor_spec: TensorSpec
    control_flow_contexts  the Python faces of the core's contexts
    control_flow         group, tuple, with_dependencies, no_op, cond, case, Assert;  while_loops: while_loop
    variable_guard       initial values that are made from other variables
    variables            Variable (the class that programs call), RefVariable;  resource_variables, partitioned_variable
    initializers         tf.initializers;  partitioners: into how many parts a variable is divided
    variable_store       what get_variable does;  variable_scope: the scopes, get_variable;  template: make_template
    variable_lists       global_variables, variables_initializer, report_uninitialized_variables, ...
    gradient_registry    RegisterGradient, NotDifferentiable
    gradients            gradients, AggregationMethod;  custom_gradient
    error_messages       what a run's error says of the program
    fetches, session     Session, InteractiveSession;  served: what sessions of one target share
    device_lib           list_local_devices;  timeline: traced runs drawn
    device_config        tf.config: devices and threads
    importer             import_graph_def;  graph_util: graphs cut out and frozen;  graph_io: write_graph
    meta_graph           export_scoped_meta_graph, import_scoped_meta_graph
    py_func              py_func;  py_function: functions that see values with a gradient
"""
