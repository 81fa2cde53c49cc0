"""tf.saved_model.main_op: operations that a loaded model runs first."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.training.saved_model import (
    main_op as main_op,
    main_op_with_restore as main_op_with_restore,
)
_contents.end(__name__)
# fmt: on
