"""Writes TensorFlow 1.15's message schema as one FileDescriptorSet.

    python3.7 descriptors.py ../../../../python/ferroflow/_src/proto/generated/tensorflow.desc

Needs an interpreter that has TensorFlow 1.15 (see tests/oracle/setup.sh). Message names, field names, numbers and types
are what programs and files must agree on; comments and the options that concern other languages are left out.
"""
import importlib
import sys

import tensorflow.contrib  # noqa: F401  (its lazy parent cannot be imported piecewise)
from google.protobuf import descriptor_pb2

# The files that TF1 programs, TensorBoard and the readers of checkpoints need; what they import comes with them.
ROOTS = """
core/example/example core/example/feature core/example/example_parser_configuration
core/framework/allocation_description core/framework/attr_value core/framework/cost_graph
core/framework/device_attributes core/framework/function core/framework/graph core/framework/log_memory
core/framework/node_def core/framework/op_def core/framework/reader_base core/framework/resource_handle
core/framework/step_stats core/framework/summary core/framework/tensor core/framework/tensor_description
core/framework/tensor_shape core/framework/tensor_slice core/framework/types core/framework/variable
core/framework/versions
core/lib/core/error_codes
core/profiler/tfprof_log core/profiler/tfprof_options core/profiler/tfprof_output
core/protobuf/cluster core/protobuf/config core/protobuf/control_flow core/protobuf/debug
core/protobuf/device_properties core/protobuf/graph_debug_info core/protobuf/meta_graph core/protobuf/named_tensor
core/protobuf/queue_runner core/protobuf/rewriter_config core/protobuf/saved_model core/protobuf/saved_object_graph
core/protobuf/saver core/protobuf/struct core/protobuf/tensor_bundle core/protobuf/tensorflow_server
core/protobuf/trackable_object_graph core/protobuf/verifier_config
core/util/event core/util/memmapped_file_system core/util/saved_tensor_slice
contrib/tensorboard/plugins/projector/projector_config
contrib/training/python/training/hparam
python/training/checkpoint_state
""".split()

WELL_KNOWN = 'any duration empty struct timestamp wrappers'.split()


def collect(found, file):
    """Adds `file` after everything that it imports."""
    if file.name in found:
        return
    for imported in file.dependencies:
        collect(found, imported)
    proto = descriptor_pb2.FileDescriptorProto()
    file.CopyToProto(proto)
    proto.ClearField('source_code_info')
    proto.ClearField('options')
    found[file.name] = proto


def main(path):
    found = {}
    for name in WELL_KNOWN:
        collect(found, importlib.import_module('google.protobuf.%s_pb2' % name).DESCRIPTOR)
    for name in ROOTS:
        module = importlib.import_module('tensorflow.%s_pb2' % name.replace('/', '.'))
        collect(found, module.DESCRIPTOR)
    with open(path, 'wb') as out:
        out.write(descriptor_pb2.FileDescriptorSet(file=found.values()).SerializeToString())


if __name__ == '__main__':
    main(sys.argv[1])
