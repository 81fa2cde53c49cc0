"""Signatures of a SavedModel: which tensors a model takes and gives, by names for those who serve it."""

from ferroflow._src import proto
from ferroflow._src.framework import dtypes, stacks
from ferroflow._src.framework.composite import SparseTensor
from ferroflow._src.framework.tensor import Tensor

DEFAULT_SERVING_SIGNATURE_DEF_KEY = "serving_default"
CLASSIFY_INPUTS = "inputs"
CLASSIFY_METHOD_NAME = "tensorflow/serving/classify"
CLASSIFY_OUTPUT_CLASSES = "classes"
CLASSIFY_OUTPUT_SCORES = "scores"
PREDICT_INPUTS = "inputs"
PREDICT_METHOD_NAME = "tensorflow/serving/predict"
PREDICT_OUTPUTS = "outputs"
REGRESS_INPUTS = "inputs"
REGRESS_METHOD_NAME = "tensorflow/serving/regress"
REGRESS_OUTPUTS = "outputs"


def build_tensor_info(tensor):
    """Returns the `TensorInfo` message of a tensor or sparse tensor: its name, type and shape."""
    shape = tensor.get_shape().as_proto()
    info = proto.TensorInfo(dtype=dtypes.as_dtype(tensor.dtype).as_datatype_enum, tensor_shape=shape)
    if isinstance(tensor, SparseTensor):
        info.coo_sparse.values_tensor_name = tensor.values.name
        info.coo_sparse.indices_tensor_name = tensor.indices.name
        info.coo_sparse.dense_shape_tensor_name = tensor.dense_shape.name
    else:
        info.name = tensor.name
    return info


def get_tensor_from_tensor_info(tensor_info, graph=None, import_scope=None):
    """Returns the tensor, or sparse tensor, that a `TensorInfo` names.

    Args:
      tensor_info: the message.
      graph: a `Graph`; None for the default one.
      import_scope: the scope below which the model was imported.

    Raises:
      KeyError: when it is not there.
      ValueError: for an encoding that is neither a name nor a sparse tensor.
    """
    graph = graph or stacks.get_default_graph()

    def found(name):
        return graph.get_tensor_by_name(f"{import_scope}/{name}" if import_scope else name)

    encoding = tensor_info.WhichOneof("encoding")
    if encoding == "name":
        return found(tensor_info.name)
    if encoding == "coo_sparse":
        parts = tensor_info.coo_sparse
        names = (parts.indices_tensor_name, parts.values_tensor_name, parts.dense_shape_tensor_name)
        return SparseTensor(*map(found, names))
    raise ValueError(f"Invalid TensorInfo.encoding: {encoding}")


def build_signature_def(inputs=None, outputs=None, method_name=None):
    """Returns a `SignatureDef` message.

    Args:
      inputs: a dict of names to `TensorInfo`.
      outputs: likewise.
      method_name: what a server does with it.
    """
    made = proto.SignatureDef()
    for key, info in (inputs or {}).items():
        made.inputs[key].CopyFrom(info)
    for key, info in (outputs or {}).items():
        made.outputs[key].CopyFrom(info)
    if method_name is not None:
        made.method_name = method_name
    return made


def _infos(tensors):
    return {key: build_tensor_info(tensor) for key, tensor in tensors.items()}


def predict_signature_def(inputs, outputs):
    """Returns the `SignatureDef` of any prediction: dicts of names to tensors.

    Raises:
      ValueError: when one of them is empty.
    """
    if not inputs:
        raise ValueError("Prediction inputs cannot be None or empty.")
    if not outputs:
        raise ValueError("Prediction outputs cannot be None or empty.")
    return build_signature_def(_infos(inputs), _infos(outputs), PREDICT_METHOD_NAME)


def _examples(examples, what):
    if examples is None:
        raise ValueError(f"{what} examples cannot be None.")
    if not isinstance(examples, Tensor) or examples.dtype != dtypes.string:
        raise ValueError(f"{what} examples must be a string Tensor.")
    return build_tensor_info(examples)


def _of_type(tensor, dtype, message):
    if tensor.dtype != dtype:
        raise ValueError(message)
    return build_tensor_info(tensor)


def regression_signature_def(examples, predictions):
    """Returns the `SignatureDef` of a regression: serialized examples in, float numbers out.

    Raises:
      ValueError: when one is None or of another type.
    """
    inputs = {REGRESS_INPUTS: _examples(examples, "Regression")}
    if predictions is None:
        raise ValueError("Regression predictions cannot be None.")
    output = _of_type(predictions, dtypes.float32, "Regression output must be a float Tensor.")
    return build_signature_def(inputs, {REGRESS_OUTPUTS: output}, REGRESS_METHOD_NAME)


def classification_signature_def(examples, classes, scores):
    """Returns the `SignatureDef` of a classification: serialized examples in, classes and scores out.

    Raises:
      ValueError: when both outputs are None, or a tensor is of another type.
    """
    if examples is not None and classes is None and scores is None:
        raise ValueError("Classification classes and scores cannot both be None.")
    inputs = {CLASSIFY_INPUTS: _examples(examples, "Classification")}
    outputs = {}
    if classes is not None:
        outputs[CLASSIFY_OUTPUT_CLASSES] = _of_type(
            classes, dtypes.string, "Classification classes must be a string Tensor."
        )
    if scores is not None:
        outputs[CLASSIFY_OUTPUT_SCORES] = _of_type(
            scores, dtypes.float32, "Classification scores must be a float Tensor."
        )
    return build_signature_def(inputs, outputs, CLASSIFY_METHOD_NAME)


def is_valid_signature(signature_def):
    """Whether a server could use the signature."""
    inputs, outputs = signature_def.inputs, signature_def.outputs
    if not inputs or not outputs:
        return False
    method = signature_def.method_name
    if method == PREDICT_METHOD_NAME:
        return True
    if method == REGRESS_METHOD_NAME:
        return _has(inputs, {REGRESS_INPUTS: dtypes.string}, {REGRESS_INPUTS}) and _has(
            outputs, {REGRESS_OUTPUTS: dtypes.float32}, {REGRESS_OUTPUTS}
        )
    if method == CLASSIFY_METHOD_NAME:
        types = {CLASSIFY_OUTPUT_CLASSES: dtypes.string, CLASSIFY_OUTPUT_SCORES: dtypes.float32}
        return _has(inputs, {CLASSIFY_INPUTS: dtypes.string}, {CLASSIFY_INPUTS}) and _has(outputs, types, set())
    return False


def _has(infos, types, needed):
    """Whether the infos are some of `types`, all of `needed` among them."""
    keys = set(infos)
    if not needed <= keys <= set(types):
        return False
    return all(dtypes.as_dtype(infos[key].dtype) == types[key] for key in keys)
