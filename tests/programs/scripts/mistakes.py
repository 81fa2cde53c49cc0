"""What programs see of tensors and variables, and of their own mistakes."""

import tensorflow as tf

v = tf.Variable([[1.0, 2.0]], name="v")
u = tf.get_variable("sc/u", [3])
print(v, u, v.op, v.value(), v.initialized_value(), v.shape, v.get_shape(), v.dtype, v.initializer.name)
x = tf.placeholder(tf.float32, [None, 3])
print(x, x.op.type, x.get_shape().as_list(), x.consumers(), x.graph is tf.get_default_graph())
for f in (
    lambda: x + "a",
    lambda: x + tf.constant(1),
    lambda: bool(x),
    lambda: list(x),
    lambda: tf.reshape(tf.ones([3]), [2]),
    lambda: tf.concat([tf.ones([1, 2]), tf.ones([1, 3])], 0),
    lambda: tf.get_variable("sc/u", [3]),
    lambda: tf.nn.conv2d(x, x, [1] * 4, "SAME"),
    lambda: tf.constant([1, 2], shape=[3, 3, 3], verify_shape=True),
    lambda: tf.Session().run(v),
    lambda: tf.Session().run(x),
    lambda: tf.Session().run("nope:0"),
    lambda: tf.Session().run(None),
    lambda: tf.get_default_graph().get_tensor_by_name("q"),
    lambda: v.eval(),
    lambda: tf.train.GradientDescentOptimizer(0.1).minimize(x),
    lambda: tf.train.Saver({}),
    lambda: tf.one_hot(1),
    lambda: tf.matmul([1.0, 2.0], [[1.0]]),
    lambda: tf.nn.softmax_cross_entropy_with_logits(x, x),
    lambda: tf.cast("a", tf.float32),
    lambda: x[0, 0, 0, 0],
    lambda: tf.split(tf.ones([5]), 2),
    lambda: tf.convert_to_tensor(None),
    lambda: tf.zeros([2], "foo"),
):
    try:
        print("ok", f())
    except Exception as e:
        print(type(e).__name__, str(e).split("\n")[0][:150])
