"""The protocol buffer messages: classes by name, round trips, and peace with other copies of the same schema."""

import copy
import pickle
import subprocess
import sys
import threading

import pytest
from ferroflow._src import proto
from google.protobuf import descriptor_pool, json_format, text_format


def test_every_listed_name_when_read_then_is_a_message_or_an_enum():
    for name in proto.__all__:
        assert getattr(proto, name).DESCRIPTOR.name == name


def test_every_message_of_the_schema_when_listed_then_has_a_name():
    listed = {getattr(proto, name).DESCRIPTOR.full_name for name in proto.__all__}
    shadowed = {f"google.protobuf.{name}" for name in ("Struct", "Value", "ListValue", "NullValue", "Empty")}
    from google.protobuf import descriptor_pb2

    files = descriptor_pb2.FileDescriptorSet.FromString(proto._SCHEMA.read_bytes()).file
    schema = {f"{f.package}.{m.name}" for f in files for m in [*f.message_type, *f.enum_type]}
    assert listed == schema - shadowed
    assert not any(f.HasField("source_code_info") for f in files)


def test_unknown_name_when_read_then_attribute_error():
    with pytest.raises(AttributeError, match="NoSuchDef"):
        _ = proto.NoSuchDef


def test_import_when_nothing_is_used_then_protobuf_is_not_loaded():
    code = "import sys; import ferroflow._src.proto; assert 'google.protobuf.message' not in sys.modules"
    if "ferroflow" in sys.modules and getattr(sys.modules["ferroflow"], "__file__", None):
        pytest.skip("the whole package is installed; its import is timed elsewhere")
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})


def test_nested_messages_and_enums_when_used_then_as_in_tensorflow():
    assert proto.SessionLog.START == 1
    assert proto.SessionLog.SessionStatus.Name(2) == "STOP"
    assert proto.DataType.Value("DT_FLOAT") == 1
    assert proto.SaverDef.V2 == 2
    assert proto.ConfigProto(gpu_options=proto.GPUOptions(allow_growth=True)).gpu_options.allow_growth
    summary = proto.Summary(value=[proto.Summary.Value(tag="loss", simple_value=0.5)])
    summary.value.add(tag="image", image=proto.Summary.Image(height=1, width=2))
    assert proto.Summary.FromString(summary.SerializeToString()) == summary
    assert summary.value[0].WhichOneof("value") == "simple_value"


def test_example_when_serialized_then_has_the_known_bytes():
    feature = proto.Feature(int64_list=proto.Int64List(value=[1, 2]))
    example = proto.Example(features=proto.Features(feature={"a": feature}))
    assert example.SerializeToString() == b"\n\x0d\n\x0b\n\x01a\x12\x06\x1a\x04\n\x02\x01\x02"


def test_graph_when_written_as_text_and_json_then_reads_back():
    graph = proto.GraphDef(versions=proto.VersionDef(producer=134))
    node = graph.node.add(name="x", op="Placeholder")
    node.attr["dtype"].type = 1
    node.attr["shape"].shape.dim.add(size=-1)
    text = text_format.MessageToString(graph)
    assert "type: DT_FLOAT" in text
    assert text_format.Parse(text, proto.GraphDef()) == graph
    assert json_format.Parse(json_format.MessageToJson(graph), proto.GraphDef()) == graph


def test_any_when_packed_then_text_and_json_expand_it():
    graph = proto.MetaGraphDef()
    graph.meta_info_def.any_info.Pack(proto.VersionDef(producer=3))
    text = text_format.MessageToString(graph, descriptor_pool=proto.pool())
    assert "[type.googleapis.com/tensorflow.VersionDef]" in text
    assert text_format.Parse(text, proto.MetaGraphDef(), descriptor_pool=proto.pool()) == graph
    text = json_format.MessageToJson(graph, descriptor_pool=proto.pool())
    assert json_format.Parse(text, proto.MetaGraphDef(), descriptor_pool=proto.pool()) == graph
    unpacked = proto.VersionDef()
    assert graph.meta_info_def.any_info.Unpack(unpacked) and unpacked.producer == 3


@pytest.mark.parametrize("twin", [copy.deepcopy, copy.copy, lambda m: pickle.loads(pickle.dumps(m))])
def test_message_when_copied_or_pickled_then_is_equal(twin):
    config = proto.ConfigProto(allow_soft_placement=True, device_count={"GPU": 0})
    assert twin(config) == config
    value = proto.Summary.Value(tag="t", simple_value=1.0)
    assert twin(value) == value
    assert type(twin(value)) is proto.Summary.Value


def test_wrong_field_when_given_then_value_error():
    with pytest.raises(ValueError, match="no_such_field"):
        proto.ConfigProto(no_such_field=1)


def test_the_default_pool_when_classes_are_made_then_stays_empty():
    code = (
        "from google.protobuf import descriptor_pool as d; from ferroflow._src import proto; proto.GraphDef()\n"
        "try: d.Default().FindMessageTypeByName('tensorflow.GraphDef')\n"
        "except KeyError: pass\n"
        "else: raise SystemExit('registered')"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": ":".join(sys.path)})


def test_tensorboard_when_loaded_too_then_both_read_each_others_bytes():
    theirs = pytest.importorskip("tensorboard.compat.proto.summary_pb2")
    from tensorboard.compat.proto import event_pb2, graph_pb2

    event = event_pb2.Event(step=3, summary=theirs.Summary(value=[theirs.Summary.Value(tag="a", simple_value=2.0)]))
    ours = proto.Event.FromString(event.SerializeToString())
    assert (ours.step, ours.summary.value[0].tag) == (3, "a")
    assert event_pb2.Event.FromString(ours.SerializeToString()) == event
    assert graph_pb2.GraphDef is not proto.GraphDef
    assert ours.DESCRIPTOR.file.pool is not descriptor_pool.Default()


def test_pb2_module_when_asked_then_has_what_the_generated_file_has():
    types = proto.pb2_module("tensorflow.core.framework.types_pb2")
    assert (types.DT_HALF, types.DataType.Name(19)) == (19, "DT_HALF")
    graph = proto.pb2_module("tensorflow.core.framework.graph_pb2")
    assert graph.GraphDef is proto.GraphDef
    with pytest.raises(ModuleNotFoundError, match="nothing_pb2"):
        proto.pb2_module("tensorflow.core.framework.nothing_pb2")


def test_threads_when_they_race_then_get_one_class():
    found, barrier = [], threading.Barrier(8)

    def read():
        barrier.wait()
        found.append(proto.QueueRunnerDef)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1


def test_bad_bytes_when_parsed_then_decode_error():
    from google.protobuf.message import DecodeError

    for data in (b"\xff" * 9, b"\x0a\xff\xff\xff\xff\x0f", b"\x0a\x05ab"):
        with pytest.raises(DecodeError):
            proto.GraphDef.FromString(data)
