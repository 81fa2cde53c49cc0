"""tf.contrib.slim.learning: train ops and the loop that runs them."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.contrib.slim.learning import (
    add_gradients_summaries as add_gradients_summaries,
    clip_gradient_norms as clip_gradient_norms,
    create_train_op as create_train_op,
    multiply_gradients as multiply_gradients,
)
from ferroflow._src.contrib.slim.training_loop import train as train, train_step as train_step
_contents.end(__name__)
# fmt: on
