"""tf.signal: Fourier transforms and frames."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.ops.spectral import (
    fft as fft,
    fft2d as fft2d,
    fft3d as fft3d,
    ifft as ifft,
    ifft2d as ifft2d,
    ifft3d as ifft3d,
)
from ferroflow._src.ops.windows import (
    hamming_window as hamming_window,
    hann_window as hann_window,
)
_contents.end(__name__)
# fmt: on
