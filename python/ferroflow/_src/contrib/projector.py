"""tf.contrib.tensorboard.plugins.projector: the file that tells TensorBoard's projector what to show."""

import os

from ferroflow._src.platform import file_io


def visualize_embeddings(summary_writer, config):
    """Writes `projector_config.pbtxt` into a writer's folder.

    Args:
      summary_writer: a `tf.summary.FileWriter`.
      config: a `ProjectorConfig` that names variables and where their labels are.

    Raises:
      ValueError: when the writer has no folder.
    """
    from google.protobuf import text_format

    logdir = summary_writer.get_logdir()
    if logdir is None:
        raise ValueError("Summary writer must have a logdir")
    path = os.path.join(logdir, "projector_config.pbtxt")
    file_io.write_string_to_file(path, text_format.MessageToString(config))
