"""The Rust core: graphs, gradients and sessions. Numbers stand for things of a graph:

* a *node* is an int: its place in `Graph`, in order of creation, from 0;
* an *endpoint* is an output of a node: `node << 16 | index`;
* a *dtype* is TensorFlow's DataType number; 100 more says "a reference to";
* a *shape* is None (unknown rank) or a tuple of ints with -1 for an unknown dimension.

Errors are raised as the classes of `ferroflow._src.framework.errors` (by canonical code), or as ValueError, TypeError,
RuntimeError and LookupError where TensorFlow raises those while a graph is being built.
"""
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Shape = tuple[int, ...] | None

__version__: str

class OpArg:
    """An input or output of an op: exactly one of the type fields is set."""
    name: str
    dtype: int                    # 0 when an attribute says it
    type_attr: str                # "" when not used
    number_attr: str              # "" unless a list of one type
    type_list_attr: str           # "" unless a list of several types
    is_ref: bool

class OpAttr:
    name: str
    type: str                     # 'type', 'int', 'float', 'bool', 'string', 'shape', 'tensor', 'func', 'list(type)', ...
    has_default: bool
    default: Any                  # as get_attr would give it
    allowed: list[Any] | None     # dtypes or bytes
    minimum: int | None

class OpSignature:
    name: str
    inputs: list[OpArg]
    outputs: list[OpArg]
    attrs: list[OpAttr]           # in TensorFlow's order
    is_stateful: bool

def op_signature(op: str) -> OpSignature | None: ...
def op_names() -> list[str]: ...

class Graph:
    def __init__(self) -> None: ...

    # -- making nodes --
    def create_op(
        self,
        op: str,
        name: str,                                  # '' gives the op's name; 'x/' means exactly 'x'; else made unique under the scope
        inputs: Sequence[int],                      # endpoints, lists laid flat
        attrs: dict[str, Any],                      # by the op's definition: bytes/str, int, float, bool, dtype number, shape, ndarray, function name, lists;
                                                    # a tensor may also be (ndarray, shape), whose last element repeats, or a serialized TensorProto
        control_inputs: Sequence[int] = (),         # nodes, besides those of the scopes
    ) -> int:
        """Adds a node and returns it: fills attributes that have defaults and those that inputs tell (T, N, ...), checks types,
        infers shapes, and applies the scopes in force (names, control inputs, devices, colocation, gradient map, control-flow context)."""
    def import_graph_def(
        self, graph_def: bytes, prefix: str, input_map: dict[str, int], control_map: dict[str, int], uniquify_prefix: bool,
        validate_colocation: bool, producer_op_list: bytes | None,
    ) -> tuple[list[int], list[str]]:
        """Adds the nodes of a GraphDef below `prefix`. Returns the new nodes, in the GraphDef's order, and the keys of input_map not used."""
    def to_graph_def(self, add_shapes: bool = False, from_version: int | None = None) -> bytes: ...
    def node_def(self, node: int) -> bytes: ...

    # -- nodes and tensors --
    def num_nodes(self) -> int: ...
    def version(self) -> int: ...
    def find(self, name: str) -> int | None: ...
    def name(self, node: int) -> str: ...
    def op(self, node: int) -> str: ...
    def device(self, node: int) -> str: ...
    def set_device(self, node: int, device: str) -> None: ...
    def inputs(self, node: int) -> list[int]: ...
    def control_inputs(self, node: int) -> list[int]: ...
    def control_outputs(self, node: int) -> list[int]: ...
    def add_control_inputs(self, node: int, controls: Sequence[int]) -> None: ...
    def remove_control_inputs(self, node: int) -> None: ...
    def update_input(self, node: int, index: int, endpoint: int) -> None: ...
    def num_outputs(self, node: int) -> int: ...
    def dtype(self, endpoint: int) -> int: ...
    def shape(self, endpoint: int) -> Shape: ...
    def set_shape(self, endpoint: int, shape: Shape) -> None:
        """Merges; ValueError when it contradicts what is known."""
    def handle_data(self, endpoint: int) -> list[tuple[int, Shape]] | None: ...
    def set_handle_data(self, endpoint: int, parts: list[tuple[int, Shape]] | None) -> None: ...
    def consumers(self, endpoint: int) -> list[int]: ...
    def get_attr(self, node: int, name: str) -> Any:
        """bytes, int, float, bool, dtype number, shape, ndarray, function name, or a list; ValueError without such an attribute."""
    def attr_kind(self, node: int, name: str) -> str: ...
    def attr_names(self, node: int) -> list[str]: ...
    def set_attr(self, node: int, name: str, value: bytes) -> None:
        """`value` is a serialized AttrValue."""
    def clear_attr(self, node: int, name: str) -> None: ...
    def constant_value(self, endpoint: int) -> np.ndarray | None:
        """The value as far as the graph alone tells (tensor_util.constant_value)."""
    def evaluate_constant(self, endpoint: int) -> np.ndarray | None:
        """The value of what depends on constants alone, whatever the ops."""
    def constant_value_as_shape(self, endpoint: int) -> Shape: ...
    def is_stateful(self, node: int) -> bool: ...
    def is_fetchable(self, node: int) -> bool: ...
    def is_feedable(self, endpoint: int) -> bool: ...
    def prevent_fetching(self, node: int) -> None: ...
    def prevent_feeding(self, endpoint: int) -> None: ...

    # -- scopes; the Python layer's context managers set and reset these --
    scope: str                                       # the current name scope, '' or 'a/b' (no slash at the end)
    def enter_scope(self, name: str) -> tuple[str, str]:
        """Opens the name scope `name` (made unique; 'x/' reopens x; '' is the top). Returns the outer scope and the new one."""
    def unique_name(self, name: str, mark_as_used: bool = True) -> str: ...
    def push_controls(self, nodes: Sequence[int], new_stack: bool) -> None:
        """control_dependencies: new_stack for None (clears what is outside, and leaves the control-flow context)."""
    def pop_controls(self) -> None: ...
    def push_device(self, device: str | Callable[[Any], str] | None) -> None:
        """None clears the outer ones. A callable is applied by Python: see take_undeviced."""
    def pop_device(self) -> None: ...
    def take_undeviced(self) -> list[int]:
        """Nodes made under a device function since the last call; Python applies `device_stack()` to them, innermost first."""
    def device_stack(self) -> list[Any]:
        """The device scopes in force, outermost first: strings, functions, None."""
    def push_colocation(self, node: int | None, ignore_existing: bool) -> None: ...
    def pop_colocation(self) -> None: ...
    def push_gradient_override(self, op_to_gradient: dict[str, str]) -> None: ...
    def pop_gradient_override(self) -> None: ...
    def push_attr_scope(self, attrs: Sequence[tuple[str, bytes | None]]) -> None:
        """Serialized AttrValues set on each node (`_XlaCompile`, ...)."""
    def pop_attr_scope(self) -> None: ...
    def finalize(self) -> None: ...
    def unfinalize(self) -> None: ...
    finalized: bool
    producer: int                                    # versions.producer
    min_consumer: int
    container: str

    # -- control flow: contexts live in the core because gradients are made there --
    context: int | None                              # the context in force; set it to enter or leave
    def node_context(self, node: int) -> int | None: ...
    def set_node_context(self, node: int, context: int | None) -> None: ...
    def new_cond_context(self, name: str, pred: int, pivot: int, branch: int) -> int: ...
    def new_while_context(self, name: str, maximum_iterations: int | None, parallel_iterations: int, back_prop: bool, swap_memory: bool) -> int: ...
    @property
    def context_count(self) -> int: ...                # conditionals and loops so far; they are numbered from 0
    def context_info(self, context: int) -> dict[str, Any]:
        """kind ('cond' | 'while'), name, outer, pred, pivot, branch, values (names), external_values, loop_enters, loop_exits, ..."""
    def set_context_field(self, context: int, field: str, value: Any) -> None: ...
    def add_value(self, context: int, endpoint: int) -> int:
        """What `endpoint` is inside the context: adds a Switch (cond) or an Enter (while) the first time."""
    def fix_enter(self, context: int, endpoint: int) -> None:
        """Moves an Enter that was made outside into its loop, with the control inputs that hold outside."""

def merge_device(outer: str, inner: str) -> str:
    """`inner`'s parts over `outer`'s, in canonical form."""
def canonical_device(device: str) -> str: ...

class Gradients:
    """The walk of tf.gradients over `graph`, from ys to xs. It stops where a Python gradient is needed."""
    def __init__(
        self, graph: Graph, ys: Sequence[int], xs: Sequence[int], grad_ys: Sequence[int | None], stop_gradients: Sequence[int],
        colocate: bool, gate: bool, aggregation: int, unconnected_zero: bool, has_python_gradient: Sequence[str],
    ) -> None: ...
    def step(self, answer: Sequence[int | tuple[int, int, int | None] | None] | None = None) -> tuple[int, str, list[Any]] | None:
        """Walks on. None: done. Else (node, gradient name, output gradients): call the registered function inside the walk's scopes
        and pass its results to the next step. A gradient is an endpoint, (values, indices, dense_shape) or None."""
    def abandon(self) -> None:
        """Closes the walk's scopes when the function that `step` asked for has raised."""
    def results(self) -> list[int | tuple[int, int, int | None] | None]: ...

class Session:
    """Variables, queues and generators of one tf.Session."""
    def __init__(self, graph: Graph, config: bytes | None = None) -> None: ...
    def run(
        self, feeds: Sequence[tuple[int, Any]], fetches: Sequence[int], targets: Sequence[int], options: bytes | None = None,
        collect_metadata: bool = False,
    ) -> list[Any]:
        """Feeds are (endpoint, ndarray). Returns an array (or NumPy scalar; bytes for a scalar string) a fetch; with
        collect_metadata a serialized RunMetadata comes last."""
    def prepare(self, feeds: Sequence[int], fetches: Sequence[int], targets: Sequence[int]) -> int:
        """A callable's number: its plan is made once."""
    def run_prepared(self, number: int, values: Sequence[Any]) -> list[Any]: ...
    def release_prepared(self, number: int) -> None: ...
    def partial_run_setup(self, feeds: Sequence[int], fetches: Sequence[int], targets: Sequence[int]) -> str: ...
    def partial_run(self, handle: str, feeds: Sequence[tuple[int, Any]], fetches: Sequence[int]) -> list[Any]: ...
    def explain(self, feeds: Sequence[int], fetches: Sequence[int], targets: Sequence[int]) -> str: ...
    def close(self) -> None: ...
    closed: bool
    def devices_of(self, nodes: list[int]) -> list[str]: ...
    def placement_log(self, place: bool) -> list[str]: ...
    def devices(self) -> list[tuple[str, str, int, int]]: ...     # name, type, memory limit, incarnation

def register_py_func(function: Callable[..., Any], graph: Graph) -> str: ...

class CheckpointReader:
    """Reads tensors of a V2 checkpoint by name. DataLossError when its files are broken."""
    def __init__(self, prefix: str) -> None: ...
    def has_tensor(self, name: str) -> bool: ...
    def tensors(self) -> dict[str, tuple[int, Shape]]:
        """Name to (dtype, shape)."""
    def get_tensor(self, name: str) -> Any:
        """An array; NotFoundError without such a tensor."""

class RecordReader:
    """Reads a TFRecord file; `compression` is '', 'ZLIB' or 'GZIP'."""
    def __init__(self, path: str, compression: str) -> None: ...
    def next_record(self) -> bytes | None:
        """None at the end; DataLossError, with the offset, at a record that is cut off or was changed."""

class RecordWriter:
    """Writes a TFRecord file anew."""
    def __init__(self, path: str, compression: str, level: int | None) -> None: ...
    def write(self, record: bytes) -> None: ...
    def flush(self) -> None: ...
    def close(self) -> None:
        """Waits until everything is on disk. Closing twice does nothing."""

class EventWriter:
    """Writes `PREFIX.out.tfevents.<seconds>.<host><suffix>`, which is made with the first event and begins with the version."""
    def __init__(self, prefix: str, host: str) -> None: ...
    def open_with_suffix(self, suffix: str) -> None: ...
    def write(self, event: bytes) -> None:
        """A serialized Event."""
    def flush(self) -> bool:
        """False when somebody has removed the file."""
    def close(self) -> None:
        """Waits until everything is on disk; the next event begins a new file."""
    def path(self) -> str | None: ...

def masked_crc32c(data: bytes) -> int: ...

def gpu_adapters() -> list[dict[str, Any]]:
    """Every adapter of this machine: name, kind, interface, driver, limits; `number` where it is used, else `why_not`."""

def gpu_counts(number: int) -> dict[str, int]:
    """What GPU `number` has done: dispatches, submissions, waits, bytes_up, bytes_down; bytes_held is now. NotFoundError."""

def has_gpu_support() -> bool:
    """Whether this build can use GPUs at all."""
