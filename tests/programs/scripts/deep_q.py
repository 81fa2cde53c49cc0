"""Two networks, one copied from the other now and then; gather_nd picks actions."""

import numpy as np
import tensorflow as tf

tf.set_random_seed(3)
r = np.random.RandomState(0)


class DQN:
    def __init__(self, n_a, n_f):
        self.s = tf.placeholder(tf.float32, [None, n_f], name="s")
        self.s_ = tf.placeholder(tf.float32, [None, n_f], name="s_")
        self.r = tf.placeholder(tf.float32, [None], "r")
        self.a = tf.placeholder(tf.int32, [None], "a")
        wi, bi = tf.random_normal_initializer(0.0, 0.3), tf.constant_initializer(0.1)
        with tf.variable_scope("eval_net"):
            e1 = tf.layers.dense(self.s, 20, tf.nn.relu, kernel_initializer=wi, bias_initializer=bi, name="e1")
            self.q_eval = tf.layers.dense(e1, n_a, kernel_initializer=wi, bias_initializer=bi, name="q")
        with tf.variable_scope("target_net"):
            t1 = tf.layers.dense(self.s_, 20, tf.nn.relu, kernel_initializer=wi, bias_initializer=bi, name="t1")
            self.q_next = tf.layers.dense(t1, n_a, kernel_initializer=wi, bias_initializer=bi, name="t2")
        with tf.variable_scope("q_target"):
            self.q_target = tf.stop_gradient(self.r + 0.9 * tf.reduce_max(self.q_next, axis=1, name="Qmax_s_"))
        with tf.variable_scope("q_eval"):
            a_indices = tf.stack([tf.range(tf.shape(self.a)[0], dtype=tf.int32), self.a], axis=1)
            self.q_wrt_a = tf.gather_nd(params=self.q_eval, indices=a_indices)
        with tf.variable_scope("loss"):
            self.loss = tf.reduce_mean(tf.squared_difference(self.q_target, self.q_wrt_a, name="TD_error"))
        with tf.variable_scope("train"):
            self.train = tf.train.RMSPropOptimizer(0.01).minimize(self.loss)
        t = tf.get_collection(tf.GraphKeys.GLOBAL_VARIABLES, scope="target_net")
        e = tf.get_collection(tf.GraphKeys.GLOBAL_VARIABLES, scope="eval_net")
        with tf.variable_scope("soft_replacement"):
            self.rep = [tf.assign(a, b) for a, b in zip(t, e)]


d = DQN(3, 4)
with tf.Session() as s:
    s.run(tf.global_variables_initializer())
    s.run(d.rep)
    for i in range(5):
        print(
            s.run(
                [d.loss, d.train], {d.s: r.randn(8, 4), d.s_: r.randn(8, 4), d.r: r.randn(8), d.a: r.randint(0, 3, 8)}
            )[0]
        )
        if i % 2:
            s.run(d.rep)
