"""Gradients by the input, resizing through placeholders."""

import numpy as np
import tensorflow as tf

tf.set_random_seed(3)
r = np.random.RandomState(0)
with tf.Graph().as_default() as graph, tf.Session(graph=graph).as_default() as sess:
    t_input = tf.placeholder(np.float32, name="input")
    t_pre = tf.expand_dims(t_input - 0.5, 0)
    k = tf.constant(r.randn(3, 3, 3, 6).astype("f"))
    l = tf.nn.relu(
        tf.nn.conv2d(tf.reshape(t_pre, [1, tf.shape(t_input)[0], tf.shape(t_input)[1], 3]), k, [1, 2, 2, 1], "SAME"),
        name="mixed",
    )

    def T(layer):
        return graph.get_tensor_by_name("%s:0" % layer)

    sc = tf.reduce_mean(T("mixed")[:, :, :, 2])
    gr = tf.gradients(sc, t_input)[0]

    def tffunc(*argtypes):
        ph = list(map(tf.placeholder, argtypes))

        def wrap(f):
            out = f(*ph)

            def wrapper(*args, **kw):
                return out.eval(dict(zip(ph, args)), session=kw.get("session"))

            return wrapper

        return wrap

    def resize(img, size):
        img = tf.expand_dims(img, 0)
        return tf.image.resize_bilinear(img, size)[0, :, :, :]

    resize = tffunc(np.float32, np.int32)(resize)
    img = r.rand(12, 10, 3).astype("f")
    for o in range(2):
        if o:
            img = resize(img, np.int32(np.float32(img.shape[:2]) * 1.4))
        for _ in range(2):
            g, v = sess.run([gr, sc], {t_input: img})
            g /= g.std() + 1e-8
            img += g
            print(v, img.shape, img.mean())
