"""What programs import from below `tensorflow.python` and `tensorflow.contrib` is there."""

import importlib

import ferroflow as tf
import ferroflow.compat
import numpy as np
import pytest
from ferroflow._src.shim import names


@pytest.fixture(scope="module", autouse=True)
def tensorflow():
    ferroflow.compat.install()
    yield
    ferroflow.compat.uninstall()


@pytest.mark.parametrize("module", sorted(names.PLACES))
def test_module_is_there(module):
    assert importlib.import_module(module).__name__


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("tensorflow.python.client.session", "BaseSession"),
        ("tensorflow.python.framework.device", "merge_device"),
        ("tensorflow.python.ops.resource_variable_ops", "ResourceVariable"),
        ("tensorflow.python.training.moving_averages", "assign_moving_average"),
        ("tensorflow.python.training.moving_averages", "weighted_moving_average"),
        ("tensorflow.python.training.slot_creator", "create_zeros_slot"),
        ("tensorflow.python.util.deprecation", "deprecated_args"),
        ("tensorflow.python.util.tf_export", "tf_export"),
        ("tensorflow.python.util.tf_inspect", "getfullargspec"),
        ("tensorflow.contrib.layers.python.layers", "layers"),
        ("tensorflow.contrib.layers.python.layers.initializers", "xavier_initializer"),
        ("tensorflow.contrib.framework.python.ops", "arg_scope"),
        ("tensorflow.core.framework.graph_pb2", "GraphDef"),
    ],
)
def test_name_is_there(module, name):
    namespace = {}
    exec(f"from {module} import {name}", namespace)
    assert namespace[name] is not None


def test_graph_and_checkpoint_freeze_into_one_file(tmp_path, capsys, monkeypatch):
    from tensorflow.python.tools import freeze_graph, inspect_checkpoint

    monkeypatch.chdir(tmp_path)
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [1, 2], name="x")
        v = tf.Variable([[1.0], [2.0]], name="v")
        tf.matmul(x, v, name="y")
        session.run(v.initializer)
        tf.train.Saver().save(session, "./model")
        tf.train.write_graph(session.graph_def, ".", "graph.pb", as_text=False)
        tf.train.write_graph(session.graph_def, ".", "graph.pbtxt")
    for graph, is_binary, meta in [("graph.pb", True, None), ("graph.pbtxt", False, None), (None, True, "model.meta")]:
        with tf.Graph().as_default():
            frozen = freeze_graph.freeze_graph(
                graph, "", is_binary, "./model", "y", "", "", "out.pb", True, "", input_meta_graph=meta
            )
        assert [(n.name, n.op) for n in frozen.node] == [
            ("x", "Placeholder"),
            ("v", "Const"),
            ("v/read", "Identity"),
            ("y", "MatMul"),
        ]
        assert tf.GraphDef.FromString((tmp_path / "out.pb").read_bytes()) == frozen
        with tf.Graph().as_default(), tf.Session() as session:
            tf.import_graph_def(frozen, name="")
            assert session.run("y:0", {"x:0": [[1.0, 10.0]]}) == 21
    capsys.readouterr()
    inspect_checkpoint.print_tensors_in_checkpoint_file("./model", None, True)
    inspect_checkpoint.print_tensors_in_checkpoint_file("./model", "", False)
    # As TensorFlow 1.15.5 prints it.
    assert capsys.readouterr().out == (
        "tensor_name:  v\n[[1.]\n [2.]]\n# Total number of params: 2\n"
        "v (DT_FLOAT) [2,1]\n\n# Total number of params: 2\n"
    )


def test_files_go_by_the_names_of_file_io(tmp_path):
    from tensorflow.python.lib.io import file_io

    path = str(tmp_path / "a" / "text")
    file_io.recursive_create_dir(str(tmp_path / "a"))
    file_io.write_string_to_file(path, "one")
    file_io.atomic_write_string_to_file(path, b"two")
    assert file_io.read_file_to_string(path) == "two" and file_io.read_file_to_string(path, binary_mode=True) == b"two"
    with pytest.raises(tf.errors.AlreadyExistsError):
        file_io.atomic_write_string_to_file(path, "three", overwrite=False)
    assert file_io.list_directory(str(tmp_path / "a")) == ["text"]
    file_io.copy(path, path + "2")
    assert file_io.filecmp(path, path + "2")
    file_io.delete_recursively(str(tmp_path / "a"))
    assert not file_io.file_exists(path)


def test_tutorials_network_has_tensorflows_names():
    from tensorflow.examples.tutorials.mnist import mnist

    with tf.Graph().as_default() as graph, tf.Session() as session:
        images = tf.placeholder(tf.float32, [None, mnist.IMAGE_PIXELS])
        labels = tf.placeholder(tf.int32, [None])
        logits = mnist.inference(images, 8, 4)
        loss = mnist.loss(logits, labels)
        train, right = mnist.training(loss, 0.1), mnist.evaluation(logits, labels)
        assert [v.op.name for v in tf.trainable_variables()] == [
            f"{scope}/{name}" for scope in ("hidden1", "hidden2", "softmax_linear") for name in ("weights", "biases")
        ]
        assert graph.get_tensor_by_name("global_step:0").dtype.base_dtype == tf.int32
        session.run(tf.global_variables_initializer())
        feeds = {images: np.eye(2, mnist.IMAGE_PIXELS), labels: [1, 2]}
        first = session.run(loss, feeds)
        for _ in range(20):
            session.run(train, feeds)
        assert session.run(loss, feeds) < first
        assert 0 <= session.run(right, feeds) <= 2
