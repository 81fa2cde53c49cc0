"""tf.contrib.slim.evaluation: checkpoints evaluated once, or as they come."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.contrib.slim.evaluation import (
    evaluate_once as evaluate_once,
    evaluation_loop as evaluation_loop,
)
from ferroflow._src.training.checkpoint_utils import (
    checkpoints_iterator as checkpoints_iterator,
    wait_for_new_checkpoint as wait_for_new_checkpoint,
)
_contents.end(__name__)
# fmt: on
