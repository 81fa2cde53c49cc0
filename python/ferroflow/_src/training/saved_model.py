"""SavedModels: a folder with meta graphs, the variables and the files that they need, for those who serve a model."""

import filecmp
import os
import shutil

from google.protobuf import message, text_format

from ferroflow._src import proto
from ferroflow._src.framework import dtypes
from ferroflow._src.framework.collections import add_to_collection, get_collection
from ferroflow._src.framework.control_flow import group
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.operation import Operation
from ferroflow._src.framework.scopes import control_dependencies
from ferroflow._src.framework.tensor import Tensor
from ferroflow._src.framework.text import as_str
from ferroflow._src.framework.variable_lists import (
    all_saveable_objects,
    global_variables_initializer,
    local_variables_initializer,
    tables_initializer,
)
from ferroflow._src.training import saved_model_signatures as signatures
from ferroflow._src.training.log import logger
from ferroflow._src.training.saver import Saver, import_meta_graph

ASSETS_DIRECTORY = "assets"
ASSETS_KEY = "saved_model_assets"
LEGACY_INIT_OP_KEY = "legacy_init_op"
MAIN_OP_KEY = "saved_model_main_op"
SAVED_MODEL_FILENAME_PB = "saved_model.pb"
SAVED_MODEL_FILENAME_PBTXT = "saved_model.pbtxt"
SAVED_MODEL_SCHEMA_VERSION = 1
TRAIN_OP_KEY = "saved_model_train_op"
VARIABLES_DIRECTORY = "variables"
VARIABLES_FILENAME = "variables"

SERVING = "serve"
TRAINING = "train"
EVAL = "eval"
GPU = "gpu"
TPU = "tpu"

_RESERVED = {"__saved_model_init_op": "initialization", "__saved_model_train_op": "the train op"}


class SavedModelBuilder:
    """Writes a SavedModel: first a graph with its variables, then perhaps more graphs that share them."""

    def __init__(self, export_dir):
        """Makes the folder.

        Raises:
          AssertionError: when it is there and not empty.
        """
        self._export_dir = as_str(export_dir)
        self._saved_model = proto.SavedModel(saved_model_schema_version=SAVED_MODEL_SCHEMA_VERSION)
        self._has_saved_variables = False
        if os.path.exists(self._export_dir) and os.listdir(self._export_dir):
            raise AssertionError(
                "Export directory already exists, and isn't empty. Please choose a different export directory, or "
                f"delete all the contents of the specified directory: {export_dir}"
            )
        os.makedirs(self._export_dir, exist_ok=True)

    def add_meta_graph_and_variables(
        self,
        sess,
        tags,
        signature_def_map=None,
        assets_collection=None,
        legacy_init_op=None,
        clear_devices=False,
        main_op=None,
        strip_default_attrs=False,
        saver=None,
    ):
        """Adds the default graph, and writes the variables of a session.

        Args:
          sess: the session.
          tags: words by which `load` finds the graph.
          signature_def_map: a dict of keys to `SignatureDef`.
          assets_collection: constants with the paths of files that go along.
          legacy_init_op: the old name of `main_op`.
          clear_devices: whether nodes lose their devices.
          main_op: an operation that `load` runs.
          strip_default_attrs: whether attributes that have their defaults are left out.
          saver: what saves the variables; None for a sharded `Saver` of all.

        Raises:
          AssertionError: for the second graph, or a signature that is not complete.
          KeyError: for a signature under a reserved key.
          TypeError: when `main_op` is no operation.
        """
        if self._has_saved_variables:
            raise AssertionError(
                "Graph state including variables and assets has already been saved. Please invoke `add_meta_graph()` "
                "instead."
            )
        signature_def_map = _checked(signature_def_map)
        self._add_collections(assets_collection, main_op or legacy_init_op)
        folder = os.path.join(self._export_dir, VARIABLES_DIRECTORY)
        os.makedirs(folder, exist_ok=True)
        saver = saver or _default_saver()
        prefix = os.path.join(folder, VARIABLES_FILENAME)
        saver.save(sess, prefix, write_meta_graph=False, write_state=False)
        self._add(saver, tags, signature_def_map, clear_devices, strip_default_attrs)
        self._has_saved_variables = True

    def add_meta_graph(
        self,
        tags,
        signature_def_map=None,
        assets_collection=None,
        legacy_init_op=None,
        clear_devices=False,
        main_op=None,
        strip_default_attrs=False,
        saver=None,
    ):
        """Adds the default graph, which uses the variables written; arguments as of `add_meta_graph_and_variables`."""
        if not self._has_saved_variables:
            raise AssertionError(
                "Graph state including variables and assets has not been saved yet. Please invoke "
                "`add_meta_graph_and_variables()` first."
            )
        signature_def_map = _checked(signature_def_map)
        self._add_collections(assets_collection, main_op or legacy_init_op)
        self._add(saver or _default_saver(), tags, signature_def_map, clear_devices, strip_default_attrs)

    def save(self, as_text=False):
        """Writes `saved_model.pb` (`saved_model.pbtxt` as text) and returns its path, as bytes."""
        os.makedirs(self._export_dir, exist_ok=True)
        name = SAVED_MODEL_FILENAME_PBTXT if as_text else SAVED_MODEL_FILENAME_PB
        path = os.path.join(self._export_dir, name)
        content = str(self._saved_model).encode() if as_text else self._saved_model.SerializeToString()
        with open(path, "wb") as file:
            file.write(content)
        logger.info("SavedModel written to: %s", path)
        return path.encode()

    def _add(self, saver, tags, signature_def_map, clear_devices, strip_default_attrs):
        meta = saver.export_meta_graph(clear_devices=clear_devices, strip_default_attrs=strip_default_attrs)
        meta.meta_info_def.tags.extend(tags)
        for key, signature in signature_def_map.items():
            meta.signature_def[key].CopyFrom(signature)
        self._saved_model.meta_graphs.add().CopyFrom(meta)

    def _add_collections(self, assets, main_op):
        self._write_assets(assets)
        if main_op is None:
            return
        if not isinstance(main_op, Operation):
            raise TypeError(f"main_op needs to be an Operation: {main_op!r}")
        for key in (MAIN_OP_KEY, LEGACY_INIT_OP_KEY):
            if get_collection(key):
                raise ValueError(f"Graph already contains one or more main ops under the collection {key}.")
        add_to_collection(MAIN_OP_KEY, main_op)

    def _write_assets(self, assets):
        """Copies files into the model; the collection tells which tensor has the path of which."""
        sources = {}
        for tensor in assets or ():
            source = _path_of(tensor)
            name = _free_name(source, sources)
            sources[name] = source
            asset = proto.AssetFileDef(filename=name, tensor_info=proto.TensorInfo(name=tensor.name))
            packed = proto.CollectionDef.AnyList().value.add()
            packed.type_url = "type.googleapis.com/tensorflow.AssetFileDef"
            packed.value = asset.SerializeToString()
            add_to_collection(ASSETS_KEY, packed)
        logger.info("No assets to save." if assets is None else "Assets added to graph.")
        if not sources:
            logger.info("No assets to write.")
            return
        folder = os.path.join(self._export_dir, ASSETS_DIRECTORY)
        for name, source in sources.items():
            os.makedirs(folder, exist_ok=True)
            if not os.path.exists(os.path.join(folder, name)):
                shutil.copyfile(source, os.path.join(folder, name))
        logger.info("Assets written to: %s", folder)


def _default_saver():
    return Saver(all_saveable_objects(), sharded=True, allow_empty=True)


def _checked(signature_def_map):
    signature_def_map = signature_def_map or {}
    for signature in signature_def_map.values():
        for info in (*signature.inputs.values(), *signature.outputs.values()):
            problem = None
            if info.WhichOneof("encoding") is None:
                problem = "one of the 'encoding' fields (e.g., name or coo_sparse)"
            elif info.WhichOneof("encoding") != "composite_tensor" and not info.dtype:
                problem = "the dtype field"
            if problem:
                raise AssertionError(f"All TensorInfo protos used in the SignatureDefs must have {problem} set: {info}")
    for key, purpose in _RESERVED.items():
        if key in signature_def_map:
            raise KeyError(f'SignatureDef map key "{key}" is reserved for {purpose}. Please use a different key.')
    return signature_def_map


def _path_of(tensor):
    if not isinstance(tensor, Tensor):
        raise TypeError("Asset path tensor must be a Tensor.")
    if tensor.op.type != "Const":
        raise TypeError("Asset path tensor must be of type constant.")
    if tensor.dtype != dtypes.string:
        raise TypeError("Asset path tensor must be of dtype string.")
    values = tensor.op.get_attr("value").string_val
    if len(values) != 1:
        raise TypeError("Asset path tensor must be a scalar.")
    if not values[0]:
        raise ValueError(f"Invalid asset filepath tensor {tensor}")
    return as_str(values[0])


def _free_name(source, sources):
    """The file's own name; another one when a different file has it."""
    name = plain = os.path.basename(source)
    number = 0
    while name in sources and not filecmp.cmp(source, sources[name], shallow=False):
        number += 1
        name = f"{plain}_{number}"
    return name


def simple_save(session, export_dir, inputs, outputs, legacy_init_op=None):
    """Writes a session's graph and variables as a SavedModel that can be served.

    Args:
      session: the session.
      export_dir: the folder, which is made.
      inputs: a dict of names to tensors.
      outputs: likewise.
      legacy_init_op: an operation that `load` runs.
    """
    signature = signatures.predict_signature_def(inputs, outputs)
    builder = SavedModelBuilder(export_dir)
    builder.add_meta_graph_and_variables(
        session,
        tags=[SERVING],
        signature_def_map={signatures.DEFAULT_SERVING_SIGNATURE_DEF_KEY: signature},
        assets_collection=get_collection(GraphKeys.ASSET_FILEPATHS),
        main_op=legacy_init_op,
        clear_devices=True,
    )
    builder.save()


def main_op():
    """Returns an operation that initializes all variables and tables."""
    return group(global_variables_initializer(), local_variables_initializer(), tables_initializer())


def main_op_with_restore(restore_op_name):
    """Returns an operation that initializes, and then restores by the operation of this name."""
    with control_dependencies([main_op()]):
        return group(restore_op_name)


def maybe_saved_model_directory(export_dir):
    """Whether a folder holds a SavedModel's file."""
    folder = as_str(export_dir)
    return any(os.path.exists(os.path.join(folder, n)) for n in (SAVED_MODEL_FILENAME_PB, SAVED_MODEL_FILENAME_PBTXT))


def parse_saved_model(export_dir):
    """Returns the `SavedModel` message of a folder.

    Raises:
      OSError: when it has none, or the file cannot be parsed.
    """
    folder, made = as_str(export_dir), proto.SavedModel()
    binary, text = (os.path.join(folder, name) for name in (SAVED_MODEL_FILENAME_PB, SAVED_MODEL_FILENAME_PBTXT))
    path = binary if os.path.exists(binary) else text
    if not os.path.exists(path):
        names = f"{SAVED_MODEL_FILENAME_PBTXT}|{SAVED_MODEL_FILENAME_PB}"
        raise OSError(f"SavedModel file does not exist at: {export_dir}/{{{names}}}")
    with open(path, "rb") as file:
        content = file.read()
    try:
        if path == binary:
            made.ParseFromString(content)
        else:
            text_format.Merge(content.decode("utf-8"), made)
    except (message.DecodeError, text_format.ParseError, UnicodeDecodeError) as error:
        raise OSError(f"Cannot parse file {path}: {error}.") from None
    return made


def load(sess, tags, export_dir, import_scope=None, **saver_kwargs):
    """Adds a graph of a SavedModel to a session's graph, restores its variables and runs its main operation.

    Args:
      sess: the session.
      tags: exactly those of the graph.
      export_dir: the folder.
      import_scope: a scope below which all goes.
      **saver_kwargs: for `tf.train.import_meta_graph`.

    Returns:
      The `MetaGraphDef`.

    Raises:
      RuntimeError: when no graph has these tags.
      OSError: when the folder has no SavedModel.
    """
    model = parse_saved_model(export_dir)
    meta = _tagged(model, tags)
    with sess.graph.as_default():
        saver = import_meta_graph(meta, import_scope=import_scope, **saver_kwargs)
        if saver is not None and all_saveable_objects(scope=import_scope):
            saver.restore(sess, os.path.join(as_str(export_dir), VARIABLES_DIRECTORY, VARIABLES_FILENAME))
        else:
            logger.info("The specified SavedModel has no variables; no checkpoints were restored.")
        _run_main_op(sess, meta, export_dir, import_scope)
    return meta


def _tagged(model, tags):
    available = []
    for meta in model.meta_graphs:
        found = set(meta.meta_info_def.tags)
        available.append(found)
        if found == set(tags):
            return meta
    raise RuntimeError(
        "MetaGraphDef associated with tags "
        + str(tags).strip("[]")
        + " could not be found in SavedModel. To inspect available tag-sets in the SavedModel, please use the "
        + f"SavedModel CLI: `saved_model_cli`\navailable_tags: {available}"
    )


def _run_main_op(sess, meta, export_dir, import_scope):
    for key in (MAIN_OP_KEY, LEGACY_INIT_OP_KEY):
        if key not in meta.collection_def:
            continue
        names = meta.collection_def[key].node_list.value
        if len(names) != 1:
            raise RuntimeError(f"Expected exactly one SavedModel init op. Found: {names}")
        sess.run(get_collection(key)[0], _assets(meta, export_dir, import_scope))
        return


def _assets(meta, export_dir, import_scope):
    """Feeds the paths of the files as they are now."""
    found = list(meta.asset_file_def)
    if not found and ASSETS_KEY in meta.collection_def:
        for packed in meta.collection_def[ASSETS_KEY].any_list.value:
            found.append(proto.AssetFileDef.FromString(packed.value))
    prefix = f"{import_scope}/" if import_scope else ""
    folder = os.path.join(as_str(export_dir), ASSETS_DIRECTORY)
    return {prefix + asset.tensor_info.name: os.path.join(folder, asset.filename) for asset in found}
