"""tf.contrib.opt: optimizers beside those of tf.train."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.contrib.opt.adam_variants import (
    AdaMaxOptimizer as AdaMaxOptimizer,
    LazyAdamOptimizer as LazyAdamOptimizer,
    NadamOptimizer as NadamOptimizer,
)
from ferroflow._src.contrib.opt.averages import MovingAverageOptimizer as MovingAverageOptimizer
from ferroflow._src.contrib.opt.external import (
    ExternalOptimizerInterface as ExternalOptimizerInterface,
    ScipyOptimizerInterface as ScipyOptimizerInterface,
)
from ferroflow._src.contrib.opt.layerwise import (
    LARSOptimizer as LARSOptimizer,
    RegAdagradOptimizer as RegAdagradOptimizer,
)
from ferroflow._src.contrib.opt.signs import (
    AddSignOptimizer as AddSignOptimizer,
    PowerSignOptimizer as PowerSignOptimizer,
)
from ferroflow._src.contrib.opt.weight_decay import (
    AdamWOptimizer as AdamWOptimizer,
    DecoupledWeightDecayExtension as DecoupledWeightDecayExtension,
    MomentumWOptimizer as MomentumWOptimizer,
    extend_with_decoupled_weight_decay as extend_with_decoupled_weight_decay,
)
from ferroflow._src.contrib.opt.wrappers import (
    MultitaskOptimizerWrapper as MultitaskOptimizerWrapper,
    VariableClippingOptimizer as VariableClippingOptimizer,
    clip_gradients_by_global_norm as clip_gradients_by_global_norm,
)
_contents.end(__name__)
# fmt: on
