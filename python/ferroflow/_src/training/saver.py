"""tf.train.Saver: writes variables to checkpoints and reads them back; meta graphs beside them."""

import math
import os
import threading
import time
import uuid

from ferroflow._src import proto
from ferroflow._src.framework import control_flow, errors, meta_graph, stacks
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.collections import (
    add_to_collection,
    get_collection,
    register_proto_function,
)
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.partitioned_variable import PartitionedVariable
from ferroflow._src.framework.placeholders import placeholder_with_default
from ferroflow._src.framework.scopes import (
    control_dependencies,
    device,
    prepend_name_scope,
    strip_name_scope,
)
from ferroflow._src.framework.session import BaseSession
from ferroflow._src.framework.text import as_str, as_text
from ferroflow._src.framework.variable_lists import all_saveable_objects
from ferroflow._src.ops import array, shaping
from ferroflow._src.training import (
    checkpoint_management,
    queue_runner as queue_runner,  # says how MetaGraphDefs hold queue runners
    saveables,
)
from ferroflow._src.training.checkpoint_utils import keys_by_variable_name
from ferroflow._src.training.global_step import global_step as read_global_step
from ferroflow._src.training.log import logger

SaverDef = proto.SaverDef


class BaseSaverBuilder:
    """Adds the ops that save and restore to the graph. Subclasses may save and restore in other ways."""

    SaveSpec = saveables.SaveSpec
    SaveableObject = saveables.SaveableObject
    VariableSaveable = saveables.ReferenceVariableSaveable
    ResourceVariableSaveable = saveables.ResourceVariableSaveable

    def __init__(self, write_version=SaverDef.V2):
        """Keeps the version, `SaverDef.V1` or `V2`, of the files to write."""
        self._write_version = write_version

    def save_op(self, filename_tensor, saveables):
        """Returns the op that writes all tensors of `saveables`."""
        specs = [spec for saveable in saveables for spec in saveable.specs]
        names = [spec.name for spec in specs]
        tensors = [spec.tensor for spec in specs]
        slices = [spec.slice_spec for spec in specs]
        if self._write_version == SaverDef.V2:
            return apply_op("SaveV2", filename_tensor, names, slices, tensors)
        if self._write_version != SaverDef.V1:
            raise RuntimeError(f"Unexpected write_version: {self._write_version}")
        return apply_op("SaveSlices", filename_tensor, names, slices, tensors, name="save")

    def bulk_restore(self, filename_tensor, saveables, preferred_shard, restore_sequentially):
        """Returns the tensors of all `saveables`, read one op each, on their devices' CPUs."""
        tensors = []
        for saveable in saveables:
            with device(_cpu_of(saveable.device)):
                tensors.extend(self.restore_op(filename_tensor, saveable, preferred_shard))
        return tensors

    def restore_op(self, filename_tensor, saveable, preferred_shard):
        """Returns the tensors of one object, read from the file."""
        return [
            _restore(filename_tensor, [spec.name], [spec.slice_spec], [spec.dtype])[0] for spec in saveable.specs
        ]

    def sharded_filename(self, filename_tensor, shard, num_shards):
        """Returns the name of one file of several, as a tensor."""
        return apply_op("ShardedFilename", filename_tensor, shard, num_shards)

    def build(
        self,
        names_to_saveables,
        reshape=False,
        sharded=False,
        max_to_keep=5,
        keep_checkpoint_every_n_hours=10000.0,
        name=None,
        restore_sequentially=False,
        filename="model",
    ):
        """Adds the ops to the graph; arguments as of `Saver`. Returns a `SaverDef` message that names them."""
        objects = saveables.saveables_of(names_to_saveables)
        with name_scope(name, "save", [saveable.op for saveable in objects]):
            file = placeholder_with_default(filename or "model", shape=(), name="filename")
            file = placeholder_with_default(file, shape=(), name="Const")
            if sharded:
                groups = saveables.group_by_device(objects)
                save = self._add_sharded_save(file, groups)
                restore = self._add_sharded_restore(file, groups, restore_sequentially, reshape)
            else:
                save = self._add_save(file, objects)
                restore = self._add_restore(file, objects, restore_sequentially, reshape)
        _make_whole_tensors()
        return SaverDef(
            filename_tensor_name=file.name,
            save_tensor_name=save.name,
            restore_op_name=restore.name,
            max_to_keep=max_to_keep or 0,
            sharded=sharded,
            keep_checkpoint_every_n_hours=keep_checkpoint_every_n_hours,
            version=self._write_version,
        )

    def _add_save(self, file, objects):
        return control_flow.with_dependencies([self.save_op(file, objects)], file)

    def _add_sharded_save(self, file, groups):
        if self._write_version == SaverDef.V2:
            return self._add_sharded_save_v2(file, groups)
        count = constant(len(groups), name="num_shards")
        saves = []
        for shard, (place, objects) in enumerate(groups):
            with device(place):
                saves.append(self._add_save(self.sharded_filename(file, shard, count), objects))
        with control_dependencies([save.op for save in saves]):
            return apply_op("ShardedFilespec", file, count)

    def _add_sharded_save_v2(self, prefix, groups):
        """Each device writes a part into a folder of its own; then the parts are merged below `prefix`."""
        folder = apply_op("StringJoin", [prefix, f"_temp_{uuid.uuid4().hex}/part"])
        count = constant(len(groups), name="num_shards")
        saves, parts = [], []
        for shard, (place, objects) in enumerate(groups):
            with device(saveables.on_cpu(place)):
                parts.append(self.sharded_filename(folder, shard, count))
                saves.append(self._add_save(parts[-1], objects))
        last = groups[-1][0]
        with control_dependencies([save.op for save in saves]), device(saveables.on_cpu(last)):
            merged = apply_op("MergeV2Checkpoints", parts, prefix, delete_old_dirs=True)
            with control_dependencies([merged]):
                return array.identity(prefix)

    def _add_restore(self, file, objects, restore_sequentially, reshape, preferred_shard=-1, name="restore_all"):
        tensors = iter(self.bulk_restore(file, objects, preferred_shard, restore_sequentially))
        assigns = []
        for saveable in objects:
            shapes = [_shape_of(spec.tensor) for spec in saveable.specs] if reshape else None
            assigns.append(saveable.restore([next(tensors) for _ in saveable.specs], shapes))
        return control_flow.group(*assigns, name=name)

    def _add_sharded_restore(self, file, groups, restore_sequentially, reshape):
        restores = []
        for shard, (place, objects) in enumerate(groups):
            with device(place):
                restores.append(
                    self._add_restore(
                        file, objects, restore_sequentially, reshape, preferred_shard=shard, name="restore_shard"
                    )
                )
        return control_flow.group(*restores, name="restore_all")


class BulkSaverBuilder(BaseSaverBuilder):
    """Reads all variables with one op."""

    def bulk_restore(self, filename_tensor, saveables, preferred_shard, restore_sequentially):
        specs = [spec for saveable in saveables for spec in saveable.specs]
        with device("cpu:0"):
            return _restore(
                filename_tensor,
                [spec.name for spec in specs],
                [spec.slice_spec for spec in specs],
                [spec.dtype for spec in specs],
            )


def _restore(file, names, slices, dtypes):
    made = apply_op("RestoreV2", file, names, slices, dtypes=[dtype.base_dtype for dtype in dtypes])
    return made if isinstance(made, (list, tuple)) else [made]


def _cpu_of(place):
    return saveables.on_cpu(place) if place else None


def _shape_of(tensor):
    shape = tensor.get_shape()
    return shape if shape.is_fully_defined() else shaping.shape(tensor)


def _make_whole_tensors():
    """Partitioned variables in collections must be found by name in the meta graph: their wholes are made now."""
    graph = stacks.get_default_graph()
    for key in graph.get_all_collection_keys():
        for item in graph.get_collection(key):
            if isinstance(item, PartitionedVariable):
                try:
                    graph.get_operation_by_name(item.name)
                except KeyError:
                    item.as_tensor()


class Saver:
    """Saves and restores variables.

    Example:

        saver = tf.train.Saver(max_to_keep=3)
        with tf.Session() as sess:
            ...
            path = saver.save(sess, "/tmp/model", global_step=step)
            saver.restore(sess, path)
    """

    def __init__(
        self,
        var_list=None,
        reshape=False,
        sharded=False,
        max_to_keep=5,
        keep_checkpoint_every_n_hours=10000.0,
        name=None,
        restore_sequentially=False,
        saver_def=None,
        builder=None,
        defer_build=False,
        allow_empty=False,
        write_version=SaverDef.V2,
        pad_step_number=False,
        save_relative_paths=False,
        filename=None,
    ):
        """Adds the ops that save and restore to the default graph.

        Args:
          var_list: variables, or a dict of names to variables; None for all that can be saved.
          reshape: whether a checkpoint's tensors may have other shapes of as many elements.
          sharded: whether each device writes a file of its own.
          max_to_keep: how many of the newest checkpoints are kept; None or 0 for all.
          keep_checkpoint_every_n_hours: one checkpoint in so many hours is kept for good.
          name: of the scope of the ops.
          restore_sequentially: accepted; reading is one op anyway.
          saver_def: a `SaverDef` of ops that are in the graph already.
          builder: what adds the ops; None for a `BulkSaverBuilder`.
          defer_build: whether `build` will be called later.
          allow_empty: whether there may be nothing to save.
          write_version: `SaverDef.V1` or `V2`.
          pad_step_number: whether the step has eight digits in file names.
          save_relative_paths: whether the state file holds paths as seen from its folder.
          filename: the default of the file name in the graph.

        Raises:
          TypeError: for what is no variable.
          ValueError: when two variables have one name, or there is nothing to save.
        """
        if defer_build and var_list:
            raise ValueError(
                "If `var_list` is provided then build cannot be deferred. "
                "Either set defer_build=False or var_list=None."
            )
        self._var_list = var_list
        self._reshape = reshape
        self._sharded = sharded
        self._max_to_keep = max_to_keep
        self._keep_checkpoint_every_n_hours = keep_checkpoint_every_n_hours
        self._name = name
        self._restore_sequentially = restore_sequentially
        self.saver_def = saver_def
        self._builder = builder
        self._allow_empty = allow_empty
        self._write_version = write_version
        self._pad_step_number = pad_step_number
        self._save_relative_paths = save_relative_paths
        self._filename = filename
        self._is_built = False
        self._one_at_a_time = threading.RLock()
        self._is_empty = None
        self._object_saver = None  # for a checkpoint of a `tf.train.Checkpoint`
        self._last_checkpoints = []  # (path, time), oldest first
        self._to_be_deleted = []
        self._next_kept_time = math.inf
        if not defer_build:
            self.build()
        if self.saver_def:
            self._check_saver_def()
            self._write_version = self.saver_def.version

    def build(self):
        """Adds the ops to the graph, if they are not there yet."""
        if self._is_built:
            return
        self._is_built = True
        if self.saver_def is None:
            if self._var_list is None:
                self._var_list = all_saveable_objects()
            if not self._var_list:
                if not self._allow_empty:
                    raise ValueError("No variables to save")
                self._is_empty = True
                return
            self._is_empty = False
            builder = self._builder or BulkSaverBuilder(self._write_version)
            self._builder = builder
            self.saver_def = builder.build(
                self._var_list,
                reshape=self._reshape,
                sharded=self._sharded,
                max_to_keep=self._max_to_keep,
                keep_checkpoint_every_n_hours=self._keep_checkpoint_every_n_hours,
                name=self._name,
                restore_sequentially=self._restore_sequentially,
                filename=self._filename,
            )
        elif self._name:
            for field in ("filename_tensor_name", "save_tensor_name", "restore_op_name"):
                setattr(self.saver_def, field, prepend_name_scope(getattr(self.saver_def, field), self._name))
        self._check_saver_def()
        self._next_kept_time = time.time() + self.saver_def.keep_checkpoint_every_n_hours * 3600

    def _check_saver_def(self):
        if not isinstance(self.saver_def, SaverDef):
            raise ValueError(f"saver_def must be a saver_pb2.SaverDef: {self.saver_def}")
        for field in ("save_tensor_name", "restore_op_name"):
            if not getattr(self.saver_def, field):
                raise ValueError(f"saver_def must specify the {field}: {self.saver_def}")

    def as_saver_def(self):
        """Returns the `SaverDef` message of this saver."""
        return self.saver_def

    def to_proto(self, export_scope=None):
        """Returns the `SaverDef`, with names as seen from `export_scope`; None when its ops lie elsewhere."""
        if export_scope is None:
            return self.saver_def
        fields = ("filename_tensor_name", "save_tensor_name", "restore_op_name")
        if not all(getattr(self.saver_def, field).startswith(export_scope) for field in fields):
            return None
        copy = SaverDef()
        copy.CopyFrom(self.saver_def)
        for field in fields:
            setattr(copy, field, strip_name_scope(getattr(copy, field), export_scope))
        return copy

    @staticmethod
    def from_proto(saver_def, import_scope=None):
        """Returns a saver of ops that are in the graph, below `import_scope`."""
        return Saver(saver_def=saver_def, name=import_scope)

    # Which checkpoints are kept.

    @property
    def last_checkpoints(self):
        """The paths of the checkpoints that may still be removed, oldest first."""
        return [path for path, _ in self._last_checkpoints]

    def set_last_checkpoints(self, last_checkpoints):
        """Deprecated: sets the paths, oldest first; they will not be kept for good."""
        assert isinstance(last_checkpoints, list)
        self._last_checkpoints = [(path, math.inf) for path in last_checkpoints]

    def set_last_checkpoints_with_time(self, last_checkpoints_with_time):
        """Sets the (path, time) pairs, oldest first."""
        assert isinstance(last_checkpoints_with_time, list)
        self._last_checkpoints = last_checkpoints_with_time

    def recover_last_checkpoints(self, checkpoint_paths):
        """Takes up checkpoints of an earlier run; those that are not there are left out."""
        found = []
        for path in checkpoint_paths:
            times = checkpoint_management.get_checkpoint_mtimes([path])
            if times:
                found.append((path, times[0]))
        self.set_last_checkpoints_with_time(found)

    def _record(self, path):
        if not self.saver_def.max_to_keep:
            return
        self._last_checkpoints = [item for item in self._last_checkpoints if item[0] != path]
        self._last_checkpoints.append((path, time.time()))
        if len(self._last_checkpoints) > self.saver_def.max_to_keep:
            self._to_be_deleted.append(self._last_checkpoints.pop(0))

    def _delete_old(self, meta_graph_suffix):
        if not self._to_be_deleted:
            return
        path, written = self._to_be_deleted.pop(0)
        if written > self._next_kept_time:
            self._next_kept_time += self.saver_def.keep_checkpoint_every_n_hours * 3600
            return
        try:
            checkpoint_management.remove_checkpoint(path, self.saver_def.version, meta_graph_suffix)
        except OSError as error:
            logger.warning("Ignoring: %s", error)

    # Saving and restoring.

    def save(
        self,
        sess,
        save_path,
        global_step=None,
        latest_filename=None,
        meta_graph_suffix="meta",
        write_meta_graph=True,
        write_state=True,
        strip_default_attrs=False,
        save_debug_info=False,
    ):
        """Writes a checkpoint, then the meta graph, then the state file.

        Args:
          sess: the `Session` with the variables.
          save_path: the checkpoint's prefix.
          global_step: a number, tensor or variable that is added to the prefix.
          latest_filename: the name of the state file; None for 'checkpoint'.
          meta_graph_suffix: of the meta graph's file.
          write_meta_graph: whether to write it.
          write_state: whether to write the state file, and to remove old checkpoints.
          strip_default_attrs: whether the meta graph leaves out attributes that have their defaults.
          save_debug_info: accepted.

        Returns:
          The prefix written, to be given to `restore`; None when there was nothing to save.

        Raises:
          RuntimeError: before `build`.
          TypeError: when `sess` is no session.
          ValueError: when the names collide, or the folder is not there.
        """
        if not self._is_built:
            raise RuntimeError("`build()` should be called before save if defer_build==True")
        latest_filename = "checkpoint" if latest_filename is None else latest_filename
        if self._write_version != SaverDef.V2:
            logger.warning("TensorFlow's V1 checkpoint format has been deprecated: V2 is the default.")
        if os.path.split(latest_filename)[0]:
            raise ValueError("'latest_filename' must not contain path components")
        save_path = as_text(os.fspath(save_path))
        # A supervisor's thread may be saving: the state file shall name what was saved last.
        with self._one_at_a_time:
            prefix = self._prefix(sess, save_path, global_step, latest_filename)
            if not isinstance(sess, BaseSession):
                raise TypeError(f"'sess' must be a Session; {sess}")
            written = None
            if not self._is_empty:
                written = self._write(sess, save_path, prefix)
            # The state file comes last: what it names is whole, whenever the process dies.
            if write_meta_graph:
                meta_file = checkpoint_management.meta_graph_filename(prefix, meta_graph_suffix=meta_graph_suffix)
                with sess.graph.as_default():
                    self.export_meta_graph(
                        meta_file, strip_default_attrs=strip_default_attrs, save_debug_info=save_debug_info
                    )
            if written is not None and write_state:
                self._record(written)
                checkpoint_management.write_state(
                    os.path.dirname(save_path),
                    written,
                    self.last_checkpoints,
                    latest_filename=latest_filename,
                    save_relative_paths=self._save_relative_paths,
                )
                self._delete_old(meta_graph_suffix)
            return written

    def _prefix(self, sess, save_path, global_step, latest_filename):
        if global_step is None:
            if os.path.basename(save_path) == latest_filename and not self._sharded:
                raise ValueError(
                    f"'latest_filename' collides with 'save_path': '{latest_filename}' and '{save_path}'"
                )
            return save_path
        step = read_global_step(sess, global_step) if not _is_integer(global_step) else int(global_step)
        return f"{save_path}-{step:08d}" if self._pad_step_number else f"{save_path}-{step}"

    def _write(self, sess, save_path, prefix):
        try:
            return as_str(sess.run(self.saver_def.save_tensor_name, {self.saver_def.filename_tensor_name: prefix}))
        except (errors.FailedPreconditionError, errors.NotFoundError):
            if os.path.isdir(os.path.dirname(save_path)):  # As in TensorFlow, the empty name is no folder.
                raise
            raise ValueError(f"Parent directory of {save_path} doesn't exist, can't save.") from None

    def export_meta_graph(
        self,
        filename=None,
        collection_list=None,
        as_text=False,
        export_scope=None,
        clear_devices=False,
        clear_extraneous_savers=False,
        strip_default_attrs=False,
        save_debug_info=False,
    ):
        """Returns a `MetaGraphDef` of the default graph with this saver; written to `filename` unless None."""
        return export_meta_graph(
            filename=filename,
            graph_def=stacks.get_default_graph().as_graph_def(add_shapes=True),
            saver_def=self.saver_def,
            collection_list=collection_list,
            as_text=as_text,
            export_scope=export_scope,
            clear_devices=clear_devices,
            clear_extraneous_savers=clear_extraneous_savers,
            strip_default_attrs=strip_default_attrs,
            save_debug_info=save_debug_info,
        )

    def restore(self, sess, save_path):
        """Reads the variables from a checkpoint; they need not be initialized.

        Args:
          sess: the `Session` in which they get their values.
          save_path: what `save` returned.

        Raises:
          ValueError: when the path is None, or no checkpoint is there.
          tf.errors.NotFoundError: when a variable is missing in it.
          tf.errors.InvalidArgumentError: when shapes or dtypes differ.
          tf.errors.DataLossError: when the files are broken.
        """
        if self._is_empty:
            return
        if save_path is None:
            raise ValueError("Can't load save_path when it is None.")
        prefix = _path_text(save_path)
        if not checkpoint_management.checkpoint_exists(prefix):
            raise ValueError("The passed save_path is not a valid checkpoint: " + prefix)
        logger.info("Restoring parameters from %s", prefix)
        try:
            sess.run(self.saver_def.restore_op_name, {self.saver_def.filename_tensor_name: prefix})
        except errors.NotFoundError as error:
            try:
                keys = keys_by_variable_name(prefix)
            except errors.NotFoundError:
                raise _explained(error, "a Variable name or other graph key that is missing") from error
            self._restore_objects(sess, prefix, keys)
        except errors.InvalidArgumentError as error:
            raise _explained(error, "a mismatch between the current graph and the graph") from error

    def _restore_objects(self, sess, prefix, keys):
        """Restores variables from a checkpoint of a `tf.train.Checkpoint`, which has them by other keys."""
        logger.warning(
            "Restoring an object-based checkpoint using a name-based saver: this rests on the names that variables had "
            "and makes a Saver anew. tf.train.Checkpoint() loads such checkpoints."
        )
        found = saveables.saveables_of(all_saveable_objects() if self._var_list is None else self._var_list)
        names = {spec.name for saveable in found for spec in saveable.specs}
        missing = names - keys.keys()
        if missing:
            raise errors.NotFoundError(
                None,
                None,
                f"\n\nExisting variables not in the checkpoint: {', '.join(sorted(missing))}\n\n"
                "Variables names when this checkpoint was written which don't exist now: "
                f"{', '.join(sorted(keys.keys() - names))}\n\n({len(names & keys.keys())} variable name(s) did match)"
                "\n\nThe checkpoint is an object-based one: a Saver finds in it what has the name that it had when the "
                "checkpoint was written. A Saver of only those variables, or of a dict of the old names, can load it.",
            )
        for saveable in found:
            for spec in saveable.specs:
                spec.name = keys[spec.name]
        if self._object_saver is None:
            self._object_saver = Saver(found)
        self._object_saver.restore(sess, prefix)


def _path_text(path):
    return as_text(os.fspath(path) if isinstance(path, os.PathLike) else path)


def _is_integer(value):
    return hasattr(value, "__index__") and not hasattr(value, "op")


def _explained(error, cause):
    message = (
        f"Restoring from checkpoint failed. This is most likely due to {cause} from the checkpoint. "
        "Please ensure that you have not altered the graph expected based on the checkpoint. "
        f"Original error:\n\n{error.message}"
    )
    return type(error)(error.node_def, error.op, message)


def import_meta_graph(meta_graph_or_file, clear_devices=False, import_scope=None, **kwargs):
    """Adds the graph and collections of a meta graph to the default graph.

    Args:
      meta_graph_or_file: a `MetaGraphDef`, or the path of one.
      clear_devices: whether nodes lose their devices.
      import_scope: a scope below which all goes.
      **kwargs: `input_map` and others of `import_graph_def`.

    Returns:
      A `Saver` as the meta graph describes it; else one of the variables that came; None when there are none.
    """
    meta = meta_graph_or_file
    if not isinstance(meta, proto.MetaGraphDef):
        meta = meta_graph.read_meta_graph_file(os.fspath(meta_graph_or_file))
    variables, _ = meta_graph.import_scoped_meta_graph_with_return_elements(
        meta, clear_devices=clear_devices, import_scope=import_scope, **kwargs
    )
    if meta.HasField("saver_def"):
        scope = import_scope
        if variables:
            # The scope may have got a number: a variable's name tells.
            name, variable = next(iter(variables.items()))
            scope = variable.name[: -len(name)]
        return Saver(saver_def=meta.saver_def, name=scope)
    if all_saveable_objects(scope=import_scope):
        return Saver()
    logger.info("Saver not created because there are no variables in the graph to restore")
    return None


def export_meta_graph(
    filename=None,
    meta_info_def=None,
    graph_def=None,
    saver_def=None,
    collection_list=None,
    as_text=False,
    graph=None,
    export_scope=None,
    clear_devices=False,
    clear_extraneous_savers=False,
    strip_default_attrs=False,
    save_debug_info=False,
    **kwargs,
):
    """Returns a `MetaGraphDef` of a graph.

    Args:
      filename: where it is written, unless None.
      meta_info_def: a `MetaInfoDef`, or None for one made now.
      graph_def: the graph's nodes, or None for those of `graph`.
      saver_def: of the saver that goes along.
      collection_list: keys of the collections that go along; None for all.
      as_text: whether the file is text.
      graph: the graph; None for the default one.
      export_scope: only what lies below this scope, with names as seen from it.
      clear_devices: whether nodes lose their devices.
      clear_extraneous_savers: whether the nodes of other savers are left out.
      strip_default_attrs: whether attributes that have their defaults are left out.
      save_debug_info: accepted.
    """
    meta, _ = meta_graph.export_scoped_meta_graph(
        filename=filename,
        meta_info_def=meta_info_def,
        graph_def=graph_def,
        saver_def=saver_def,
        collection_list=collection_list,
        as_text=as_text,
        graph=graph,
        export_scope=export_scope,
        clear_devices=clear_devices,
        clear_extraneous_savers=clear_extraneous_savers,
        strip_default_attrs=strip_default_attrs,
        **kwargs,
    )
    return meta


def get_saver_or_default():
    """Returns the saver in the collection `SAVERS`, made (sharded, perhaps empty) and put there if there is none."""
    found = get_collection(GraphKeys.SAVERS)
    if len(found) > 1:
        raise RuntimeError(
            f"More than one item in collection {GraphKeys.SAVERS}. "
            "Please indicate which one to use by passing it to the constructor."
        )
    if found:
        return found[0]
    saver = Saver(sharded=True, allow_empty=True)
    add_to_collection(GraphKeys.SAVERS, saver)
    return saver


register_proto_function(
    GraphKeys.SAVERS, proto_type=SaverDef, to_proto=Saver.to_proto, from_proto=Saver.from_proto
)
