"""One row an op: inputs and attributes. What TensorFlow 1.15 makes of them is recorded in `values.npz`.

A row is checked in four ways (`test_ops.py`): values against TensorFlow's; shapes inferred against those produced;
gradients against numbers where the op has one; export and import of the graph.
"""

import base64
import struct

import numpy as np


class Case:
    """A row of the table."""

    def __init__(self, op, inputs, attrs, label, tolerance, constants, gradient):
        self.op, self.inputs, self.attrs, self.label = op, inputs, attrs, label
        self.tolerance, self.constants, self.gradient = tolerance, constants, gradient


CASES = []


def case(op, *inputs, label="", tolerance=1e-5, constants=(), gradient=True, **attrs):
    """Adds a row.

    Args:
      op: the op's name.
      *inputs: arrays, or lists of arrays where the op takes lists.
      label: tells rows of one op apart.
      tolerance: relative, and absolute, difference from TensorFlow's values.
      constants: the numbers of inputs that are constants of the graph; the others are fed.
      gradient: whether the gradient is compared with numbers, if the op has one.
      **attrs: attributes.
    """
    inputs = [[np.asarray(x) for x in v] if isinstance(v, list) else np.asarray(v) for v in inputs]
    name = f"{op}-{label}" if label else op
    while any(c.label == name for c in CASES):
        name += "+"
    CASES.append(Case(op, inputs, attrs, name, tolerance, constants, gradient))


def floats(*shape, low=-1.0, high=1.0, dtype=np.float32, seed=0):
    """Numbers that look random but are the same everywhere."""
    count = int(np.prod(shape))
    x = np.modf(np.sin(np.arange(1, count + 1) * 12.9898 + seed) * 43758.5453)[0]
    return (low + (high - low) * np.abs(x)).astype(dtype).reshape(shape)


def ints(*shape, low=-5, high=6, dtype=np.int32, seed=0):
    return np.floor(floats(*shape, low=low, high=high, dtype=np.float64, seed=seed)).astype(dtype)


def bools(*shape, seed=0):
    return floats(*shape, seed=seed) > 0


# -- functions of each element --
for op in (
    "Abs Atan Ceil Cos Erf Erfc Exp Expm1 Floor Inv Neg Reciprocal Rint Round Sigmoid Sign Sin Sinh Square Tan Tanh "
    "Asinh Cosh Elu Selu Relu Relu6 Softplus Softsign LeakyRelu"
).split():
    case(op, floats(2, 3, low=-2, high=2) + 0.01, gradient=op not in ("Ceil", "Floor", "Rint", "Round", "Sign"))
for op in "Log Log1p Sqrt Rsqrt Lgamma Digamma".split():
    case(op, floats(2, 3, low=0.5, high=3), tolerance=1e-4 if op in ("Lgamma", "Digamma") else 1e-5)
for op in "Acos Asin Atanh".split():
    case(op, floats(2, 3, low=-0.9, high=0.9), tolerance=1e-4)
case("Acosh", floats(2, 3, low=1.1, high=3), tolerance=1e-4)
for op in "Abs Neg Sign Square".split():
    case(op, ints(2, 3), label="int32")
case("Exp", floats(3, dtype=np.float64), label="float64")
case("IsFinite", np.float32([1, np.inf, np.nan]))
case("IsInf", np.float32([1, -np.inf, np.nan]))
case("IsNan", np.float32([1, np.inf, np.nan]))
case("LogicalNot", bools(2, 3))
case("Invert", ints(4))

# -- of two, with broadcasting --
for op in "Add AddV2 Sub Mul RealDiv Div Maximum Minimum SquaredDifference DivNoNan MulNoNan Atan2".split():
    can_broadcast = op != "Atan2"  # its gradient in TensorFlow 1.15 does not
    case(op, floats(2, 3), floats(2, 3, seed=1) + 1.5)
    case(op, floats(2, 3), floats(3, seed=1) + 1.5, label="row", gradient=can_broadcast)
    case(op, floats(2, 1, 3), floats(4, 1, seed=1) + 1.5, label="both", gradient=can_broadcast)
for op in "Add AddV2 Sub Mul FloorDiv FloorMod Maximum Minimum TruncateDiv TruncateMod Div Mod".split():
    case(op, ints(2, 3, low=-9, high=9), ints(3, low=1, high=5, seed=2), label="int32")
case("FloorDiv", floats(2, 3), np.float32([0.3, -0.7, 1.5]), gradient=False)
case("FloorMod", floats(2, 3), np.float32([0.3, -0.7, 1.5]), gradient=False)
case("Pow", floats(2, 3, low=0.5, high=2), floats(2, 3, seed=3))
for op in "Equal NotEqual Less LessEqual Greater GreaterEqual".split():
    case(op, ints(2, 3, low=0, high=3), ints(3, low=0, high=3, seed=1))
    case(op, floats(2, 3), floats(3, seed=1), label="float")
case("Equal", np.array([b"a", b"b"]), np.array(b"a"), label="string")
for op in "LogicalAnd LogicalOr".split():
    case(op, bools(2, 3), bools(3, seed=1))
for op in "BitwiseAnd BitwiseOr BitwiseXor".split():
    case(op, ints(4), ints(4, seed=1))
case("LeftShift", ints(4, low=0), np.int32([1, 2, 0, 3]))
case("RightShift", ints(4), np.int32([1, 2, 0, 3]))
case("AddN", [floats(2, 3), floats(2, 3, seed=1), floats(2, 3, seed=2)])
case("BiasAdd", floats(2, 3, 4), floats(4, seed=1))
case("BiasAdd", floats(2, 4, 2, 2), floats(4, seed=1), data_format="NCHW", label="NCHW")
case("Select", bools(2, 3), floats(2, 3), floats(2, 3, seed=1))
case("Select", bools(2), floats(2, 3), floats(2, 3, seed=1), label="rows")
case("SelectV2", bools(3), floats(2, 3), np.float32(0.0))
case("Cast", floats(2, 3, low=-9, high=9), DstT=np.int32, gradient=False)
case("Cast", ints(2, 3), DstT=np.float64, label="widen")
case("Cast", bools(3), DstT=np.float32, label="bool")
case("Xdivy", np.float32([0, 1, 2]), np.float32([0, 2, 3]), gradient=False)
case("Xlogy", np.float32([0, 1, 2]), np.float32([0, 2, 3]), gradient=False)

# -- reductions --
for op in "Sum Mean Max Min Prod".split():
    case(op, floats(2, 3, 4) + 0.1, np.int32([1]), constants=(1,))
    case(op, floats(2, 3, 4) + 0.1, np.int32([0, 2]), keep_dims=True, constants=(1,), label="keep")
    case(op, floats(2, 3) + 0.1, np.int32([0, 1]), constants=(1,), label="all")
    case(op, ints(2, 3), np.int32(-1), constants=(1,), label="int32")
for op in "All Any".split():
    case(op, bools(3, 4), np.int32([1]), constants=(1,))
case("ArgMax", floats(3, 4), np.int32(1), constants=(1,))
case("ArgMin", floats(3, 4), np.int32(0), output_type=np.int32, constants=(1,))
case("Cumsum", floats(2, 4), np.int32(1), constants=(1,))
case("Cumsum", floats(2, 4), np.int32(1), exclusive=True, reverse=True, constants=(1,), label="exclusive")
case("Cumprod", floats(2, 4) + 2, np.int32(0), constants=(1,))
case("L2Loss", floats(3, 4))
case("EuclideanNorm", floats(3, 4), np.int32([1]), constants=(1,), gradient=False)

# -- matrices --
case("MatMul", floats(2, 3), floats(3, 4, seed=1))
case("MatMul", floats(3, 2), floats(4, 3, seed=1), transpose_a=True, transpose_b=True, label="transposed")
case("BatchMatMulV2", floats(2, 2, 3), floats(2, 3, 4, seed=1))
case("BatchMatMulV2", floats(2, 3, 2), floats(3, 4, seed=1), adj_x=True, label="broadcast")
case("BatchMatMul", floats(2, 2, 3), floats(2, 4, 3, seed=1), adj_y=True)
case("MatrixDiag", floats(2, 3))
case("MatrixDiagPart", floats(2, 3, 3))
case("MatrixSetDiag", floats(2, 3, 3), floats(2, 3, seed=1))
case("MatrixBandPart", floats(4, 4), np.int64(1), np.int64(0), constants=(1, 2))
case("Diag", floats(3))
case("DiagPart", floats(3, 3))

# -- shapes and layout --
case("Identity", floats(2, 3))
case("StopGradient", floats(2, 3))
case("Shape", floats(2, 3))
case("ShapeN", [floats(2, 3), floats(4)])
case("Size", floats(2, 3))
case("Rank", floats(2, 3))
case("Reshape", floats(2, 3), np.int32([3, -1]), constants=(1,))
case("ExpandDims", floats(2, 3), np.int32(1), constants=(1,))
case("Squeeze", floats(1, 2, 1), squeeze_dims=[0])
case("Transpose", floats(2, 3, 4), np.int32([2, 0, 1]), constants=(1,))
case("ConcatV2", [floats(2, 3), floats(1, 3, seed=1)], np.int32(0), constants=(1,))
case("Pack", [floats(3), floats(3, seed=1)], axis=1)
case("Unpack", floats(2, 3), num=3, axis=1)
case("Split", np.int32(1), floats(2, 4), num_split=2, constants=(0,))
case("SplitV", floats(2, 4), np.int32([1, 3]), np.int32(1), num_split=2, constants=(1, 2))
case("Slice", floats(3, 4), np.int32([1, 0]), np.int32([2, -1]), constants=(1, 2))
case(
    "StridedSlice",
    floats(3, 4),
    np.int32([0, 1]),
    np.int32([0, 3]),
    np.int32([1, 1]),
    shrink_axis_mask=1,
    constants=(1, 2, 3),
)
case(
    "StridedSlice",
    floats(3, 4),
    np.int32([-1, 0]),
    np.int32([0, 0]),
    np.int32([-1, 2]),
    end_mask=3,
    constants=(1, 2, 3),
    label="negative",
)
case("Tile", floats(2, 3), np.int32([2, 1]), constants=(1,))
case("Pad", floats(2, 3), np.int32([[1, 0], [0, 2]]), constants=(1,))
case("PadV2", floats(2, 3), np.int32([[1, 0], [0, 2]]), np.float32(7), constants=(1,), gradient=False)
case("MirrorPad", floats(2, 3), np.int32([[1, 0], [0, 2]]), mode="REFLECT", constants=(1,))
case("MirrorPad", floats(2, 3), np.int32([[1, 0], [0, 2]]), mode="SYMMETRIC", constants=(1,), label="symmetric")
case("BroadcastTo", floats(3), np.int32([2, 3]), constants=(1,))
case("ReverseV2", floats(2, 3), np.int32([1]), constants=(1,))
case("ReverseSequence", floats(2, 4), np.int32([2, 3]), seq_dim=1)
case("Fill", np.int32([2, 3]), np.float32(5), constants=(0,))
case("ZerosLike", floats(2, 3))
case("OnesLike", floats(2, 3))
case("Range", np.int32(1), np.int32(9), np.int32(3), constants=(0, 1, 2))
case("LinSpace", np.float32(0), np.float32(1), np.int32(5), constants=(0, 1, 2))
case("OneHot", np.int32([0, 2, -1, 3]), np.int32(3), np.float32(1), np.float32(0), constants=(1,), gradient=False)
case("InvertPermutation", np.int32([2, 0, 1]))
case("BroadcastArgs", np.int32([2, 1]), np.int32([3]))
case("BroadcastGradientArgs", np.int32([2, 1]), np.int32([3]))
case("ConcatOffset", np.int32(0), [np.int32([2, 3]), np.int32([1, 3])])
case("Where", bools(3, 4))
case("Bitcast", floats(3), type=np.int32)

# -- by index --
case("GatherV2", floats(4, 3), np.int32([2, 0, 2]), np.int32(0), constants=(2,))
case("GatherV2", floats(3, 4), np.int32([[1, 3], [0, 0]]), np.int32(1), constants=(2,), label="axis")
case("GatherNd", floats(3, 4), np.int32([[0, 1], [2, 3]]))
case("ScatterNd", np.int32([[0], [2]]), floats(2, 3), np.int32([4, 3]), constants=(2,))
case("Unique", np.int32([3, 1, 3, 2]))
case("UniqueV2", np.int32([[3, 1], [3, 1], [2, 1]]), np.int64([0]))
case("UniqueWithCountsV2", np.int32([[3, 1, 3], [2, 1, 2]]), np.int64([-1]))
case("ListDiff", np.int32([1, 2, 3, 4]), np.int32([2, 4]))
case("DynamicPartition", floats(4, 2), np.int32([0, 1, 0, 1]), num_partitions=2)
case("DynamicStitch", [np.int32([0, 2]), np.int32([1])], [floats(2, 2), floats(1, 2, seed=1)])
case("SegmentSum", floats(4, 2), np.int32([0, 0, 1, 2]))
case("SegmentMean", floats(4, 2), np.int32([0, 0, 1, 2]))
case("UnsortedSegmentSum", floats(4, 2), np.int32([2, 0, 2, 1]), np.int32(3), constants=(2,))
case(
    "SparseToDense",
    np.int32([[0, 1], [1, 2]]),
    np.int32([2, 3]),
    np.float32([5, 6]),
    np.float32(0),
    constants=(1,),
    gradient=False,
)
case("TopKV2", floats(2, 5), np.int32(2), constants=(1,))
case("InTopKV2", floats(2, 5), np.int32([1, 2]), np.int32(2), constants=(2,))

# -- neural networks --
case("Softmax", floats(2, 4))
case("LogSoftmax", floats(2, 4))
case("SoftmaxCrossEntropyWithLogits", floats(2, 4), np.float32([[0, 1, 0, 0], [0.5, 0, 0.5, 0]]), gradient=False)
case("SparseSoftmaxCrossEntropyWithLogits", floats(2, 4), np.int32([1, 3]), gradient=False)
case("Conv2D", floats(2, 5, 5, 3), floats(3, 3, 3, 4, seed=1), strides=[1, 1, 1, 1], padding="SAME", tolerance=1e-4)
case(
    "Conv2D",
    floats(2, 5, 6, 2),
    floats(2, 3, 2, 3, seed=1),
    strides=[1, 2, 2, 1],
    padding="VALID",
    label="strided",
    tolerance=1e-4,
)
case(
    "Conv2DBackpropInput",
    np.int32([2, 5, 5, 3]),
    floats(3, 3, 3, 4, seed=1),
    floats(2, 3, 3, 4),
    strides=[1, 2, 2, 1],
    padding="SAME",
    constants=(0,),
    tolerance=1e-4,
)
case(
    "Conv2DBackpropFilter",
    floats(2, 5, 5, 3),
    np.int32([3, 3, 3, 4]),
    floats(2, 3, 3, 4),
    strides=[1, 2, 2, 1],
    padding="SAME",
    constants=(1,),
    tolerance=1e-4,
)
case("DepthwiseConv2dNative", floats(1, 4, 4, 2), floats(2, 2, 2, 2, seed=1), strides=[1, 1, 1, 1], padding="SAME")
case("MaxPool", floats(2, 4, 4, 3), ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")
case("MaxPool", floats(1, 5, 5, 2), ksize=[1, 3, 3, 1], strides=[1, 2, 2, 1], padding="VALID", label="valid")
case("AvgPool", floats(2, 4, 5, 3), ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")
case("LRN", floats(1, 2, 2, 5), depth_radius=2, tolerance=1e-4)
case("ResizeNearestNeighbor", floats(1, 3, 3, 2), np.int32([6, 5]), constants=(1,))
case("ResizeBilinear", floats(1, 3, 3, 2), np.int32([6, 5]), constants=(1,))
case("SpaceToBatchND", floats(2, 4, 4, 1), np.int32([2, 2]), np.int32([[0, 0], [0, 0]]), constants=(1, 2))
case("BatchToSpaceND", floats(4, 2, 2, 1), np.int32([2, 2]), np.int32([[0, 0], [0, 0]]), constants=(1, 2))
case("SpaceToDepth", floats(1, 4, 4, 2), block_size=2)
case("DepthToSpace", floats(1, 2, 2, 8), block_size=2)
case(
    "FusedBatchNormV3",
    floats(2, 3, 3, 2),
    floats(2, seed=1) + 1,
    floats(2, seed=2),
    np.float32([]),
    np.float32([]),
    gradient=False,
    tolerance=1e-4,
)

# -- text --
case("StringJoin", [np.array([b"a", b"b"]), np.array(b"-c")])
case("StringToNumber", np.array([b"1.5", b"-2e3"]))
case("AsString", ints(3))
case("AsString", floats(3), label="float")
case("StringLength", np.array([b"", b"abc"]))
case("ReduceJoin", np.array([[b"a", b"b"], [b"c", b"d"]]), np.int32([1]), constants=(1,))
case("DecodeRaw", np.array([b"\x01\x02\x03\x04"]), out_type=np.int16)

# -- sparse tensors: places, values, shape --
_AT, _AT2 = np.array([[0, 1], [1, 2], [2, 0]]), np.array([[0, 1], [2, 3]])
_DIMS = np.array([3, 4])
_SP, _SP2 = (_AT, floats(3), _DIMS), (_AT2, floats(2, seed=1), _DIMS)
case("SparseReorder", _AT[::-1], floats(3), _DIMS)
case("SparseReshape", _AT, _DIMS, np.array([2, -1]))
case("SparseConcat", [_AT, _AT2], [floats(3), floats(2)], [_DIMS, _DIMS], concat_dim=1)
case("SparseConcat", [_AT, _AT2], [floats(3), floats(2)], [_DIMS, _DIMS], concat_dim=-2, label="rows")
case("SparseSplit", np.int64(1), *_SP, num_split=3, constants=(0,))
case("SparseSlice", *_SP, np.array([0, 1]), np.array([2, 9]))
case("SparseSliceGrad", floats(2), _AT, np.array([0, 1]), np.array([[0, 0], [1, 1]]))
case("SparseFillEmptyRows", _AT2, floats(2), _DIMS, np.float32(7))
case("SparseFillEmptyRowsGrad", np.array([0, 2]), floats(3))
case("SparseAdd", *_SP, *_SP2, np.float32(0))
case("SparseAddGrad", floats(4), _AT, _AT2, np.array([[0, 1], [1, 2], [2, 0], [2, 3]]))
case("SparseTensorDenseAdd", *_SP, floats(3, 4))
case("SparseTensorDenseMatMul", *_SP, floats(4, 2))
case("SparseTensorDenseMatMul", *_SP, floats(2, 3), adjoint_a=True, adjoint_b=True, label="adjoint")
for op in ("SparseDenseCwiseAdd", "SparseDenseCwiseMul", "SparseDenseCwiseDiv"):
    case(op, *_SP, floats(4, low=1, high=2), gradient=False)
    case(op, *_SP, floats(3, 1, low=1, high=2), gradient=False, label="column")
case("SparseSparseMaximum", *_SP, *_SP2, gradient=False)
case("SparseSparseMinimum", *_SP, *_SP2, gradient=False)
case("SparseSoftmax", np.array([[0, 1], [0, 2], [2, 0]]), floats(3), _DIMS)
case("SparseReduceSum", *_SP, np.array([1], np.int32), constants=(3,))
case("SparseReduceSum", *_SP, np.array([0], np.int32), keep_dims=True, constants=(3,), label="kept")
case("SparseReduceMax", *_SP, np.array([-1], np.int32), constants=(3,))
case("SparseReduceSumSparse", *_SP, np.array([1], np.int32))
case("SparseReduceMaxSparse", *_SP, np.array([0], np.int32), keep_dims=True)

# -- sets --
_SETS = (np.array([[[1, 2], [3, 3]], [[5, 4], [7, 8]]]), np.array([[[2, 9], [3, 5]], [[4, 5], [9, 9]]]))
_SPARSE_SET = (np.array([[0, 0, 0], [0, 0, 1], [1, 1, 0]]), np.array([2, 9, 7]), np.array([2, 2, 2]))
for operation in ("a-b", "b-a", "intersection", "union"):
    case("DenseToDenseSetOperation", *_SETS, set_operation=operation, label=operation)
    case("DenseToSparseSetOperation", _SETS[0], *_SPARSE_SET, set_operation=operation, label=operation)
case("SparseToSparseSetOperation", *_SPARSE_SET, *_SPARSE_SET, set_operation="union")
case("SetSize", *_SPARSE_SET)

# -- choices that broadcast, norms --
case("SelectV2", bools(3, 1), floats(2), floats(3, 1, seed=1))
case("SelectV2", np.array(True), floats(2), floats(3, 2, seed=1), label="scalar")
case("EuclideanNorm", floats(2, 3), np.array([1], np.int32), constants=(1,))
case("EuclideanNorm", ints(2, 3), np.array([0, 1], np.int32), keep_dims=True, constants=(1,), label="int")
case("SegmentMean", floats(3, 2), np.array([0, 0, 1], np.int32), label="grad")
case("TopKV2", floats(2, 5), np.int32(2), constants=(1,), label="grad")

# -- order and bins --
case("LowerBound", np.int32([[1, 3, 3, 5], [2, 4, 6, 8]]), np.int32([[3, 9, 0], [6, 1, 2]]))
case("UpperBound", np.int32([[1, 3, 3, 5], [2, 4, 6, 8]]), np.int32([[3, 9, 0], [6, 1, 2]]), out_type=np.int64)
case("Bincount", np.int32([[1, 1], [2, 9]]), np.int32(4), np.array([], np.int32), constants=(1,))
case("Bincount", np.int32([1, 1, 2, 9]), np.int32(4), np.float32([1, 2, 3, 4]), constants=(1,), label="weights")
case("HistogramFixedWidth", floats(20, high=6.0), np.float32([0, 5]), np.int32(7), constants=(2,))
case("Bucketize", floats(4, 3), boundaries=[-0.5, 0.0, 0.5])
case("UnravelIndex", np.int32([5, 7, 0]), np.int32([2, 4]))
case("UnravelIndex", np.int64(5), np.int64([2, 4]), label="scalar")
case("Cross", floats(2, 3), floats(2, 3, seed=1))

# -- text --
_WORDS = np.array([[b"ab", b"", b"c d"], [b"hello, world", b"a,b", b"\xff\xfe"]], object)
for axes in ([0], [1], [0, 1], [1, 0], [-1]):
    case("ReduceJoin", _WORDS, np.int32(axes), separator="-", constants=(1,), label="".join(map(str, axes)))
case("ReduceJoin", _WORDS, np.int32([1]), keep_dims=True, constants=(1,), label="kept")
case("RegexReplace", _WORDS, np.array(b"(\\w)(.)", object), np.array(b"\\2<\\1>", object))
case("StaticRegexReplace", _WORDS, pattern="[ab,]", rewrite="\\\\", replace_global=False)
case("RegexFullMatch", _WORDS, np.array(b"[a-z]*", object))
case("StaticRegexFullMatch", _WORDS, pattern="a.*")
case("EncodeBase64", _WORDS)
case("EncodeBase64", _WORDS, pad=True, label="pad")
case("DecodeBase64", np.array([b"aGVsbG8", b"aGVsbG8=", b"", b"w7_Dvg"], object))
case("StringToHashBucket", _WORDS, num_buckets=1000)
case("StringToHashBucketFast", _WORDS, num_buckets=1000)
case("StringToHashBucketStrong", _WORDS, num_buckets=1000, key=[1, 2])
for separator in (b"", b",", b" "):
    case("StringSplitV2", np.array([b" a,b ,, c", b"", b"x"], object), np.array(separator, object), label=str(separator))
case("StringSplitV2", np.array([b"a,b,c"], object), np.array(b",", object), maxsplit=1, label="limit")
case("StringFormat", [ints(3, 4), floats(2)], template="a {} b {}", placeholder="{}", summarize=1)
case("StringFormat", [_WORDS], template="{}", placeholder="{}", label="words")
_SEQUENCES = (np.int64([[0, 0], [0, 1], [1, 0]]), np.array([b"a", b"b", b"c"], object), np.int64([2, 2]))
case("EditDistance", *_SEQUENCES, np.int64([[0, 0], [1, 0], [1, 1]]), _SEQUENCES[1], np.int64([2, 2]))
case("EditDistance", *_SEQUENCES, np.int64([[0, 0]]), np.array([b"b"], object), np.int64([2, 2]), normalize=False)

case("DecodeCSV", np.array(["1,2.5", ",7"], object), [np.array([3], np.int32), np.array([1.0], np.float32)])

# -- images in files, boxes --
_PIXELS = ints(9, 11, 3, low=0, high=256).astype(np.uint8)
case("EncodeJpeg", _PIXELS)
case("EncodeJpeg", _PIXELS, quality=40, chroma_downsampling=False, label="full")
case("EncodeJpegVariableQuality", _PIXELS, np.int32(60))
_BOXES = np.array([[0.1, 0.2, 0.8, 0.9], [0.0, 0.0, 1.2, 0.5], [0.3, 0.9, 0.1, 0.2]], np.float32)
_WHICH = np.array([0, 1, 1], np.int32)
case("CropAndResize", floats(2, 8, 9, 3), _BOXES, _WHICH, np.array([4, 3], np.int32), constants=(2, 3), gradient=False)
case("CropAndResize", floats(2, 8, 9, 3), _BOXES, _WHICH, np.array([4, 1], np.int32), method="nearest", label="nearest", gradient=False)
case("CropAndResizeGradImage", floats(3, 4, 3, 2), _BOXES, _WHICH, np.array([2, 8, 9, 2], np.int32), T=np.float32)
case("CropAndResizeGradBoxes", floats(3, 4, 3, 2), floats(2, 8, 9, 2), _BOXES, _WHICH)
case("ExtractImagePatches", floats(1, 5, 6, 2), ksizes=[1, 2, 3, 1], strides=[1, 2, 1, 1], rates=[1, 1, 1, 1], padding="SAME")
case("ExtractImagePatches", floats(1, 7, 6, 2), ksizes=[1, 2, 2, 1], strides=[1, 2, 2, 1], rates=[1, 2, 1, 1], padding="VALID", label="valid")
case("DrawBoundingBoxes", floats(1, 8, 9, 3), _BOXES[None])
case("DrawBoundingBoxesV2", floats(1, 8, 9, 3), _BOXES[None], np.array([[0.1, 0.2, 0.3]], np.float32))
_CORNERS = np.array([[0, 0, 1, 1], [0, 0.1, 1, 1.1], [0, -0.1, 1, 0.9], [0, 10, 1, 11], [0, 10.1, 1, 11.1]], np.float32)
_SCORES = np.array([0.9, 0.75, 0.6, 0.95, 0.5], np.float32)
case("NonMaxSuppression", _CORNERS, _SCORES, np.int32(3))
case("NonMaxSuppressionV2", _CORNERS, _SCORES, np.int32(3), np.float32(0.5))
case("NonMaxSuppressionV3", _CORNERS, _SCORES, np.int32(5), np.float32(0.5), np.float32(0.55))
case("NonMaxSuppressionV4", _CORNERS, _SCORES, np.int32(5), np.float32(0.5), np.float32(0), pad_to_max_output_size=True)
case("NonMaxSuppressionV5", _CORNERS, _SCORES, np.int32(5), np.float32(0.9), np.float32(0), np.float32(0.5))
case("NonMaxSuppressionWithOverlaps", np.maximum(floats(5, 5, low=0), np.eye(5, dtype=np.float32)), _SCORES, np.int32(4), np.float32(0.5), np.float32(0))

# -- images in files as TensorFlow writes them, and messages --
_JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQEBLAEsAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxO"
    "UlNSMj5aYVpQYEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09P"
    "T09PT09PT0//wAARCAAJAA0DASIAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUF"
    "BAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVW"
    "V1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi"
    "4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAEC"
    "AxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVm"
    "Z2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPExcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq"
    "8vP09fb3+Pn6/9oADAMBAAIRAxEAPwCJxJuO3+dIEm/uj/vqnP1f/PelWtGkkmaU1e5//9k="
)
_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAUAAAAECAIAAADJUWIXAAAAPElEQVQImQXBMQ6AMAwDQCekqM+GgQ8zIdeNuYvnvmijYWUOlFea"
    "uxc+1ZhHqSTQA3y1HZVdsOhgROD8AU/0IFgsmRhhAAAAAElFTkSuQmCC"
)


def text(value):
    return np.array(value, object)


for channels in (0, 1, 3):
    case("DecodeJpeg", text(_JPEG), channels=channels, label=str(channels))
    case("DecodePng", text(_PNG), channels=channels, label=str(channels))
case("DecodeJpeg", text(_JPEG), dct_method="INTEGER_ACCURATE", label="accurate")
case("DecodeJpeg", text(_JPEG), fancy_upscaling=False, label="plain")
case("DecodePng", text(_PNG), channels=4, dtype=np.uint16, label="wide")
case("DecodeAndCropJpeg", text(_JPEG), np.array([1, 0, 8, 13], np.int32))
case("ExtractJpegShape", text(_JPEG))
_BITMAP = b"BM" + struct.pack("<IHHIIiiHHIIiiII", 78, 0, 0, 54, 40, 3, 2, 1, 24, 0, 0, 0, 0, 0, 0) + bytes(range(24))
case("DecodeBmp", text(_BITMAP))
_EXAMPLE = b"\n\x1f\n\n\n\x01b\x12\x05\x1a\x03\n\x01\x03\n\x11\n\x01a\x12\x0c\x12\n\n\x08\0\0\x80\x3f\0\0\0\x40"
_PARSED = {"dense_shapes": [[2]], "sparse_types": [np.int64]}
case(
    "ParseExample",
    text([_EXAMPLE, _EXAMPLE]),
    text([]),
    [text("b")],
    [text("a")],
    [np.array([], np.float32)],
    **_PARSED,
    gradient=False,
)
case(
    "ParseSingleExample",
    text(_EXAMPLE),
    [np.array([], np.float32)],
    num_sparse=1,
    sparse_keys=["b"],
    dense_keys=["a"],
    **_PARSED,
    gradient=False,
)

# -- special functions, decompositions, dilations, alignments --
case("Zeta", np.float32([2, 3, 1.5, 7, 1]), np.float32([1, 0.5, 2, 30, 4]), gradient=False)
case("Polygamma", np.float32([1, 2, 0, 3]), np.float32([1, 0.5, 2, 1.5]), gradient=False)
_SQUARE = floats(2, 4, 4) + 0.1
case("SelfAdjointEigV2", _SQUARE, compute_v=False, tolerance=1e-4)
for _label, _full in (("thin", False), ("full", True)):
    case("Svd", floats(2, 4, 3), compute_uv=False, full_matrices=_full, label=_label, tolerance=1e-4)
_WINDOW = {"strides": [1, 1, 2, 1], "rates": [1, 1, 2, 1]}
for _padding in ("SAME", "VALID"):
    _IMAGE, _FILTER = floats(2, 5, 6, 2), floats(2, 2, 2, seed=1)
    _DY = floats(2, 5, 3, 2, seed=2) if _padding == "SAME" else floats(2, 4, 2, 2, seed=2)
    case("Dilation2D", _IMAGE, _FILTER, **_WINDOW, padding=_padding, label=_padding)
    for _op in ("Dilation2DBackpropInput", "Dilation2DBackpropFilter"):
        case(_op, _IMAGE, _FILTER, _DY, **_WINDOW, padding=_padding, label=_padding)
case("Dilation2D", ints(1, 3, 3, 1), ints(2, 2, 1), strides=[1] * 4, rates=[1] * 4, padding="VALID", label="int32")
_LABELS = (np.int64([[0, 0], [0, 1], [1, 0]]), np.int32([1, 1, 0]))
case("CTCLoss", floats(5, 2, 4, low=-2, high=2), *_LABELS, np.int32([5, 3]), tolerance=1e-4, gradient=False)
case(
    "CTCLoss",
    floats(5, 2, 4, low=-2, high=2),
    *_LABELS,
    np.int32([5, 3]),
    ctc_merge_repeated=False,
    preprocess_collapse_repeated=True,
    label="apart",
    tolerance=1e-4,
    gradient=False,
)
for _merge in (False, True):
    case("CTCGreedyDecoder", floats(6, 2, 3), np.int32([6, 4]), merge_repeated=_merge, label=str(_merge))
