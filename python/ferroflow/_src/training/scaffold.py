"""tf.train.Scaffold: the pieces that most training programs have, made where a program does not give them."""

from ferroflow._src.framework import stacks
from ferroflow._src.framework.collections import add_to_collection, get_collection
from ferroflow._src.framework.control_flow import group
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.variable_lists import (
    global_variables,
    global_variables_initializer,
    local_variables_initializer,
    report_uninitialized_variables,
    tables_initializer,
)
from ferroflow._src.ops.array import concat
from ferroflow._src.summary.summary_ops import merge_all
from ferroflow._src.training.log import logger
from ferroflow._src.training.resources import (
    initialize_resources,
    local_resources,
    report_uninitialized_resources,
    shared_resources,
)
from ferroflow._src.training.saver import get_saver_or_default


class Scaffold:
    """Holds what initializes, checks, saves and summarizes a model.

    `finalize` fills what was not given: with the one thing in its collection, or with a new one, which it puts there.
    """

    def __init__(
        self,
        init_op=None,
        init_feed_dict=None,
        init_fn=None,
        ready_op=None,
        ready_for_local_init_op=None,
        local_init_op=None,
        summary_op=None,
        saver=None,
        copy_from_scaffold=None,
    ):
        """Creates a scaffold.

        Args:
          init_op: initializes the model when there is no checkpoint.
          init_feed_dict: fed to `init_op`.
          init_fn: a function of the scaffold and the session, called after `init_op`.
          ready_op: a string vector that is empty when the model is ready.
          ready_for_local_init_op: a string vector that is empty when `local_init_op` may run.
          local_init_op: runs in each new session.
          summary_op: a serialized `Summary`.
          saver: a `Saver`.
          copy_from_scaffold: a `Scaffold` that gives what is None here.

        Raises:
          TypeError: when that is none.
        """
        given = {
            "init_op": init_op,
            "init_feed_dict": init_feed_dict,
            "user_init_fn": init_fn,
            "ready_op": ready_op,
            "ready_for_local_init_op": ready_for_local_init_op,
            "local_init_op": local_init_op,
            "summary_op": summary_op,
            "saver": saver,
        }
        if copy_from_scaffold is not None:
            if not isinstance(copy_from_scaffold, Scaffold):
                raise TypeError("copy_from_scaffold is not a Scaffold instance.")
            given = {k: getattr(copy_from_scaffold, "_" + k) if v is None else v for k, v in given.items()}
        for key, value in given.items():
            setattr(self, "_" + key, value)
        function = given["user_init_fn"]
        self._init_fn = (lambda sess: function(self, sess)) if function else None

    def finalize(self):
        """Makes what is missing and finalizes the default graph; returns itself."""

        def fill(attribute, key, make):
            if getattr(self, attribute) is None:
                setattr(self, attribute, Scaffold.get_or_default(attribute[1:], key, make))

        fill("_init_op", GraphKeys.INIT_OP, _default_init_op)
        fill("_ready_op", GraphKeys.READY_OP, _default_ready_op)
        fill("_ready_for_local_init_op", GraphKeys.READY_FOR_LOCAL_INIT_OP, _default_ready_for_local_init_op)
        fill("_local_init_op", GraphKeys.LOCAL_INIT_OP, Scaffold.default_local_init_op)
        fill("_summary_op", GraphKeys.SUMMARY_OP, merge_all)
        if self._saver is None:
            self._saver = get_saver_or_default()
        self._saver.build()
        stacks.get_default_graph().finalize()
        logger.info("Graph was finalized.")
        return self

    @property
    def init_fn(self):
        """A function of the session, called after `init_op`; or None."""
        return self._init_fn

    @property
    def init_op(self):
        """Initializes the model."""
        return self._init_op

    @property
    def ready_op(self):
        """The names of what is not initialized."""
        return self._ready_op

    @property
    def ready_for_local_init_op(self):
        """The names of what the local initializer waits for."""
        return self._ready_for_local_init_op

    @property
    def local_init_op(self):
        """Runs in each new session."""
        return self._local_init_op

    @property
    def summary_op(self):
        """A serialized `Summary`, or None."""
        return self._summary_op

    @property
    def saver(self):
        """The `Saver`."""
        return self._saver

    @property
    def init_feed_dict(self):
        """What is fed to `init_op`."""
        return self._init_feed_dict

    @staticmethod
    def get_or_default(arg_name, collection_key, default_constructor):
        """Returns the one thing in a collection, or what is made and put there.

        Args:
          arg_name: the argument of the constructor that stands for it.
          collection_key: the collection.
          default_constructor: makes it; it may return None.

        Raises:
          RuntimeError: when there are several.
        """
        found = get_collection(collection_key)
        if len(found) > 1:
            raise RuntimeError(
                'More than one item in the collection "%s". Please indicate which one to use by passing it to the '
                "tf.Scaffold constructor as:  tf.Scaffold(%s=item to use)",
                collection_key,
                arg_name,
            )
        if found:
            return found[0]
        made = default_constructor()
        if made is not None:
            add_to_collection(collection_key, made)
        return made

    @staticmethod
    def default_local_init_op():
        """Makes an operation that initializes local variables, tables and local resources."""
        return group(local_variables_initializer(), tables_initializer(), initialize_resources(local_resources()))


def _default_init_op():
    return group(global_variables_initializer(), initialize_resources(shared_resources()))


def _default_ready_op():
    return concat([report_uninitialized_variables(), report_uninitialized_resources()], 0)


def _default_ready_for_local_init_op():
    return concat(
        [report_uninitialized_variables(global_variables()), report_uninitialized_resources(shared_resources())], 0
    )
