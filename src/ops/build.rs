//! Making nodes as TensorFlow's Python functions make them: the same ops under the same names, with the constants that
//! stand for plain numbers inside the op's own scope (`mul/y`, `Sum/reduction_indices`). Gradient functions are written in these words.

use crate::error::Result;
use crate::expr::Scalar;
use crate::formats::graph_def::repeated;
use crate::graph::{Attr, Endpoint, Graph, NodeSpec};
use crate::value::{Buffer, DType, Shape, Value};

/// An input of a node to be made: a tensor, or a plain value with the name of the argument that it is given for.
#[derive(Clone, Debug)]
pub enum In {
    Tensor(Endpoint),
    List(Vec<Endpoint>),
    Plain(&'static str, Value),
}

impl From<Endpoint> for In {
    fn from(e: Endpoint) -> In {
        In::Tensor(e)
    }
}

impl From<Vec<Endpoint>> for In {
    fn from(all: Vec<Endpoint>) -> In {
        In::List(all)
    }
}

/// Attributes that are not the defaults.
pub type Given<'a> = &'a [(&'static str, Attr)];

/// Below this many elements TensorFlow makes `zeros` a constant, else a Fill.
const SMALL: i64 = 1000;

/// The number `x` as a scalar of type `dtype`.
pub fn number(dtype: DType, x: f64) -> Result<Value> {
    let scalar = Scalar::of(dtype, x)?;
    Value::from_buffer(dtype, Shape::scalar(), Buffer::copy_of(scalar.bytes())?)
}

/// A vector of `int32`.
pub fn ints(all: &[i64]) -> Result<Value> {
    let narrow: Vec<i32> = all.iter().map(|x| *x as i32).collect();
    Value::vector(&narrow)
}

/// A vector of the integer type that an attribute asks for: `int64`, else `int32`.
pub fn integers(dtype: DType, all: &[i64]) -> Result<Value> {
    match dtype {
        DType::I64 => Value::vector(all),
        _ => ints(all),
    }
}

/// A scalar of `int32`.
pub fn int(x: i64) -> Result<Value> {
    Value::scalar(x as i32)
}

impl Graph {
    /// The node `op` called `name` (empty: as the op); plain inputs become constants in its scope.
    pub fn call<I: Into<In>>(
        &mut self,
        op: &'static str,
        name: &str,
        inputs: impl IntoIterator<Item = I>,
        attrs: Given,
    ) -> Result<Endpoint> {
        let inputs: Vec<In> = inputs.into_iter().map(Into::into).collect();
        let mut spec = NodeSpec::new(op);
        for (attr, value) in attrs {
            spec.attrs.set(*attr, value.clone());
        }
        if !inputs.iter().any(|input| matches!(input, In::Plain(..))) {
            for input in inputs {
                spec = match input {
                    In::Tensor(e) => spec.input(e),
                    In::List(all) => spec.input(all),
                    In::Plain(..) => spec,
                };
            }
            return self.create_tensor(spec.name(name));
        }
        let name = if name.is_empty() { op } else { name };
        self.in_scope(name, |graph| {
            for input in inputs {
                spec = match input {
                    In::Tensor(e) => spec.input(e),
                    In::List(all) => spec.input(all),
                    In::Plain(arg, value) => {
                        let e = graph.constant_node(arg, value)?;
                        spec.input(e)
                    }
                };
            }
            let name = graph.scope_as_name();
            graph.create_tensor(spec.name(name))
        })
    }

    /// The current scope as the exact name of a node.
    pub fn scope_as_name(&self) -> String {
        format!("{}/", self.scopes.name)
    }

    /// `tf.constant(value, name=name)`.
    pub fn constant_node(&mut self, name: &str, value: Value) -> Result<Endpoint> {
        let dtype = value.dtype();
        let spec = NodeSpec::new("Const").name(name);
        self.create_tensor(spec.attr("value", value).attr("dtype", dtype))
    }

    /// `tf.shape(e)`: a constant where the graph knows the shape.
    pub fn shape_of(&mut self, e: Endpoint) -> Result<Endpoint> {
        self.shape_as(e, DType::I32, "Shape")
    }

    pub fn shape_as(&mut self, e: Endpoint, dtype: DType, name: &str) -> Result<Endpoint> {
        match self.shape(e).to_shape() {
            Some(shape) if dtype == DType::I64 => {
                self.constant_node(name, Value::vector(shape.dims())?)
            }
            Some(shape) => self.constant_node(name, ints(shape.dims())?),
            None => self.shape_node(e, dtype, name),
        }
    }

    /// A Shape node, whatever is known.
    pub fn shape_node(&mut self, e: Endpoint, dtype: DType, name: &str) -> Result<Endpoint> {
        self.call("Shape", name, [e], &[("out_type", dtype.into())])
    }

    /// The shape of the variable behind a handle: a constant where the program made the handle and said the shape.
    pub fn variable_shape(&mut self, handle: Endpoint) -> Result<Endpoint> {
        let node = self.node(handle.node);
        if node.op() == "VarHandleOp" && !node.is_imported {
            let known = self.output(handle).handle.as_ref();
            let shape = known.and_then(|all| all.first()?.1.to_shape());
            if let Some(shape) = shape {
                return self.constant_node("Const", ints(shape.dims())?);
            }
        }
        self.call("VariableShape", "", [handle], &[])
    }

    /// `tf.size(e)`.
    pub fn size_of(&mut self, e: Endpoint) -> Result<Endpoint> {
        match self.shape(e).num_elements() {
            Some(n) => self.constant_node("Size", int(n)?),
            None => self.call("Size", "", [e], &[("out_type", DType::I32.into())]),
        }
    }

    /// `tf.rank(e)`.
    pub fn rank_of(&mut self, e: Endpoint) -> Result<Endpoint> {
        match self.shape(e).rank() {
            Some(rank) => self.constant_node("Rank", int(rank as i64)?),
            None => self.call("Rank", "", [e], &[]),
        }
    }

    /// `tf.cast(e, dtype)`: nothing when it is of that type.
    pub fn cast_to(&mut self, e: Endpoint, dtype: DType) -> Result<Endpoint> {
        if self.dtype(e) == dtype {
            return Ok(e);
        }
        self.call("Cast", "", [e], &[("DstT", dtype.into())])
    }

    /// `tf.zeros(shape, dtype)` of a shape tensor.
    pub fn zeros(&mut self, shape: Endpoint, dtype: DType) -> Result<Endpoint> {
        self.filled(shape, dtype, 0.0, "zeros")
    }

    /// A Fill called `name` with its value in the scope: `tf.zeros` and `tf.ones` of a shape tensor.
    fn filled(&mut self, shape: Endpoint, dtype: DType, x: f64, name: &str) -> Result<Endpoint> {
        self.in_scope(name, |graph| {
            let mut shape = shape;
            if graph.shape(shape).rank().is_none_or(|rank| rank == 0) {
                shape = graph.call(
                    "Reshape",
                    "",
                    [shape.into(), In::Plain("shape", ints(&[-1])?)],
                    &[],
                )?;
            }
            let value = graph.constant_node("Const", number(dtype, x)?)?;
            let name = graph.scope_as_name();
            graph.call("Fill", &name, [shape, value], &[])
        })
    }

    /// `tf.zeros_like(e)`: a constant where it is small, else a Fill or a ZerosLike.
    pub fn zeros_like(&mut self, e: Endpoint) -> Result<Endpoint> {
        let dtype = self.dtype(e);
        let Some(shape) = self.shape(e).to_shape().filter(|_| dtype != DType::Variant) else {
            return self.call("ZerosLike", "zeros_like", [e], &[]);
        };
        self.in_scope("zeros_like", |graph| {
            let name = graph.scope_as_name();
            graph.zeros_of(&shape, dtype, &name)
        })
    }

    /// `tf.zeros(shape, dtype)` of a known shape, inside the scope that is its name.
    fn zeros_of(&mut self, shape: &Shape, dtype: DType, name: &str) -> Result<Endpoint> {
        if (shape.num_elements() as i64) < SMALL {
            let zero = Value::zeros(dtype, Shape::scalar())?;
            let value = repeated(&zero, shape)?;
            let spec = NodeSpec::new("Const").name(name);
            return self.create_tensor(spec.attr("value", value).attr("dtype", dtype));
        }
        let dims = self.constant_node("shape_as_tensor", ints(shape.dims())?)?;
        let zero = self.constant_node("Const", Value::zeros(dtype, Shape::scalar())?)?;
        self.call("Fill", name, [dims, zero], &[])
    }

    /// `tf.zeros(shape, dtype)` of a known shape.
    pub fn zeros_shaped(&mut self, shape: &Shape, dtype: DType) -> Result<Endpoint> {
        self.in_scope("zeros", |graph| {
            let name = graph.scope_as_name();
            graph.zeros_of(shape, dtype, &name)
        })
    }

    /// `tf.ones_like(e)`.
    pub fn ones_like(&mut self, e: Endpoint) -> Result<Endpoint> {
        let dtype = self.dtype(e);
        let known = self.shape(e).clone();
        self.in_scope("ones_like", |graph| {
            let shape = graph.shape_of(e)?;
            let value = graph.constant_node("Const", number(dtype, 1.0)?)?;
            let name = graph.scope_as_name();
            let made = graph.call("Fill", &name, [shape, value], &[])?;
            graph.set_shape(made, &known)?;
            Ok(made)
        })
    }

    /// `tf.reshape(e, dims)` to plain dimensions.
    pub fn reshape_to(&mut self, e: Endpoint, dims: &[i64]) -> Result<Endpoint> {
        self.call(
            "Reshape",
            "",
            [e.into(), In::Plain("shape", ints(dims)?)],
            &[],
        )
    }

    /// `tf.reshape(e, shape)`.
    pub fn reshape(&mut self, e: Endpoint, shape: Endpoint) -> Result<Endpoint> {
        self.call("Reshape", "", [e, shape], &[])
    }

    /// `tf.expand_dims(e, axis)`.
    pub fn expand_dims(&mut self, e: Endpoint, axis: i64) -> Result<Endpoint> {
        self.call(
            "ExpandDims",
            "",
            [e.into(), In::Plain("dim", int(axis)?)],
            &[],
        )
    }

    /// `tf.concat(parts, axis)`.
    pub fn concat(&mut self, parts: Vec<In>, axis: i64) -> Result<Endpoint> {
        self.in_scope("concat", |graph| {
            let mut tensors = Vec::with_capacity(parts.len());
            for (i, part) in parts.into_iter().enumerate() {
                match part {
                    In::Tensor(e) => tensors.push(e),
                    In::List(all) => tensors.extend(all),
                    In::Plain(_, value) => {
                        tensors.push(graph.constant_node(&format!("values_{i}"), value)?)
                    }
                }
            }
            let axis = graph.constant_node("axis", int(axis)?)?;
            let name = graph.scope_as_name();
            graph.call("ConcatV2", &name, [In::List(tensors), axis.into()], &[])
        })
    }

    /// `e[from:to]` along the first axis; `None`: to the end. Negative ends count from the end.
    pub fn slice_rows(
        &mut self,
        e: Endpoint,
        from: Option<i64>,
        to: Option<i64>,
    ) -> Result<Endpoint> {
        let mask = |bound: Option<i64>| Attr::Int(i64::from(bound.is_none()));
        let attrs = [("begin_mask", mask(from)), ("end_mask", mask(to))];
        self.strided(e, from.unwrap_or(0), to.unwrap_or(0), &attrs)
    }

    /// `e[i]`.
    pub fn row(&mut self, e: Endpoint, i: i64) -> Result<Endpoint> {
        self.strided(e, i, i + 1, &[("shrink_axis_mask", Attr::Int(1))])
    }

    fn strided(&mut self, e: Endpoint, from: i64, to: i64, attrs: Given) -> Result<Endpoint> {
        self.in_scope("strided_slice", |graph| {
            let begin = graph.constant_node("stack", ints(&[from])?)?;
            let end = graph.constant_node("stack_1", ints(&[to])?)?;
            let stride = graph.constant_node("stack_2", ints(&[1])?)?;
            let name = graph.scope_as_name();
            graph.call("StridedSlice", &name, [e, begin, end, stride], attrs)
        })
    }

    /// `tf.stack(parts)` of scalars, plain or not.
    pub fn stack(&mut self, parts: Vec<In>) -> Result<Endpoint> {
        self.in_scope("stack", |graph| {
            let mut tensors = Vec::with_capacity(parts.len());
            for (i, part) in parts.into_iter().enumerate() {
                match part {
                    In::Tensor(e) => tensors.push(e),
                    In::List(all) => tensors.extend(all),
                    In::Plain(_, value) => {
                        tensors.push(graph.constant_node(&i.to_string(), value)?)
                    }
                }
            }
            let name = graph.scope_as_name();
            graph.call("Pack", &name, [In::List(tensors)], &[])
        })
    }

    /// `tf.reduce_sum(e, axes)` with plain axes.
    pub fn sum_over(&mut self, e: Endpoint, axes: &[i64]) -> Result<Endpoint> {
        self.call(
            "Sum",
            "",
            [e.into(), In::Plain("reduction_indices", ints(axes)?)],
            &[],
        )
    }

    /// `tf.reduce_sum(e)` over all axes.
    pub fn sum_all(&mut self, e: Endpoint) -> Result<Endpoint> {
        self.reduce_all("Sum", e)
    }

    /// A reduction over all axes: the axes are a `Const` beside it, or a Range where the rank is unknown.
    pub fn reduce_all(&mut self, op: &'static str, e: Endpoint) -> Result<Endpoint> {
        let axes = match self.shape(e).rank() {
            Some(rank) => {
                let all: Vec<i64> = (0..rank as i64).collect();
                self.constant_node("Const", ints(&all)?)?
            }
            None => {
                let rank = self.call("Rank", "", [e], &[])?;
                self.range(int(0)?, rank)?
            }
        };
        let made = self.call(op, "", [e, axes], &[])?;
        self.set_shape(made, &crate::value::PartialShape::scalar())?;
        Ok(made)
    }

    /// `tf.range(start, limit)`.
    pub fn range(&mut self, start: Value, limit: Endpoint) -> Result<Endpoint> {
        self.in_scope("range", |graph| {
            let start = graph.constant_node("start", start)?;
            let delta = graph.constant_node("delta", int(1)?)?;
            let name = graph.scope_as_name();
            graph.call("Range", &name, [start, limit, delta], &[])
        })
    }

    /// `c ? a : b`, as `tf.where` makes it.
    pub fn where_(&mut self, c: Endpoint, a: Endpoint, b: Endpoint) -> Result<Endpoint> {
        self.call("Select", "", [c, a, b], &[])
    }

    /// The complex conjugate of complex tensors; others as they are.
    pub fn conj(&mut self, e: Endpoint) -> Result<Endpoint> {
        match self.dtype(e).is_complex() {
            true => self.call("Conj", "", [e], &[]),
            false => Ok(e),
        }
    }

    // What Python's operators make; an operand may be a plain number.

    pub fn mul<A: Into<In>, B: Into<In>>(&mut self, a: A, b: B) -> Result<Endpoint> {
        self.call("Mul", "mul", [a.into(), b.into()], &[])
    }

    pub fn add<A: Into<In>, B: Into<In>>(&mut self, a: A, b: B) -> Result<Endpoint> {
        self.call("AddV2", "add", [a.into(), b.into()], &[])
    }

    pub fn sub<A: Into<In>, B: Into<In>>(&mut self, a: A, b: B) -> Result<Endpoint> {
        self.call("Sub", "sub", [a.into(), b.into()], &[])
    }

    pub fn neg(&mut self, a: Endpoint) -> Result<Endpoint> {
        self.call("Neg", "", [a], &[])
    }

    /// `a / b` of floats.
    pub fn truediv(&mut self, a: Endpoint, b: Endpoint) -> Result<Endpoint> {
        self.call("RealDiv", "truediv", [a, b], &[])
    }

    /// The number `x` in the type of `like`, as the operand `arg`.
    pub fn plain(&self, arg: &'static str, like: Endpoint, x: f64) -> Result<In> {
        Ok(In::Plain(arg, number(self.dtype(like), x)?))
    }
}
