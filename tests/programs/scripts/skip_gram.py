"""Word vectors by noise contrastive estimation, with name scopes, summaries and a Saver."""

import math

import numpy as np
import tensorflow as tf

tf.set_random_seed(5)
vocabulary_size, embedding_size, batch_size, num_sampled = 50, 16, 8, 5
valid_examples = np.array([1, 4, 9])
graph = tf.get_default_graph()
with tf.name_scope("inputs"):
    train_inputs = tf.placeholder(tf.int32, shape=[batch_size])
    train_labels = tf.placeholder(tf.int32, shape=[batch_size, 1])
    valid_dataset = tf.constant(valid_examples, dtype=tf.int32)
with tf.device("/cpu:0"):
    with tf.name_scope("embeddings"):
        embeddings = tf.Variable(tf.random_uniform([vocabulary_size, embedding_size], -1.0, 1.0))
        embed = tf.nn.embedding_lookup(embeddings, train_inputs)
    with tf.name_scope("weights"):
        nce_weights = tf.Variable(
            tf.truncated_normal([vocabulary_size, embedding_size], stddev=1.0 / math.sqrt(embedding_size))
        )
    with tf.name_scope("biases"):
        nce_biases = tf.Variable(tf.zeros([vocabulary_size]))
with tf.name_scope("loss"):
    loss = tf.reduce_mean(
        tf.nn.nce_loss(
            weights=nce_weights,
            biases=nce_biases,
            labels=train_labels,
            inputs=embed,
            num_sampled=num_sampled,
            num_classes=vocabulary_size,
        )
    )
tf.summary.scalar("loss", loss)
with tf.name_scope("optimizer"):
    optimizer = tf.train.GradientDescentOptimizer(1.0).minimize(loss)
norm = tf.sqrt(tf.reduce_sum(tf.square(embeddings), 1, keepdims=True))
normalized_embeddings = embeddings / norm
valid_embeddings = tf.nn.embedding_lookup(normalized_embeddings, valid_dataset)
similarity = tf.matmul(valid_embeddings, normalized_embeddings, transpose_b=True)
merged = tf.summary.merge_all()
init = tf.global_variables_initializer()
saver = tf.train.Saver()
with tf.Session(graph=graph) as session:
    writer = tf.summary.FileWriter("log", session.graph)
    init.run()
    r = np.random.RandomState(0)
    for step in range(6):
        a = r.randint(0, 50, batch_size)
        c = r.randint(0, 50, (batch_size, 1))
        run_metadata = tf.RunMetadata()
        _, summary, v = session.run(
            [optimizer, merged, loss], feed_dict={train_inputs: a, train_labels: c}, run_metadata=run_metadata
        )
        writer.add_summary(summary, step)
        if step == 5:
            writer.add_run_metadata(run_metadata, "step%d" % step)
        print(step, v)
    sim = similarity.eval()
    print((-sim[0, :]).argsort()[1:5])
    print(saver.save(session, "log/model.ckpt"))
    final_embeddings = normalized_embeddings.eval()
    print(final_embeddings.sum())
writer.close()
