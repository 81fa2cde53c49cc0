"""tf.errors: one exception class for each canonical status code."""

import contextlib

OK = 0
CANCELLED = 1
UNKNOWN = 2
INVALID_ARGUMENT = 3
DEADLINE_EXCEEDED = 4
NOT_FOUND = 5
ALREADY_EXISTS = 6
PERMISSION_DENIED = 7
RESOURCE_EXHAUSTED = 8
FAILED_PRECONDITION = 9
ABORTED = 10
OUT_OF_RANGE = 11
UNIMPLEMENTED = 12
INTERNAL = 13
UNAVAILABLE = 14
DATA_LOSS = 15
UNAUTHENTICATED = 16


class OpError(Exception):
    """What a run raises: a status code, a message, and the operation that failed where one is known."""

    def __init__(self, node_def, op, message, error_code):
        """Creates an error.

        Args:
          node_def: the `NodeDef` of the operation that failed, or None.
          op: the `Operation` that failed, or None.
          message: a string.
          error_code: one of the codes of this module.
        """
        super().__init__()
        self._message = message
        self._node_def = node_def
        self._op = op
        self._error_code = error_code
        # The name of the node, until a session has found its Operation.
        self._node_name = None

    def __reduce__(self):
        # Operations and nodes belong to their graph and stay behind.
        return _rebuild, (type(self), self._message, self._error_code)

    @property
    def message(self):
        """The text of the error."""
        return self._message

    @property
    def op(self):
        """The `Operation` that failed, or None: nodes that the planner adds have none."""
        return self._op

    @property
    def error_code(self):
        """One of the codes of this module."""
        return self._error_code

    @property
    def node_def(self):
        """The `NodeDef` of the operation that failed, or None."""
        if self._node_def is None and self._node_name is not None and self._op is not None:
            self._node_def = self._op.node_def
        return self._node_def

    def __str__(self):
        return str(self._message)


def _rebuild(cls, message, error_code):
    if cls is OpError or cls not in _CODES:
        return OpError(None, None, message, error_code)
    return cls(None, None, message)


def _define(name, code, doc):
    def __init__(self, node_def, op, message):
        OpError.__init__(self, node_def, op, message, code)

    return type(name, (OpError,), {"__init__": __init__, "__doc__": doc, "__module__": __name__})


CancelledError = _define(
    "CancelledError", CANCELLED, "The run or the step was cancelled, as when its session is closed."
)


class UnknownError(OpError):
    """A fault without a better code."""

    def __init__(self, node_def, op, message, error_code=UNKNOWN):
        super().__init__(node_def, op, message, error_code)


InvalidArgumentError = _define(
    "InvalidArgumentError", INVALID_ARGUMENT, "An operation got a value that it cannot take."
)
DeadlineExceededError = _define("DeadlineExceededError", DEADLINE_EXCEEDED, "The time allowed was over before the end.")
NotFoundError = _define("NotFoundError", NOT_FOUND, "A file, variable or other named thing is not there.")
AlreadyExistsError = _define("AlreadyExistsError", ALREADY_EXISTS, "What was to be made is there already.")
PermissionDeniedError = _define("PermissionDeniedError", PERMISSION_DENIED, "The caller may not do this.")
ResourceExhaustedError = _define("ResourceExhaustedError", RESOURCE_EXHAUSTED, "Memory, disk or another store is full.")
FailedPreconditionError = _define(
    "FailedPreconditionError", FAILED_PRECONDITION, "The state is not ready for this: a variable without a value, say."
)
AbortedError = _define("AbortedError", ABORTED, "The operation gave way to another one.")
OutOfRangeError = _define("OutOfRangeError", OUT_OF_RANGE, "The end of the input, of a queue or of a range was passed.")
UnimplementedError = _define("UnimplementedError", UNIMPLEMENTED, "There is no kernel for this.")
InternalError = _define("InternalError", INTERNAL, "A fault in the system itself.")
UnavailableError = _define("UnavailableError", UNAVAILABLE, "The service cannot be reached at this time.")
DataLossError = _define("DataLossError", DATA_LOSS, "Data was lost or spoilt beyond repair.")
UnauthenticatedError = _define("UnauthenticatedError", UNAUTHENTICATED, "The caller's identity is not known.")

_CLASSES = {
    CANCELLED: CancelledError,
    UNKNOWN: UnknownError,
    INVALID_ARGUMENT: InvalidArgumentError,
    DEADLINE_EXCEEDED: DeadlineExceededError,
    NOT_FOUND: NotFoundError,
    ALREADY_EXISTS: AlreadyExistsError,
    PERMISSION_DENIED: PermissionDeniedError,
    RESOURCE_EXHAUSTED: ResourceExhaustedError,
    FAILED_PRECONDITION: FailedPreconditionError,
    ABORTED: AbortedError,
    OUT_OF_RANGE: OutOfRangeError,
    UNIMPLEMENTED: UnimplementedError,
    INTERNAL: InternalError,
    UNAVAILABLE: UnavailableError,
    DATA_LOSS: DataLossError,
    UNAUTHENTICATED: UnauthenticatedError,
}
_CODES = {cls: code for code, cls in _CLASSES.items()}


class OperatorNotAllowedInGraphError(TypeError):
    """A Python operator that needs a value was used on a symbolic tensor."""


def exception_type_from_error_code(error_code):
    """Returns the class of that code."""
    return _CLASSES[error_code]


def error_code_from_exception_type(cls):
    """Returns the code of that class; the code of `UnknownError` for one that has none."""
    return _CODES.get(cls, UNKNOWN)


def make_error(node, message, code):
    """Returns an error as the core reports it.

    Args:
      node: the name of the node that failed, or None.
      message: a string.
      code: one of the codes of this module; others give `UnknownError`.
    """
    error = _CLASSES.get(code, UnknownError)(None, None, message)
    error._node_name = node
    return error


@contextlib.contextmanager
def raise_exception_on_not_ok_status():
    """A block that does nothing: the core raises by itself. Programs for TensorFlow enter it."""
    yield None


class InaccessibleTensorError(ValueError):
    """A tensor of another function or block was asked for."""
