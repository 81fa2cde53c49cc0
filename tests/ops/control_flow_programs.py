"""Conditionals, loops and arrays: each program makes a graph and returns (what to fetch, what to feed)."""


def _chain(tf, np):
    x = tf.constant(2.0)
    _, y = tf.while_loop(lambda i, y: i < 5, lambda i, y: (i + 1, y * x), [tf.constant(0), x])
    return [y, tf.gradients(y, x)[0]], {}


def _weights(tf, np):
    w = tf.get_variable("w", [3, 3], initializer=tf.constant_initializer(0.3))
    x = tf.placeholder(tf.float32, [None, 3])
    _, h = tf.while_loop(lambda i, h: i < 4, lambda i, h: (i + 1, tf.tanh(tf.matmul(h, w))), [0, x])
    return tf.gradients(tf.reduce_sum(h), [w, x]), {x: np.ones((2, 3))}


def _conditional_in_loop(tf, np):
    w = tf.get_variable("w", [3, 3], initializer=tf.constant_initializer(0.3))
    x = tf.placeholder(tf.float32, [None, 3])

    def body(i, h):
        return i + 1, tf.cond(i % 2 > 0, lambda: tf.tanh(tf.matmul(h, w)), lambda: h * 0.5)

    _, h = tf.while_loop(lambda i, h: i < 4, body, [0, x])
    return tf.gradients(tf.reduce_sum(h), [w, x]), {x: np.ones((2, 3))}


def _nested(tf, np):
    x, n = tf.constant(1.5), tf.placeholder(tf.int32, [])

    def inner(y, k):
        def body(j, z):
            return j + 1, z * x + tf.cond(j > 1, lambda: z, lambda: x)

        return tf.while_loop(lambda j, z: j < k, body, [0, y])[1]

    _, y = tf.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, inner(y, i) + 1.0), [0, x])
    return [y, *tf.gradients(y, x)], {n: 4}


def _loop_in_conditional(tf, np):
    x, c = tf.constant(2.0), tf.placeholder(tf.bool, [])

    def loop():
        return tf.while_loop(lambda i, y: i < 5, lambda i, y: (i + 1, y * x), [tf.constant(0), x])[1]

    y = tf.cond(c, loop, lambda: x * 3.0)
    return [y, tf.gradients(y, x)[0]], {c: True}


def _slices(tf, np):
    table = tf.get_variable("e", [5, 2], initializer=tf.constant_initializer(0.3))
    ids = tf.constant([1, 3, 4])
    _, total = tf.while_loop(
        lambda i, a: i < 3, lambda i, a: (i + 1, a * tf.gather(table, [ids[i]])), [0, tf.ones([1, 2])]
    )
    return [tf.convert_to_tensor(tf.gradients(total, table)[0])], {}


def _options(tf, np):
    x = tf.constant(2.0)
    y = tf.while_loop(
        lambda i, y, z: i < 4,
        lambda i, y, z: [i + 1, y * z, x],
        [0, x, x * x],
        swap_memory=True,
        parallel_iterations=1,
        maximum_iterations=3,
    )[1]
    return [y, tf.gradients(y, x, colocate_gradients_with_ops=True)[0]], {}


def _growing(tf, np):
    x = tf.placeholder(tf.float32, [None, 2])
    i, y = tf.while_loop(
        lambda i, y: tf.shape(y)[0] < 10,
        lambda i, y: (i + 1, tf.concat([y, x * 2.0], 0)),
        [0, x],
        shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, 2])],
    )
    return [i, y, *tf.gradients(y, x)], {x: np.ones((3, 2))}


def _assigning(tf, np):
    v, total = tf.Variable(2.0), tf.Variable(0.0)

    def body(i, y):
        with tf.control_dependencies([tf.assign_add(total, y)]):
            return i + 1, y * v

    _, y = tf.while_loop(lambda i, y: i < 3, body, [0, v + 1.0])
    return [y, tf.gradients(y, v)[0]], {}


def _gradient_inside(tf, np):
    x = tf.constant(3.0)

    def body(i, y):
        z = y * y * x
        return i + 1, tf.gradients(z, y)[0] + tf.gradients(z, x)[0]

    return [tf.while_loop(lambda i, y: i < 3, body, [0, 2.0])[1]], {}


def _stopped(tf, np):
    x, p = tf.constant(2.0), tf.placeholder(tf.float32, [2, 3])
    _, y = tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, tf.stop_gradient(y) * p), [0, p * x])
    assert tf.gradients(y, x) is not None
    return tf.gradients(y, p), {p: np.ones((2, 3))}


def _map_fn(tf, np):
    x = tf.placeholder(tf.float32, [None, 2])
    a, b = tf.map_fn(lambda t: (t[0] + t[1], t[0] * t[1]), (x, x * 2.0), dtype=(tf.float32, tf.float32), name="mm")
    return [a, b, *tf.gradients([a, b], x)], {x: np.arange(6.0).reshape(3, 2)}


def _scan(tf, np):
    x = tf.placeholder(tf.float32, [None, 2])
    first = (tf.zeros([2]), tf.ones([2]))
    a, b = tf.scan(lambda s, t: (s[0] + t, s[1] * t), x, initializer=first, reverse=True)
    c = tf.scan(lambda s, t: s * t, x)
    return [a, b, c, *tf.gradients([a, b, c], x)], {x: np.arange(6.0).reshape(3, 2)}


def _folds(tf, np):
    x = tf.placeholder(tf.float32, [None, 2])
    a = tf.foldl(lambda s, t: s + tf.reduce_sum(t), x, initializer=tf.constant(0.0))
    b = tf.foldr(lambda s, t: s * t, x)
    return [a, b, *tf.gradients([a, b], x)], {x: np.arange(6.0).reshape(3, 2)}


def _array_in_loop(tf, np):
    ta = tf.TensorArray(tf.float32, size=0, dynamic_size=True, clear_after_read=False)
    x = tf.constant(3.0)
    _, ta = tf.while_loop(lambda i, ta: i < 5, lambda i, ta: (i + 1, ta.write(i, x * tf.cast(i, tf.float32))), [0, ta])
    made = [ta.stack(), ta.read(2), ta.gather([1, 3])]
    return [*made, ta.size(), *tf.gradients(made, x)], {}


def _array_pieces(tf, np):
    x = tf.placeholder(tf.float32, [None, 3])
    y = tf.TensorArray(tf.float32, size=2, infer_shape=False).split(x, [1, 3]).concat()
    rows = tf.TensorArray(tf.float32, size=5).scatter([0, 2, 3, 4], x).write(1, [7.0, 8.0, 9.0])
    z = rows.gather([1, 2])
    return [y, z, *tf.gradients([y * y, z * z * z], x)], {x: np.arange(12.0).reshape(4, 3)}


def _nested_conditionals(tf, np):
    p, q = tf.placeholder(tf.bool, []), tf.placeholder(tf.bool, [])
    v, x = tf.Variable(1.0), tf.constant(3.0)
    y = tf.cond(p, lambda: tf.cond(q, lambda: v * x, lambda: v + x), lambda: x * x)
    u = tf.cond(p, lambda: tf.assign(v, 5.0), lambda: tf.assign_add(v, 2.0))
    assert u.dtype is not y.dtype  # the one is a reference
    return [y, *tf.gradients(y, [v, x])], {p: True, q: False}


def _conditional_slices(tf, np):
    table = tf.get_variable("e", [5, 2], initializer=tf.constant_initializer(0.3))
    p = tf.placeholder(tf.bool, [])
    y = tf.cond(p, lambda: tf.gather(table, [1, 2]), lambda: tf.gather(table, [0, 4]) * 2.0)
    z = tf.cond(p, lambda: tf.gather(table, [1, 2]), lambda: table[:2] * 2.0)
    return [tf.convert_to_tensor(tf.gradients(t, table)[0]) for t in (y, z)], {p: True}


def _case(tf, np):
    x, y = tf.constant(3.0), tf.placeholder(tf.float32, [])
    below, above = (y < 1.0, lambda: x * 2.0), (y > 2.0, lambda: x + 10.0)
    made = [
        tf.case([below, above], default=lambda: x - y),
        tf.case(dict([below, above]), default=lambda: x - y, exclusive=True),
        tf.case([below, above], exclusive=True),
    ]
    return [*made, *tf.gradients(made, x)], {y: 2.5}


def _py_func(tf, np):
    x = tf.placeholder(tf.float32, [None])
    a, b = tf.py_func(lambda v: (v * 2, np.int64(v.sum())), [x], [tf.float32, tf.int64], name="hi")
    c = tf.py_func(lambda v: v + 1, [x], tf.float32, stateful=False)
    assert tf.gradients(a, x) == [None]
    return [a, b, c], {x: [1.0, 2.0]}


PROGRAMS = {name[1:]: value for name, value in dict(globals()).items() if callable(value) and name[:2] != "__"}


def build_for_meta_graph(tf):
    """A conditional in a loop in a conditional: `x` and `v` in, `y` out."""
    x, v = tf.placeholder(tf.float32, [], name="x"), tf.Variable(1.5, name="v")

    def body(i, y):
        return [i + 1, tf.cond(y > 3.0, lambda: y * v, lambda: y + x)]

    def loop():
        return tf.while_loop(lambda i, y: i < 3, body, [0, x], maximum_iterations=5, name="loop")[1]

    tf.identity(tf.cond(x > 0.0, loop, lambda: x), name="y")
