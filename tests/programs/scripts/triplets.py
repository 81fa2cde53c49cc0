"""Centers that follow their class by scatter_sub, hardest positives."""

import tensorflow as tf

tf.set_random_seed(3)
f = tf.random_normal([6, 4])
lab = tf.constant([0, 1, 0, 2, 1, 1])
centers = tf.get_variable(
    "centers", [3, 4], dtype=tf.float32, initializer=tf.random_uniform_initializer(-1, 1), trainable=False
)
cb = tf.gather(centers, lab)
loss = tf.nn.l2_loss(f - cb)
diff = cb - f
uid, uidx, uc = tf.unique_with_counts(lab)
at = tf.reshape(tf.gather(uc, uidx), [-1, 1])
diff = 0.5 * diff / tf.cast(1 + at, tf.float32)
up = tf.scatter_sub(centers, lab, diff)
dot = tf.matmul(f, tf.transpose(f))
sq = tf.diag_part(dot)
D = tf.maximum(tf.expand_dims(sq, 0) - 2.0 * dot + tf.expand_dims(sq, 1), 0.0)
mask = tf.logical_and(
    tf.equal(tf.expand_dims(lab, 0), tf.expand_dims(lab, 1)), tf.logical_not(tf.cast(tf.eye(6), tf.bool))
)
hp = tf.reduce_max(tf.multiply(tf.to_float(mask), D), axis=1, keepdims=True)
tl = tf.reduce_mean(tf.maximum(hp - D + 0.2, 0.0))
with tf.control_dependencies([up]):
    tr = tf.identity(loss + tl)
with tf.Session() as s:
    s.run(tf.global_variables_initializer())
    print(s.run(tr), s.run(tr))
    print(s.run([uid, uidx, uc]))
    print(s.run(centers))
