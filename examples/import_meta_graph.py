"""A graph from a file: import_meta_graph, get_tensor_by_name, training on, a new layer over old ones, freezing."""

import os
import tempfile

import numpy as np
import tensorflow as tf

POINTS = np.random.RandomState(5).rand(16, 3).astype(np.float32)
VALUES = POINTS.sum(axis=1, keepdims=True)


def train(path):
    """The program that made the model: later ones know only its files and these names."""
    x = tf.placeholder(tf.float32, [None, 3], name="x")
    y = tf.placeholder(tf.float32, [None, 1], name="y")
    weights = tf.get_variable("weights", [3, 1], initializer=tf.zeros_initializer())
    prediction = tf.matmul(x, weights, name="prediction")
    loss = tf.reduce_mean(tf.square(prediction - y), name="loss")
    step = tf.train.get_or_create_global_step()
    tf.train.AdamOptimizer(0.05).minimize(loss, global_step=step, name="train")
    for tensor in (x, y, loss):
        tf.add_to_collection("interface", tensor)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(20):
            sess.run("train", {x: POINTS, y: VALUES})
        print("trained: loss %.5f" % sess.run(loss, {x: POINTS, y: VALUES}))
        return tf.train.Saver().save(sess, path, global_step=step)


def train_on(checkpoint):
    """Loads graph and variables, Adam's moments too, and goes on."""
    saver = tf.train.import_meta_graph(checkpoint + ".meta")
    x, y, loss = tf.get_collection("interface")
    graph = tf.get_default_graph()
    with tf.Session() as sess:
        saver.restore(sess, checkpoint)
        feed = {x: POINTS, y: VALUES}
        print("restored: step %d, loss %.5f" % (sess.run("global_step:0"), sess.run(loss, feed)))
        for _ in range(20):
            sess.run(graph.get_operation_by_name("train"), feed)
        print(
            "trained on: step %d, loss %.5f"
            % (sess.run("global_step:0"), sess.run(graph.get_tensor_by_name("loss:0"), feed))
        )


def build_on(checkpoint):
    """Keeps the loaded part as it is and trains a new layer over it."""
    saver = tf.train.import_meta_graph(checkpoint + ".meta", import_scope="old")
    graph = tf.get_default_graph()
    features = tf.stop_gradient(graph.get_tensor_by_name("old/prediction:0"))
    scale = tf.Variable(1.0, name="scale")
    loss = tf.reduce_mean(tf.square(scale * features - 2 * graph.get_tensor_by_name("old/y:0")))
    step = tf.train.GradientDescentOptimizer(0.2).minimize(loss, var_list=[scale])
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        saver.restore(sess, checkpoint)
        for _ in range(20):
            sess.run(step, {"old/x:0": POINTS, "old/y:0": VALUES})
        print("new layer: scale %.4f" % sess.run(scale))


def freeze(checkpoint):
    """Variables become constants: one file that only predicts."""
    with tf.Session() as sess:
        tf.train.import_meta_graph(checkpoint + ".meta").restore(sess, checkpoint)
        frozen = tf.graph_util.convert_variables_to_constants(sess, sess.graph_def, ["prediction"])
    tf.train.write_graph(frozen, os.path.dirname(checkpoint), "frozen.pb", as_text=False)
    definition = tf.GraphDef()
    with tf.gfile.GFile(os.path.join(os.path.dirname(checkpoint), "frozen.pb"), "rb") as file:
        definition.ParseFromString(file.read())
    print("frozen:", [node.name for node in definition.node])
    with tf.Graph().as_default():
        x = tf.constant([[1.0, 2.0, 3.0]])
        (prediction,) = tf.import_graph_def(definition, input_map={"x:0": x}, return_elements=["prediction:0"])
        with tf.Session() as sess:
            print("%s = %.4f" % (prediction.name, sess.run(prediction)[0, 0]))


if __name__ == "__main__":
    saved = train(os.path.join(tempfile.mkdtemp(), "model.ckpt"))
    for use in (train_on, build_on, freeze):
        tf.reset_default_graph()
        use(saved)
