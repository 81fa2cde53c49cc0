"""Programs on a GPU train as on the CPU, and the script that times a GPU runs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]

# The classifier of the notes: its losses over 100 steps, on the device that FERROFLOW_GPU says.
PERCEPTRON = """
import json, sys
import numpy as np
import tensorflow as tf

random = np.random.RandomState(0)
pixels = random.uniform(0, 1, [500, 784]).astype(np.float32)
truth = (pixels[:, :392].sum(1) > pixels[:, 392:].sum(1)).astype(np.int64) + 2 * (pixels[:, 0] > 0.5)
tf.set_random_seed(1)
x = tf.placeholder(tf.float32, [None, 784])
labels = tf.placeholder(tf.int64, [None])
hidden = tf.layers.dense(x, 64, tf.nn.relu)
logits = tf.layers.dense(hidden, 4)
loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
step = tf.train.get_or_create_global_step()
rate = tf.train.exponential_decay(0.01, step, 20, 0.9)
grads = tf.train.MomentumOptimizer(rate, 0.9).compute_gradients(loss)
clipped, _ = tf.clip_by_global_norm([g for g, _ in grads], 1.0)
train = tf.train.MomentumOptimizer(rate, 0.9).apply_gradients(zip(clipped, [v for _, v in grads]), step)
averages = tf.train.ExponentialMovingAverage(0.9, step)
with tf.control_dependencies([train]):
    train = averages.apply(tf.trainable_variables())
losses = []
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for i in range(100):
        batch = slice(i * 50 % 500, i * 50 % 500 + 50)
        losses.append(session.run([loss, train], {x: pixels[batch], labels: truth[batch]})[0])
json.dump([float(x) for x in losses], sys.stdout)
"""

# The autoencoder of the notes, with Adam: convolutions, pooling, transposed convolutions.
AUTOENCODER = """
import json, sys
import numpy as np
import tensorflow as tf

pictures = np.random.RandomState(0).uniform(0, 1, [8, 12, 12, 1]).astype(np.float32)
tf.set_random_seed(2)
x = tf.placeholder(tf.float32, [None, 12, 12, 1])
h = tf.layers.conv2d(x, 6, 3, padding="same", activation=tf.nn.relu)
h = tf.layers.max_pooling2d(h, 2, 2, padding="same")
h = tf.layers.batch_normalization(h, training=True)
h = tf.layers.conv2d(h, 4, 3, padding="same", activation=tf.nn.relu)
h = tf.layers.conv2d_transpose(h, 6, 3, 2, padding="same", activation=tf.nn.relu)
y = tf.layers.conv2d(h, 1, 3, padding="same", activation=tf.nn.sigmoid)
loss = tf.reduce_mean(tf.square(y - x))
train = tf.train.AdamOptimizer(0.002).minimize(loss)
losses = []
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for _ in range(40):
        losses.append(session.run([loss, train], {x: pictures})[0])
json.dump([float(x) for x in losses], sys.stdout)
"""

# Two networks that train against each other, tied by control dependencies.
GAN = """
import json, sys
import numpy as np
import tensorflow as tf

random = np.random.RandomState(0)
real_data = random.normal(2.0, 0.5, [40, 16, 3]).astype(np.float32)
noise = random.uniform(-1, 1, [40, 16, 2]).astype(np.float32)
tf.set_random_seed(3)
z, x = tf.placeholder(tf.float32, [None, 2]), tf.placeholder(tf.float32, [None, 3])

def judge(data):
    with tf.variable_scope("judge", reuse=tf.AUTO_REUSE):
        return tf.layers.dense(tf.layers.dense(data, 16, tf.nn.leaky_relu, name="a"), 1, name="b")

with tf.variable_scope("maker"):
    made = tf.layers.dense(tf.layers.dense(z, 16, tf.nn.relu), 3)
real, fake = judge(x), judge(made)
entropy = tf.nn.sigmoid_cross_entropy_with_logits
of_judge = tf.reduce_mean(entropy(logits=real, labels=tf.ones_like(real)))
of_judge += tf.reduce_mean(entropy(logits=fake, labels=tf.zeros_like(fake)))
of_maker = tf.reduce_mean(entropy(logits=fake, labels=tf.ones_like(fake)))
first = tf.train.AdamOptimizer(0.01).minimize(of_judge, var_list=tf.trainable_variables("judge"))
with tf.control_dependencies([first]):
    both = tf.train.AdamOptimizer(0.01).minimize(of_maker, var_list=tf.trainable_variables("maker"))
losses = []
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for i in range(40):
        losses += session.run([of_judge, of_maker, both], {x: real_data[i], z: noise[i]})[:2]
json.dump([float(x) for x in losses], sys.stdout)
"""


def losses(program, gpu):
    run = subprocess.run(
        [sys.executable, "-m", "ferroflow", "run", "-c", program],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "FERROFLOW_GPU": gpu},
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return json.loads(run.stdout)


# Adam divides by what may be nothing but rounding, so its steps drift apart sooner.
@pytest.mark.parametrize(
    ("program", "rtol"), [(PERCEPTRON, 1e-4), (AUTOENCODER, 1e-3), (GAN, 1e-3)], ids=["perceptron", "autoencoder", "gan"]
)
def test_losses_follow_those_of_the_cpu(program, rtol):
    on_gpu = losses(program, os.environ.get("FERROFLOW_GPU", ""))
    on_cpu = losses(program, "off")
    np.testing.assert_allclose(on_gpu[:10], on_cpu[:10], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(on_gpu, on_cpu, rtol=rtol, atol=1e-5)
    assert on_cpu[-1] != on_cpu[0]


def test_the_script_that_times_a_gpu_runs_every_row(tmp_path):
    report = tmp_path / "figures.json"
    command = [sys.executable, str(ROOT / "benches/python/gpu.py"), "--small", "--rounds", "1", "--seconds", "0.001"]
    run = subprocess.run([*command, "--json", str(report)], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr[-3000:]
    rows = json.loads(report.read_text())
    assert len(rows) >= 7 and all(row["ferroflow_s"] > 0 for row in rows)


def test_devices_are_listed_and_tried():
    run = subprocess.run(
        [sys.executable, "-m", "ferroflow", "devices", "--test", "--json"], capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr[-3000:]
    found = json.loads(run.stdout)
    used = [adapter for adapter in found["adapters"] if adapter["number"] is not None]
    assert found["built_in"] and used and all(adapter["test"] == "ok" for adapter in used)


def test_without_a_desktop_drivers_say_nothing():
    here = {name: value for name, value in os.environ.items() if name not in ("XDG_RUNTIME_DIR", "NODEVICE_SELECT")}
    program = "import ferroflow as tf; tf.Session().run(tf.constant(1.0))"
    done = subprocess.run([sys.executable, "-c", program], env=here, capture_output=True, text=True)
    assert done.returncode == 0 and "XDG_RUNTIME_DIR" not in done.stderr, done.stderr
