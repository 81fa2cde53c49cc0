"""tf.saved_model.loader: what reads them."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.training.saved_model import (
    load as load,
    maybe_saved_model_directory as maybe_saved_model_directory,
)
_contents.end(__name__)
# fmt: on
