"""Queues and threads: FIFOQueue, QueueRunner, Coordinator, and batches from files through tf.train's input pipeline."""

import os
import tempfile
import threading

import tensorflow as tf


def by_hand():
    queue = tf.FIFOQueue(3, "int32")
    fill = queue.enqueue_many(([0, 10, 20],))
    x = queue.dequeue()
    again = queue.enqueue([x + 1])
    with tf.Session() as sess:
        sess.run(fill)
        for _ in range(5):
            value, _ = sess.run([x, again])
            print(value, end=" ")
        print("left:", sess.run(queue.size()))


def coordinator():
    """Threads that work until one of them has had enough."""
    coord = tf.train.Coordinator()
    done = []

    def work(number):
        while not coord.should_stop():
            done.append(number)
            if len(done) > 20:
                coord.request_stop()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    coord.join(threads)
    print("all threads ended:", not any(thread.is_alive() for thread in threads))


def runner():
    counter = tf.Variable(0.0)
    queue = tf.FIFOQueue(10, tf.float32)
    with tf.control_dependencies([counter.assign_add(1.0)]):
        enqueue = queue.enqueue([tf.random_normal([], mean=5.0)])
    tf.train.add_queue_runner(tf.train.QueueRunner(queue, [enqueue] * 2))
    value = queue.dequeue()
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        coord = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(sess, coord)
        mean = sum(sess.run(value) for _ in range(50)) / 50
        coord.request_stop()
        coord.join(threads)
    print("mean of 50 numbers is near 5:", abs(mean - 5) < 1, "threads:", len(threads))


def files(folder):
    """Two files of records, read twice through in order, in batches of four."""
    for i in range(2):
        with tf.python_io.TFRecordWriter(os.path.join(folder, "data-%d" % i)) as writer:
            for j in range(3):
                label = tf.train.Feature(int64_list=tf.train.Int64List(value=[10 * i + j]))
                writer.write(tf.train.Example(features=tf.train.Features(feature={"label": label})).SerializeToString())
    names = tf.train.string_input_producer(
        [os.path.join(folder, "data-%d" % i) for i in range(2)], num_epochs=2, shuffle=False
    )
    _, record = tf.TFRecordReader().read(names)
    label = tf.parse_single_example(record, {"label": tf.FixedLenFeature([], tf.int64)})["label"]
    labels = tf.train.batch([label], batch_size=4)
    with tf.Session() as sess:
        sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        coord = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(sess, coord)
        try:
            while not coord.should_stop():
                print(sess.run(labels).tolist())
        except tf.errors.OutOfRangeError:
            print("no more batches")
        finally:
            coord.request_stop()
        coord.join(threads)


if __name__ == "__main__":
    for part in (by_hand, coordinator, runner, lambda: files(tempfile.mkdtemp())):
        tf.reset_default_graph()
        part()
