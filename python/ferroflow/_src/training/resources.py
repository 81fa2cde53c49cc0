"""Resources that a graph has to make before it runs, besides variables and tables."""

import collections
import os

from ferroflow._src.framework import dtypes
from ferroflow._src.framework.apply import apply_op
from ferroflow._src.framework.collections import add_to_collection, get_collection
from ferroflow._src.framework.constant import constant
from ferroflow._src.framework.control_flow import group, no_op
from ferroflow._src.framework.graph_keys import GraphKeys
from ferroflow._src.framework.packing import stack
from ferroflow._src.framework.scopes import device, name_scope
from ferroflow._src.framework.slicing import masked

_Resource = collections.namedtuple("_Resource", ("handle", "create", "is_initialized"))


def register_resource(handle, create_op, is_initialized_op, is_shared=True):
    """Adds a resource to the graph's collections.

    Args:
      handle: the resource.
      create_op: the operation that makes it.
      is_initialized_op: a bool scalar: whether it is there.
      is_shared: whether all workers use it.
    """
    key = GraphKeys.RESOURCES if is_shared else GraphKeys.LOCAL_RESOURCES
    add_to_collection(key, _Resource(handle, create_op, is_initialized_op))


def shared_resources():
    """Returns the resources that all workers use."""
    return get_collection(GraphKeys.RESOURCES)


def local_resources():
    """Returns the resources of this worker alone."""
    return get_collection(GraphKeys.LOCAL_RESOURCES)


def report_uninitialized_resources(resource_list=None, name="report_uninitialized_resources"):
    """Returns the names of resources that are not there, a string vector.

    Args:
      resource_list: the resources; None for all.
      name: the operation's name.
    """
    if resource_list is None:
        resource_list = shared_resources() + local_resources()
    with name_scope(name), device(os.environ.get("TF_DEVICE_FOR_UNINITIALIZED_VARIABLE_REPORTING", "/cpu:0")):
        if not resource_list:
            return constant([], dtype=dtypes.string)
        missing = apply_op("LogicalNot", stack([resource.is_initialized for resource in resource_list]))
        return masked(constant([resource.handle.name for resource in resource_list]), missing)


def initialize_resources(resource_list, name="init"):
    """Makes an operation that makes resources.

    Args:
      resource_list: the resources.
      name: the operation's name.
    """
    if resource_list:
        return group(*[resource.create for resource in resource_list], name=name)
    return no_op(name=name)
