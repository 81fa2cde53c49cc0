"""tf.distributions: laws of random numbers."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.contrib.distributions.distribution import (
    FULLY_REPARAMETERIZED as FULLY_REPARAMETERIZED,
    NOT_REPARAMETERIZED as NOT_REPARAMETERIZED,
    Distribution as Distribution,
    ReparameterizationType as ReparameterizationType,
)
from ferroflow._src.contrib.distributions.divergence import (
    RegisterKL as RegisterKL,
    kl_divergence as kl_divergence,
)
from ferroflow._src.contrib.distributions.laws import (
    Bernoulli as Bernoulli,
    Categorical as Categorical,
    Laplace as Laplace,
    Normal as Normal,
    Uniform as Uniform,
)
_contents.end(__name__)
# fmt: on
