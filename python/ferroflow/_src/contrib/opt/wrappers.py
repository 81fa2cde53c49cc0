"""tf.contrib.opt's optimizers around optimizers: norms of variables kept small, tasks without a gradient passed over."""

import contextlib
import types

from ferroflow._src.framework import control_flow, dtypes
from ferroflow._src.framework.composite import IndexedSlices
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.scopes import colocate_with, control_dependencies
from ferroflow._src.framework.tensor import Tensor
from ferroflow._src.ops import clip, filling, indexing, math, reductions
from ferroflow._src.platform import tf_logging as logging
from ferroflow._src.training.optimizer import Optimizer


class VariableClippingOptimizer(Optimizer):
    """Wraps an optimizer: after its update the norms of some variables are clipped."""

    def __init__(
        self,
        opt,
        vars_to_clip_dims,
        max_norm,
        use_locking=False,
        colocate_clip_ops_with_vars=False,
        name="VariableClipping",
    ):
        """Keeps the arguments.

        Args:
          opt: the optimizer that makes the updates.
          vars_to_clip_dims: {variable: the dimensions over which its norm is taken}.
          max_norm: the largest norm.
          use_locking: whether clipping holds the variable's lock.
          colocate_clip_ops_with_vars: whether all of it happens on the variable's device.
          name: the scope of the updates.
        """
        super().__init__(use_locking, name)
        self._opt = opt
        self._vars_to_clip_dims = {var: dims[:] for var, dims in vars_to_clip_dims.items()}
        self._max_norm = max_norm
        self._colocate_clip_ops_with_vars = colocate_clip_ops_with_vars

    def compute_gradients(self, *args, **kwargs):
        """Calls the optimizer's."""
        return self._opt.compute_gradients(*args, **kwargs)

    def get_slot(self, *args, **kwargs):
        """Calls the optimizer's."""
        return self._opt.get_slot(*args, **kwargs)

    def get_slot_names(self, *args, **kwargs):
        """Calls the optimizer's."""
        return self._opt.get_slot_names(*args, **kwargs)

    def apply_gradients(self, grads_and_vars, global_step=None, name=None):
        """Returns the `Operation` of an update by the optimizer and of the clipping after it."""
        with name_scope(name, self._name) as name:
            update = self._opt.apply_gradients(grads_and_vars, global_step=global_step)
            clipped = []
            with control_dependencies([update]):
                for grad, var in grads_and_vars:
                    if grad is None or var not in self._vars_to_clip_dims:
                        continue
                    with name_scope("clip_" + var.op.name):
                        is_dense = isinstance(grad, Tensor)
                        clipped.append(self._clip_dense(var) if is_dense else self._clip_sparse(grad, var))
            return control_flow.group(update, *clipped, name=name)

    def _clip_dense(self, var):
        with self._place(var):
            value = var.read_value()
            excess = value - clip.clip_by_norm(value, self._max_norm, self._vars_to_clip_dims[var])
        with colocate_with(var):
            return var.assign_sub(excess, use_locking=self._use_locking)

    def _clip_sparse(self, grad, var):
        dims = self._vars_to_clip_dims[var]
        if 0 in dims:
            logging.warning(
                "Clipping norm across dims %s for %s is inefficient when including sparse dimension 0.",
                dims,
                var.op.name,
            )
            return self._clip_dense(var)
        with colocate_with(var):
            rows = indexing.gather(var, grad.indices)
        with self._place(var):
            kept = clip.clip_by_norm(rows, self._max_norm, dims)
            excess = IndexedSlices(rows - kept, grad.indices, grad.dense_shape)
        with colocate_with(var):
            return var.scatter_sub(excess, use_locking=self._use_locking)

    def _place(self, var):
        return colocate_with(var) if self._colocate_clip_ops_with_vars else contextlib.nullcontext()


def _is_all_zeros(grad):
    return math.equal(reductions.count_nonzero(grad), 0)


def _passing_over_zeros(update, opt):
    def wrapper(self, grad, *args, **kwargs):
        def updated():
            with control_dependencies([update(grad, *args, **kwargs)]):
                return control_flow.no_op()

        return control_flow.cond(_is_all_zeros(grad), control_flow.no_op, updated)

    return types.MethodType(wrapper, opt)


class MultitaskOptimizerWrapper:
    """Changes an optimizer: a variable whose gradient is all zeros is not updated, nor are its slots.

    So each task of several can train its own variables while those of the others rest.
    """

    def __init__(self, opt):
        """Changes `opt`.

        Raises:
          TypeError: when it is no `tf.train.Optimizer`.
        """
        if not isinstance(opt, Optimizer):
            raise TypeError("Supplied optimizer must be an instance of tf.train.Optimizer")
        self._opt = opt
        for name in ("_apply_dense", "_resource_apply_dense", "_apply_sparse", "_resource_apply_sparse"):
            setattr(opt, name, _passing_over_zeros(getattr(opt, name), opt))

    def __getattr__(self, name):
        return getattr(self._opt, name)


def clip_gradients_by_global_norm(gradients_variables, clip_norm=20.0):
    """Clips gradients by their global norm, in which those that are all zeros count as zero, of whatever shape.

    Args:
      gradients_variables: (gradient, variable) pairs.
      clip_norm: the largest norm.

    Returns:
      The pairs with clipped gradients, and the norm.
    """
    gradients, variables = zip(*gradients_variables, strict=True)

    def without_zeros(grad):
        if grad is None:
            return grad
        zero = _is_all_zeros(grad)
        return control_flow.cond(zero, lambda: filling.zeros([], dtype=dtypes.as_dtype(grad.dtype)), lambda: grad)

    norm = clip.global_norm([without_zeros(grad) for grad in gradients])
    gradients, _ = clip.clip_by_global_norm(gradients, clip_norm, use_norm=norm)
    return list(zip(gradients, variables, strict=True)), norm
