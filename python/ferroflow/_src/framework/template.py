"""tf.make_template: a function whose variables are made in its first call and shared by all later ones."""

import functools

from ferroflow._src.framework import frames, stacks
from ferroflow._src.framework.collections import get_collection
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.variable_scope import _PureScope, _unique_scope_name, variable_scope


def make_template(name_, func_, create_scope_now_=False, unique_name_=None, custom_getter_=None, **kwargs):
    """Returns `func_` as a `Template`.

    Args:
      name_: the name of its variable scope, made unique.
      func_: a function that gets variables with `tf.get_variable`.
      create_scope_now_: whether the scope is opened now rather than in the first call.
      unique_name_: the scope's exact name, instead.
      custom_getter_: a custom getter for its variables.
      **kwargs: arguments of `func_`.

    Raises:
      ValueError: when `name_` is None.
    """
    if kwargs:
        func_ = functools.partial(func_, **kwargs)
    return Template(name_, func_, create_scope_now_, unique_name_, custom_getter_)


class Template:
    """A function that shares its variables between calls."""

    def __init__(self, name, func, create_scope_now=False, unique_name=None, custom_getter=None):
        """Creates a template; see `make_template`."""
        if name is None:
            raise ValueError("name cannot be None.")
        self._func = func
        self._stack = frames.take(2)
        self._name = name
        self._unique_name = unique_name
        self._custom_getter = custom_getter
        self._variable_scope = None
        if create_scope_now:
            with _PureScope(unique_name or _unique_scope_name(name), custom_getter=custom_getter) as scope:
                self._variable_scope = scope
        self._has_variables = False
        self._is_first_call = True

    def __call__(self, *args, **kwargs):
        if self._variable_scope:
            with variable_scope(self._variable_scope, reuse=not self._is_first_call):
                return self._call(args, kwargs)
        with variable_scope(self._unique_name, self._name, custom_getter=self._custom_getter) as scope:
            self._variable_scope = scope
            return self._call(args, kwargs)

    def _call(self, args, kwargs):
        try:
            if self._has_variables:
                return self._call_again(args, kwargs)
            if not self._is_first_call:  # another thread is in the first call
                return self._func(*args, **kwargs)
            self._is_first_call = False
            try:
                result = self._func(*args, **kwargs)
            except BaseException:
                self._is_first_call = True
                raise
            self._has_variables = True
            return result
        except Exception as error:
            first = error.args[0] if error.args else ""
            error.args = (f"{first}\n\noriginally defined at:\n{frames.formatted(self._stack)}", *error.args[1:])
            raise

    def _call_again(self, args, kwargs):
        trainable = stacks.get_default_graph().get_collection_ref(GraphKeys.TRAINABLE_VARIABLES)
        before = len(trainable)
        result = self._func(*args, **kwargs)
        if len(trainable) != before:
            raise ValueError(
                "Trainable variable created when calling a template after the first time, perhaps you used "
                f"tf.Variable when you meant tf.get_variable: {trainable[before:]}"
            )
        return result

    @property
    def name(self):
        return self._name

    @property
    def func(self):
        """The function itself."""
        return self._func

    @property
    def variable_scope(self):
        """The `VariableScope`, or None before the first call."""
        return self._variable_scope

    @property
    def var_scope(self):
        return self._variable_scope

    @property
    def variable_scope_name(self):
        """The scope's name with a slash at the end."""
        if not self._variable_scope:
            return None
        name = self._variable_scope.name
        return name if not name or name[-1] == "/" else name + "/"

    def _collection(self, key):
        return get_collection(key, self.variable_scope_name) if self._has_variables else []

    @property
    def global_variables(self):
        return self._collection(GraphKeys.GLOBAL_VARIABLES)

    @property
    def local_variables(self):
        return self._collection(GraphKeys.LOCAL_VARIABLES)

    @property
    def variables(self):
        return self.global_variables + self.local_variables

    @property
    def trainable_variables(self):
        return self._collection(GraphKeys.TRAINABLE_VARIABLES)

    @property
    def non_trainable_variables(self):
        trainable = set(map(id, self.trainable_variables))
        return [v for v in self.global_variables if id(v) not in trainable]

    @property
    def weights(self):
        return self.variables

    @property
    def trainable_weights(self):
        return self.trainable_variables

    @property
    def non_trainable_weights(self):
        return self.non_trainable_variables
