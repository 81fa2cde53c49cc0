"""MetaGraphDefs: a graph with its collections, written to a message or file and read back."""

import logging
import os
import re

from ferroflow import _core
from ferroflow._src import proto
from ferroflow._src.framework import importer, stacks, versions
from ferroflow._src.framework.collections import (
    get_collection_proto_type,
    get_from_proto_function,
    get_to_proto_function,
)
from ferroflow._src.framework.graph import Graph
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.op_defs import op_def
from ferroflow._src.framework.scopes import prepend_name_scope, strip_name_scope
from ferroflow._src.framework.text import as_bytes, as_str

_logger = logging.getLogger("tensorflow")
# What an input from outside the exported scope is called in the export.
_UNBOUND = "$unbound_inputs_"
_SAVE_OPS = frozenset(
    [
        "SaveV2",
        "Save",
        "SaveSlice",
        "LegacySave",
        "LegacySaveSlice",
        "RestoreV2",
        "Restore",
        "RestoreSlice",
        "LegacyRestore",
        "LegacyRestoreSlice",
    ]
)


def ops_used_by_graph_def(graph_def):
    """Returns the names of all ops that a `GraphDef` uses, its functions included."""
    functions = {f.signature.name: f for f in graph_def.library.function}
    used, todo = set(), [graph_def.node]
    while todo:
        for node in todo.pop():
            if node.op not in used and node.op in functions:
                todo.append(functions[node.op].node_def)
            used.add(node.op)
    return [op for op in used if op not in functions]


def stripped_op_list_for_graph(graph_def):
    """Returns an `OpList` of the ops that a `GraphDef` uses.

    Raises:
      ValueError: when one is not known.
    """
    used = ops_used_by_graph_def(graph_def)
    for op in used:
        if _core.op_signature(op) is None and op not in ("_Arg", "_Retval", "_ListToArray", "_ArrayToList"):
            raise ValueError(f"Op {op} is used by the graph, but is not registered")
    return proto.OpList(op=[op_def(op) for op in sorted(used) if _core.op_signature(op) is not None])


def add_collection_def(meta_graph_def, key, graph=None, export_scope=None, exclude_nodes=None, override_contents=None):
    """Writes one collection into a `MetaGraphDef`; what cannot be written is left out with a warning.

    Args:
      meta_graph_def: the message.
      key: the collection's name.
      graph: a `Graph`; None for the default one.
      export_scope: only things of this scope.
      exclude_nodes: names to leave out.
      override_contents: a list to write instead.

    Raises:
      TypeError: when `graph` is none.
    """
    if graph and not isinstance(graph, Graph):
        raise TypeError("graph must be of type Graph, not %s", type(graph))
    if not isinstance(key, (str, bytes)):
        return
    graph = graph or stacks.get_default_graph()
    items = override_contents or graph.get_collection(key)
    items = [x for x in items if _is_included(x, export_scope, exclude_nodes)]
    if not items:
        return
    try:
        _write_collection(meta_graph_def.collection_def[key], key, items, export_scope)
    except Exception as error:  # noqa: BLE001  (as TensorFlow: whatever is wrong with a collection, the graph is saved)
        _logger.warning(
            f"Issue encountered when serializing {key}.\nType is unsupported, or the types of the items don't match "
            f"field type in CollectionDef. Note this is a warning and probably safe to ignore.\n{error}"
        )
        del meta_graph_def.collection_def[key]


def _write_collection(message, key, items, export_scope):
    to_proto = get_to_proto_function(key)
    if to_proto:
        for item in items:
            made = to_proto(item, export_scope=export_scope)
            if made:
                message.bytes_list.value.append(made.SerializeToString())
        return
    kind = _kind_of(items[0])
    values = getattr(message, kind).value
    if kind == "node_list":
        values.extend(
            strip_name_scope(x.name, export_scope) for x in items if not export_scope or x.name.startswith(export_scope)
        )
    elif kind == "bytes_list":
        values.extend(as_bytes(x) for x in items)
    else:
        values.extend(items)


def _kind_of(item):
    if isinstance(item, (str, bytes)):
        return "bytes_list"
    if isinstance(item, int):
        return "int64_list"
    if isinstance(item, float):
        return "float_list"
    return "any_list" if type(item).__name__ == "Any" else "node_list"


def _is_included(node, export_scope, exclude_nodes):
    name = node if isinstance(node, str) else getattr(node, "name", None)
    if not isinstance(name, str):
        return True
    if exclude_nodes and name in exclude_nodes:
        return False
    return name.startswith(_UNBOUND) or not export_scope or name.startswith(export_scope)


def strip_graph_default_valued_attrs(meta_graph_def):
    """Takes attributes that have their default values out of a `MetaGraphDef`: older programs can read it then."""
    functions = {f.signature.name for f in meta_graph_def.graph_def.library.function}
    lists = [meta_graph_def.graph_def.node, *(f.node_def for f in meta_graph_def.graph_def.library.function)]
    for nodes in lists:
        for node in nodes:
            if node.op in functions or _core.op_signature(node.op) is None:
                continue
            for attr in op_def(node.op).attr:
                if attr.HasField("default_value") and node.attr.get(attr.name) == attr.default_value:
                    del node.attr[attr.name]
    meta_graph_def.meta_info_def.stripped_default_attrs = True


def create_meta_graph_def(
    meta_info_def=None,
    graph_def=None,
    saver_def=None,
    collection_list=None,
    graph=None,
    export_scope=None,
    exclude_nodes=None,
    clear_extraneous_savers=False,
    strip_default_attrs=False,
):
    """Returns a `MetaGraphDef` of a graph and its collections.

    Args:
      meta_info_def: a `MetaInfoDef`, or None.
      graph_def: a `GraphDef`; None for that of `graph`.
      saver_def: a `SaverDef`, or None.
      collection_list: names of collections; None for all.
      graph: a `Graph`; None for the default one.
      export_scope: only collections' things of this scope.
      exclude_nodes: names to leave out.
      clear_extraneous_savers: whether `saver_def` is the only saver.
      strip_default_attrs: whether attributes with default values are left out.

    Raises:
      TypeError: when an argument is of another kind.
    """
    for value, kind, name in (
        (graph, Graph, "graph"),
        (meta_info_def, proto.MetaGraphDef.MetaInfoDef, "meta_info_def"),
        (graph_def, proto.GraphDef, "graph_def"),
        (saver_def, proto.SaverDef, "saver_def"),
    ):
        if value is not None and not isinstance(value, kind):
            raise TypeError(f"{name} must be of type {kind.__name__}, not %s", type(value))
    graph = graph or stacks.get_default_graph()
    made = proto.MetaGraphDef()
    if meta_info_def is not None:
        made.meta_info_def.MergeFrom(meta_info_def)
    made.meta_info_def.tensorflow_version = versions.VERSION
    made.meta_info_def.tensorflow_git_version = versions.GIT_VERSION
    made.graph_def.MergeFrom(graph.as_graph_def(add_shapes=True) if graph_def is None else graph_def)
    if not made.meta_info_def.stripped_op_list.op:
        made.meta_info_def.stripped_op_list.MergeFrom(stripped_op_list_for_graph(made.graph_def))
    if strip_default_attrs:
        strip_graph_default_valued_attrs(made)
    if saver_def is not None:
        made.saver_def.MergeFrom(saver_def)
    for key in graph.get_all_collection_keys() if collection_list is None else collection_list:
        contents = None
        if clear_extraneous_savers and key == GraphKeys.SAVERS:
            contents = [get_from_proto_function(key)(saver_def)]
        add_collection_def(made, key, graph, export_scope, exclude_nodes, contents)
    return made


def read_meta_graph_file(filename):
    """Reads a `MetaGraphDef` from a file, binary or text.

    Raises:
      OSError: when there is no such file, or it cannot be parsed.
    """
    from google.protobuf import message, text_format

    filename = as_str(os.fspath(filename) if hasattr(filename, "__fspath__") else filename)
    if not os.path.isfile(filename):
        raise OSError(f"File {filename} does not exist.")
    with open(filename, "rb") as file:
        content = file.read()
    made = proto.MetaGraphDef()
    try:
        made.ParseFromString(content)
        return made
    except message.DecodeError:
        made.Clear()
    try:
        text_format.Merge(content.decode("utf-8"), made)
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise OSError(f"Cannot parse file {filename}: {error}.") from None
    return made


# -- import --


def import_scoped_meta_graph(
    meta_graph_or_file,
    clear_devices=False,
    graph=None,
    import_scope=None,
    input_map=None,
    unbound_inputs_col_name="unbound_inputs",
    restore_collections_predicate=(lambda key: True),
):
    """Adds a `MetaGraphDef` to a graph; see `import_scoped_meta_graph_with_return_elements`.

    Returns:
      {name: variable} of the imported variables.
    """
    return import_scoped_meta_graph_with_return_elements(
        meta_graph_or_file,
        clear_devices,
        graph,
        import_scope,
        input_map,
        unbound_inputs_col_name,
        restore_collections_predicate,
    )[0]


def import_scoped_meta_graph_with_return_elements(
    meta_graph_or_file,
    clear_devices=False,
    graph=None,
    import_scope=None,
    input_map=None,
    unbound_inputs_col_name="unbound_inputs",
    restore_collections_predicate=(lambda key: True),
    return_elements=None,
):
    """Adds a `MetaGraphDef`'s nodes and collections to a graph.

    Args:
      meta_graph_or_file: the message, or a file's name.
      clear_devices: whether devices are forgotten.
      graph: a `Graph`; None for the default one.
      import_scope: the scope of the new names.
      input_map: {name: tensor}: what takes the place of inputs from outside.
      unbound_inputs_col_name: the collection that names such inputs.
      restore_collections_predicate: called with a collection's name: whether to restore it.
      return_elements: names of operations and tensors to return.

    Returns:
      ({name: variable}, [element]).

    Raises:
      ValueError: when an input from outside is missing in `input_map`.
      OSError: when the file cannot be read.
    """
    if isinstance(meta_graph_or_file, proto.MetaGraphDef):
        meta = meta_graph_or_file
    else:
        meta = read_meta_graph_file(meta_graph_or_file)
    _check_bound(meta, unbound_inputs_col_name, input_map)
    graph = graph or stacks.get_default_graph()
    with graph.as_default():
        info = meta.meta_info_def
        producer_op_list = info.stripped_op_list if info.HasField("stripped_op_list") else None
        if clear_devices:
            for node in meta.graph_def.node:
                node.device = ""
        prefix = graph.unique_name(import_scope or "", mark_as_used=False)
        elements = importer.import_graph_def(
            meta.graph_def,
            name=import_scope or prefix,
            input_map=input_map,
            producer_op_list=producer_op_list,
            return_elements=return_elements,
        )
        _read_collections(meta, graph, prefix, unbound_inputs_col_name, restore_collections_predicate)
    variables = graph.get_collection(GraphKeys.GLOBAL_VARIABLES, scope=prefix)
    return {strip_name_scope(v.name, prefix): v for v in variables}, elements


def _check_bound(meta, key, input_map):
    if not key or key not in meta.collection_def:
        return
    message = meta.collection_def[key]
    values = [as_str(v) for v in getattr(message, message.WhichOneof("kind")).value]
    if values and (not input_map or sorted(values) != sorted(input_map)):
        missing = ",".join(v for v in values if not input_map or v not in input_map)
        raise ValueError(f"Graph contains unbound inputs: {missing}. Must provide these inputs through input_map.")


def _read_collections(meta, graph, prefix, unbound_inputs_col_name, is_wanted):
    """Trainable variables first: a variable that several collections hold is made once, from its first mention."""
    version = meta.meta_info_def.tensorflow_version
    knows_trainable = not version or _version_key(version) >= (1, 9)
    first = GraphKeys.TRAINABLE_VARIABLES
    made = {}
    for key in sorted(meta.collection_def, key=lambda k: (k != first, k)):
        if key == unbound_inputs_col_name or not is_wanted(key):
            continue
        message = meta.collection_def[key]
        kind = message.WhichOneof("kind")
        if kind is None:
            _logger.error("Cannot identify data type for collection %s. Skipping.", key)
            continue
        from_proto = get_from_proto_function(key)
        if from_proto and kind == "bytes_list":
            for data in message.bytes_list.value:
                item = _read_item(key, data, from_proto, prefix, made, knows_trainable)
                graph.add_to_collection(key, item)
            continue
        for value in getattr(message, kind).value:
            graph.add_to_collection(key, _read_value(graph, kind, value, prefix))


def _version_key(version):
    return tuple(int(n) for n in re.findall(r"\d+", version)[:2])


def _read_item(key, data, from_proto, prefix, made, knows_trainable):
    kind = get_collection_proto_type(key)
    kind = getattr(proto, kind) if isinstance(kind, str) else kind
    if key not in GraphKeys._VARIABLE_COLLECTIONS:
        return from_proto(kind.FromString(data), import_scope=prefix)
    if data not in made:
        message = kind.FromString(data)
        if not knows_trainable:
            message.trainable = key == GraphKeys.TRAINABLE_VARIABLES
        made[data] = from_proto(message, import_scope=prefix)
    return made[data]


def _read_value(graph, kind, value, prefix):
    if kind == "node_list":
        return graph.as_graph_element(prepend_name_scope(value, prefix))
    if kind == "int64_list":
        return int(value)
    return prepend_name_scope(as_str(value), prefix) if prefix and kind == "bytes_list" else value


# -- export --


def export_scoped_meta_graph(
    filename=None,
    graph_def=None,
    graph=None,
    export_scope=None,
    as_text=False,
    unbound_inputs_col_name="unbound_inputs",
    clear_devices=False,
    saver_def=None,
    clear_extraneous_savers=False,
    strip_default_attrs=False,
    save_debug_info=False,
    **kwargs,
):
    """Returns a graph, or a scope of it, as a `MetaGraphDef`, and writes it to a file.

    Args:
      filename: the file, or None.
      graph_def: a `GraphDef`; None for that of `graph`.
      graph: a `Graph`; None for the default one.
      export_scope: only this scope; it is taken from the names.
      as_text: whether the file is text.
      unbound_inputs_col_name: a collection that gets the names of inputs from outside the scope.
      clear_devices: whether devices are left out.
      saver_def: a `SaverDef`, or None.
      clear_extraneous_savers: whether nodes of other savers are left out.
      strip_default_attrs: whether attributes with default values are left out.
      save_debug_info: not used.
      **kwargs: for `create_meta_graph_def`.

    Returns:
      (MetaGraphDef, {name: variable}).
    """
    graph = graph or stacks.get_default_graph()
    exclude_nodes = None
    if export_scope or clear_extraneous_savers or clear_devices:
        source = _nodes_of(graph) if graph_def is None else graph_def
        if clear_extraneous_savers:
            exclude_nodes = _extraneous_saver_nodes(source, saver_def)
        unbound = []
        graph_def = _export_nodes(source, graph_def is not None, export_scope, exclude_nodes, clear_devices, unbound)
        if unbound_inputs_col_name:
            graph._collections.pop(unbound_inputs_col_name, None)
            graph._collections.update({unbound_inputs_col_name: unbound} if unbound else {})
    variables = {
        strip_name_scope(v.name, export_scope): v
        for v in graph.get_collection(GraphKeys.GLOBAL_VARIABLES, scope=export_scope)
        if _is_included(v, export_scope, exclude_nodes)
    }
    made = create_meta_graph_def(
        graph_def=graph_def,
        graph=graph,
        export_scope=export_scope,
        exclude_nodes=exclude_nodes,
        clear_extraneous_savers=clear_extraneous_savers,
        saver_def=saver_def,
        strip_default_attrs=strip_default_attrs,
        **kwargs,
    )
    if filename:
        write_message(made, as_str(filename), as_text)
    return made, variables


def _nodes_of(graph):
    """The graph's nodes one by one: there the second input of a loop's Merge, which came later, says its output's number."""
    made = graph.as_graph_def(add_shapes=True)
    steps = {node.name for node in made.node if node.op in ("NextIteration", "RefNextIteration")}
    for node in made.node:
        if node.op in ("Merge", "RefMerge"):
            node.input[:] = [f"{name}:0" if name in steps else name for name in node.input]
    return made


def _export_nodes(source, is_given, export_scope, exclude_nodes, clear_devices, unbound):
    made = proto.GraphDef(versions=source.versions)
    if is_given or source.library.function:
        made.library.CopyFrom(source.library)
    for node in source.node:
        if _is_included(node.name, export_scope, exclude_nodes):
            copy = made.node.add()
            copy.CopyFrom(node)
            _strip(copy, export_scope, unbound)
            if clear_devices:
                copy.device = ""
    return made


def _strip(node, export_scope, unbound):
    """Takes the scope from a node's names; inputs from outside it become unbound ones."""
    for i, name in enumerate(node.input):
        if export_scope and not name.lstrip("^").startswith(export_scope):
            mark = "^" if name.startswith("^") else ""
            node.input[i] = mark + _UNBOUND + name[len(mark) :]
            unbound.append(node.input[i])
        else:
            node.input[i] = strip_name_scope(name, export_scope)
    node.name = strip_name_scope(node.name, export_scope)
    if "_class" in node.attr:
        groups = [as_str(s) for s in node.attr["_class"].list.s]
        kept = [g for g in groups if not export_scope or g.split("@")[1].startswith(export_scope)]
        node.attr["_class"].list.s[:] = [as_bytes(strip_name_scope(g, export_scope)) for g in kept]
    if node.op in ("Enter", "RefEnter"):
        frame = as_str(node.attr["frame_name"].s)
        if not export_scope or frame.startswith(export_scope):
            node.attr["frame_name"].s = as_bytes(strip_name_scope(frame, export_scope))


def _scope_of(name):
    return name.lstrip("^").rpartition("/")[0]


def _extraneous_saver_nodes(graph_def, saver_def):
    """Names below the scopes of savers other than `saver_def`'s."""
    kept = set()
    if saver_def is not None:
        kept = {_scope_of(saver_def.save_tensor_name.split(":")[0]) + "/", _scope_of(saver_def.restore_op_name) + "/"}
    savers = {node.name for node in graph_def.node if node.op in _SAVE_OPS}
    scopes = {_scope_of(name) + "/" for name in savers if _scope_of(name) not in savers} - kept
    return {node.name for node in graph_def.node if node.name.startswith(tuple(scopes))} if scopes else set()


def write_message(message, filename, as_text):
    """Writes a message to a file at once: first beside it, then renamed over it."""
    directory = os.path.dirname(filename)
    if directory:
        os.makedirs(directory, exist_ok=True)
    if as_text:
        from google.protobuf import text_format

        data = text_format.MessageToString(message).encode()
    else:
        data = message.SerializeToString()
    temporary = f"{filename}.tmp{os.getpid()}"
    with open(temporary, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, filename)


def copy_scoped_meta_graph(from_scope, to_scope, from_graph=None, to_graph=None):
    """Copies a scope of a graph to another scope, or another graph.

    Raises:
      ValueError: when scope and graph are the same.
    """
    from_graph = from_graph or stacks.get_default_graph()
    to_graph = to_graph or stacks.get_default_graph()
    if from_graph is to_graph and from_scope == to_scope:
        raise ValueError("'from_scope' and 'to_scope' need to be different when performing copy in the same graph.")
    made, _ = export_scoped_meta_graph(export_scope=from_scope, graph=from_graph)
    return import_scoped_meta_graph(made, graph=to_graph, import_scope=to_scope)
