"""A graph and a checkpoint made into one file, as `tensorflow.python.tools.freeze_graph`."""

from ferroflow._src import proto
from ferroflow._src.framework.graph_util import convert_variables_to_constants
from ferroflow._src.framework.importer import import_graph_def
from ferroflow._src.framework.session import Session
from ferroflow._src.platform import gfile
from ferroflow._src.training.checkpoint_management import checkpoint_exists
from ferroflow._src.training.checkpoint_utils import new_checkpoint_reader
from ferroflow._src.training.saver import Saver, import_meta_graph


def _read(path, message, is_binary, what):
    if not gfile.Exists(path):
        raise OSError(f"Input {what} file '{path}' does not exist!")
    with gfile.GFile(path, "rb" if is_binary else "r") as file:
        if is_binary:
            return message.FromString(file.read())
        from google.protobuf import text_format

        return text_format.Parse(file.read(), message())


def _names(text):
    return text.replace(" ", "").split(",") if text else None


def freeze_graph_with_def_protos(
    input_graph_def,
    input_saver_def,
    input_checkpoint,
    output_node_names,
    restore_op_name,
    filename_tensor_name,
    output_graph,
    clear_devices,
    initializer_nodes,
    variable_names_whitelist="",
    variable_names_blacklist="",
    input_meta_graph_def=None,
    input_saved_model_dir=None,
    saved_model_tags=None,
    checkpoint_version=2,
):
    """Makes the variables of a graph constants with the values of a checkpoint.

    Args:
      input_graph_def: a `GraphDef`, or None with a meta graph. It is imported into the default graph.
      input_saver_def: a `SaverDef`, or None.
      input_checkpoint: the checkpoint's prefix.
      output_node_names: names of the nodes that are wanted, with commas.
      restore_op_name: not used.
      filename_tensor_name: not used.
      output_graph: the file to write; None or empty for none.
      clear_devices: whether nodes lose their devices.
      initializer_nodes: names of operations to run first, with commas.
      variable_names_whitelist: the only variables to convert, with commas.
      variable_names_blacklist: variables not to convert, with commas.
      input_meta_graph_def: a `MetaGraphDef`, or None.
      input_saved_model_dir: not supported.
      saved_model_tags: not used.
      checkpoint_version: the version of the checkpoint's format.

    Returns:
      The frozen `GraphDef`.

    Raises:
      ValueError: when the checkpoint is not there, or no node is named.
      NotImplementedError: for a saved model.
    """
    if input_saved_model_dir:
        raise NotImplementedError("freeze_graph does not read saved models")
    if not checkpoint_exists(input_checkpoint):
        raise ValueError(f"Input checkpoint '{input_checkpoint}' doesn't exist!")
    if not output_node_names:
        raise ValueError("You need to supply the name of a node to --output_node_names.")
    graph_def = input_graph_def if input_meta_graph_def is None else input_meta_graph_def.graph_def
    if clear_devices:
        for node in graph_def.node:
            node.device = ""
    if input_graph_def is not None:
        import_graph_def(input_graph_def, name="")
    with Session() as session:
        if input_saver_def is not None:
            saver = Saver(saver_def=input_saver_def, write_version=checkpoint_version)
        elif input_meta_graph_def is not None:
            saver = import_meta_graph(input_meta_graph_def, clear_devices=True)
        else:
            saver = Saver(_variables(session.graph, input_checkpoint), write_version=checkpoint_version)
        saver.restore(session, input_checkpoint)
        if initializer_nodes:
            session.run(_names(initializer_nodes))
        frozen = convert_variables_to_constants(
            session,
            graph_def,
            _names(output_node_names),
            variable_names_whitelist=_names(variable_names_whitelist),
            variable_names_blacklist=_names(variable_names_blacklist),
        )
    if output_graph:
        with gfile.GFile(output_graph, "wb") as file:
            file.write(frozen.SerializeToString())
    return frozen


def _variables(graph, checkpoint):
    """{key: tensor} of a checkpoint's keys that the graph has."""
    found = {}
    for key in new_checkpoint_reader(checkpoint).get_variable_to_shape_map():
        try:
            found[key] = graph.get_tensor_by_name(key + ":0")
        except KeyError:
            continue
    if not found:
        raise ValueError(
            "No variables were found in this model. It is likely the model was frozen previously. You cannot freeze a "
            "graph twice."
        )
    return found


def freeze_graph(
    input_graph,
    input_saver,
    input_binary,
    input_checkpoint,
    output_node_names,
    restore_op_name,
    filename_tensor_name,
    output_graph,
    clear_devices,
    initializer_nodes,
    variable_names_whitelist="",
    variable_names_blacklist="",
    input_meta_graph=None,
    input_saved_model_dir=None,
    saved_model_tags="serve",
    checkpoint_version=2,
):
    """As `freeze_graph_with_def_protos`, with files: `input_graph`, `input_saver`, `input_meta_graph`.

    `input_binary` says whether they hold messages as bytes or as text.

    Raises:
      OSError: when a file is not there.
    """
    graph_def = _read(input_graph, proto.GraphDef, input_binary, "graph") if input_graph else None
    meta = _read(input_meta_graph, proto.MetaGraphDef, input_binary, "meta graph") if input_meta_graph else None
    saver_def = _read(input_saver, proto.SaverDef, input_binary, "saver") if input_saver else None
    return freeze_graph_with_def_protos(
        graph_def,
        saver_def,
        input_checkpoint,
        output_node_names,
        restore_op_name,
        filename_tensor_name,
        output_graph,
        clear_devices,
        initializer_nodes,
        variable_names_whitelist,
        variable_names_blacklist,
        meta,
        input_saved_model_dir,
        saved_model_tags,
        checkpoint_version,
    )
