"""tf.saved_model.builder: what writes them."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.training.saved_model import (
    SavedModelBuilder as SavedModelBuilder,
)
_contents.end(__name__)
# fmt: on
