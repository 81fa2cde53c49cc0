"""Programs as TensorFlow 1's users wrote them print what they print there, and leave the same graph, node by node."""

import json
import lzma
import os

import catalogue
import comparing
import ferroflow.compat
import pytest
import running

GRAPHS = os.path.join(catalogue.HERE, "answers", "graphs.json.xz")


@pytest.fixture(scope="module")
def tensorflow():
    ferroflow.compat.install()
    try:
        import tensorflow

        tensorflow.logging.set_verbosity(tensorflow.logging.ERROR)
        yield tensorflow
    finally:
        ferroflow.compat.uninstall()


@pytest.fixture(scope="module")
def graphs():
    with lzma.open(GRAPHS, "rt") as file:
        return json.load(file)


@pytest.mark.parametrize("name, script", [pytest.param(n, s, id=n) for n, s, _ in catalogue.programs()])
@pytest.mark.filterwarnings("ignore")
def test_program_does_what_it_does_in_tensorflow(name, script, tensorflow, graphs):
    printed, nodes = running.run(tensorflow, script)
    with open(os.path.join(catalogue.HERE, "answers", name + ".txt"), encoding="utf-8") as file:
        assert comparing.difference(file.read(), printed) is None
    for number, (want, give) in enumerate(zip(graphs[name], nodes)):
        assert give == want, f"node {number}"
    assert len(nodes) == len(graphs[name])
