"""tf.train.Checkpoint: objects saved and restored by the names of attributes, not by the names of variables."""

import os
import uuid

from ferroflow._src import proto
from ferroflow._src.framework import dtypes, stacks
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.errors import NotFoundError
from ferroflow._src.framework.scopes import colocate_with, control_dependencies, device
from ferroflow._src.framework.text import as_str
from ferroflow._src.framework.variables import Variable
from ferroflow._src.ops import array
from ferroflow._src.platform import file_io, tf_logging
from ferroflow._src.training import checkpoint_management, saveables
from ferroflow._src.training.checkpoint_utils import OBJECT_GRAPH_KEY, new_checkpoint_reader
from ferroflow._src.training.object_graph import (
    ObjectGraph,
    Trackable,
    children_of,
    full_name,
    is_trackable,
    names_of,
)
from ferroflow._src.training.optimizer import Optimizer
from ferroflow._src.training.saver import Saver

_UNUSED = (
    "A checkpoint was restored, but not all of its values were used: see above. expect_partial() on what restore() "
    "returned silences this; assert_consumed() makes it an error."
)


def _session(given):
    session = given or stacks.get_default_session()
    if session is None:
        raise ValueError("No session was given, and there is no default session.")
    return session


class Checkpoint(Trackable):
    """Saves and restores objects: variables, optimizers, layers, and other checkpoints.

    Example:
      checkpoint = tf.train.Checkpoint(optimizer=optimizer, weights=weights)
      with tf.Session() as sess:
          checkpoint.restore(tf.train.latest_checkpoint("/tmp/model")).initialize_or_restore()
          checkpoint.save("/tmp/model/ckpt")
    """

    def __init__(self, **kwargs):
        """Makes attributes of the arguments.

        Args:
          **kwargs: the objects.

        Raises:
          ValueError: for one that cannot be saved.
        """
        for name, value in sorted(kwargs.items()):
            if not is_trackable(value):
                raise ValueError(
                    f"`Checkpoint` was expecting a trackable object (an object derived from `TrackableBase`), got "
                    f"{value}. If you believe this object should be trackable (i.e. it is part of the TensorFlow "
                    "Python API and manages state), please open an issue."
                )
            setattr(self, name, value)
        # Not kept as things to save.
        vars(self).update(_save_counter=None, _save_assign_op=None, _saver=_ObjectSaver(self))

    def _maybe_create_save_counter(self):
        if self._save_counter is None:
            with device("/cpu:0"):
                made = Variable(0, name="save_counter", dtype=dtypes.int64, trainable=False, use_resource=True)
            vars(self)["_save_counter"] = made
            vars(self).setdefault("_children", {})["save_counter"] = made

    @property
    def save_counter(self):
        """How many checkpoints were saved: an int64 variable."""
        self._maybe_create_save_counter()
        return self._save_counter

    def write(self, file_prefix, session=None):
        """Writes a checkpoint, and neither counts it nor lists it.

        Args:
          file_prefix: its prefix.
          session: a session; None for the default one.

        Returns:
          The prefix.
        """
        return as_str(self._saver.save(os.fspath(file_prefix), session))

    def save(self, file_prefix, session=None):
        """Writes a checkpoint with a number, and the state file that `tf.train.latest_checkpoint` reads.

        Args:
          file_prefix: its prefix without the number.
          session: a session; None for the default one.

        Returns:
          The prefix with the number.
        """
        session = _session(session)
        file_prefix = os.fspath(file_prefix)
        if self._save_counter is None:
            session.run(self.save_counter.initializer)
        if self._save_assign_op is None:
            with colocate_with(self.save_counter):
                vars(self)["_save_assign_op"] = self.save_counter.assign_add(1, read_value=True)
        path = self.write(f"{file_prefix}-{session.run(self._save_assign_op)}", session)
        checkpoint_management.write_state(
            save_dir=os.path.dirname(file_prefix),
            model_checkpoint_path=path,
            all_model_checkpoint_paths=[path],
            save_relative_paths=True,
        )
        return path

    def restore(self, save_path):
        """Prepares to restore a checkpoint; what is returned does it, and can check that everything matches.

        Args:
          save_path: what `save` returned, or a `Saver`; None for nothing to restore.

        Returns:
          A status with `run_restore_ops`, `initialize_or_restore`, `assert_consumed`,
          `assert_existing_objects_matched`, `assert_nontrivial_match` and `expect_partial`.

        Raises:
          tf.errors.NotFoundError: when there is no such checkpoint.
        """
        status = self._saver.restore(save_path)
        self._maybe_create_save_counter()
        if isinstance(status, CheckpointLoadStatus):
            status._match()
        return status


class _ObjectSaver:
    """Makes the ops that save and restore what is below a root, and makes them once."""

    def __init__(self, root):
        self._root = root
        self._graph_text = self._prefix = None  # constants that are fed
        self._saved_graph = self._save_op = None
        self._restored_prefix = None
        self._restore_ops = {}  # key in the checkpoint -> op

    def save(self, file_prefix, session):
        if self._prefix is None:
            with device("/cpu:0"):
                self._graph_text = constant("", dtype=dtypes.string)
                self._prefix = constant("", dtype=dtypes.string)
        file_io.recursive_create_dir(os.path.dirname(file_prefix))
        found = ObjectGraph(self._root)
        if self._saved_graph != found.message:
            self._save_op = self._add_save(found.saveables)
            self._saved_graph = found.message
        feeds = {self._graph_text: found.message.SerializeToString(), self._prefix: file_prefix}
        return _session(session).run(self._save_op, feed_dict=feeds)

    def _add_save(self, objects):
        spec = saveables.SaveSpec(self._graph_text, "", OBJECT_GRAPH_KEY)
        groups = {}
        for made in [*objects, saveables.SaveableObject(self._graph_text, [spec], OBJECT_GRAPH_KEY)]:
            groups.setdefault(made.device, []).append(made)
        with device("cpu:0"):
            folder = apply_op("StringJoin", [self._prefix, f"_temp_{uuid.uuid4().hex}/part"])
        count = constant(len(groups), name="num_shards")
        saves, parts = [], []
        for shard, (place, members) in enumerate(sorted(groups.items())):
            with device(saveables.on_cpu(place)):
                parts.append(apply_op("ShardedFilename", folder, shard, count))
            specs = [spec for made in members for spec in made.specs]
            tensors = [spec.tensor for spec in specs]
            with device(place), device("cpu:0"):
                names, slices = [spec.name for spec in specs], [spec.slice_spec for spec in specs]
                saves.append(apply_op("SaveV2", parts[-1], names, slices, tensors))
        with control_dependencies(saves), device(saveables.on_cpu(max(groups))):
            merged = apply_op("MergeV2Checkpoints", parts, self._prefix, delete_old_dirs=True)
        with device("/cpu:0"), control_dependencies([merged]):
            return array.identity(self._prefix)

    def restore(self, save_path):
        if save_path is None:
            return InitializationOnlyStatus(self._root)
        save_path = os.fspath(save_path)
        try:
            text = new_checkpoint_reader(save_path).get_tensor(OBJECT_GRAPH_KEY)
        except NotFoundError as error:
            if OBJECT_GRAPH_KEY not in str(error):
                raise
            return NameBasedSaverStatus(self._root, save_path)
        if self._restored_prefix is None:
            with device("/cpu:0"):
                self._restored_prefix = constant("model")
        message = proto.TrackableObjectGraph.FromString(text)
        return CheckpointLoadStatus(self, self._root, message, {self._restored_prefix: save_path})

    def restore_ops(self, objects):
        """Returns the ops that restore `objects`; those that are new are made, one read a device."""
        new = {}
        for made in sorted(objects, key=lambda made: made.name):
            if made.name not in self._restore_ops:
                new.setdefault(made.device, []).append(made)
        for place, members in sorted(new.items()):
            with device(place):
                specs = [spec for made in members for spec in made.specs]
                with device("cpu:0"):
                    read = apply_op(
                        "RestoreV2",
                        self._restored_prefix,
                        [spec.name for spec in specs],
                        [spec.slice_spec for spec in specs],
                        dtypes=[spec.dtype.base_dtype for spec in specs],
                    )
                read = iter(read if isinstance(read, (list, tuple)) else [read])
                for made in members:
                    self._restore_ops[made.name] = made.restore([next(read) for _ in made.specs], None)
        return [self._restore_ops[name] for name in sorted(made.name for made in objects)]


class InitializationOnlyStatus:
    """What `restore(None)` returns: there is nothing to restore."""

    def __init__(self, root):
        """Keeps the root."""
        self._root = root

    def _objects(self):
        return ObjectGraph(self._root).objects

    def assert_consumed(self):
        """Fails: nothing is restored."""
        raise AssertionError("No checkpoint specified (save_path=None); nothing is being restored.")

    assert_existing_objects_matched = assert_nontrivial_match = assert_consumed

    def run_restore_ops(self, session=None):
        """Fails: nothing is restored."""
        raise AssertionError(
            "No checkpoint specified, so no restore ops are available (save_path=None to Saver.restore)."
        )

    def expect_partial(self):
        """Returns the status."""
        return self

    def initialize_or_restore(self, session=None):
        """Initializes all variables."""
        _session(session).run([thing.initializer for thing in self._objects() if isinstance(thing, Variable)])


class CheckpointLoadStatus:
    """What `restore` returns: restores what matches, and tells what does not."""

    def __init__(self, saver, root, message, feeds):
        """Matches the stored objects with those below `root`."""
        self._saver = saver
        self._root = root
        self._message = message
        self._feeds = feeds
        self._found = {}  # number of a stored object -> the object
        self._unused = {}  # number of a stored object -> the attribute that its object does not have
        self._ops = []
        self._ops_of = set()
        self._is_partial = False
        self._match()

    def _match(self):
        """Finds the objects of stored ones, also of those that were made since, and makes the ops that restore them."""
        matched, waiting, ready = {0: self._root}, [0], []
        nodes = self._message.nodes
        for number in waiting:
            children = dict(children_of(matched[number]))
            for stored in nodes[number].children:
                child = children.get(stored.local_name)
                if child is not None and stored.node_id not in matched:
                    matched[stored.node_id] = child
                    waiting.append(stored.node_id)
        slots = {}
        for number, node in enumerate(nodes):
            for slot in node.slot_variables:
                slots.setdefault(slot.original_variable_node_id, []).append((number, slot))
        for number in waiting:
            for optimizer_number, slot in slots.get(number, ()):
                optimizer, original = matched.get(optimizer_number), matched[number]
                if isinstance(optimizer, Optimizer) and isinstance(original, Variable):
                    made = optimizer.get_slot(original, slot.slot_name)
                    if made is not None:
                        matched[slot.slot_variable_node_id] = made
                        self._ops += self._restored(slot.slot_variable_node_id, made)
        for number in waiting:
            ready.append((number, matched[number]))
        self._ops += [op for op in self._restored_together(ready) if op is not None]
        self._found = matched

    def _attributes(self, number, thing):
        """The saveables of a stored object that are not restored yet."""
        made = []
        for attribute in self._message.nodes[number].attributes:
            if not isinstance(thing, Variable):
                self._unused[number] = attribute.name
            elif attribute.checkpoint_key not in self._ops_of:
                self._ops_of.add(attribute.checkpoint_key)
                made += saveables.objects_for_one(thing, attribute.checkpoint_key)
        return made

    def _restored(self, number, thing):
        return self._saver.restore_ops(self._attributes(number, thing))

    def _restored_together(self, pairs):
        return self._saver.restore_ops([made for pair in pairs for made in self._attributes(*pair)])

    def _unbound(self):
        """The objects below the root that are not in the checkpoint."""
        bound = {id(thing) for thing in self._found.values()}
        empty = (list, dict)
        return [
            thing
            for thing in ObjectGraph(self._root).objects
            if id(thing) not in bound and not (isinstance(thing, empty) and not children_of(thing))
        ]

    def assert_consumed(self):
        """Checks that each stored object has one here, and the other way round.

        Returns:
          The status.

        Raises:
          AssertionError: when one has none.
        """
        self.assert_existing_objects_matched()
        names = names_of(self._message)
        for number, node in enumerate(self._message.nodes):
            if number not in self._found:
                raise AssertionError(f"Unresolved object in checkpoint {names.get(number)}: {node}")
        if self._unused:
            lines = [f"{names.get(number)} ({self._found[number]}): {what}" for number, what in self._unused.items()]
            raise AssertionError(
                "Unused attributes in these objects (the attributes exist in the checkpoint but were not restored):\n"
                + "\n".join(lines)
            )
        return self

    def assert_existing_objects_matched(self):
        """Checks that each object here is in the checkpoint; returns the status.

        Raises:
          AssertionError: when one is not.
        """
        self._match()
        unbound = self._unbound()
        if unbound:
            raise AssertionError(
                "Some Python objects were not bound to checkpointed values, likely due to changes in the Python "
                f"program: {unbound}"
            )
        return self

    def assert_nontrivial_match(self):
        """Checks that more than the root is in the checkpoint; returns the status.

        Raises:
          AssertionError: when nothing else is.
        """
        self._match()
        if len(self._found) <= 1:
            unbound = self._unbound()
            if unbound:
                raise AssertionError(
                    "Nothing except the root object matched a checkpointed value. Typically this means that the "
                    "checkpoint does not match the Python program. The following objects have no matching "
                    f"checkpointed value: {unbound}"
                )
            raise AssertionError(f"Nothing to load. No dependencies have been added to {self._root} yet.")
        return self

    def expect_partial(self):
        """Nothing is logged of values that are not used; returns the status."""
        self._is_partial = True
        return self

    def run_restore_ops(self, session=None):
        """Gives what matches its stored values.

        Args:
          session: a session; None for the default one.
        """
        self._match()
        _session(session).run(self._ops, feed_dict=self._feeds)

    def initialize_or_restore(self, session=None):
        """Gives what matches its stored values, and initializes the other variables below the root.

        Args:
          session: a session; None for the default one.
        """
        session = _session(session)
        self.run_restore_ops(session)
        session.run([thing.initializer for thing in self._unbound() if isinstance(thing, Variable)])

    def __del__(self):
        """Logs what was not used."""
        if getattr(self, "_is_partial", True) or not hasattr(self, "_ops"):
            return
        names = names_of(self._message)
        lines = [
            f"Unresolved object in checkpoint: {names.get(number)}"
            for number in range(len(self._message.nodes))
            if number not in self._found
        ]
        lines += [f"Unused attribute in object {names.get(number)}: {what}" for number, what in self._unused.items()]
        for line in [*lines, *([_UNUSED] if lines else ())]:
            tf_logging.warning("%s", line)


class NameBasedSaverStatus:
    """What `restore` returns for a checkpoint of a `tf.train.Saver`: variables are found by their names."""

    def __init__(self, root, save_path):
        """Keeps the root and the checkpoint."""
        self._root = root
        self._path = save_path

    def _variables(self):
        return [thing for thing in ObjectGraph(self._root).objects if isinstance(thing, Variable)]

    def assert_consumed(self):
        """Checks that each object here is in the checkpoint; returns the status.

        Raises:
          AssertionError: when one is not: nothing but a variable can be.
        """
        stored = new_checkpoint_reader(self._path).get_variable_to_shape_map()
        for thing in ObjectGraph(self._root).objects:
            if not isinstance(thing, Variable) or full_name(thing) not in stored:
                raise AssertionError(f"Object not restored: {thing}")
        return self

    def assert_existing_objects_matched(self):
        """As `assert_consumed`."""
        return self.assert_consumed()

    def assert_nontrivial_match(self):
        """As `assert_consumed`."""
        return self.assert_consumed()

    def expect_partial(self):
        """Returns the status."""
        return self

    def run_restore_ops(self, session=None):
        """Restores the variables that the checkpoint has.

        Args:
          session: a session; None for the default one.
        """
        stored = new_checkpoint_reader(self._path).get_variable_to_shape_map()
        found = {full_name(v): v for v in self._variables() if full_name(v) in stored}
        tf_logging.info("Restoring parameters from %s", self._path)
        session = _session(session)
        if found:
            saver = Saver(found)
            session.run(saver.saver_def.restore_op_name, {saver.saver_def.filename_tensor_name: self._path})

    def initialize_or_restore(self, session=None):
        """Initializes all variables below the root, and restores those that the checkpoint has.

        Args:
          session: a session; None for the default one.
        """
        session = _session(session)
        session.run([variable.initializer for variable in self._variables()])
        self.run_restore_ops(session)
