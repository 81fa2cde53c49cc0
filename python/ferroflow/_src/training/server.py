"""tf.train.ClusterSpec and tf.train.Server: names of the processes that train together.

A server runs what is asked of it in this process: sessions whose target it is are sessions here. Those of one graph share
variables and queues, which stay when a session is closed.
"""

import socket
import threading

from ferroflow._src import proto
from ferroflow._src.framework import served
from ferroflow._src.framework.errors import InternalError, UnknownError
from ferroflow._src.framework.text import as_bytes

# Seconds between two looks for Ctrl-C while a server is joined.
_LOOK_EVERY_SECS = 0.2


class ClusterSpec:
    """Which tasks a cluster has: {job: addresses}.

    Example:
      tf.train.ClusterSpec({"ps": ["ps0:2222"], "worker": ["worker0:2222", "worker1:2222"]})
    """

    def __init__(self, cluster):
        """Creates the description.

        Args:
          cluster: a dict from jobs to lists of addresses, or to dicts from task numbers to addresses; a `ClusterDef`; or
            a `ClusterSpec`.

        Raises:
          TypeError: when it is none of them.
        """
        if isinstance(cluster, dict):
            self._cluster_spec = {job: _tasks_of(job, tasks) for job, tasks in cluster.items()}
            self._cluster_def = _message(self._cluster_spec)
            return
        if isinstance(cluster, proto.ClusterDef):
            self._cluster_def = cluster
        elif isinstance(cluster, ClusterSpec):
            self._cluster_def = proto.ClusterDef()
            self._cluster_def.CopyFrom(cluster.as_cluster_def())
        else:
            raise TypeError(
                "`cluster` must be a dictionary mapping one or more job names to lists of network addresses, or a "
                "`ClusterDef` protocol buffer"
            )
        self._cluster_spec = {job.name: dict(job.tasks) for job in self._cluster_def.job}

    def __bool__(self):
        return bool(self._cluster_spec)

    __nonzero__ = __bool__

    def __eq__(self, other):
        return self._cluster_spec == other

    def __ne__(self, other):
        return self._cluster_spec != other

    __hash__ = None

    def __str__(self):
        jobs = self.as_dict()
        return "ClusterSpec({" + ", ".join(f"{job!r}: {jobs[job]!r}" for job in sorted(jobs)) + "})"

    def as_dict(self):
        """Returns {job: list of addresses}; a dict from task numbers where some are missing."""
        found = {}
        for job, tasks in self._cluster_spec.items():
            is_whole = bool(tasks) and max(tasks) + 1 == len(tasks)
            found[job] = self.job_tasks(job) if is_whole else {i: tasks[i] for i in sorted(tasks)}
        return found

    def as_cluster_def(self):
        """Returns the `ClusterDef` message."""
        return self._cluster_def

    @property
    def jobs(self):
        """The names of the jobs."""
        return list(self._cluster_spec)

    def _job(self, name):
        if name not in self._cluster_spec:
            raise ValueError(f"No such job in cluster: {name!r}")
        return self._cluster_spec[name]

    def num_tasks(self, job_name):
        """Returns how many tasks a job has; a ValueError when there is no such job."""
        return len(self._job(job_name))

    def task_indices(self, job_name):
        """Returns the numbers of a job's tasks; a ValueError when there is no such job."""
        return sorted(self._job(job_name))

    def task_address(self, job_name, task_index):
        """Returns the address of a task.

        Raises:
          ValueError: when there is no such job or task.
        """
        tasks = self._job(job_name)
        if task_index not in tasks:
            raise ValueError(f"No task with index {task_index!r} in job {job_name!r}")
        return tasks[task_index]

    def job_tasks(self, job_name):
        """Returns the addresses of a job's tasks, None where one is missing; a ValueError when there is no such job."""
        tasks = self._job(job_name)
        return [tasks.get(i) for i in range(max(tasks) + 1)]


def _tasks_of(job, tasks):
    if isinstance(tasks, (list, tuple)):
        return dict(enumerate(tasks))
    if isinstance(tasks, dict):
        return dict(tasks)
    raise TypeError(f"The tasks for job {job!r} must be a list or a dictionary from integers to strings.")


def _message(jobs):
    made = proto.ClusterDef()
    for job, tasks in sorted(jobs.items()):
        entry = made.job.add()
        entry.name = _text(job, "Job name")
        for i, address in sorted(tasks.items()):
            entry.tasks[i] = _text(address, "Task address")
    return made


def _text(value, what):
    try:
        return as_bytes(value).decode("utf-8")
    except TypeError:
        raise TypeError(f"{what} {value!r} must be bytes or unicode") from None


class Server:
    """A task of a cluster. Its `target` is one for `tf.Session`, which then runs in this process."""

    def __init__(self, server_or_cluster_def, job_name=None, task_index=None, protocol=None, config=None, start=True):
        """Creates a server.

        Args:
          server_or_cluster_def: a `ServerDef`, or what `ClusterSpec` takes.
          job_name: the job of this task; None when there is one job.
          task_index: the number of this task; None when the job has one task.
          protocol: "grpc", or None for it.
          config: a `ConfigProto`, or None.
          start: whether it is started.

        Raises:
          TypeError: when the cluster is none.
          ValueError: when it is not clear which task this is.
          tf.errors.InternalError: when the cluster has no such job.
          tf.errors.UnknownError: when the address is taken.
        """
        self._socket = None
        self._stopped = threading.Event()
        self._server_def = _server_def(server_or_cluster_def, job_name, task_index, protocol, config)
        self._port = self._reserve()
        if start:
            self.start()

    def _reserve(self):
        """Takes the port of the task, so that no other server has its target."""
        for job in self._server_def.cluster.job:
            if job.name == self._server_def.job_name:
                address = job.tasks[self._server_def.task_index]
                port = int(address.rpartition(":")[2])
                self._socket = socket.socket()
                try:
                    self._socket.bind(("", port))
                except OSError:
                    self._socket.close()
                    raise UnknownError(None, None, "Could not start gRPC server") from None
                return self._socket.getsockname()[1]
        raise InternalError(None, None, f'Job "{self._server_def.job_name}" was not defined in cluster')

    def __del__(self):
        if self.__dict__.get("_socket") is not None:
            if self.__dict__.get("_port") is not None:
                served.stop_serving(self.target)
            self._socket.close()

    def start(self):
        """Starts it."""
        self._socket.listen()
        served.serve(self.target)

    def join(self):
        """Waits until it ends, which it does not."""
        while not self._stopped.wait(_LOOK_EVERY_SECS):
            pass

    @property
    def server_def(self):
        """The `ServerDef`."""
        return self._server_def

    @property
    def target(self):
        """The target for `tf.Session`."""
        return f"{self._server_def.protocol}://localhost:{self._port}"

    @staticmethod
    def create_local_server(config=None, start=True):
        """Returns a server of one task on a free port of this machine.

        Args:
          config: a `ConfigProto`, or None.
          start: whether it is started.
        """
        return Server({"local": ["localhost:0"]}, protocol="grpc", config=config, start=start)


def _server_def(server_or_cluster_def, job_name, task_index, protocol, config):
    made = proto.ServerDef()
    if isinstance(server_or_cluster_def, proto.ServerDef):
        made.CopyFrom(server_or_cluster_def)
    else:
        try:
            cluster = ClusterSpec(server_or_cluster_def)
        except TypeError:
            raise TypeError(
                "Could not convert `server_or_cluster_def` to a `tf.train.ServerDef` or `tf.train.ClusterSpec`."
            ) from None
        if job_name is None:
            if len(cluster.jobs) != 1:
                raise ValueError("Must specify an explicit `job_name`.")
            job_name = cluster.jobs[0]
        if task_index is None:
            indices = cluster.task_indices(job_name)
            if len(indices) != 1:
                raise ValueError("Must specify an explicit `task_index`.")
            task_index = indices[0]
        protocol = "grpc" if protocol is None else protocol
        made.cluster.CopyFrom(cluster.as_cluster_def())
    for field, value in (("job_name", job_name), ("task_index", task_index), ("protocol", protocol)):
        if value is not None:
            setattr(made, field, value)
    if config is not None:
        made.default_session_config.MergeFrom(config)
    return made
