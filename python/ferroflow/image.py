"""tf.image: images."""

# fmt: off
from ferroflow._src.ops.array import transpose as transpose
from ferroflow._src.ops.random import random_crop as random_crop
from ferroflow._src.ops.spaces import (
    extract_image_patches as extract_image_patches,
    extract_patches as extract_patches,
)
# fmt: on
