"""tf.TensorShape and tf.Dimension: what is known of a tensor's shape while the graph is built."""

import numpy as np

_TEXT = (bytes, str)


def _arithmetic(operation, is_reversed=False):
    """A method of Dimension: `operation` on two known sizes; unknown when one of them is."""

    def method(self, other):
        try:
            other = as_dimension(other)
        except (TypeError, ValueError):
            return NotImplemented
        if self._value is None or other._value is None:
            return Dimension(None)
        pair = (other._value, self._value) if is_reversed else (self._value, other._value)
        return Dimension(operation(*pair))

    return method


def _comparison(operation):
    """A method of Dimension that is None, not False, when one of the two is unknown."""

    def method(self, other):
        try:
            other = as_dimension(other)
        except (TypeError, ValueError):
            return NotImplemented
        if self._value is None or other._value is None:
            return None
        return operation(self._value, other._value)

    return method


class Dimension:
    """The size of one dimension: `value` is an int, or None when it is unknown.

    Arithmetic with an unknown dimension is unknown; comparison with one is None.
    """

    __slots__ = ("_value",)

    def __init__(self, value):
        """Creates a dimension from an int, None, or another dimension.

        Raises:
          ValueError: for a negative or fractional size.
          TypeError: for a DType, or what is no number.
        """
        if value is None or value.__class__ is int:
            number = value
        else:
            if value.__class__.__name__ == "DType":
                raise TypeError(f"Cannot convert {value} to Dimension")
            number = value._value if isinstance(value, Dimension) else int(value)
            if not isinstance(value, (*_TEXT, Dimension)) and number != value:
                raise ValueError(f"Ambiguous dimension: {value}")
        if number is not None and number < 0:
            raise ValueError(f"Dimension {number} must be >= 0")
        self._value = number

    @property
    def value(self):
        """The size, or None."""
        return self._value

    def is_compatible_with(self, other):
        """Whether the two can be the same size."""
        other = as_dimension(other)
        return self._value is None or other._value is None or self._value == other._value

    def assert_is_compatible_with(self, other):
        """Raises ValueError when the two cannot be the same size."""
        if not self.is_compatible_with(other):
            raise ValueError(f"Dimensions {self} and {other} are not compatible")

    def merge_with(self, other):
        """Returns what is known from both together; ValueError when they differ."""
        try:
            other = as_dimension(other)
        except (TypeError, ValueError):
            return NotImplemented
        self.assert_is_compatible_with(other)
        return Dimension(other._value if self._value is None else self._value)

    __add__ = _arithmetic(lambda a, b: a + b)
    __radd__ = _arithmetic(lambda a, b: a + b, is_reversed=True)
    __sub__ = _arithmetic(lambda a, b: a - b)
    __rsub__ = _arithmetic(lambda a, b: a - b, is_reversed=True)
    __mul__ = _arithmetic(lambda a, b: a * b)
    __rmul__ = _arithmetic(lambda a, b: a * b, is_reversed=True)
    __floordiv__ = _arithmetic(lambda a, b: a // b)
    __rfloordiv__ = _arithmetic(lambda a, b: a // b, is_reversed=True)
    __div__ = __floordiv__
    __mod__ = _arithmetic(lambda a, b: a % b)
    __rmod__ = _arithmetic(lambda a, b: a % b, is_reversed=True)
    __eq__ = _comparison(lambda a, b: a == b)
    __ne__ = _comparison(lambda a, b: a != b)
    __lt__ = _comparison(lambda a, b: a < b)
    __le__ = _comparison(lambda a, b: a <= b)
    __gt__ = _comparison(lambda a, b: a > b)
    __ge__ = _comparison(lambda a, b: a >= b)
    __hash__ = None  # as in TensorFlow: equality has three answers

    def __truediv__(self, other):
        raise TypeError(
            f"unsupported operand type(s) for /: 'Dimension' and '{type(other).__name__}', please use // instead"
        )

    def __rtruediv__(self, other):
        raise TypeError(
            f"unsupported operand type(s) for /: '{type(other).__name__}' and 'Dimension', please use // instead"
        )

    def __int__(self):
        return self._value

    def __index__(self):
        if self._value is None:
            raise TypeError("__index__ returned non-int (type NoneType)")
        return self._value

    def __repr__(self):
        return f"Dimension({self._value!r})"

    def __str__(self):
        return "?" if self._value is None else str(self._value)

    def __reduce__(self):
        return Dimension, (self._value,)


def as_dimension(value):
    """Returns `value` as a `Dimension`."""
    return value if isinstance(value, Dimension) else Dimension(value)


def dimension_value(dimension):
    """Returns the int or None in a dimension; other things as they are."""
    return dimension._value if isinstance(dimension, Dimension) else dimension


def dimension_at_index(shape, index):
    """Returns the dimension at `index`, unknown when the rank is."""
    return Dimension(None) if shape.rank is None else shape.dims[index]


def _size(value):
    return value if value is None or value.__class__ is int and value >= 0 else Dimension(value)._value


class TensorShape:
    """The shape of a tensor, as far as it is known: fully, in some dimensions, in the rank alone, or not at all."""

    # An unknown dimension equals none but itself: `_source` is the tensor (or shape) that this shape was taken from.
    __slots__ = ("_sizes", "_source")

    def __init__(self, dims):
        """Creates a shape.

        Args:
          dims: a list of sizes (ints, None or dimensions), one size, a `TensorShapeProto`, another shape, or None when
            nothing is known.

        Raises:
          TypeError: for a string, or what has no sizes.
        """
        self._source = None
        if dims is None:
            self._sizes = None
        elif isinstance(dims, (list, tuple)):
            self._sizes = tuple([_size(d) for d in dims])
        elif isinstance(dims, TensorShape):
            self._sizes, self._source = dims._sizes, dims._origin()
        elif isinstance(dims, _TEXT):
            raise TypeError(f"A string has ambiguous TensorShape, please wrap in a list or convert to an int: {dims}")
        elif hasattr(dims, "unknown_rank"):
            self._sizes = None if dims.unknown_rank else tuple(None if d.size == -1 else int(d.size) for d in dims.dim)
        else:
            try:
                sizes = iter(dims)
            except TypeError:
                self._sizes = (_size(dims),)
            else:
                self._sizes = tuple([_size(d) for d in sizes])

    @classmethod
    def _of(cls, sizes, source=None):
        """From the core: None, or a tuple with -1 for unknown sizes."""
        shape = object.__new__(cls)
        shape._source = source
        shape._sizes = sizes if sizes is None or -1 not in sizes else tuple(None if d < 0 else d for d in sizes)
        return shape

    def _for_core(self):
        return None if self._sizes is None else tuple(-1 if d is None else d for d in self._sizes)

    @property
    def _dims(self):
        return self.dims

    @property
    def rank(self):
        """The number of dimensions, or None."""
        return None if self._sizes is None else len(self._sizes)

    ndims = rank

    @property
    def dims(self):
        """A list of `Dimension`, or None."""
        return None if self._sizes is None else [Dimension(d) for d in self._sizes]

    @property
    def _v2_behavior(self):
        return False

    def num_elements(self):
        """Returns the number of elements, or None when a dimension is unknown."""
        if not self.is_fully_defined():
            return None
        return int(np.prod(self._sizes, dtype=np.int64))

    def is_fully_defined(self):
        """Whether all dimensions are known."""
        return self._sizes is not None and None not in self._sizes

    def assert_is_fully_defined(self):
        """Raises ValueError when a dimension is unknown."""
        if not self.is_fully_defined():
            raise ValueError(f"Shape {self} is not fully defined")

    def as_list(self):
        """Returns the sizes as a list of int or None.

        Raises:
          ValueError: when the rank is unknown.
        """
        if self._sizes is None:
            raise ValueError("as_list() is not defined on an unknown TensorShape.")
        return list(self._sizes)

    def as_proto(self):
        """Returns a `TensorShapeProto`."""
        from ferroflow._src import proto

        message = proto.TensorShapeProto()
        if self._sizes is None:
            message.unknown_rank = True
        else:
            for size in self._sizes:
                message.dim.add().size = -1 if size is None else size
        return message

    def is_compatible_with(self, other):
        """Whether one shape can be both."""
        other = as_shape(other)
        if self._sizes is None or other._sizes is None:
            return True
        return len(self._sizes) == len(other._sizes) and all(
            a is None or b is None or a == b for a, b in zip(self._sizes, other._sizes, strict=True)
        )

    def assert_is_compatible_with(self, other):
        """Raises ValueError when no shape can be both."""
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {other} are incompatible")

    def most_specific_compatible_shape(self, other):
        """Returns the most that is true of both shapes."""
        other = as_shape(other)
        if self._sizes is None or other._sizes is None or len(self._sizes) != len(other._sizes):
            return TensorShape(None)
        pairs = zip(self._sizes, other._sizes, strict=True)
        return TensorShape([a if a is not None and a == b else None for a, b in pairs])

    def merge_with(self, other):
        """Returns what is known from both together.

        Raises:
          ValueError: when they contradict each other.
        """
        other = as_shape(other)
        if self._sizes is None:
            return other
        if other._sizes is None:
            return self
        try:
            self.assert_same_rank(other)
            merged = [Dimension(a).merge_with(b) for a, b in zip(self._sizes, other._sizes, strict=True)]
        except ValueError:
            raise ValueError(f"Shapes {self} and {other} are not compatible") from None
        return TensorShape(merged)

    def concatenate(self, other):
        """Returns this shape's dimensions followed by those of `other`; unknown when one of the ranks is."""
        other = as_shape(other)
        if self._sizes is None or other._sizes is None:
            return TensorShape(None)
        return TensorShape(self._sizes + other._sizes)

    def assert_same_rank(self, other):
        """Raises ValueError when both ranks are known and differ."""
        other = as_shape(other)
        if self._sizes is not None and other._sizes is not None and len(self._sizes) != len(other._sizes):
            raise ValueError(f"Shapes {self} and {other} must have the same rank")

    def assert_has_rank(self, rank):
        """Raises ValueError when the rank is known to be another."""
        if self.rank not in (None, rank):
            raise ValueError(f"Shape {self} must have rank {rank}")

    def with_rank(self, rank):
        """Returns this shape with that rank; ValueError when it has another."""
        try:
            return self.merge_with(unknown_shape(rank))
        except ValueError:
            raise ValueError(f"Shape {self} must have rank {rank}") from None

    def with_rank_at_least(self, rank):
        """Returns this shape; ValueError when its rank is known to be lower."""
        if self.rank is not None and self.rank < rank:
            raise ValueError(f"Shape {self} must have rank at least {rank}")
        return self

    def with_rank_at_most(self, rank):
        """Returns this shape; ValueError when its rank is known to be higher."""
        if self.rank is not None and self.rank > rank:
            raise ValueError(f"Shape {self} must have rank at most {rank}")
        return self

    def __getitem__(self, key):
        """A `Dimension` for an index, a `TensorShape` for a slice."""
        if self._sizes is not None:
            if isinstance(key, slice):
                part = TensorShape(self._sizes[key])
                part._source = self._origin()
                return part
            try:
                return Dimension(self._sizes[key])
            except IndexError:
                raise IndexError("list index out of range") from None
        if not isinstance(key, slice):
            return Dimension(None)
        start = 0 if key.start is None else key.start
        if key.step is not None:
            raise ValueError("Steps are not yet handled")
        if key.stop is None or key.stop < 0 or start < 0:
            return unknown_shape()
        return unknown_shape(max(key.stop - start, 0))

    def __iter__(self):
        if self._sizes is None:
            raise ValueError("Cannot iterate over a shape with unknown rank.")
        return iter([Dimension(d) for d in self._sizes])

    def __len__(self):
        if self._sizes is None:
            raise ValueError("Cannot take the length of shape with unknown rank.")
        return len(self._sizes)

    def __bool__(self):
        return self._sizes is not None

    def __eq__(self, other):
        try:
            other = as_shape(other)
        except TypeError:
            return NotImplemented
        return self._is(other)

    def _origin(self):
        return self if self._source is None else self._source

    def _is(self, other):
        """Whether all dimensions are equal: known ones in size, unknown ones of the same origin."""
        if self._sizes != other._sizes:
            return False
        return self._sizes is None or None not in self._sizes or self._origin() is other._origin()

    def __ne__(self, other):
        try:
            other = as_shape(other)
        except TypeError:
            return NotImplemented
        if self._sizes is None or other._sizes is None:
            raise ValueError("The inequality of unknown TensorShapes is undefined.")
        return not self._is(other)

    def __add__(self, other):
        return self.concatenate(other)

    def __radd__(self, other):
        return as_shape(other).concatenate(self)

    __hash__ = None

    def __repr__(self):
        return "TensorShape(None)" if self._sizes is None else f"TensorShape({[Dimension(d) for d in self._sizes]!r})"

    def __str__(self):
        if self._sizes is None:
            return "<unknown>"
        texts = ["?" if d is None else str(d) for d in self._sizes]
        return f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})"

    def __reduce__(self):
        return TensorShape, (None if self._sizes is None else list(self._sizes),)

    def __concat__(self, other):
        return self.concatenate(other)


def as_shape(shape):
    """Returns `shape` as a `TensorShape`."""
    return shape if isinstance(shape, TensorShape) else TensorShape(shape)


def unknown_shape(rank=None, **kwargs):
    """Returns a shape of unknown sizes: of unknown rank when `rank` is None."""
    if "ndims" in kwargs:
        rank = kwargs.pop("ndims")
    if kwargs:
        raise TypeError(f"Unknown argument: {kwargs}")
    return TensorShape(None) if rank is None else TensorShape([None] * rank)


def scalar():
    """Returns the shape of a scalar."""
    return TensorShape([])


def vector(length):
    """Returns the shape of a vector."""
    return TensorShape([length])


def matrix(rows, cols):
    """Returns the shape of a matrix."""
    return TensorShape([rows, cols])
