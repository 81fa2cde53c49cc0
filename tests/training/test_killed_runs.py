"""Training runs that end badly: killed ones go on from their newest whole checkpoint, interrupted ones raise."""

import os
import signal
import subprocess
import sys
import threading
import time

import ferroflow as tf
import pytest

TRAIN = """
import sys
import ferroflow as tf
w = tf.get_variable("w", initializer=[0.0, 0.0])
step = tf.train.get_or_create_global_step()
train = tf.group(w.assign_add([1.0, 2.0]), step.assign_add(1))
hooks = [tf.train.StopAtStepHook(last_step=int(sys.argv[2]))]
with tf.train.MonitoredTrainingSession(
    checkpoint_dir=sys.argv[1], hooks=hooks, save_checkpoint_steps=1, save_summaries_steps=None
) as sess:
    print("start", int(sess._tf_sess().run(step)), flush=True)
    while not sess.should_stop():
        sess.run(train)
        print("step", flush=True)
print("end", flush=True)
"""


def start(folder, last_step):
    command = [sys.executable, "-c", TRAIN, str(folder), str(last_step)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def saved(folder):
    path = tf.train.latest_checkpoint(str(folder))
    reader = tf.train.NewCheckpointReader(path)
    return int(reader.get_tensor("global_step")), reader.get_tensor("w").tolist()


def test_a_killed_run_goes_on_from_its_newest_whole_checkpoint(tmp_path):
    for kill_after in (2, 5):
        child = start(tmp_path, 10**6)
        seen = 0
        for line in child.stdout:
            seen += line == "step\n"
            if seen == kill_after:
                break
        # Somewhere within a run or the writing of a checkpoint.
        time.sleep(0.005 * kill_after)
        child.send_signal(signal.SIGKILL)
        child.communicate()
        step, w = saved(tmp_path)
        assert step >= kill_after
        assert w == [step, 2.0 * step]
    output, _ = start(tmp_path, step + 2).communicate(timeout=60)
    lines = output.splitlines()
    assert lines[0] == f"start {step}"
    assert lines[1:] == ["step", "step", "end"]
    assert saved(tmp_path) == (step + 2, [step + 2.0, 2.0 * step + 4.0])


def interrupted(run):
    """Whether Ctrl-C after a moment makes `run` raise KeyboardInterrupt, and how long that took."""
    # A shell that starts the tests in the background has them ignore the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    begin = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            run()
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)
    return time.monotonic() - begin - 0.2


def test_control_c_ends_a_dequeue_that_waits():
    queue = tf.FIFOQueue(3, [tf.int32], shapes=[[]])
    with tf.Session() as sess:
        item, size, put = queue.dequeue(), queue.size(), queue.enqueue(7)
        assert interrupted(lambda: sess.run(item)) < 1.0
        sess.run(put)
        assert sess.run(item) == 7
        assert sess.run(size) == 0


def test_control_c_ends_a_monitored_session_and_its_threads():
    examples = tf.train.range_input_producer(10, shuffle=False).dequeue()
    queue = tf.FIFOQueue(3, [tf.int32])
    tf.train.get_or_create_global_step()
    item, before = queue.dequeue(), threading.active_count()

    def run():
        with tf.train.MonitoredSession() as sess:
            assert sess.run(examples) == 0
            sess.run(item)

    assert interrupted(run) < 2.0
    assert threading.active_count() == before


def test_a_closed_session_ends_runs_of_other_threads():
    queue = tf.FIFOQueue(3, [tf.int32], shapes=[[]])
    item, sess, raised = queue.dequeue(), tf.Session(), []

    def wait():
        try:
            sess.run(item)
        except tf.errors.CancelledError as error:
            raised.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    time.sleep(0.1)
    sess.close()
    thread.join(5)
    assert len(raised) == 1


def test_a_cancelled_enqueue_ends_its_thread():
    queue = tf.FIFOQueue(1, [tf.int32], shapes=[[]])
    put, close, raised = queue.enqueue(1), queue.close(cancel_pending_enqueues=True), []
    with tf.Session() as sess:
        sess.run(put)

        def wait():
            try:
                sess.run(put)
            except tf.errors.CancelledError as error:
                raised.append(error.message)

        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(0.1)
        sess.run(close)
        thread.join(5)
        assert "Enqueue operation was cancelled" in raised[0]
        assert sess.run(queue.is_closed())


def test_threads_fill_a_queue_while_others_empty_it():
    queue = tf.FIFOQueue(4, [tf.int32], shapes=[[]])
    number = tf.placeholder(tf.int32, [])
    put, take, close = queue.enqueue(number), queue.dequeue_many(5), queue.close()
    taken = []
    with tf.Session() as sess:
        makers = [
            threading.Thread(target=lambda first=first: [sess.run(put, {number: first + i}) for i in range(25)])
            for first in (0, 100, 200, 300)
        ]
        takers = [
            threading.Thread(target=lambda: [taken.extend(sess.run(take).tolist()) for _ in range(10)])
            for _ in range(2)
        ]
        for thread in makers + takers:
            thread.start()
        for thread in makers + takers:
            thread.join(30)
        sess.run(close)
        with pytest.raises(tf.errors.OutOfRangeError):
            sess.run(take)
    assert sorted(taken) == sorted(first + i for first in (0, 100, 200, 300) for i in range(25))
