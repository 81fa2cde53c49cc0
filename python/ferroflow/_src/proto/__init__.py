"""TensorFlow 1.15's protocol buffer messages: `proto.GraphDef`, `proto.ConfigProto`, `proto.Summary.Value`, ...

The classes are made on first use from the schema in `generated/tensorflow.desc`, in a descriptor pool of their own:
they never meet the messages of the same names that TensorBoard or a real TensorFlow registers in the default pool.
Importing this module loads nothing, not even protobuf.
"""

import threading
import types
from pathlib import Path
from typing import Any as _Anything

__all__ = """
AdviceProto AdvisorOptionsProto AllocationDescription AllocationRecord AllocatorMemoryUsed Any AssetFileDef
AttrValue AutoParallelOptions BoolValue BundleEntryProto BundleHeaderProto BytesList BytesValue CallableOptions
CheckpointState ClusterDef Code CodeDef CollectionDef CondContextDef ConfigProto ControlFlowContextDef
CostGraphDef DataType DebugOptions DebugTensorWatch DebuggedSourceFile DebuggedSourceFiles DeviceAttributes
DeviceLocality DeviceProperties DeviceStepStats DictValue DoubleValue Duration EmbeddingInfo Event Example
ExampleParserConfiguration ExecMemory ExecProfile ExecTime Feature FeatureConfiguration FeatureList FeatureLists
Features FixedLenFeatureProto FloatList FloatValue FunctionDef FunctionDefLibrary FunctionSpec GPUOptions
GradientDef GraphDebugInfo GraphDef GraphNodeProto GraphOptions HParamDef HistogramProto Int32Value Int64List
Int64Value InterconnectLink JobDef ListValue LocalLinks LogMessage MemmappedFileSystemDirectory
MemmappedFileSystemDirectoryElement Memory MemoryLogRawAllocation MemoryLogRawDeallocation MemoryLogStep
MemoryLogTensorAllocation MemoryLogTensorDeallocation MemoryLogTensorOutput MemoryStats MetaGraphDef
MultiGraphNodeProto NameAttrList NamedDevice NamedTensorProto NamedTupleValue NodeDef NodeExecStats NodeOutput
NoneValue OpDef OpDeprecation OpList OpLogEntry OpLogProto OptimizerOptions OptionsProto PairValue ProfileNode
ProfileProto ProjectorConfig QueueRunnerDef RPCOptions ReaderBaseState ResourceHandleProto RewriterConfig
RunMetadata RunOptions SaveSliceInfoDef SavedAsset SavedBareConcreteFunction SavedConcreteFunction SavedConstant
SavedFunction SavedModel SavedObject SavedObjectGraph SavedResource SavedSlice SavedSliceMeta
SavedTensorSliceMeta SavedTensorSlices SavedUserObject SavedVariable SaverDef ScopedAllocatorOptions
SequenceExample ServerDef SessionLog SessionMetadata SignatureDef SpriteMetadata StepStats StringValue
StructuredValue Summary SummaryDescription SummaryMetadata TFProfTensorProto TaggedRunMetadata TensorConnection
TensorDescription TensorInfo TensorProto TensorShapeProto TensorSliceProto TensorSpecProto ThreadPoolOptionProto
Timestamp TrackableObjectGraph Tuple TupleValue TypeSpecProto UInt32Value UInt64Value ValuesDef
VarLenFeatureProto VariableAggregation VariableDef VariableSynchronization VariantTensorDataProto VerifierConfig
VersionDef WatchdogConfig WhileContextDef WorkerHealth WorkerHeartbeatRequest WorkerHeartbeatResponse
WorkerShutdownMode
""".split()  # noqa: SIM905, PLE0605  (a list of 200 quoted names reads worse)

_SCHEMA = Path(__file__).parent / "generated" / "tensorflow.desc"
_PACKAGES = ("tensorflow", "tensorflow.tfprof", "tensorflow.error", "google.protobuf")
_lock = threading.RLock()
_pool = None


def __getattr__(name: str) -> _Anything:
    """Returns the message class or enum called `name`, and remembers it as a plain attribute."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with _lock:
        if name not in globals():
            globals()[name] = _find(name)
        return globals()[name]


def __dir__() -> list[str]:
    return [*__all__, "pb2_module", "pool"]


def pool() -> _Anything:
    """Returns the private `DescriptorPool`, as JSON and text format want it for messages inside `Any`."""
    global _pool
    with _lock:
        if _pool is None:
            from google.protobuf import descriptor_pool

            made = descriptor_pool.DescriptorPool()
            for file in _files(_SCHEMA.read_bytes()):
                made.AddSerializedFile(file)
            _pool = made
        return _pool


def pb2_module(name: str) -> types.ModuleType:
    """Returns what TensorFlow's generated module of that name holds.

    Args:
      name: as in `tensorflow.core.framework.graph_pb2`, with dots.

    Returns:
      A new module with the file's messages, its enums and their values.

    Raises:
      ModuleNotFoundError: for a file that the schema does not have.
    """
    path = name.removesuffix("_pb2").replace(".", "/") + ".proto"
    try:
        file = pool().FindFileByName(path)
    except KeyError:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name) from None
    module = types.ModuleType(name)
    module.DESCRIPTOR = file
    for enum in file.enum_types_by_name.values():
        setattr(module, enum.name, _enum(enum))
        for value in enum.values:
            setattr(module, value.name, value.number)
    for message in file.message_types_by_name.values():
        setattr(module, message.name, _class(message))
    return module


def _files(data):
    """Yields the serialized files of a FileDescriptorSet (its field 1, each with its length)."""
    position = 0
    while position < len(data):
        position += 1
        length = shift = 0
        while True:
            byte = data[position]
            position += 1
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        yield data[position : position + length]
        position += length


def _find(name):
    for package in _PACKAGES:
        full_name = f"{package}.{name}"
        try:
            return _class(pool().FindMessageTypeByName(full_name))
        except KeyError:
            pass
        try:
            return _enum(pool().FindEnumTypeByName(full_name))
        except KeyError:
            pass
    raise AttributeError(f"the schema has no message or enum called {name!r}")


def _enum(descriptor):
    from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

    found = globals().get(descriptor.name)
    return found if found is not None and found.DESCRIPTOR is descriptor else EnumTypeWrapper(descriptor)


def _class(descriptor):
    from google.protobuf import message_factory

    cls = message_factory.GetMessageClass(descriptor)
    if cls.__module__ != __name__:
        _settle(cls, descriptor.name)
    return cls


def _settle(cls, qualified_name):
    """Tells `cls` and the classes in it where they are found, so that messages can be pickled and copied."""
    cls.__module__, cls.__qualname__, cls.__reduce__ = __name__, qualified_name, _reduce
    for nested in cls.DESCRIPTOR.nested_types:
        if not nested.GetOptions().map_entry:
            _settle(getattr(cls, nested.name), f"{qualified_name}.{nested.name}")


def _reduce(message):
    # Protobuf's own way looks nested messages up in the default pool, where ours are not.
    return _rebuild, (type(message).__qualname__, message.SerializePartialToString())


def _rebuild(qualified_name, data):
    name, *nested = qualified_name.split(".")
    cls = globals().get(name) or __getattr__(name)
    for part in nested:
        cls = getattr(cls, part)
    return cls.FromString(data)
