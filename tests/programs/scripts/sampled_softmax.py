"""An embedding trained by a sampled softmax and Adagrad."""

import tensorflow as tf

tf.set_random_seed(5)
emb = tf.Variable(tf.random_uniform([30, 8], -1, 1))
w = tf.Variable(tf.truncated_normal([30, 8]))
b = tf.Variable(tf.zeros([30]))
x = tf.placeholder(tf.int32, [4])
y = tf.placeholder(tf.int32, [4, 1])
loss = tf.reduce_mean(
    tf.nn.sampled_softmax_loss(
        weights=w, biases=b, inputs=tf.nn.embedding_lookup(emb, x), labels=y, num_sampled=6, num_classes=30
    )
)
opt = tf.train.AdagradOptimizer(1.0).minimize(loss)
with tf.Session() as s:
    tf.global_variables_initializer().run()
    for i in range(4):
        print(s.run([loss, opt], {x: [1, 2, 3, 4], y: [[5], [6], [7], [8]]})[0])
    print(emb.eval()[:5].sum())
