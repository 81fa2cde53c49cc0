"""tf.contrib.tensorboard.plugins.projector: which embeddings TensorBoard shows."""

# fmt: off
from ferroflow._src import contents as _contents

_contents.begin(__name__)
from ferroflow._src.contrib.projector import (
    visualize_embeddings as visualize_embeddings,
)
from ferroflow._src.proto import (
    EmbeddingInfo as EmbeddingInfo,
    ProjectorConfig as ProjectorConfig,
    SpriteMetadata as SpriteMetadata,
)
_contents.end(__name__)
# fmt: on
