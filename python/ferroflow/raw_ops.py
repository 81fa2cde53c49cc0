"""tf.raw_ops: every op as a function of keywords: `tf.raw_ops.MatMul(a=x, b=y)`."""

from ferroflow import _core as _core
from ferroflow._src.framework.apply import apply_op as _apply_op


def __getattr__(op_type):
    signature = None if op_type.startswith("_") else _core.op_signature(op_type)
    if signature is None:
        raise AttributeError(f"module 'ferroflow.raw_ops' has no attribute {op_type!r}")

    def make(**kwargs):
        return _apply_op(op_type, **kwargs)

    make.__name__ = make.__qualname__ = op_type
    made = [*(arg.name for arg in signature.inputs), *(attr.name for attr in signature.attrs), "name"]
    make.__doc__ = f"Makes the op {op_type}; its keywords are {', '.join(made)}."
    globals()[op_type] = make
    return make


def __dir__():
    return [name for name in _core.op_names() if not name.startswith("_")]
