"""What a process does first must not rest on what another line would have loaded."""

import os
import subprocess
import sys

import ferroflow as tf

LOAD = """
import ferroflow as tf
tf.train.import_meta_graph("m.meta")
with tf.Session() as sess:
    sess.run(tf.local_variables_initializer())
    coord = tf.train.Coordinator()
    threads = tf.train.start_queue_runners(sess, coord)
    print([sess.run("deq:0").decode() for _ in range(2)])
    coord.request_stop()
    coord.join(threads)
"""


def test_a_meta_graph_brings_its_queue_runners_into_a_new_process(tmp_path):
    with tf.Graph().as_default():
        tf.train.string_input_producer(["a", "b"], shuffle=False, num_epochs=1).dequeue(name="deq")
        tf.train.export_meta_graph(str(tmp_path / "m.meta"))
    package = os.path.dirname(os.path.dirname(tf.__file__))
    done = subprocess.run(
        [sys.executable, "-c", LOAD],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": package},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "['a', 'b']\n", done.stderr
