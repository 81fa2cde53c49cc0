"""Makes the folder of IDX files that the MNIST programs read. Plain Python: no TensorFlow in it.

python prepare_data.py TARGET            scikit-learn's digits (1,797 images of 8 by 8)
python prepare_data.py TARGET FOLDER     MNIST from FOLDER: its four files, or its 10,000 test images alone, of which
                                         the first 8,000 are for training and the last 2,000 for testing
"""

import gzip
import os
import struct
import sys

import numpy as np

NAMES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


def read(folder, name):
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        path += ".gz"
    with gzip.open(path) if path.endswith(".gz") else open(path, "rb") as file:
        content = file.read()
    axes = content[3]
    shape = struct.unpack(">" + "I" * axes, content[4 : 4 + 4 * axes])
    return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)


def write(folder, name, array):
    with open(os.path.join(folder, name), "wb") as file:
        file.write(struct.pack(">I", 0x800 + array.ndim) + struct.pack(">" + "I" * array.ndim, *array.shape))
        file.write(array.astype(np.uint8).tobytes())


def digits():
    from sklearn.datasets import load_digits

    data = load_digits()
    images = np.minimum(data.images * 16, 255).astype(np.uint8)
    return (images[:1437], data.target[:1437]), (images[1437:], data.target[1437:])


def mnist(folder):
    has = lambda name: any(os.path.exists(os.path.join(folder, name + end)) for end in ("", ".gz"))  # noqa: E731
    test = [read(folder, name) for name in NAMES["test"]]
    if all(has(name) for name in NAMES["train"]):
        return [read(folder, name) for name in NAMES["train"]], test
    return [a[:8000] for a in test], [a[-2000:] for a in test]


def main(target, source=None):
    train, test = mnist(source) if source else digits()
    os.makedirs(target, exist_ok=True)
    for part, arrays in (("train", train), ("test", test)):
        for name, array in zip(NAMES[part], arrays):
            write(target, name, array)
    print(f"{len(train[0])} images for training and {len(test[0])} for testing in {target}")


if __name__ == "__main__":
    main(*sys.argv[1:])
