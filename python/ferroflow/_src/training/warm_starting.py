"""tf.train.warm_start: variables that begin with what a model before them has learnt."""

import collections

from ferroflow._src.framework.collections import get_collection
from ferroflow._src.framework.convert import convert_to_tensor
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.partitioned_variable import PartitionedVariable
from ferroflow._src.framework.variable_store import PartitionInfo
from ferroflow._src.ops import state
from ferroflow._src.training import saveables
from ferroflow._src.training.checkpoint_initializers import init_from_checkpoint, is_variable
from ferroflow._src.training.checkpoint_utils import checkpoint_filename
from ferroflow._src.training.log import logger
from ferroflow._src.training.vocabulary_remapping import load_and_remap_matrix_initializer

_FIELDS = "new_vocab new_vocab_size num_oov_buckets old_vocab old_vocab_size backup_initializer axis"


class VocabInfo(collections.namedtuple("VocabInfo", _FIELDS)):
    """What the rows or columns of a variable stand for, in the new model and in the old.

    Args:
      new_vocab: the file with the new model's words, one a line.
      new_vocab_size: how many of them are used.
      num_oov_buckets: rows for words outside of it.
      old_vocab: the file with the old model's words.
      old_vocab_size: how many of them were used; -1 for all.
      backup_initializer: of the rows of new words; None for zeros.
      axis: 0 for rows, 1 for columns.

    Raises:
      ValueError: for another axis.
    """

    def __new__(
        cls, new_vocab, new_vocab_size, num_oov_buckets, old_vocab, old_vocab_size=-1, backup_initializer=None, axis=0
    ):
        if axis not in (0, 1):
            raise ValueError(_bad_axis(axis))
        return super().__new__(
            cls, new_vocab, new_vocab_size, num_oov_buckets, old_vocab, old_vocab_size, backup_initializer, axis
        )


def _bad_axis(axis):
    return f"The only supported values for the axis argument are 0 and 1.  Provided axis: {axis}"


def warm_start(
    ckpt_to_initialize_from, vars_to_warm_start=".*", var_name_to_vocab_info=None, var_name_to_prev_var_name=None
):
    """Makes variables' initializers read their values from the checkpoint of another model.

    Args:
      ckpt_to_initialize_from: a checkpoint's prefix, or a folder whose newest is meant.
      vars_to_warm_start: which variables: a regular expression of trainable ones' names; a list of such for all
        global ones; a list of variables; None for only those of `var_name_to_vocab_info`.
      var_name_to_vocab_info: a dict of names to `VocabInfo`, for variables whose rows or columns are words.
      var_name_to_prev_var_name: a dict of names to those in the checkpoint, where they differ.

    Raises:
      ValueError: when a name of the dicts is not used, or the checkpoint lacks a tensor.
    """
    logger.info("Warm-starting from: %s", ckpt_to_initialize_from)
    groups = _groups(vars_to_warm_start)
    infos, renames = var_name_to_vocab_info or {}, var_name_to_prev_var_name or {}
    plain = {}
    num_started = 0
    for name, parts in groups.items():
        old_name = renames.get(name)
        if infos.get(name):
            num_started += 1
            _warm_start_with_vocabulary(parts, infos[name], ckpt_to_initialize_from, old_name)
        elif vars_to_warm_start:
            num_started += 1
            plain[old_name or name] = parts[0] if len(parts) == 1 else parts
    init_from_checkpoint(ckpt_to_initialize_from, plain)
    logger.info("Warm-started %d variables.", num_started)
    for label, given in (("prev_var_name", renames), ("vocab_info", infos)):
        unused = {name for name in given if name not in groups or not given[name]}
        if unused:
            # The second message of TensorFlow has one space more.
            space = "" if label == "prev_var_name" else " "
            raise ValueError(
                f"You provided the following variables in var_name_to_{label} that were not used: {unused}. {space}"
                f"Perhaps you misspelled them?  Here is the list of viable variable names: {groups.keys()}"
            )


def _groups(wanted):
    """The variables by their names in a checkpoint; parts of one together."""
    if isinstance(wanted, str) or wanted is None:
        logger.info("Warm-starting variables only in TRAINABLE_VARIABLES.")
        found = get_collection(GraphKeys.TRAINABLE_VARIABLES, scope=wanted)
    elif not isinstance(wanted, list):
        raise ValueError(f"`vars_to_warm_start must be a `list` or `str`.  Given type is {type(wanted)}")
    elif all(isinstance(v, str) for v in wanted):
        found = [v for scope in wanted for v in get_collection(GraphKeys.GLOBAL_VARIABLES, scope=scope)]
    elif all(is_variable(v) for v in wanted):
        found = wanted
    else:
        raise ValueError(
            "If `vars_to_warm_start` is a list, it must be all `Variable` or all `str`.  Given types are "
            f"{[type(v) for v in wanted]}"
        )
    groups = {}
    for variable in found:
        groups.setdefault(_name_of([variable]), []).append(variable)
    return groups


def _name_of(parts):
    named = saveables.by_name(parts)
    if len(named) > 1:
        raise TypeError(f"`var` = {parts} passed as arg violates the constraints.  name_to_var_dict = {named}")
    return next(iter(named))


def _warm_start_with_vocabulary(parts, info, checkpoint, old_name):
    if isinstance(parts, PartitionedVariable):
        parts = parts._get_variable_list()
    if not (info.new_vocab and info.new_vocab_size and checkpoint and info.old_vocab):
        raise ValueError(
            "Invalid args: Must provide all of [current_vocab_path, current_vocab_size, prev_ckpt, prev_vocab_path}."
        )
    old_name = old_name or _name_of(parts)
    total_rows = sum(v.get_shape().as_list()[0] for v in parts)
    for variable in parts:
        shape = variable.get_shape().as_list()
        initialize = load_and_remap_matrix_initializer(
            ckpt_path=checkpoint_filename(checkpoint),
            old_tensor_name=old_name,
            initializer=info.backup_initializer,
            **_remapping(info, shape, total_rows),
        )
        part = variable._get_save_slice_info()
        partition_info = part and PartitionInfo(full_shape=part.full_shape, var_offset=part.var_offset)
        value = convert_to_tensor(initialize(shape, partition_info=partition_info))
        variable._initializer_op = state.assign(variable, value)


def _remapping(info, shape, total_rows):
    """The arguments that say which axis of the matrix is in the order of words."""
    if info.axis == 0:
        return {
            "new_row_vocab_size": info.new_vocab_size,
            "new_col_vocab_size": shape[1],
            "old_row_vocab_size": info.old_vocab_size,
            "old_row_vocab_file": info.old_vocab,
            "new_row_vocab_file": info.new_vocab,
            "num_row_oov_buckets": info.num_oov_buckets,
        }
    # Parts divide rows only: all columns are in each, but the rows must be counted over all of them.
    return {
        "new_row_vocab_size": total_rows,
        "new_col_vocab_size": info.new_vocab_size,
        "old_col_vocab_file": info.old_vocab,
        "new_col_vocab_file": info.new_vocab,
        "num_col_oov_buckets": info.num_oov_buckets,
    }
