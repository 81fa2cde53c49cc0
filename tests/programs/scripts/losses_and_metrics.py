"""tf.losses, the total loss, tf.metrics with their local variables."""

import numpy as np
import tensorflow as tf

tf.set_random_seed(1)
r = np.random.RandomState(0)
lab = tf.constant([0, 1, 2, 1])
lg = tf.constant(r.randn(4, 3).astype("f"))
L = [
    tf.losses.sparse_softmax_cross_entropy(lab, lg),
    tf.losses.softmax_cross_entropy(tf.one_hot(lab, 3), lg, label_smoothing=0.1),
    tf.losses.mean_squared_error(tf.zeros([4, 3]), lg, weights=tf.constant([[1.0], [0.0], [1.0], [2.0]])),
    tf.losses.absolute_difference(tf.zeros([4, 3]), lg),
    tf.losses.hinge_loss(tf.one_hot(lab, 3), lg),
    tf.losses.huber_loss(tf.zeros([4, 3]), lg),
    tf.losses.sigmoid_cross_entropy(tf.one_hot(lab, 3), lg),
    tf.losses.log_loss(tf.one_hot(lab, 3), tf.sigmoid(lg)),
    tf.losses.cosine_distance(tf.nn.l2_normalize(tf.ones([4, 3]), 1), tf.nn.l2_normalize(lg, 1), axis=1),
]
tot = tf.losses.get_total_loss()
pred = tf.argmax(lg, 1)
M = [
    tf.metrics.accuracy(lab, pred),
    tf.metrics.mean(lg),
    tf.metrics.precision(tf.cast(lab > 0, tf.int32), tf.cast(pred > 0, tf.int32)),
    tf.metrics.recall(lab > 0, pred > 0),
    tf.metrics.auc(lab > 0, tf.sigmoid(lg[:, 1])),
    tf.metrics.mean_iou(lab, pred, 3),
    tf.metrics.mean_squared_error(tf.zeros([4, 3]), lg),
]
with tf.Session() as s:
    print(s.run(L))
    print(s.run(tot))
    s.run([tf.local_variables_initializer()])
    for m in M:
        print(s.run(m[1]))
        print(s.run(m[0]))
    print(s.run(tf.confusion_matrix(lab, pred)), [v.name for v in tf.local_variables()])
