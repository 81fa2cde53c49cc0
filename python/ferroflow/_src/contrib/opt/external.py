"""tf.contrib.opt.ExternalOptimizerInterface and ScipyOptimizerInterface: losses minimized by programs outside of the graph."""

import itertools
import math

import numpy as np

from ferroflow._src.framework.gradients import gradients
from ferroflow._src.framework.placeholders import placeholder
from ferroflow._src.framework.stacks import get_default_session
from ferroflow._src.framework.variable_lists import trainable_variables
from ferroflow._src.ops import array, filling
from ferroflow._src.platform import tf_logging as logging


class ExternalOptimizerInterface:
    """Minimizes a loss by a function of one long vector: all variables, one after another. Subclasses give `_minimize`."""

    def __init__(self, loss, var_list=None, equalities=None, inequalities=None, var_to_bounds=None, **optimizer_kwargs):
        """Makes the gradients and the updates.

        Args:
          loss: a scalar `Tensor`.
          var_list: variables; None for all trainable ones.
          equalities: scalars to be held at zero.
          inequalities: scalars to be held at zero or more.
          var_to_bounds: {variable: (least, most)}, each broadcast to its shape.
          **optimizer_kwargs: for the program.
        """
        self._loss = loss
        self._equalities = equalities or []
        self._inequalities = inequalities or []
        self._vars = trainable_variables() if var_list is None else list(var_list)
        self._packed_bounds = None if var_to_bounds is None else self._bounds(var_to_bounds)
        self._update_placeholders = [placeholder(var.dtype) for var in self._vars]
        self._var_updates = [
            var.assign(array.reshape(value, _shape(var)))
            for var, value in zip(self._vars, self._update_placeholders, strict=True)
        ]
        of_loss = self._gradients(loss)
        of_equalities = [self._gradients(x) for x in self._equalities]
        of_inequalities = [self._gradients(x) for x in self._inequalities]
        self.optimizer_kwargs = optimizer_kwargs
        self._packed_var = self._pack(self._vars)
        self._packed_loss_grad = self._pack(of_loss)
        self._packed_equality_grads = [self._pack(grads) for grads in of_equalities]
        self._packed_inequality_grads = [self._pack(grads) for grads in of_inequalities]
        ends = list(itertools.accumulate((math.prod(_shape(var)) for var in self._vars), initial=0))
        self._packing_slices = [slice(start, end) for start, end in itertools.pairwise(ends)]

    def minimize(
        self, session=None, feed_dict=None, fetches=None, step_callback=None, loss_callback=None, **run_kwargs
    ):
        """Minimizes the loss and leaves the result in the variables.

        Args:
          session: a `Session`; None for the default one.
          feed_dict: for each evaluation.
          fetches: what else each evaluation fetches, for `loss_callback`.
          step_callback: called with the vector at each step of the program.
          loss_callback: called with the fetched values at each evaluation of the loss.
          **run_kwargs: for the `run` of the updates.
        """
        session = session or get_default_session()
        feed_dict = feed_dict or {}
        fetches = fetches or []
        loss_callback = loss_callback or (lambda *fetched: None)
        step_callback = step_callback or (lambda vector: None)

        def function(tensors, callback=None):
            return self._make_eval_func(tensors, session, feed_dict, fetches, callback)

        result = self._minimize(
            loss_grad_func=function([self._loss, self._packed_loss_grad], loss_callback),
            equality_funcs=[function(x) for x in self._equalities],
            equality_grad_funcs=[function(x) for x in self._packed_equality_grads],
            inequality_funcs=[function(x) for x in self._inequalities],
            inequality_grad_funcs=[function(x) for x in self._packed_inequality_grads],
            initial_val=session.run(self._packed_var),
            packed_bounds=self._packed_bounds,
            step_callback=step_callback,
            optimizer_kwargs=self.optimizer_kwargs,
        )
        values = [result[part] for part in self._packing_slices]
        session.run(
            self._var_updates, feed_dict=dict(zip(self._update_placeholders, values, strict=True)), **run_kwargs
        )

    def _minimize(
        self,
        initial_val,
        loss_grad_func,
        equality_funcs,
        equality_grad_funcs,
        inequality_funcs,
        inequality_grad_funcs,
        packed_bounds,
        step_callback,
        optimizer_kwargs,
    ):
        """Returns the vector at the minimum. Functions take the vector and return lists of arrays."""
        raise NotImplementedError(
            "To use ExternalOptimizerInterface, subclass from it and implement the _minimize() method."
        )

    def _bounds(self, var_to_bounds):
        least, most = [], []
        for var in self._vars:
            lower, upper = var_to_bounds.get(var, (-np.inf, np.inf))
            least.extend(np.broadcast_to(lower, _shape(var)).flat)
            most.extend(np.broadcast_to(upper, _shape(var)).flat)
        return list(zip(least, most, strict=True))

    def _gradients(self, tensor):
        grads = gradients(tensor, self._vars)
        pairs = zip(self._vars, grads, strict=True)
        return [filling.zeros_like(var) if grad is None else grad for var, grad in pairs]

    @classmethod
    def _pack(cls, tensors):
        if not tensors:
            return None
        flat = [array.reshape(tensor, [-1]) for tensor in tensors]
        return flat[0] if len(flat) == 1 else array.concat(flat, 0)

    def _make_eval_func(self, tensors, session, feed_dict, fetches, callback=None):
        """Returns a function of the vector that evaluates `tensors` where the variables have its values."""
        if not isinstance(tensors, list):
            tensors = [tensors]

        def evaluate(vector):
            feeds = {
                var: vector[part].reshape(_shape(var))
                for var, part in zip(self._vars, self._packing_slices, strict=True)
            }
            found = session.run(tensors + fetches, feed_dict={**feeds, **feed_dict})
            if callable(callback):
                callback(*found[len(tensors) :])
            return found[: len(tensors)]

        return evaluate


class ScipyOptimizerInterface(ExternalOptimizerInterface):
    """Minimizes by `scipy.optimize.minimize`, by default with the method L-BFGS-B.

    Example:

        optimizer = tf.contrib.opt.ScipyOptimizerInterface(loss, options={'maxiter': 100})
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            optimizer.minimize(session)
    """

    _DEFAULT_METHOD = "L-BFGS-B"

    def _minimize(
        self,
        initial_val,
        loss_grad_func,
        equality_funcs,
        equality_grad_funcs,
        inequality_funcs,
        inequality_grad_funcs,
        packed_bounds,
        step_callback,
        optimizer_kwargs,
    ):
        def loss_and_gradient(vector):
            loss, gradient = loss_grad_func(vector)
            return loss, gradient.astype("float64")

        given = dict(optimizer_kwargs)
        method = given.pop("method", self._DEFAULT_METHOD)
        constraints = [
            {"type": kind, "fun": function, "jac": derivative}
            for kind, functions, derivatives in (
                ("eq", equality_funcs, equality_grad_funcs),
                ("ineq", inequality_funcs, inequality_grad_funcs),
            )
            for function, derivative in zip(functions, derivatives, strict=True)
        ]
        own = {
            "jac": True,
            "callback": step_callback,
            "method": method,
            "constraints": constraints,
            "bounds": packed_bounds,
        }
        for key in own:
            if key in given:
                if key == "bounds":
                    raise ValueError("Bounds must be set using the var_to_bounds argument")
                raise ValueError(f"Optimizer keyword arg '{key}' is set automatically and cannot be injected manually")
        import scipy.optimize  # an installation without it has all else

        result = scipy.optimize.minimize(loss_and_gradient, initial_val, **own, **given)
        lines, values = ["Optimization terminated with:", "  Message: %s", "  Objective function value: %f"], []
        values += [result.message, result.fun]
        if hasattr(result, "nit"):
            lines.append("  Number of iterations: %d")
            values.append(result.nit)
        if hasattr(result, "nfev"):
            lines.append("  Number of functions evaluations: %d")
            values.append(result.nfev)
        logging.info("\n".join(lines), *values)
        return result["x"]


def _shape(variable):
    return tuple(variable.get_shape().as_list())
