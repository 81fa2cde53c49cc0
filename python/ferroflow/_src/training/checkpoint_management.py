"""Which checkpoints there are: the state file that lists them, the newest one, and their removal."""

import collections
import glob
import os
import re
import tempfile
import time

from google.protobuf import text_format

from ferroflow._src import proto
from ferroflow._src.framework import stacks
from ferroflow._src.framework.text import as_str
from ferroflow._src.framework.variable_scope import variable_creator_scope
from ferroflow._src.training.global_step import global_step
from ferroflow._src.training.log import logger

SaverDef = proto.SaverDef


def state_file(save_dir, latest_filename):
    """Returns the path of the state file in a folder."""
    return os.path.join(save_dir, latest_filename or "checkpoint")


def write_atomically(path, text):
    """Writes a file so that at any moment the old or the new content stands there whole: by rename, after fsync."""
    folder = os.path.dirname(path) or "."
    handle, temporary = tempfile.mkstemp(prefix=os.path.basename(path) + ".tmp", dir=folder)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    _sync_folder(folder)


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _sync_folder(folder):
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return  # Windows has no handles of folders; the rename stands anyway.
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def generate_checkpoint_state_proto(
    save_dir,
    model_checkpoint_path,
    all_model_checkpoint_paths=None,
    all_model_checkpoint_timestamps=None,
    last_preserved_timestamp=None,
):
    """Returns a `CheckpointState` message.

    Args:
      save_dir: the folder of the state file; when it is relative, relative paths are written as seen from it.
      model_checkpoint_path: the newest checkpoint.
      all_model_checkpoint_paths: all that are kept, oldest first; the newest is added if it is missing.
      all_model_checkpoint_timestamps: as many times in seconds since 1970.
      last_preserved_timestamp: when a checkpoint was last kept for good.

    Raises:
      ValueError: when there are not as many times as paths.
    """
    paths = all_model_checkpoint_paths if all_model_checkpoint_paths is not None else []
    if not paths or paths[-1] != model_checkpoint_path:
        logger.info("%s is not in all_model_checkpoint_paths. Manually adding it.", model_checkpoint_path)
        paths.append(model_checkpoint_path)
    if all_model_checkpoint_timestamps and len(all_model_checkpoint_timestamps) != len(paths):
        raise ValueError(
            "Checkpoint timestamps, if provided, must match checkpoint paths "
            f"(got paths {paths} and timestamps {all_model_checkpoint_timestamps})"
        )

    def as_seen(path):
        return path if os.path.isabs(save_dir) or os.path.isabs(path) else os.path.relpath(path, save_dir)

    return proto.CheckpointState(
        model_checkpoint_path=as_seen(model_checkpoint_path),
        all_model_checkpoint_paths=[as_seen(path) for path in paths],
        all_model_checkpoint_timestamps=all_model_checkpoint_timestamps,
        last_preserved_timestamp=last_preserved_timestamp,
    )


def update_checkpoint_state(
    save_dir,
    model_checkpoint_path,
    all_model_checkpoint_paths=None,
    latest_filename=None,
    all_model_checkpoint_timestamps=None,
    last_preserved_timestamp=None,
):
    """Writes the state file of `save_dir`; arguments as of `generate_checkpoint_state_proto`."""
    write_state(
        save_dir,
        model_checkpoint_path,
        all_model_checkpoint_paths,
        latest_filename,
        False,
        all_model_checkpoint_timestamps,
        last_preserved_timestamp,
    )


def write_state(
    save_dir,
    model_checkpoint_path,
    all_model_checkpoint_paths=None,
    latest_filename=None,
    save_relative_paths=False,
    all_model_checkpoint_timestamps=None,
    last_preserved_timestamp=None,
):
    """As `update_checkpoint_state`; with `save_relative_paths` all paths are written as seen from the folder.

    Raises:
      RuntimeError: when the checkpoint has the state file's name.
    """
    path = state_file(save_dir, latest_filename)
    paths = list(all_model_checkpoint_paths or [])
    newest = model_checkpoint_path
    if save_relative_paths:

        def relative(path):
            return os.path.relpath(path, save_dir) if os.path.isabs(path) else path

        newest, paths = relative(newest), [relative(p) for p in paths]
    state = generate_checkpoint_state_proto(
        save_dir, newest, paths, all_model_checkpoint_timestamps, last_preserved_timestamp
    )
    if path == state.model_checkpoint_path:
        raise RuntimeError(
            f"Save path '{model_checkpoint_path}' conflicts with path used for checkpoint state.  "
            "Please use a different save path."
        )
    write_atomically(path, text_format.MessageToString(state))


def get_checkpoint_state(checkpoint_dir, latest_filename=None):
    """Returns the `CheckpointState` of a folder, with paths that can be opened, or None without a readable state file.

    Raises:
      ValueError: when the file names no checkpoint.
    """
    path = state_file(checkpoint_dir, latest_filename)
    try:
        with open(path, encoding="utf-8") as file:
            state = text_format.Parse(file.read(), proto.CheckpointState())
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        logger.warning("%s: %s", type(error).__name__, error)
        logger.warning("%s: Checkpoint ignored", path)
        return None
    if not state.model_checkpoint_path:
        raise ValueError(f"Invalid checkpoint state loaded from {checkpoint_dir}")

    def found(path):
        return path if os.path.isabs(path) else os.path.join(checkpoint_dir, path)

    state.model_checkpoint_path = found(state.model_checkpoint_path)
    for i, path in enumerate(state.all_model_checkpoint_paths):
        state.all_model_checkpoint_paths[i] = found(path)
    return state


def _files(prefix):
    """The file by which a checkpoint is known: its V2 index, or the V1 files of its name. Empty when it is not there.

    The names of a sharded V1 checkpoint are a pattern: `m-?????-of-00002`.
    """
    prefix = as_str(prefix)
    return glob.glob(glob.escape(prefix) + ".index") or glob.glob(glob.escape(prefix)) or sorted(glob.glob(prefix))


def latest_checkpoint(checkpoint_dir, latest_filename=None):
    """Returns the prefix of the newest checkpoint that the state file names and that is there, or None."""
    state = get_checkpoint_state(checkpoint_dir, latest_filename)
    if not state or not state.model_checkpoint_path:
        return None
    if _files(state.model_checkpoint_path):
        return state.model_checkpoint_path
    logger.error("Couldn't match files for checkpoint %s", state.model_checkpoint_path)
    return None


def checkpoint_exists(checkpoint_prefix):
    """Whether there is a checkpoint, of either format, with this prefix."""
    return bool(_files(checkpoint_prefix))


def get_checkpoint_mtimes(checkpoint_prefixes):
    """Returns the times, in seconds since 1970, at which checkpoints were written; those that are not there are left out."""
    return [os.stat(files[0]).st_mtime for files in map(_files, checkpoint_prefixes) if files]


def remove_checkpoint(checkpoint_prefix, checkpoint_format_version=SaverDef.V2, meta_graph_suffix="meta"):
    """Deletes the files of a checkpoint and its meta graph; those that are not there do not matter."""
    prefix = glob.escape(checkpoint_prefix)
    delete_matching(glob.escape(meta_graph_filename(checkpoint_prefix, meta_graph_suffix)))
    if checkpoint_format_version == SaverDef.V2:
        # The index goes first: without it nobody takes the rest for a checkpoint.
        delete_matching(prefix + ".index")
        delete_matching(prefix + ".data-?????-of-?????")
    else:
        delete_matching(prefix)
        delete_matching(checkpoint_prefix)


def delete_matching(pattern):
    """Deletes the files that match a shell pattern."""
    for path in glob.glob(pattern):
        os.remove(path)


def meta_graph_filename(checkpoint_filename, meta_graph_suffix="meta"):
    """Returns the name of the meta graph's file beside a checkpoint, without the shard's number."""
    stem = re.sub(r"-[\d\?]+-of-\d+$", "", checkpoint_filename)
    return f"{stem}.{meta_graph_suffix}"


class CheckpointManager:
    """Keeps the newest few of the checkpoints that `checkpoint.write` makes, and the state file that lists them."""

    def __init__(self, checkpoint, directory, max_to_keep, keep_checkpoint_every_n_hours=None, checkpoint_name="ckpt"):
        """Takes up what the state file of `directory` says.

        Args:
          checkpoint: an object with `save_counter` and `write(prefix)`.
          directory: the folder.
          max_to_keep: how many to keep, or None for all.
          keep_checkpoint_every_n_hours: one in so many hours is kept for good.
          checkpoint_name: the first part of the files' names.

        Raises:
          ValueError: when `max_to_keep` is not positive.
        """
        if max_to_keep is not None and max_to_keep <= 0:
            raise ValueError(
                f"Expected a positive integer or `None` for `max_to_max_to_keep`, got {max_to_keep}."
            )
        self._checkpoint = checkpoint
        self._save_counter_assign = None
        self._max_to_keep = max_to_keep
        self._every_n_hours = keep_checkpoint_every_n_hours
        self._directory = directory
        self._prefix = os.path.join(directory, checkpoint_name)
        self._kept = collections.OrderedDict()  # prefix -> time
        self._latest_checkpoint = None
        now = time.time()
        self._last_preserved = now - 1.0
        state = get_checkpoint_state(directory)
        if state is not None:
            self._take_up(state, now)

    def _take_up(self, state, now):
        self._latest_checkpoint = state.model_checkpoint_path
        self._last_preserved = min(state.last_preserved_timestamp, now)
        paths = state.all_model_checkpoint_paths
        times = state.all_model_checkpoint_timestamps or [self._last_preserved] * len(paths)
        for path, timestamp in zip(paths, times):
            timestamp = min(timestamp, now)
            if timestamp > self._last_preserved:
                self._kept[path] = timestamp

    @property
    def latest_checkpoint(self):
        """The prefix of the newest checkpoint, or None."""
        return self._latest_checkpoint

    @property
    def checkpoints(self):
        """The prefixes of all checkpoints kept, oldest first."""
        return list(self._kept)

    def save(self, checkpoint_number=None):
        """Writes a checkpoint and removes those that are too many. Returns its prefix.

        Args:
          checkpoint_number: its number; None for the checkpoint's own counter.
        """
        session = stacks.get_default_session()

        def initialized(next_creator, **kwargs):
            variable = next_creator(**kwargs)
            session.run(variable.initializer)
            return variable

        with variable_creator_scope(initialized):
            counter = self._checkpoint.save_counter
        if self._save_counter_assign is None:
            self._save_counter_assign = counter.assign_add(1, read_value=False)
        session.run(self._save_counter_assign)
        number = counter if checkpoint_number is None else checkpoint_number
        if not isinstance(number, int):
            number = global_step(session, number)
        path = as_str(self._checkpoint.write(f"{self._prefix}-{number}"))
        self._kept.pop(path, None)
        self._kept[path] = time.time()
        self._latest_checkpoint = path
        # The new one is listed before an old one goes, so that at any moment what the file names is there.
        self._record()
        self._sweep()
        self._record()
        return path

    def _record(self):
        write_state(
            self._directory,
            self._latest_checkpoint,
            list(self._kept),
            all_model_checkpoint_timestamps=list(self._kept.values()),
            last_preserved_timestamp=self._last_preserved,
            save_relative_paths=True,
        )

    def _sweep(self):
        while self._max_to_keep and len(self._kept) > self._max_to_keep:
            path, timestamp = self._kept.popitem(last=False)
            hours = self._every_n_hours
            if hours and timestamp - hours * 3600.0 >= self._last_preserved:
                self._last_preserved = timestamp
                continue
            remove_checkpoint(path)
