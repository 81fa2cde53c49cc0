"""Timeline: what a traced run did and when, drawn by chrome://tracing and Perfetto.

    options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
    metadata = tf.RunMetadata()
    sess.run(train_op, options=options, run_metadata=metadata)
    with open("timeline.json", "w") as file:
        file.write(timeline.Timeline(metadata.step_stats).generate_chrome_trace_format())

A device has one process for its operations and one for its tensors; operations that overlap lie in different threads.
The format is Chrome's "Trace Event Format".
"""

import collections
import json
import re

AllocationMaximum = collections.namedtuple("AllocationMaximum", ("timestamp", "num_bytes", "tensors"))
AllocationMaximum.__doc__ = "When most bytes of an allocator were in use, how many they were, and in which tensors."

StepStatsAnalysis = collections.namedtuple("StepStatsAnalysis", ("chrome_trace", "allocator_maximums"))
StepStatsAnalysis.__doc__ = "The trace, and {allocator: its `AllocationMaximum`}."

_LABEL = re.compile(r"(.*) = (.*)\((.*)\)")


class _Trace:
    """The events of a trace."""

    def __init__(self):
        self._names = []
        self._events = []

    def process(self, pid, name):
        self._names.append({"name": "process_name", "ph": "M", "pid": pid, "args": {"name": name}})

    def event(self, phase, category, name, pid, tid, timestamp, **more):
        head = {"ph": phase, "cat": category, "name": name, "pid": pid, "tid": tid, "ts": timestamp}
        self._events.append({**head, **more})

    def format_to_string(self, pretty=False):
        """Returns the trace as JSON."""
        trace = {"traceEvents": self._names + self._events}
        if pretty:
            return json.dumps(trace, indent=4, separators=(",", ": "))
        return json.dumps(trace, separators=(",", ":"))


class _Tensor:
    """A tensor's life: from its making to its last use."""

    def __init__(self, number, start, end, pid, producer, allocation):
        self.number = number
        self.start = start
        self.last_use = end
        self.pid = pid
        # When, in which process and thread it was ready.
        self.producer = producer
        self.allocator = allocation.allocator_name
        self.num_bytes = allocation.requested_bytes


class Timeline:
    """The trace of one run."""

    def __init__(self, step_stats, graph=None):
        """Takes the `StepStats` of a `RunMetadata`.

        Args:
          step_stats: the message.
          graph: not used.
        """
        self._step_stats = step_stats
        self._graph = graph
        self._trace = _Trace()
        self._tensors = {}
        self._maximums = {}
        self._num_flows = 0

    def analyze_step_stats(self, show_dataflow=True, show_memory=True):
        """Returns a `StepStatsAnalysis`.

        Args:
          show_dataflow: whether arrows lead from what makes a tensor to what uses it.
          show_memory: whether tensors and bytes in use are shown.
        """
        self._trace.process(0, "Allocators")
        devices = []
        for i, device in enumerate(self._step_stats.dev_stats):
            compute, tensors = 2 * i + 1, 2 * i + 2
            self._trace.process(compute, device.device + " Compute")
            self._trace.process(tensors, device.device + " Tensors")
            devices.append((device, compute, tensors))
            _assign_threads(device.node_stats)
        for device, compute, tensors in devices:
            for node in device.node_stats:
                self._note_tensors(node, compute, tensors, show_memory)
        for device, compute, _ in devices:
            for node in device.node_stats:
                self._show_operation(node, compute, device.device, show_dataflow)
        if show_memory:
            self._show_memory()
        return StepStatsAnalysis(self._trace, self._maximums)

    def generate_chrome_trace_format(self, show_dataflow=True, show_memory=False):
        """Returns the trace as JSON, to be written to a file.

        Args:
          show_dataflow: whether arrows lead from what makes a tensor to what uses it.
          show_memory: whether tensors and bytes in use are shown.
        """
        return self.analyze_step_stats(show_dataflow, show_memory).chrome_trace.format_to_string(pretty=True)

    def _note_tensors(self, node, compute, pid, show_memory):
        start, end, tid = node.all_start_micros, node.all_start_micros + node.all_end_rel_micros, node.thread_id
        for output in node.output:
            name = f"{node.node_name}:{output.slot}" if output.slot else node.node_name
            allocation = output.tensor_description.allocation_description
            tensor = _Tensor(len(self._tensors), start, end, pid, (end, compute, tid), allocation)
            self._tensors[name] = tensor
            if show_memory:
                text = str(output.tensor_description).replace('"', "")
                self._trace.event("N", "Tensor", name, pid, tid, start, id=tensor.number)
                snapshot = {"snapshot": {"tensor_description": text}}
                self._trace.event("O", "Tensor", name, pid, tid, end - 1, id=tensor.number, args=snapshot)

    def _show_operation(self, node, pid, device, show_dataflow):
        start, end, tid = node.all_start_micros, node.all_start_micros + node.all_end_rel_micros, node.thread_id
        name, inputs = node.node_name, []
        if "/stream:" in device or "/memcpy" in device:  # a card's own trace: "name:op"
            name, op = [*name.split(":"), "unknown"][:2]
        else:
            found = _LABEL.match(node.timeline_label)
            op = found.group(2) if found else "unknown"
            inputs = found.group(3).split(", ") if found and found.group(3) else []
        args = {"name": name, "op": op, **{f"input{i}": source for i, source in enumerate(inputs)}}
        self._trace.event("X", "Op", op, pid, tid, start, dur=node.all_end_rel_micros, args=args)
        for source in inputs:
            tensor = self._tensors.get(source)
            if tensor is None:
                continue
            tensor.last_use = max(tensor.last_use, end - 1)
            made, made_pid, made_tid = tensor.producer
            if show_dataflow and (made_pid, made_tid) != (pid, tid):
                flow = self._num_flows
                self._num_flows += 1
                self._trace.event("s", "DataFlow", source, made_pid, made_tid, made, id=flow)
                self._trace.event("t", "DataFlow", source, pid, tid, start, id=flow)

    def _show_memory(self):
        """A curve of the bytes in use for each allocator."""
        changes = {}
        for name, tensor in self._tensors.items():
            self._trace.event("D", "Tensor", name, tensor.pid, 0, tensor.last_use, id=tensor.number)
            changes.setdefault(tensor.allocator, []).extend(
                [(tensor.start, tensor.num_bytes, name), (tensor.last_use, -tensor.num_bytes, name)]
            )
        for allocator, steps in changes.items():
            in_use, tensors = 0, set()
            most = AllocationMaximum(0, 0, set())
            for timestamp, num_bytes, name in sorted(steps):
                in_use += num_bytes
                if num_bytes < 0:
                    tensors.discard(name)
                else:
                    tensors.add(name)
                if in_use > most.num_bytes:
                    most = AllocationMaximum(timestamp, in_use, set(tensors))
                self._trace.event("C", "Memory", allocator, 0, 0, timestamp, args={allocator: in_use})
            self._maximums[allocator] = most


def _assign_threads(nodes):
    """Puts operations that overlap into different threads."""
    free_from = [0]
    for node in nodes:
        end = node.all_start_micros + node.all_end_rel_micros
        thread = next((i for i, free in enumerate(free_from) if node.all_start_micros > free), len(free_from))
        free_from[thread : thread + 1] = [end]
        node.thread_id = thread


__all__ = ["AllocationMaximum", "StepStatsAnalysis", "Timeline"]
