"""tf.spectral: Fourier transforms."""

# fmt: off
from ferroflow._src.ops.spectral import (
    fft as fft,
    fft2d as fft2d,
    fft3d as fft3d,
    ifft as ifft,
    ifft2d as ifft2d,
    ifft3d as ifft3d,
)
# fmt: on
