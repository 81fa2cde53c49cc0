"""Times a GPU: products, convolutions, bandwidth and training steps, beside PyTorch on CUDA in the same run.

    python benches/python/gpu.py                    all rows; PyTorch's columns where torch sees a CUDA device
    python benches/python/gpu.py --only matmul --rounds 5
    FERROFLOW_GPU=software python benches/python/gpu.py --small     tries every row, with sizes for a software adapter

Engines take turns, round by round; the best time of each counts. PyTorch runs eagerly with TF32 off. A time is that of a
step among many with one wait at their end.
"""

import argparse
import json
import sys
import time

import ferroflow as tf
import numpy as np

tf.logging.set_verbosity(tf.logging.ERROR)


class Row:
    """What is timed: `ours()` and `theirs(torch)` give functions that run one step, and one that waits."""

    def __init__(self, name, ours, theirs, work=0.0, unit=""):
        self.name, self.ours, self.theirs, self.work, self.unit = name, ours, theirs, work, unit


def random(*shape):
    return np.random.RandomState(sum(shape)).uniform(-1, 1, shape).astype(np.float32)


# ---- ferroflow ----


def session_of(target, probe, feed=None):
    """A step that runs `target`, and a wait: `probe` is a scalar that comes after it."""
    session = tf.Session()
    session.run(tf.global_variables_initializer())
    step = session.make_callable(target, feed_list=list(feed or {}))
    values = list((feed or {}).values())
    return (lambda: step(*values)), (lambda: session.run(probe))


def variable(value):
    return tf.Variable(value, trainable=False, use_resource=True)


def ours_assigned(make):
    """Computes a tensor into a variable, so that nothing leaves the device."""

    def start():
        result = make()
        kept = variable(np.zeros(result.shape.as_list(), np.float32))
        assign = tf.assign(kept, result)
        return session_of(assign.op, tf.reduce_sum(kept))

    return start


def ours_matmul(n):
    return ours_assigned(lambda: tf.matmul(variable(random(n, n)), variable(random(n, n + 0))))


def ours_conv(batch, size, channels, filters, kernel):
    return ours_assigned(
        lambda: tf.nn.conv2d(
            variable(random(batch, size, size, channels)),
            variable(random(kernel, kernel, channels, filters)),
            strides=[1, 1, 1, 1],
            padding="SAME",
        )
    )


def ours_elementwise(n):
    def make():
        x, y = variable(random(n)), variable(random(n))
        return tf.maximum(x * y + x, y) * 0.5

    return ours_assigned(make)


def ours_perceptron(batch):
    def start():
        x = tf.placeholder(tf.float32, [None, 784])
        labels = tf.placeholder(tf.int64, [None])
        logits = tf.layers.dense(tf.layers.dense(x, 128, tf.nn.relu), 10)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
        train = tf.train.GradientDescentOptimizer(0.01).minimize(loss)
        feed = {x: random(batch, 784), labels: np.arange(batch) % 10}
        return session_of(train, tf.reduce_sum(tf.trainable_variables()[-1]), feed)

    return start


def ours_autoencoder(batch):
    def start():
        x = tf.placeholder(tf.float32, [None, 28, 28, 1])
        h = tf.layers.conv2d(x, 16, 3, padding="same", activation=tf.nn.relu)
        h = tf.layers.max_pooling2d(h, 2, 2, padding="same")
        h = tf.layers.conv2d(h, 8, 3, padding="same", activation=tf.nn.relu)
        h = tf.layers.conv2d_transpose(h, 16, 3, 2, padding="same", activation=tf.nn.relu)
        y = tf.layers.conv2d(h, 1, 3, padding="same")
        train = tf.train.AdamOptimizer(0.001).minimize(tf.reduce_mean(tf.square(y - x)))
        return session_of(train, tf.reduce_sum(tf.trainable_variables()[-1]), {x: random(batch, 28, 28, 1)})

    return start


def ours_gan(batch):
    def start():
        z, x = tf.placeholder(tf.float32, [None, 64]), tf.placeholder(tf.float32, [None, 784])

        def judge(pictures):
            with tf.variable_scope("judge", reuse=tf.AUTO_REUSE):
                h = tf.layers.dense(pictures, 256, tf.nn.leaky_relu, name="a")
                return tf.layers.dense(h, 1, name="b")

        with tf.variable_scope("maker"):
            made = tf.layers.dense(tf.layers.dense(z, 256, tf.nn.relu), 784, tf.nn.tanh)
        real, fake = judge(x), judge(made)
        judge_loss = tf.reduce_mean(tf.nn.softplus(-real)) + tf.reduce_mean(tf.nn.softplus(fake))
        maker_loss = tf.reduce_mean(tf.nn.softplus(-fake))
        adam = tf.train.AdamOptimizer
        of_judge = tf.trainable_variables("judge")
        first = adam(1e-4).minimize(judge_loss, var_list=of_judge)
        with tf.control_dependencies([first]):
            second = adam(1e-4).minimize(maker_loss, var_list=tf.trainable_variables("maker"))
        return session_of(second, tf.reduce_sum(of_judge[-1]), {z: random(batch, 64), x: random(batch, 784)})

    return start


# ---- PyTorch ----


def theirs_of(make):
    def start(torch):
        step = make(torch)
        return step, torch.cuda.synchronize

    return start


def cuda(torch, value):
    return torch.from_numpy(value).cuda()


def theirs_matmul(n):
    def make(torch):
        a, b = cuda(torch, random(n, n)), cuda(torch, random(n, n))
        out = torch.empty(n, n, device="cuda")
        return lambda: torch.matmul(a, b, out=out)

    return theirs_of(make)


def theirs_conv(batch, size, channels, filters, kernel):
    def make(torch):
        x = cuda(torch, random(batch, size, size, channels)).permute(0, 3, 1, 2)
        w = cuda(torch, random(kernel, kernel, channels, filters)).permute(3, 2, 0, 1).contiguous()
        return lambda: torch.nn.functional.conv2d(x, w, padding=kernel // 2)

    return theirs_of(make)


def theirs_elementwise(n):
    def make(torch):
        x, y = cuda(torch, random(n)), cuda(torch, random(n))
        return lambda: torch.maximum(x * y + x, y) * 0.5

    return theirs_of(make)


def theirs_training(model, loss_of, optimizer, feed):
    def make(torch):
        net = model(torch).cuda()
        opt = optimizer(torch, net.parameters())

        def step():
            opt.zero_grad(set_to_none=True)
            loss_of(torch, net, *(torch.from_numpy(value).cuda() for value in feed)).backward()
            opt.step()

        return step

    return theirs_of(make)


def theirs_perceptron(batch):
    def model(torch):
        nn = torch.nn
        return nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))

    def loss(torch, net, x, labels):
        return torch.nn.functional.cross_entropy(net(x), labels)

    feed = [random(batch, 784), np.arange(batch) % 10]
    return theirs_training(model, loss, lambda torch, p: torch.optim.SGD(p, 0.01), feed)


def theirs_autoencoder(batch):
    def model(torch):
        nn = torch.nn
        return nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 8, 3, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(8, 16, 3, 2, padding=1, output_padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 1, 3, padding=1),
        )

    def loss(torch, net, x):
        return torch.mean((net(x) - x) ** 2)

    return theirs_training(model, loss, lambda torch, p: torch.optim.Adam(p, 0.001), [random(batch, 1, 28, 28)])


def theirs_gan(batch):
    def make(torch):
        nn, softplus = torch.nn, torch.nn.functional.softplus
        judge = nn.Sequential(nn.Linear(784, 256), nn.LeakyReLU(0.2), nn.Linear(256, 1)).cuda()
        maker = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 784), nn.Tanh()).cuda()
        first, second = torch.optim.Adam(judge.parameters(), 1e-4), torch.optim.Adam(maker.parameters(), 1e-4)
        noise, pictures = random(batch, 64), random(batch, 784)

        def step():
            z, x = cuda(torch, noise), cuda(torch, pictures)
            first.zero_grad(set_to_none=True)
            (softplus(-judge(x)).mean() + softplus(judge(maker(z).detach())).mean()).backward()
            first.step()
            second.zero_grad(set_to_none=True)
            softplus(-judge(maker(z))).mean().backward()
            second.step()

        return step

    return theirs_of(make)


def rows(small):
    """The rows; `small` has sizes that a software adapter can do."""
    for n in (64, 129) if small else (1024, 2048, 4096, 8192):
        yield Row(f"matmul {n}", ours_matmul(n), theirs_matmul(n), 2 * n**3, "FLOP")
    convs = [(1, 9, 4, 5, 3)] if small else [(32, 56, 64, 64, 3), (32, 28, 128, 128, 3), (32, 56, 64, 256, 1)]
    for case in convs:
        batch, size, channels, filters, kernel = case
        work = 2 * batch * size * size * channels * filters * kernel**2
        name = f"conv {kernel}x{kernel} {batch}x{size}x{size}x{channels} to {filters}"
        yield Row(name, ours_conv(*case), theirs_conv(*case), work, "FLOP")
    for n in (1000,) if small else (1 << 22, 1 << 26):
        yield Row(f"elementwise {n}", ours_elementwise(n), theirs_elementwise(n), 12 * n, "B")
    for name, ours, theirs in (
        ("perceptron", ours_perceptron, theirs_perceptron),
        ("autoencoder", ours_autoencoder, theirs_autoencoder),
        ("gan", ours_gan, theirs_gan),
    ):
        batch = 4 if small else 100
        yield Row(f"{name} step, batch {batch}", ours(batch), theirs(batch))


def time_of(step, wait, seconds):
    """Seconds a step takes, among as many as fill `seconds`."""
    step()
    wait()
    count, spent = 1, 0.0
    while True:
        begun = time.perf_counter()
        for _ in range(count):
            step()
        wait()
        spent = time.perf_counter() - begun
        if spent > seconds or count > 100_000:
            return spent / count
        count = max(count * 2, int(count * seconds / max(spent, 1e-6)))


def find_torch():
    try:
        import torch
    except ImportError:
        return None
    if not torch.cuda.is_available():
        return None
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    return torch


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default="", help="rows whose name has this text")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.3, help="of one measurement")
    parser.add_argument("--small", action="store_true", help="sizes for a software adapter")
    parser.add_argument("--json", help="writes the figures to this file too")
    options = parser.parse_args()
    devices = [d for d in tf.Session().list_devices() if d.device_type == "GPU"]
    if not devices:
        print("no GPU: see `ferroflow devices`", file=sys.stderr)
        return 1
    torch = find_torch()
    if torch is None:
        print("PyTorch with CUDA is not here: its columns stay empty", file=sys.stderr)
    results = []
    print(f"{'row':42} {'ferroflow':>12} {'PyTorch':>12} {'ratio':>7}  {'rate':>12}")
    for row in rows(options.small):
        if options.only not in row.name:
            continue
        with tf.Graph().as_default():
            engines = {"ferroflow": row.ours()}
            if torch is not None:
                engines["torch"] = row.theirs(torch)
            best = {}
            for _ in range(options.rounds):
                for name, (step, wait) in engines.items():
                    best[name] = min(best.get(name, 1e9), time_of(step, wait, options.seconds))
        ours, theirs = best["ferroflow"], best.get("torch")
        rate = f"{row.work / ours / 1e9:.1f} G{row.unit}/s" if row.work else ""
        them = f"{theirs * 1e6:9.1f} us" if theirs else "-"
        ratio = f"{theirs / ours:.2f}" if theirs else "-"
        print(f"{row.name:42} {ours * 1e6:9.1f} us {them:>12} {ratio:>7}  {rate:>12}", flush=True)
        results.append({"row": row.name, "ferroflow_s": ours, "torch_s": theirs, "work": row.work, "unit": row.unit})
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
