"""tf.DType and the types themselves. A reference type (what an old-style variable gives) is its type's number plus 100."""

import builtins

import numpy as np

_REF = 100
_BOOL = builtins.bool

# Type numbers of DataType in types.proto, with names.
_NAMES = {
    1: "float32",
    2: "float64",
    3: "int32",
    4: "uint8",
    5: "int16",
    6: "int8",
    7: "string",
    8: "complex64",
    9: "int64",
    10: "bool",
    11: "qint8",
    12: "quint8",
    13: "qint32",
    14: "bfloat16",
    15: "qint16",
    16: "quint16",
    17: "uint16",
    18: "complex128",
    19: "float16",
    20: "resource",
    21: "variant",
    22: "uint32",
    23: "uint64",
}

_QINT8 = np.dtype([("qint8", np.int8)])
_QUINT8 = np.dtype([("quint8", np.uint8)])
_QINT16 = np.dtype([("qint16", np.int16)])
_QUINT16 = np.dtype([("quint16", np.uint16)])
_QINT32 = np.dtype([("qint32", np.int32)])
_RESOURCE = np.dtype([("resource", np.ubyte)])

_NUMPY = {
    1: np.float32,
    2: np.float64,
    3: np.int32,
    4: np.uint8,
    5: np.int16,
    6: np.int8,
    7: object,
    8: np.complex64,
    9: np.int64,
    10: np.bool_,
    11: _QINT8,
    12: _QUINT8,
    13: _QINT32,
    15: _QINT16,
    16: _QUINT16,
    17: np.uint16,
    18: np.complex128,
    19: np.float16,
    20: _RESOURCE,
    21: _RESOURCE,
    22: np.uint32,
    23: np.uint64,
}


def _bfloat16():
    import ml_dtypes

    return ml_dtypes.bfloat16


class _Half(np.float16):
    """A limit of float16, which prints as NumPy 1 printed it: without an exponent."""

    __slots__ = ()

    def __str__(self):
        return np.format_float_positional(self, trim="0")


class DType:
    """The type of a tensor's elements. There is one object a type: compare with `is` or `==`."""

    __slots__ = ("_is_ref_dtype", "_type_enum", "base_dtype", "name")

    def __new__(cls, type_enum):
        """Returns the type of that number of `types.proto`.

        Raises:
          TypeError: when there is none.
        """
        number = int(type_enum)
        known = _INTERNED.get(number)
        if known is None:
            raise TypeError(f"type_enum is not a valid types_pb2.DataType: {number}")
        return known

    def __setattr__(self, name, value):
        raise AttributeError(f"can't set attribute {name!r} of a DType")

    @property
    def _as_ref(self):
        return _INTERNED[self._type_enum % _REF + _REF]

    @property
    def real_dtype(self):
        """The type of the real part: float32 for complex64."""
        base = self.base_dtype
        return float32 if base is complex64 else float64 if base is complex128 else self

    @property
    def is_numpy_compatible(self):
        """Whether NumPy has such arrays: all but resource and variant."""
        return self._type_enum % _REF not in (20, 21)

    @property
    def as_numpy_dtype(self):
        """The NumPy type; bfloat16 is that of ml_dtypes."""
        number = self._type_enum % _REF
        return _bfloat16() if number == 14 else _NUMPY[number]

    @property
    def as_datatype_enum(self):
        """The number in types.proto; 100 more for a reference."""
        return self._type_enum

    @property
    def is_bool(self):
        return self.base_dtype is bool

    @property
    def is_integer(self):
        """Whether the type is an integer, and not a quantized one."""
        return self._type_enum % _REF in (3, 4, 5, 6, 9, 17, 22, 23)

    @property
    def is_floating(self):
        """Whether the type is real floating point."""
        return self._type_enum % _REF in (1, 2, 14, 19)

    @property
    def is_complex(self):
        return self._type_enum % _REF in (8, 18)

    @property
    def is_quantized(self):
        return self._type_enum % _REF in (11, 12, 13, 15, 16)

    @property
    def is_unsigned(self):
        """Whether the lowest value is 0; False for types without an order."""
        try:
            return self.min == 0
        except TypeError:
            return False

    @property
    def min(self):
        """The lowest finite value.

        Raises:
          TypeError: for types without an order.
        """
        return self._limit("min", "minimum")

    @property
    def max(self):
        """The highest finite value.

        Raises:
          TypeError: for types without an order.
        """
        return self._limit("max", "maximum")

    def _limit(self, which, word):
        if self.base_dtype is bfloat16:
            return self.as_numpy_dtype(float.fromhex("0x1.FEp127") * (-1 if which == "min" else 1))
        if self.is_floating:
            found = getattr(np.finfo(self.as_numpy_dtype), which)
            return _Half(found) if self.base_dtype is float16 else found
        if self.is_integer:
            return getattr(np.iinfo(self.as_numpy_dtype), which)
        raise TypeError(f"Cannot find {word} value of {self}.")

    @property
    def limits(self):
        """The range of an image's intensities: (0, highest)."""
        return 0, dtype_range[self.as_numpy_dtype][1]

    @property
    def size(self):
        """Bytes an element; 8 for strings, 1 for handles."""
        return np.dtype(self.as_numpy_dtype).itemsize if self.is_numpy_compatible else 1

    def is_compatible_with(self, other):
        """Whether a tensor of type `other` can be used where this type is wanted."""
        other = as_dtype(other)
        return self is other or self is other.base_dtype

    def __eq__(self, other):
        if self is other:
            return True
        if other is None or isinstance(other, DType):
            return False
        try:
            return as_dtype(other) is self
        except TypeError:
            return False

    def __ne__(self, other):
        return not self == other

    def __hash__(self):
        return self._type_enum

    def __str__(self):
        return f"<dtype: {self.name!r}>"

    def __repr__(self):
        return "tf." + self.name

    def __reduce__(self):
        return as_dtype, (self.name,)

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self


_INTERNED: dict[int, DType] = {}


def _intern():
    for number, name in _NAMES.items():
        plain, ref = object.__new__(DType), object.__new__(DType)
        for dtype, offset in ((plain, 0), (ref, _REF)):
            object.__setattr__(dtype, "_type_enum", number + offset)
            object.__setattr__(dtype, "_is_ref_dtype", offset > 0)
            object.__setattr__(dtype, "base_dtype", plain)
            object.__setattr__(dtype, "name", name + ("_ref" if offset else ""))
            _INTERNED[number + offset] = dtype


_intern()

dtype_range = {
    np.bool_: (False, True),
    np.uint8: (0, 255),
    np.uint16: (0, 65535),
    np.int8: (-128, 127),
    np.int16: (-32768, 32767),
    np.int64: (-(2**63), 2**63 - 1),
    np.uint64: (0, 2**64 - 1),
    np.int32: (-(2**31), 2**31 - 1),
    np.uint32: (0, 2**32 - 1),
    np.float32: (-1, 1),
    np.float64: (-1, 1),
}

float32 = DType(1)
float64 = double = DType(2)
int32 = DType(3)
uint8 = DType(4)
int16 = DType(5)
int8 = DType(6)
string = DType(7)
complex64 = DType(8)
int64 = DType(9)
bool = DType(10)
qint8 = DType(11)
quint8 = DType(12)
qint32 = DType(13)
bfloat16 = DType(14)
qint16 = DType(15)
quint16 = DType(16)
uint16 = DType(17)
complex128 = DType(18)
float16 = half = DType(19)
resource = DType(20)
variant = DType(21)
uint32 = DType(22)
uint64 = DType(23)

float32_ref = float32._as_ref
float64_ref = double_ref = float64._as_ref
int32_ref = int32._as_ref
uint8_ref = uint8._as_ref
int16_ref = int16._as_ref
int8_ref = int8._as_ref
string_ref = string._as_ref
complex64_ref = complex64._as_ref
int64_ref = int64._as_ref
bool_ref = bool._as_ref
float16_ref = half_ref = float16._as_ref
bfloat16_ref = bfloat16._as_ref
complex128_ref = complex128._as_ref
resource_ref = resource._as_ref

QUANTIZED_DTYPES = frozenset(
    dtype for base in (qint8, quint8, qint16, quint16, qint32) for dtype in (base, base._as_ref)
)

_BY_NAME = {dtype.name: dtype for dtype in _INTERNED.values()}
_BY_NAME |= {"half": float16, "float": float32, "double": float64}
_BY_NAME |= {"half_ref": float16._as_ref, "float_ref": float32._as_ref, "double_ref": float64._as_ref}
_BY_NUMPY = {kind: _INTERNED[number] for number, kind in _NUMPY.items() if isinstance(kind, type)}
_BY_NUMPY |= {np.str_: string, np.bytes_: string, np.object_: string}
_BY_STRUCT = {
    kind: _INTERNED[number] for number, kind in _NUMPY.items() if number not in (20, 21) and not isinstance(kind, type)
}
_BY_PYTHON = {float: float32, _BOOL: bool, object: string}


def as_dtype(type_value):
    """Converts to a `DType`.

    Args:
      type_value: a `DType`, its name, its number, a NumPy type or dtype, or Python's float, bool or object.

    Raises:
      TypeError: for anything else.
    """
    if type_value.__class__ is DType:
        return type_value
    if isinstance(type_value, np.dtype):
        found = _BY_NUMPY.get(type_value.type) or _BY_STRUCT.get(type_value) or _other_numpy(type_value)
    else:
        try:
            found = (
                _BY_NAME.get(type_value)
                if isinstance(type_value, str)
                else _BY_NUMPY.get(type_value) or _BY_PYTHON.get(type_value) or _INTERNED.get(type_value)
            )
        except TypeError:  # cannot be hashed
            found = None
        if found is None and isinstance(type_value, type) and issubclass(type_value, np.generic):
            found = _other_numpy(np.dtype(type_value))
    if found is None:
        raise TypeError(f"Cannot convert value {type_value!r} to a TensorFlow DType.")
    return found


def _other_numpy(dtype):
    """NumPy has several types of one size (`longlong`, `uintc`), and bfloat16 comes from another package."""
    if dtype.name == "bfloat16":
        return bfloat16
    if dtype.kind in "iuf" and dtype.itemsize <= 8:
        return _BY_NUMPY.get(np.dtype(f"{dtype.kind}{dtype.itemsize}").type)
    return None
