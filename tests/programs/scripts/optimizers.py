"""Every optimizer on dense and sparse gradients, with its slots."""

import numpy as np
import tensorflow as tf

tf.set_random_seed(1)
x = np.random.RandomState(0).randn(8, 3).astype("f")
for name, o in [
    ("sgd", tf.train.GradientDescentOptimizer(0.1)),
    ("mom", tf.train.MomentumOptimizer(0.1, 0.9)),
    ("nes", tf.train.MomentumOptimizer(0.1, 0.9, use_nesterov=True)),
    ("ada", tf.train.AdagradOptimizer(0.1)),
    ("adad", tf.train.AdadeltaOptimizer(0.1)),
    ("adam", tf.train.AdamOptimizer(0.1)),
    ("ftrl", tf.train.FtrlOptimizer(0.1, l1_regularization_strength=0.01, l2_regularization_strength=0.02)),
    ("rms", tf.train.RMSPropOptimizer(0.1, momentum=0.5)),
    ("rmsc", tf.train.RMSPropOptimizer(0.1, centered=True)),
    ("psgd", tf.train.ProximalGradientDescentOptimizer(0.1, 0.01, 0.01)),
    ("pada", tf.train.ProximalAdagradOptimizer(0.1)),
    ("adada", tf.train.AdagradDAOptimizer(0.1, tf.train.get_or_create_global_step())),
]:
    with tf.variable_scope(name):
        W = tf.get_variable("W", [3, 2])
        e = tf.get_variable("e", [5, 2])
        loss = tf.reduce_sum(tf.square(tf.matmul(x, W))) + tf.reduce_sum(tf.nn.embedding_lookup(e, [1, 1, 3]) ** 2)
        t = o.minimize(loss, global_step=tf.train.get_global_step() if name == "adada" else None)
    with tf.Session() as s:
        s.run(tf.global_variables_initializer())
        print(
            name,
            [float(s.run([loss, t])[0]) for _ in range(4)],
            sorted(v.name for v in o.variables())[:3],
            o.get_slot_names(),
        )
