"""tf.train.SyncReplicasOptimizer: replicas add up their gradients, and one update is made of them."""

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.composite import IndexedSlices
from ferroflow._src.framework.control_flow import group, no_op
from ferroflow._src.framework.fills import fill
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.name_scopes import name_scope
from ferroflow._src.framework.scopes import colocate_with, control_dependencies, device
from ferroflow._src.framework.tensor import Tensor
from ferroflow._src.framework.variable_lists import global_variables, report_uninitialized_variables
from ferroflow._src.framework.variables import Variable
from ferroflow._src.ops import state
from ferroflow._src.ops.accumulators import ConditionalAccumulator, SparseConditionalAccumulator
from ferroflow._src.ops.queues import FIFOQueue
from ferroflow._src.platform import tf_logging
from ferroflow._src.training import session_manager
from ferroflow._src.training.optimizer import Optimizer
from ferroflow._src.training.queue_runner import QueueRunner
from ferroflow._src.training.session_run_hook import SessionRunHook


class SyncReplicasOptimizer(Optimizer):
    """Wraps an optimizer so that it updates with the mean gradient of several replicas.

    Each variable has an accumulator. A thread of the chief takes the means once enough gradients have come, updates,
    counts the step and puts a token for each replica in a queue, where replicas wait for it. Gradients of an earlier
    step are dropped.
    """

    def __init__(
        self,
        opt,
        replicas_to_aggregate,
        total_num_replicas=None,
        variable_averages=None,
        variables_to_average=None,
        use_locking=False,
        name="sync_replicas",
    ):
        """Creates the optimizer.

        Args:
          opt: the optimizer that updates.
          replicas_to_aggregate: how many gradients make one update.
          total_num_replicas: how many replicas there are; None for `replicas_to_aggregate`.
          variable_averages: an `ExponentialMovingAverage` to keep up.
          variables_to_average: the variables that it averages.
          use_locking: whether updates lock.
          name: the scope of what is made.
        """
        if total_num_replicas is None:
            total_num_replicas = replicas_to_aggregate
        super().__init__(use_locking, name)
        tf_logging.info(
            "SyncReplicasV2: replicas_to_aggregate=%s; total_num_replicas=%s", replicas_to_aggregate, total_num_replicas
        )
        self._opt = opt
        self._replicas_to_aggregate = replicas_to_aggregate
        self._total_num_replicas = total_num_replicas
        self._tokens_per_step = max(total_num_replicas, replicas_to_aggregate)
        self._variable_averages = variable_averages
        self._variables_to_average = variables_to_average
        self._gradients_applied = False
        self._global_step = None
        self._sync_token_queue = None
        self._chief_queue_runner = None

    def compute_gradients(self, *args, **kwargs):
        """Calls the wrapped optimizer's `compute_gradients`."""
        return self._opt.compute_gradients(*args, **kwargs)

    def apply_gradients(self, grads_and_vars, global_step=None, name=None):
        """Makes the op that a replica runs: it adds its gradients and waits for a token.

        Args:
          grads_and_vars: (gradient, variable) pairs.
          global_step: the step counter.
          name: not used.

        Returns:
          The op.

        Raises:
          ValueError: when there are no pairs, or no `global_step`.
        """
        if not grads_and_vars:
            raise ValueError("Must supply at least one variable")
        if global_step is None:
            raise ValueError("Global step is required to check staleness")
        self._global_step = global_step
        with colocate_with(no_op()):  # on the worker, whatever the device of other variables is
            self._local_step = Variable(
                initial_value=0,
                trainable=False,
                collections=[GraphKeys.LOCAL_VARIABLES],
                dtype=global_step.dtype.base_dtype,
                name="sync_rep_local_step",
            )
        self.local_step_init_op = state.assign(self._local_step, global_step)
        self.ready_for_local_init_op = report_uninitialized_variables(global_variables())
        with name_scope(None, self._name):
            added, taken, accumulators = self._accumulate(grads_and_vars)
            with device(global_step.device), name_scope(""):
                update = self._opt.apply_gradients(taken, global_step)
            train_op = self._synchronize(added, update)
            inits = [self.local_step_init_op]
            for accumulator, where in accumulators:
                with device(where):
                    inits.append(accumulator.set_global_step(global_step, name="SetGlobalStep"))
            self.chief_init_op = group(*inits)
        self._gradients_applied = True
        return train_op

    def _accumulate(self, grads_and_vars):
        """Returns the ops that add gradients, pairs of what is taken, and the accumulators with their devices."""
        added, taken, accumulators = [], [], []
        for gradient, updated in grads_and_vars:
            with device(updated.device):
                if gradient is None:
                    taken.append((None, updated))
                    continue
                shared_name = updated.name + "/grad_accum"
                if isinstance(gradient, Tensor):
                    made = ConditionalAccumulator(gradient.dtype, shape=updated.get_shape(), shared_name=shared_name)
                    added.append(made.apply_grad(gradient, local_step=self._local_step))
                    mean = made.take_grad(self._replicas_to_aggregate)
                elif isinstance(gradient, IndexedSlices):
                    made = SparseConditionalAccumulator(gradient.dtype, shape=(), shared_name=shared_name)
                    added.append(made.apply_indexed_slices_grad(gradient, local_step=self._local_step))
                    mean = made.take_indexed_slices_grad(self._replicas_to_aggregate)
                else:
                    raise ValueError("Unknown grad type!")
                taken.append((mean, updated))
                accumulators.append((made, updated.device))
        return added, taken, accumulators

    def _synchronize(self, added, update):
        """Makes the queue of tokens and the chief's thread; returns what a replica runs."""
        step = self._global_step
        with device(step.device), name_scope(""):
            tokens = FIFOQueue(-1, step.dtype.base_dtype, shapes=(), name="sync_token_q", shared_name="sync_token_q")
            self._sync_token_queue = tokens
            # A queue runner closes its queue: one that nobody uses.
            unused = FIFOQueue(1, dtypes.int32, shapes=(), name="dummy_queue", shared_name="dummy_queue")
        with device(step.device), name_scope(""):
            with control_dependencies(added):
                token = tokens.dequeue()
            train_op = state.assign(self._local_step, token)
            with control_dependencies([update]):
                synchronize = tokens.enqueue_many((fill([self._tokens_per_step], step),))
            if self._variable_averages is not None:
                with control_dependencies([synchronize]), name_scope(""):
                    synchronize = self._variable_averages.apply(self._variables_to_average)
            self._chief_queue_runner = QueueRunner(unused, [synchronize])
        return train_op

    def get_chief_queue_runner(self):
        """Returns the `QueueRunner` whose thread updates.

        Raises:
          ValueError: before `apply_gradients`.
        """
        if not self._gradients_applied:
            raise ValueError("Should be called after apply_gradients().")
        return self._chief_queue_runner

    def get_slot(self, *args, **kwargs):
        """Calls the wrapped optimizer's `get_slot`."""
        return self._opt.get_slot(*args, **kwargs)

    def variables(self):
        """Returns the wrapped optimizer's variables."""
        return self._opt.variables()

    def get_slot_names(self, *args, **kwargs):
        """Calls the wrapped optimizer's `get_slot_names`."""
        return self._opt.get_slot_names(*args, **kwargs)

    def get_init_tokens_op(self, num_tokens=-1):
        """Makes the op with which the chief puts the first tokens in the queue.

        Args:
          num_tokens: how many; -1 for `replicas_to_aggregate`.

        Raises:
          ValueError: before `apply_gradients`, or when there would be too few for the first step.
        """
        if not self._gradients_applied:
            raise ValueError("get_init_tokens_op() should be called after apply_gradients().")
        needed = self._replicas_to_aggregate - self._total_num_replicas
        if num_tokens == -1:
            num_tokens = self._replicas_to_aggregate
        elif num_tokens < needed:
            raise ValueError(
                f"Too few tokens to finish the first step: {num_tokens:d} (given) vs {needed:d} (needed)"
            )
        if num_tokens <= 0:
            return no_op(name="no_init_tokens")
        with device(self._global_step.device), name_scope(""):
            return self._sync_token_queue.enqueue_many((fill([num_tokens], self._global_step),))

    def make_session_run_hook(self, is_chief, num_tokens=-1):
        """Returns the hook that initializes and, for the chief, starts the thread."""
        return _SyncReplicasOptimizerHook(self, is_chief, num_tokens)


class _SyncReplicasOptimizerHook(SessionRunHook):
    """Initializes what a `SyncReplicasOptimizer` made."""

    def __init__(self, sync_optimizer, is_chief, num_tokens):
        self._sync_optimizer = sync_optimizer
        self._is_chief = is_chief
        self._num_tokens = num_tokens

    def begin(self):
        optimizer = self._sync_optimizer
        if not optimizer._gradients_applied:
            raise ValueError("SyncReplicasOptimizer.apply_gradient should be called before using the hook.")
        self._ready_for_local_init_op = optimizer.ready_for_local_init_op
        self._local_init_op = optimizer.chief_init_op if self._is_chief else optimizer.local_step_init_op
        self._q_runner = optimizer.get_chief_queue_runner() if self._is_chief else None
        self._init_tokens_op = optimizer.get_init_tokens_op(self._num_tokens) if self._is_chief else None

    def after_create_session(self, session, coord):
        is_ready, message = session_manager.is_ready(
            self._ready_for_local_init_op, session, "Model is not ready for SyncReplicasOptimizer local init."
        )
        if not is_ready:
            raise RuntimeError(
                "Init operations did not make model ready for SyncReplicasOptimizer local_init. Init op: "
                f"{self._local_init_op.name}, error: {message}"
            )
        session.run(self._local_init_op)
        if self._init_tokens_op is not None:
            session.run(self._init_tokens_op)
        if self._q_runner is not None:
            self._q_runner.create_threads(session, coord=coord, daemon=True, start=True)
