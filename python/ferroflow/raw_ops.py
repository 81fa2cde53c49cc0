"""tf.raw_ops: every op as a function of keywords: `tf.raw_ops.MatMul(a=x, b=y)`."""

import inspect as _inspect

from ferroflow import _core as _core
from ferroflow._src.framework.apply import apply_op as _apply_op

# Arguments that TensorFlow calls otherwise here than in the op's definition.
_AXIS = {"reduction_indices": "axis"}
_RENAMED = {
    **dict.fromkeys(["All", "Any", "EuclideanNorm", "Max", "Mean", "Min", "Prod", "Sum"], _AXIS),
    "ExpandDims": {"dim": "axis"},
    "Select": {"t": "x", "e": "y"},
    "Split": {"split_dim": "axis"},
    "SplitV": {"split_dim": "axis"},
    "Squeeze": {"squeeze_dims": "axis"},
    "Where": {"input": "condition"},
}


def __getattr__(op_type):
    signature = None if op_type.startswith("_") else _core.op_signature(op_type)
    if signature is None:
        raise AttributeError(f"module 'ferroflow.raw_ops' has no attribute {op_type!r}")

    renamed = _RENAMED.get(op_type, {})
    inner = {public: own for own, public in renamed.items()}

    def make(**kwargs):
        return _apply_op(op_type, **{inner.get(key, key): value for key, value in kwargs.items()})

    make.__name__ = make.__qualname__ = op_type
    make.__signature__ = _signature(signature, renamed)
    make.__doc__ = f"Makes the op {op_type}; its keywords are {', '.join(make.__signature__.parameters)}."
    globals()[op_type] = make
    return make


def _signature(op, renamed):
    """The keywords of an op as TensorFlow orders them: inputs, attributes, attributes that have values, name."""
    told = {a for arg in op.inputs for a in (arg.type_attr, arg.number_attr, arg.type_list_attr)}
    attrs = [attr for attr in op.attrs if attr.name not in told]
    needed = [*(arg.name for arg in op.inputs), *(attr.name for attr in attrs if not attr.has_default)]
    given = [(attr.name, _plain(attr.default)) for attr in attrs if attr.has_default]
    kind = _inspect.Parameter.POSITIONAL_OR_KEYWORD
    return _inspect.Signature(
        [
            *(_inspect.Parameter(renamed.get(name, name), kind) for name in needed),
            *(
                _inspect.Parameter(renamed.get(name, name), kind, default=value)
                for name, value in [*given, ("name", None)]
            ),
        ]
    )


def _plain(default):
    """A default as Python code would write it."""
    if isinstance(default, float):
        return float(f"{default:.7g}")  # attributes are stored as float32
    if isinstance(default, bytes):
        return default.decode()
    return [_plain(one) for one in default] if isinstance(default, list) else default


def __dir__():
    return [name for name in _core.op_names() if not name.startswith("_")]
