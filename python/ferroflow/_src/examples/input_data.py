"""MNIST as TensorFlow 1's tutorials read it: four IDX files in a folder, gzipped or not."""

import collections
import gzip
import os

import numpy

from ferroflow._src.framework import dtypes, random_seed

Datasets = collections.namedtuple("Datasets", ["train", "validation", "test"])

_FILES = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}


def _open(path):
    """The content of an IDX file: what stands at `path`, unpacked if it is gzipped."""
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    with gzip.open(path, "rb") if packed else open(path, "rb") as file:
        return file.read()


def _read_idx(content, name, axes):
    """Returns the array of an IDX file of unsigned bytes.

    Raises:
      ValueError: when the bytes are none.
    """
    magic = 0x800 + axes
    header = numpy.frombuffer(content, ">u4", 1 + axes) if len(content) >= 4 * (1 + axes) else [0]
    if int(header[0]) != magic:
        raise ValueError(f"Invalid magic number {int(header[0])} in MNIST file: {name} (wanted {magic})")
    shape = tuple(int(n) for n in header[1:])
    data = numpy.frombuffer(content, numpy.uint8, offset=4 * (1 + axes))
    if data.size != numpy.prod(shape):
        raise ValueError(f"MNIST file {name} says shape {shape} but holds {data.size} bytes")
    return data.reshape(shape)


def extract_images(f):
    """Returns a [count, rows, columns, 1] array of uint8 from an open gzipped or plain file."""
    content = f.read()
    content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    return _read_idx(content, getattr(f, "name", "images"), 3)[..., numpy.newaxis]


def extract_labels(f, one_hot=False, num_classes=10):
    """Returns a [count] array of uint8 from an open file, or [count, num_classes] with `one_hot`."""
    content = f.read()
    content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    labels = _read_idx(content, getattr(f, "name", "labels"), 1)
    return dense_to_one_hot(labels, num_classes) if one_hot else labels


def dense_to_one_hot(labels_dense, num_classes):
    """Returns rows with a one at each label's place."""
    return numpy.eye(num_classes)[labels_dense]


class DataSet:
    """Images with labels, given out in batches; each epoch in a new order."""

    def __init__(self, images, labels, fake_data=False, one_hot=False, dtype=dtypes.float32, reshape=True, seed=None):
        """Keeps the arrays.

        Args:
          images: [count, rows, columns, depth], of uint8.
          labels: [count] or [count, classes].
          fake_data: whether batches are made up.
          one_hot: whether made-up labels are rows.
          dtype: float32 scales pixels to [0, 1]; uint8 leaves them.
          reshape: whether images become rows of pixels.
          seed: of the order.
        """
        seed1, seed2 = random_seed.get_seed(seed)
        numpy.random.seed(seed1 if seed is None else seed2)
        dtype = dtypes.as_dtype(dtype).base_dtype
        if dtype not in (dtypes.uint8, dtypes.float32):
            raise TypeError(f"Invalid image dtype {dtype!r}, expected uint8 or float32")
        self._fake, self._one_hot = fake_data, one_hot
        self._num_examples = 10000
        if not fake_data:
            assert images.shape[0] == labels.shape[0], f"images.shape: {images.shape} labels.shape: {labels.shape}"
            self._num_examples = images.shape[0]
            if reshape:
                assert images.shape[3] == 1
                images = images.reshape(images.shape[0], images.shape[1] * images.shape[2])
            if dtype == dtypes.float32:
                images = numpy.multiply(images.astype(numpy.float32), 1.0 / 255.0)
        self._images, self._labels = images, labels
        self._epochs_completed = 0
        self._index_in_epoch = 0

    @property
    def images(self):
        """All images."""
        return self._images

    @property
    def labels(self):
        """All labels."""
        return self._labels

    @property
    def num_examples(self):
        """How many there are."""
        return self._num_examples

    @property
    def epochs_completed(self):
        """How often all have been given out."""
        return self._epochs_completed

    def next_batch(self, batch_size, fake_data=False, shuffle=True):
        """Returns the next `batch_size` images and labels; a batch may reach into the next epoch."""
        if fake_data:
            label = [1] + [0] * 9 if self._one_hot else 0
            return [[1] * 784 for _ in range(batch_size)], [label for _ in range(batch_size)]
        start = self._index_in_epoch
        if self._epochs_completed == 0 and start == 0 and shuffle:
            self._shuffle()
        if start + batch_size <= self._num_examples:
            self._index_in_epoch = start + batch_size
            return self._images[start : start + batch_size], self._labels[start : start + batch_size]
        self._epochs_completed += 1
        rest_images, rest_labels = self._images[start:], self._labels[start:]
        if shuffle:
            self._shuffle()
        self._index_in_epoch = batch_size - (self._num_examples - start)
        end = self._index_in_epoch
        images = numpy.concatenate((rest_images, self._images[:end]), axis=0)
        return images, numpy.concatenate((rest_labels, self._labels[:end]), axis=0)

    def _shuffle(self):
        order = numpy.arange(self._num_examples)
        numpy.random.shuffle(order)
        self._images, self._labels = self._images[order], self._labels[order]


def read_data_sets(
    train_dir,
    fake_data=False,
    one_hot=False,
    dtype=dtypes.float32,
    reshape=True,
    validation_size=5000,
    seed=None,
    source_url=None,
):
    """Reads MNIST (or anything in its format) from a folder. Nothing is downloaded.

    Args:
      train_dir: the folder with the four files, whose names may end in '.gz'.
      fake_data: whether batches are made up instead.
      one_hot: whether labels are rows with a one.
      dtype: float32 scales pixels to [0, 1]; uint8 leaves them.
      reshape: whether images become rows of 784 pixels.
      validation_size: how many of the training images go into the validation set.
      seed: of the order of batches.
      source_url: not used.

    Returns:
      Datasets(train, validation, test), each a `DataSet`.

    Raises:
      FileNotFoundError: when files are missing, with their names and where to put them.
      ValueError: when a file is broken, or `validation_size` is impossible.
    """
    if fake_data:

        def fake():
            return DataSet([], [], fake_data=True, one_hot=one_hot, dtype=dtype, seed=seed)

        return Datasets(train=fake(), validation=fake(), test=fake())
    paths = _find_files(train_dir)
    images = _read_idx(_open(paths["train_images"]), paths["train_images"], 3)[..., numpy.newaxis]
    labels = _read_idx(_open(paths["train_labels"]), paths["train_labels"], 1)
    test_images = _read_idx(_open(paths["test_images"]), paths["test_images"], 3)[..., numpy.newaxis]
    test_labels = _read_idx(_open(paths["test_labels"]), paths["test_labels"], 1)
    if not 0 <= validation_size <= len(images):
        raise ValueError(f"Validation size should be between 0 and {len(images)}. Received: {validation_size}.")
    if one_hot:
        labels, test_labels = dense_to_one_hot(labels, 10), dense_to_one_hot(test_labels, 10)

    def made(images, labels):
        return DataSet(images, labels, dtype=dtype, reshape=reshape, seed=seed)

    return Datasets(
        train=made(images[validation_size:], labels[validation_size:]),
        validation=made(images[:validation_size], labels[:validation_size]),
        test=made(test_images, test_labels),
    )


load_mnist = read_data_sets


def _find_files(folder):
    found, missing = {}, []
    for key, name in _FILES.items():
        path = os.path.join(folder, name)
        for candidate in (path, path + ".gz"):
            if os.path.exists(candidate):
                found[key] = candidate
                break
        else:
            missing.append(name)
    if missing:
        raise FileNotFoundError(
            f"MNIST files are missing in {os.path.abspath(folder)}: {', '.join(n + '[.gz]' for n in missing)}. "
            "Put the four files of MNIST (or of any data set in its format) there, gzipped or not; "
            "ferroflow downloads nothing."
        )
    return found
