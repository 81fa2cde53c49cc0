"""tf.saved_model.utils: descriptions of tensors."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.training.saved_model_signatures import (
    build_tensor_info as build_tensor_info,
    get_tensor_from_tensor_info as get_tensor_from_tensor_info,
)
_contents.end(__name__)
# fmt: on
