"""tf.train.Optimizer: the gradients of a loss, and one update for each variable that has one.

Subclasses give `_create_slots`, `_prepare`, `_apply_dense`, `_apply_sparse` and their `_resource_` twins, and `_finish`.
Most optimizers are a single op an update and derive from `FusedOptimizer`, at the foot.
"""

from ferroflow._src.framework import control_flow, dtypes, nest
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.collections import get_collection, get_collection_ref
from ferroflow._src.framework.composite import IndexedSlices
from ferroflow._src.framework.convert import convert_to_tensor, convert_to_tensor_or_indexed_slices
from ferroflow._src.framework.gradients import gradients
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.resource_variables import is_resource_variable
from ferroflow._src.framework.scopes import colocate_with, control_dependencies, init_scope
from ferroflow._src.framework.stacks import get_default_graph
from ferroflow._src.framework.tensor import Tensor
from ferroflow._src.framework.variable_lists import trainable_variables
from ferroflow._src.framework.variables import Variable
from ferroflow._src.ops import indexing, segments, shaping, state
from ferroflow._src.training import slot_creator

# In this order error messages list them.
_FLOATS = (dtypes.float32, dtypes.float64, dtypes.float16, dtypes.bfloat16)


class Optimizer:
    """Base class of optimizers: `minimize`, or `compute_gradients` and then `apply_gradients`.

    Example:

        optimizer = tf.train.GradientDescentOptimizer(0.1)
        pairs = optimizer.compute_gradients(loss)
        train = optimizer.apply_gradients([(tf.clip_by_norm(g, 1.0), v) for g, v in pairs if g is not None])
    """

    # How gradients wait for each other: not at all, for those of the same op, for all.
    GATE_NONE = 0
    GATE_OP = 1
    GATE_GRAPH = 2

    def __init__(self, use_locking, name):
        """Called by the constructors of subclasses.

        Args:
          use_locking: whether updates hold the variable's lock.
          name: a string, not empty: the scope of the updates and the name of the slots.

        Raises:
          ValueError: without a name.
        """
        if not name:
            raise ValueError("Must specify the optimizer name")
        self._use_locking = use_locking
        self._name = name
        self._slots = {}  # slot name -> {_var_key(variable) -> slot}
        self._non_slot_dict = {}  # (name, graph) -> variable

    def get_name(self):
        """Returns the name given to the constructor."""
        return self._name

    def minimize(
        self,
        loss,
        global_step=None,
        var_list=None,
        gate_gradients=GATE_OP,
        aggregation_method=None,
        colocate_gradients_with_ops=False,
        name=None,
        grad_loss=None,
    ):
        """Makes the op of one training step: `compute_gradients`, then `apply_gradients`, with their arguments.

        Returns:
          The `Operation` that updates the variables and then adds one to `global_step`, if there is one.

        Raises:
          ValueError: when no variable has a gradient.
        """
        pairs = self.compute_gradients(
            loss,
            var_list=var_list,
            gate_gradients=gate_gradients,
            aggregation_method=aggregation_method,
            colocate_gradients_with_ops=colocate_gradients_with_ops,
            grad_loss=grad_loss,
        )
        if all(gradient is None for gradient, _ in pairs):
            raise ValueError(
                "No gradients provided for any variable, check your graph for ops that do not support gradients, "
                f"between variables {[str(variable) for _, variable in pairs]} and loss {loss}."
            )
        return self.apply_gradients(pairs, global_step=global_step, name=name)

    def compute_gradients(
        self,
        loss,
        var_list=None,
        gate_gradients=GATE_OP,
        aggregation_method=None,
        colocate_gradients_with_ops=False,
        grad_loss=None,
    ):
        """Makes the gradients of `loss`.

        Args:
          loss: a `Tensor`, or a function without arguments that makes it.
          var_list: variables, in any nest; None for all trainable ones of the graph.
          gate_gradients: `GATE_NONE`, `GATE_OP` or `GATE_GRAPH`.
          aggregation_method: how terms are added up, from `tf.AggregationMethod`.
          colocate_gradients_with_ops: whether each gradient goes to the device of its op.
          grad_loss: a `Tensor`, the gradient of `loss` itself; None for ones.

        Returns:
          A list of (gradient, variable) pairs, in the order of the variables. A gradient is a `Tensor`,
          `IndexedSlices`, or None when `loss` does not depend on the variable.

        Raises:
          ValueError: for an unknown gate, no variables, or values that are not floats.
        """
        if callable(loss):
            loss = loss()
        if gate_gradients not in (Optimizer.GATE_NONE, Optimizer.GATE_OP, Optimizer.GATE_GRAPH):
            raise ValueError(
                "gate_gradients must be one of: Optimizer.GATE_NONE, Optimizer.GATE_OP, Optimizer.GATE_GRAPH.  "
                f"Not {gate_gradients}"
            )
        self._assert_valid_dtypes([loss] if grad_loss is None else [loss, grad_loss])
        if var_list is None:
            var_list = trainable_variables() + get_collection(GraphKeys.TRAINABLE_RESOURCE_VARIABLES)
        else:
            var_list = nest.flatten(var_list)
        targets = [_updater(variable).target() for variable in var_list]
        if not targets:
            raise ValueError("No variables to optimize.")
        grads = gradients(
            loss,
            targets,
            grad_ys=grad_loss,
            gate_gradients=gate_gradients == Optimizer.GATE_OP,
            aggregation_method=aggregation_method,
            colocate_gradients_with_ops=colocate_gradients_with_ops,
        )
        if gate_gradients == Optimizer.GATE_GRAPH:
            grads = control_flow.tuple(grads)
        pairs = list(zip(grads, var_list))
        self._assert_valid_dtypes([v for g, v in pairs if g is not None and v.dtype != dtypes.resource])
        return pairs

    def apply_gradients(self, grads_and_vars, global_step=None, name=None):
        """Makes the op that updates variables by their gradients.

        Args:
          grads_and_vars: (gradient, variable) pairs; those whose gradient is None are passed over.
          global_step: a `Variable` that is incremented after the updates.
          name: of the op; None for the optimizer's.

        Returns:
          An `Operation`, which is also added to the collection `TRAIN_OP`.

        Raises:
          TypeError: for a gradient that is neither a tensor nor `IndexedSlices`.
          ValueError: when there are no variables, or none with a gradient.
        """
        pairs = tuple(grads_and_vars)
        if not pairs:
            raise ValueError("No variables provided.")
        updates = [(_as_gradient(g), v, _updater(v)) for g, v in pairs]
        updated = [v for g, v, _ in updates if g is not None]
        if not updated:
            raise ValueError(f"No gradients provided for any variable: {[str(v) for _, v in pairs]}.")
        with init_scope():
            self._create_slots(updated)
        with name_scope(name, self._name) as scope:
            self._prepare()
            ops = [self._update_op(g, v, updater) for g, v, updater in updates if g is not None]
            if global_step is None:
                train_op = self._finish(ops, scope)
            else:
                with control_dependencies([self._finish(ops, "update")]), colocate_with(global_step):
                    train_op = _increment(global_step, scope)
            train_op = _as_operation(train_op)
            collection = get_collection_ref(GraphKeys.TRAIN_OP)
            if train_op not in collection:
                collection.append(train_op)
            return train_op

    def _update_op(self, gradient, variable, updater):
        with name_scope("update_" + variable.op.name), colocate_with(variable):
            return updater.update_op(self, gradient)

    # What an optimizer remembers.

    def get_slot(self, var, name):
        """Returns the slot called `name` of `var`, or None without one."""
        return self._slots.get(name, {}).get(_var_key(var))

    def get_slot_names(self):
        """Returns the sorted names of the slots made so far."""
        return sorted(self._slots)

    def variables(self):
        """Returns all variables that the optimizer made in the current graph, by name."""
        made = list(self._non_slot_variables())
        for slots in self._slots.values():
            made.extend(slots.values())
        graph = get_default_graph()
        return sorted((v for v in made if v.op.graph is graph), key=lambda v: v.name)

    def _create_non_slot_variable(self, initial_value, name, colocate_with):
        """Makes, once a graph, a variable that belongs to the optimizer rather than to one variable."""
        key = (name, colocate_with.graph)
        if key not in self._non_slot_dict:
            with _colocated(colocate_with):
                self._non_slot_dict[key] = Variable(
                    initial_value, name=name, trainable=False, use_resource=is_resource_variable(colocate_with)
                )
        return self._non_slot_dict[key]

    def _get_non_slot_variable(self, name, graph=None):
        return self._non_slot_dict.get((name, graph))

    def _non_slot_variables(self):
        return self._non_slot_dict.values()

    def _slot_dict(self, slot_name):
        return self._slots.setdefault(slot_name, {})

    def _slot(self, var, slot_name, make):
        slots = self._slot_dict(slot_name)
        key = _var_key(var)
        if key not in slots:
            slots[key] = make()
        return slots[key]

    def _get_or_make_slot(self, var, val, slot_name, op_name):
        """Returns the slot `slot_name` of `var`; makes it from the tensor `val`, named `op_name`, the first time."""
        return self._slot(var, slot_name, lambda: slot_creator.create_slot(var, val, op_name))

    def _get_or_make_slot_with_initializer(self, var, initializer, shape, dtype, slot_name, op_name):
        """As `_get_or_make_slot`, from an initializer."""
        return self._slot(
            var,
            slot_name,
            lambda: slot_creator.create_slot_with_initializer(var, initializer, shape, dtype, op_name),
        )

    def _zeros_slot(self, var, slot_name, op_name):
        """As `_get_or_make_slot`, with zeros."""
        return self._slot(var, slot_name, lambda: slot_creator.create_zeros_slot(var, op_name))

    # What subclasses give.

    def _valid_dtypes(self):
        """Returns the dtypes that the loss, the variables and their gradients may have."""
        return set(_FLOATS)

    def _assert_valid_dtypes(self, tensors):
        valid = self._valid_dtypes()
        for tensor in tensors:
            dtype = tensor.dtype.base_dtype
            if dtype not in valid:
                known = [d for d in _FLOATS if d in valid] + [d for d in valid if d not in _FLOATS]
                raise ValueError(f"Invalid type {dtype!r} for {tensor.name}, expected: {known}.")

    def _create_slots(self, var_list):
        """Makes the slots of the variables of `var_list`."""

    def _prepare(self):
        """Makes the tensors that all updates share, in the scope of the update."""

    def _apply_dense(self, grad, var):
        """Returns the op that updates the reference variable `var` by the tensor `grad`."""
        raise NotImplementedError()

    def _resource_apply_dense(self, grad, handle):
        """Returns the op that updates the resource variable `handle` by the tensor `grad`."""
        raise NotImplementedError()

    def _apply_sparse(self, grad, var):
        """Returns the op that updates the reference variable `var` by `IndexedSlices` without repeated indices."""
        raise NotImplementedError()

    def _resource_apply_sparse(self, grad, handle, indices):
        """Returns the op that updates rows `indices`, none repeated, of `handle` by the tensor `grad`."""
        raise NotImplementedError()

    def _apply_sparse_duplicate_indices(self, grad, var):
        """As `_apply_sparse` with indices that may repeat; here their rows are added up first."""
        values, indices = _deduplicate_indexed_slices(grad.values, grad.indices)
        return self._apply_sparse(IndexedSlices(values, indices, grad.dense_shape), var)

    def _resource_apply_sparse_duplicate_indices(self, grad, handle, indices):
        """As `_resource_apply_sparse` with indices that may repeat; here their rows are added up first."""
        values, indices = _deduplicate_indexed_slices(grad, indices)
        return self._resource_apply_sparse(values, handle, indices)

    def _finish(self, update_ops, name_scope):
        """Returns the op called `name_scope` that runs `update_ops` and what is left to do after them."""
        return control_flow.group(*update_ops, name=name_scope)

    def _call_if_callable(self, param):
        return param() if callable(param) else param

    def _hyperparameter(self, value, name):
        """Returns a number, a tensor, or what a function gives, as a tensor called `name`."""
        return convert_to_tensor(self._call_if_callable(value), name=name)


class FusedOptimizer(Optimizer):
    """An optimizer whose update is one op, which comes in four forms: for a reference or a resource, dense or sparse."""

    def _update(self, form, var, gradient, dtype):
        """Returns the update op.

        Args:
          form: what its type begins with: 'Apply', 'SparseApply', 'ResourceApply' or 'ResourceSparseApply'.
          var: the variable.
          gradient: a list of the op's inputs for it: the tensor, or values and indices.
          dtype: to which hyperparameters are cast.
        """
        raise NotImplementedError()

    def _apply_dense(self, grad, var):
        return self._update("Apply", var, [grad], var.dtype.base_dtype)

    def _apply_sparse(self, grad, var):
        return self._update("SparseApply", var, [grad.values, grad.indices], var.dtype.base_dtype)

    def _resource_apply_dense(self, grad, handle):
        return self._update("ResourceApply", handle, [grad], grad.dtype.base_dtype)

    def _resource_apply_sparse(self, grad, handle, indices):
        return self._update("ResourceSparseApply", handle, [grad, indices], grad.dtype.base_dtype)

    def _state(self, form, var, *slot_names):
        """Returns the op's first inputs: the variable and its slots, as references or as handles."""
        variables = [var, *(self.get_slot(var, name) for name in slot_names)]
        return [v.handle for v in variables] if form.startswith("Resource") else variables

    def _update_with(self, op, *inputs, **attrs):
        return _as_operation(apply_op(op, *inputs, use_locking=self._use_locking, **attrs))


class _ReferenceUpdater:
    def __init__(self, variable):
        self._variable = variable

    def target(self):
        return self._variable._ref()

    def update_op(self, optimizer, gradient):
        if isinstance(gradient, Tensor):
            return _constrained(self._variable, optimizer._apply_dense(gradient, self._variable))
        _refuse_constraint(self._variable)
        return optimizer._apply_sparse_duplicate_indices(gradient, self._variable)


class _ResourceUpdater:
    def __init__(self, variable):
        self._variable = variable

    def target(self):
        return self._variable

    def update_op(self, optimizer, gradient):
        if isinstance(gradient, Tensor):
            return _constrained(self._variable, optimizer._resource_apply_dense(gradient, self._variable))
        _refuse_constraint(self._variable)
        return optimizer._resource_apply_sparse_duplicate_indices(gradient.values, self._variable, gradient.indices)


class _TensorUpdater:
    """Gradients by a plain tensor can be computed, but not applied."""

    def __init__(self, tensor):
        self._tensor = tensor

    def target(self):
        return self._tensor

    def update_op(self, optimizer, gradient):
        raise NotImplementedError("Trying to update a Tensor ", self._tensor)


def _updater(variable):
    if is_resource_variable(variable) or variable.op.type == "VarHandleOp":
        return _ResourceUpdater(variable)
    if isinstance(variable, Variable):
        return _ReferenceUpdater(variable)
    if isinstance(variable, Tensor):
        return _TensorUpdater(variable)
    raise NotImplementedError("Trying to optimize unsupported type ", variable)


def _constrained(variable, update):
    """Projects the variable by its constraint after the update, if it has one."""
    if variable.constraint is None:
        return update
    with control_dependencies([update]):
        return variable.assign(variable.constraint(variable))


def _refuse_constraint(variable):
    if variable.constraint is not None:
        raise RuntimeError("Cannot use a constraint function on a sparse variable.")


def _as_gradient(gradient):
    if gradient is None:
        return None
    try:
        converted = convert_to_tensor_or_indexed_slices(gradient)
    except TypeError:
        raise TypeError(
            f"Gradient must be convertible to a Tensor or IndexedSlices, or None: {gradient}"
        ) from None
    if not isinstance(converted, (Tensor, IndexedSlices)):
        raise TypeError(f"Gradient must be a Tensor, IndexedSlices, or None: {converted}")
    return converted


def _increment(global_step, name):
    if is_resource_variable(global_step):
        one = convert_to_tensor(1, dtype=global_step.dtype)
        return apply_op("AssignAddVariableOp", global_step.handle, one, name=name)
    return state.assign_add(global_step, 1, name=name)


def _as_operation(made):
    return made.op if isinstance(made, Tensor) else made


def _var_key(var):
    return (var.op.graph, var.op.name)


# `_create_non_slot_variable` has an argument of this name, as subclasses pass it by keyword.
_colocated = colocate_with


def _deduplicate_indexed_slices(values, indices):
    """Adds up the rows of `values` that have one index: returns (sums, indices without repeats)."""
    unique_indices, positions = indexing.unique(indices)
    sums = segments.unsorted_segment_sum(values, positions, shaping.shape(unique_indices)[0])
    return sums, unique_indices
