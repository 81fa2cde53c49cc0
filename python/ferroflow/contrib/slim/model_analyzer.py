"""tf.contrib.slim.model_analyzer: how large a model is."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.contrib.slim.model_analyzer import (
    analyze_ops as analyze_ops,
    analyze_vars as analyze_vars,
    tensor_description as tensor_description,
)
_contents.end(__name__)
# fmt: on
