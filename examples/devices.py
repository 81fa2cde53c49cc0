"""Devices: what there is, tf.device with names, nesting and functions, soft placement, towers that share weights."""

import tensorflow as tf
from tensorflow.python.client import device_lib


def names():
    cpu = [device.name for device in device_lib.list_local_devices() if device.device_type == "CPU"]
    print("processors:", cpu)
    with tf.device("/cpu:0"):
        a = tf.constant([1.0, 2.0], name="a")
        with tf.device("/job:worker/task:1"):
            b = tf.constant(3.0, name="b")
        with tf.device(None):
            c = tf.add(a, b, name="c")
    for tensor in (a, b, c):
        print("%s was put on %r" % (tensor.op.name, tensor.device))


def functions():
    def variables_on_cpu(op):
        return "/cpu:0" if op.type == "VariableV2" else "/gpu:0"

    with tf.device(variables_on_cpu):
        v = tf.get_variable("v", [2], initializer=tf.zeros_initializer())
        w = tf.multiply(v, 2.0, name="w")
    print("%s on %r, %s on %r" % (v.op.name, v.device, w.op.name, w.device))


def soft_placement():
    with tf.device("/cpu:7"):
        total = tf.reduce_sum(tf.constant([1.0, 2.0, 3.0]))
    try:
        with tf.Session() as sess:
            sess.run(total)
    except tf.errors.InvalidArgumentError:
        print("without soft placement: InvalidArgumentError, there is no /cpu:7")
    options = tf.GPUOptions(allow_growth=True)
    with tf.Session(config=tf.ConfigProto(allow_soft_placement=True, gpu_options=options)) as sess:
        print("with soft placement: %g" % sess.run(total))


def towers():
    """Two halves of a batch, one set of weights, mean gradients: one tower a device."""
    optimizer = tf.train.GradientDescentOptimizer(0.1)
    halves = tf.split(tf.reshape(tf.range(8.0), [4, 2]), 2)
    gradients = []
    for i, half in enumerate(halves):
        with tf.device("/cpu:0"), tf.name_scope("tower_%d" % i), tf.variable_scope("model", reuse=tf.AUTO_REUSE):
            weights = tf.get_variable("weights", [2, 1], initializer=tf.ones_initializer())
            loss = tf.reduce_mean(tf.square(tf.matmul(half, weights)))
            gradients.append(optimizer.compute_gradients(loss))
    mean = [(tf.reduce_mean(tf.stack([g for g, _ in pairs]), 0), pairs[0][1]) for pairs in zip(*gradients)]
    train = optimizer.apply_gradients(mean)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        sess.run(train)
        print("weights after one step of two towers:", sess.run(weights).ravel().tolist())


if __name__ == "__main__":
    for part in (names, functions, soft_placement, towers):
        tf.reset_default_graph()
        part()
