"""tf.train.replica_device_setter: which operations of a replica run on parameter servers, and on which."""

from ferroflow._src.framework.device_spec import DeviceSpec

_VARIABLES = ("Variable", "VariableV2", "AutoReloadVariable", "MutableHashTable", "MutableHashTableV2",
              "MutableHashTableOfTensors", "MutableHashTableOfTensorsV2", "MutableDenseHashTable",
              "MutableDenseHashTableV2", "VarHandleOp", "BoostedTreesEnsembleResourceHandleOp",
              "BoostedTreesQuantileStreamResourceHandleOp")  # fmt: skip


class _RoundRobin:
    """Gives one parameter server after the other."""

    def __init__(self, num_tasks):
        self._num_tasks = num_tasks
        self._next = 0

    def __call__(self, op):
        task = self._next
        self._next = (task + 1) % self._num_tasks
        return task


def replica_device_setter(
    ps_tasks=0,
    ps_device="/job:ps",
    worker_device="/job:worker",
    merge_devices=True,
    cluster=None,
    ps_ops=None,
    ps_strategy=None,
):
    """Returns a device function for `tf.device`: variables on parameter servers, all else on the worker.

    Args:
      ps_tasks: how many parameter servers there are; with 0 and no `cluster` there is nothing to place.
      ps_device: the device of the parameter servers, without a task.
      worker_device: the device of everything else.
      merge_devices: whether an operation's own device is completed, rather than kept as it is.
      cluster: a `ClusterDef`, a `ClusterSpec` or a dict of it, which says how many parameter servers there are.
      ps_ops: the types of operations that parameter servers hold; None for those of variables.
      ps_strategy: a function of an operation that returns a task; None to take them in turn.

    Returns:
      A function of an operation that returns its device; None where there are no parameter servers.

    Raises:
      TypeError: when `cluster` is none, or `ps_strategy` cannot be called.
    """
    if cluster is not None:
        ps_tasks = len(_jobs(cluster).get(DeviceSpec.from_string(ps_device).job, ()))
    if not ps_tasks:
        return None
    ps_ops = _VARIABLES if ps_ops is None else ps_ops
    ps_strategy = _RoundRobin(ps_tasks) if ps_strategy is None else ps_strategy
    if not callable(ps_strategy):
        raise TypeError("ps_strategy must be callable")

    def device_function(op):
        own = DeviceSpec.from_string(op.device or "")
        if op.device and not merge_devices:
            return op.device
        if ps_device and op.type in ps_ops:
            place = DeviceSpec.from_string(ps_device)
            if place.job and own.job in (None, place.job):
                place = place.replace(task=ps_strategy(op))
        else:
            place = DeviceSpec.from_string(worker_device or "")
        return place.make_merged_spec(own).to_string()

    return device_function


def _jobs(cluster):
    """{job: its tasks} of whatever describes a cluster."""
    if isinstance(cluster, dict):
        return cluster
    if hasattr(cluster, "as_dict"):
        return cluster.as_dict()
    if type(cluster).__name__ == "ClusterDef":
        return {job.name: job.tasks for job in cluster.job}
    raise TypeError(
        "`cluster` must be a dictionary mapping one or more job names to lists of network addresses, or a `ClusterDef` "
        "protocol buffer"
    )
