"""tf.random: random numbers."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.framework.random_seed import (
    get_seed as get_seed,
    set_random_seed as set_random_seed,
)
from ferroflow._src.ops.random import (
    categorical as categorical,
    random_gamma as gamma,
    multinomial as multinomial,
    random_normal as normal,
    random_poisson as poisson,
    random_shuffle as shuffle,
    stateless_random_normal as stateless_normal,
    stateless_truncated_normal as stateless_truncated_normal,
    stateless_random_uniform as stateless_uniform,
    truncated_normal as truncated_normal,
    random_uniform as uniform,
)
from ferroflow._src.ops.sampling import (
    all_candidate_sampler as all_candidate_sampler,
    fixed_unigram_candidate_sampler as fixed_unigram_candidate_sampler,
    learned_unigram_candidate_sampler as learned_unigram_candidate_sampler,
    log_uniform_candidate_sampler as log_uniform_candidate_sampler,
    uniform_candidate_sampler as uniform_candidate_sampler,
)
_contents.end(__name__)
# fmt: on
