"""Windows over images said plainly in NumPy, in float64."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Window:
    """A window along one axis, in TensorFlow's terms."""

    size: int
    filter: int
    stride: int = 1
    dilation: int = 1
    before: int = 0
    after: int = 0

    @property
    def reach(self):
        return (self.filter - 1) * self.dilation + 1

    @property
    def out(self):
        return (self.size + self.before + self.after - self.reach) // self.stride + 1


def patches(x, rows, cols, fill=0.0):
    """[batch, out rows, out cols, filter rows, filter cols, channels] of x [batch, height, width, channels]."""
    pads = [(0, 0), (rows.before, rows.after), (cols.before, cols.after), (0, 0)]
    padded = np.pad(x.astype("d"), pads, constant_values=fill)
    ys = np.arange(rows.out)[:, None] * rows.stride + np.arange(rows.filter) * rows.dilation
    xs = np.arange(cols.out)[:, None] * cols.stride + np.arange(cols.filter) * cols.dilation
    return padded[:, ys[:, None, :, None], xs[None, :, None, :]]


def spread(windows, rows, cols):
    """The transpose of `patches`: adds each window's elements where they came from."""
    batch, channels = windows.shape[0], windows.shape[-1]
    height, width = rows.size + rows.before + rows.after, cols.size + cols.before + cols.after
    out = np.zeros((batch, height, width, channels))
    for i in range(rows.filter):
        for j in range(cols.filter):
            y, x = i * rows.dilation, j * cols.dilation
            ends = y + (rows.out - 1) * rows.stride + 1, x + (cols.out - 1) * cols.stride + 1
            out[:, y : ends[0] : rows.stride, x : ends[1] : cols.stride] += windows[:, :, :, i, j]
    return out[:, rows.before : rows.before + rows.size, cols.before : cols.before + cols.size]
