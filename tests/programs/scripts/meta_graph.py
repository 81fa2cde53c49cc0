"""Training, numbered checkpoints, import_meta_graph, a new layer."""

import os

import numpy as np
import tensorflow as tf

tf.set_random_seed(1)
x = tf.placeholder(tf.float32, [None, 3], "x")
w = tf.get_variable("w", [3, 1], initializer=tf.ones_initializer())
y = tf.matmul(x, w, name="y")
keep = tf.placeholder_with_default(1.0, [], "keep")
tf.add_to_collection("outs", y)
tf.add_to_collection("outs", keep)
loss = tf.reduce_mean(tf.square(y - 1), name="loss")
op = tf.train.AdamOptimizer(0.1).minimize(loss, name="train")
sv = tf.train.Saver(max_to_keep=2)
with tf.Session() as s:
    s.run(tf.global_variables_initializer())
    for i in range(4):
        s.run(op, {x: np.ones((2, 3))})
        sv.save(s, "./my-model", global_step=i, write_meta_graph=(i == 3))
    print(sorted(f for f in os.listdir(".")), sv.last_checkpoints)
tf.reset_default_graph()
with tf.Session() as s:
    ns = tf.train.import_meta_graph("my-model-3.meta")
    ns.restore(s, tf.train.latest_checkpoint("./"))
    g = tf.get_default_graph()
    print(s.run("w:0").tolist(), [c.name for c in tf.get_collection("outs")])
    print(s.run("loss:0", {"x:0": np.ones((2, 3))}))
    s.run("train", {"x:0": np.ones((2, 3))})
    print(g.get_tensor_by_name("w:0").eval().tolist(), g.get_operation_by_name("train").type)
    print(
        [v.name for v in tf.trainable_variables()],
        [v.name for v in tf.global_variables()],
        tf.global_variables()[1].op.type,
    )
    y2 = tf.stop_gradient(g.get_tensor_by_name("y:0"))
    nw = tf.Variable(tf.ones([1, 2]), name="new")
    o = tf.matmul(y2, nw)
    s.run(nw.initializer)
    print(s.run(o, {"x:0": np.ones((1, 3))}))
