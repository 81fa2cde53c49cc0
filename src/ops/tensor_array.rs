//! Arrays of tensors and stacks, which loops write in one iteration and read in another. They live as long as their
//! handles; each run makes its own.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::error::{Error, Result};
use crate::graph::{Attr, Endpoint, ShapeContext};
use crate::value::{DType, PartialShape, Shape, Value};
use crate::{bail, dispatch, ensure};

use super::gradient::{GradientContext, Grads};
use super::kernel::KernelContext;
use super::moves::{Run, assemble};
use super::{Op, shape};

pub(super) const OPS: &[Op] = &[
    Op::new(
        "TensorArrayV3",
        "size: int32 -> handle: resource, flow: float32",
    )
    .attr("dtype: type")
    .attr("element_shape: shape = ?")
    .attr("dynamic_size: bool = false")
    .attr("clear_after_read: bool = true")
    .attr("identical_element_shapes: bool = false")
    .attr("tensor_array_name: string = ''")
    .stateful()
    .no_grad()
    .shape(array_shape)
    .host(make_array),
    Op::new(
        "TensorArrayGradV3",
        "handle: resource, flow_in: float32 -> grad_handle: resource, flow_out: float32",
    )
    .attr("source: string")
    .stateful()
    .no_grad()
    .shape(array_shape)
    .host(make_gradient),
    Op::new(
        "TensorArrayWriteV3",
        "handle: resource, index: int32, value: T, flow_in: float32 -> flow_out: float32",
    )
    .attr("T: type")
    .stateful()
    .shape(flow_shape)
    .grad(write_grad)
    .host(write),
    Op::new(
        "TensorArrayReadV3",
        "handle: resource, index: int32, flow_in: float32 -> value: dtype",
    )
    .attr("dtype: type")
    .stateful()
    .shape(shape::unknown)
    .grad(read_grad)
    .host(read),
    Op::new(
        "TensorArrayGatherV3",
        "handle: resource, indices: int32, flow_in: float32 -> value: dtype",
    )
    .attr("dtype: type")
    .attr("element_shape: shape = ?")
    .stateful()
    .shape(gather_shape)
    .grad(gather_grad)
    .host(gather),
    Op::new(
        "TensorArrayScatterV3",
        "handle: resource, indices: int32, value: T, flow_in: float32 -> flow_out: float32",
    )
    .attr("T: type")
    .stateful()
    .shape(flow_shape)
    .grad(scatter_grad)
    .host(scatter),
    Op::new(
        "TensorArraySizeV3",
        "handle: resource, flow_in: float32 -> size: int32",
    )
    .stateful()
    .no_grad()
    .shape(shape::scalar)
    .host(size),
    Op::new("TensorArrayCloseV3", "handle: resource ->")
        .stateful()
        .no_grad()
        .shape(shape::unknown)
        .host(close),
    Op::new("StackV2", "max_size: int32 -> handle: resource")
        .attr("elem_type: type")
        .attr("stack_name: string = ''")
        .stateful()
        .shape(shape::scalar)
        .host(make_stack),
    Op::new("StackPushV2", "handle: resource, elem: T -> output: T")
        .attr("T: type")
        .attr("swap_memory: bool = false")
        .stateful()
        .shape(push_shape)
        .host(push),
    Op::new("StackPopV2", "handle: resource -> elem: elem_type")
        .attr("elem_type: type")
        .stateful()
        .shape(shape::unknown)
        .host(pop),
    Op::new("StackCloseV2", "handle: resource ->")
        .stateful()
        .shape(shape::unknown)
        .host(close),
];

/// What is known of one place of an array.
#[derive(Clone, Default)]
enum Place {
    #[default]
    Empty,
    Written(Value),
    /// Read once and given up, as `clear_after_read` asks.
    Cleared,
}

struct TensorArray {
    dtype: DType,
    shape: PartialShape,
    is_dynamic: bool,
    clears: bool,
    /// A gradient's array: writing twice adds up, and what was never written is zeros.
    adds: bool,
    name: String,
    places: Mutex<Vec<Place>>,
    /// Arrays of gradients, by the gradient call that asked for them.
    gradients: Mutex<Vec<(String, Arc<TensorArray>)>>,
    /// Shapes of the array that this is the gradient of, for zeros.
    forward: Option<Arc<TensorArray>>,
}

fn array_shape(c: &mut ShapeContext) -> Result<()> {
    c.set(0, PartialShape::vector(2));
    c.set(1, PartialShape::scalar());
    Ok(())
}

fn flow_shape(c: &mut ShapeContext) -> Result<()> {
    c.set(0, PartialShape::scalar());
    Ok(())
}

fn gather_shape(c: &mut ShapeContext) -> Result<()> {
    let one = c.attrs().shape("element_shape")?.clone();
    if let Some(dims) = one.dims() {
        let mut all = vec![c.input(1).dim(0)];
        all.extend_from_slice(dims);
        c.set(0, PartialShape::from_dims(all));
    }
    Ok(())
}

fn push_shape(c: &mut ShapeContext) -> Result<()> {
    let shape = c.input(1);
    c.set(0, shape);
    Ok(())
}

fn flow() -> Result<Value> {
    Value::scalar(0.0f32)
}

fn make_array(c: &mut KernelContext) -> Result<()> {
    let size = c.scalar_input(0, "size")?.int()?;
    let size = usize::try_from(size)
        .map_err(|_| Error::invalid(format!("Size should be >= 0. Got: {size}")))?;
    let attrs = c.attrs();
    let name = match attrs.str("tensor_array_name")? {
        "" => c.node.name.to_string(),
        name => name.to_string(),
    };
    let array = TensorArray {
        dtype: attrs.dtype("dtype")?,
        shape: attrs.shape("element_shape")?.clone(),
        is_dynamic: attrs.bool("dynamic_size")?,
        clears: attrs.bool("clear_after_read")?,
        adds: false,
        name,
        places: Mutex::new(vec![Place::Empty; size]),
        gradients: Mutex::default(),
        forward: None,
    };
    c.set_output(0, Value::handle(DType::Resource, Arc::new(array)));
    c.set_output(1, flow()?);
    Ok(())
}

fn array(c: &KernelContext) -> Result<Arc<TensorArray>> {
    let handle = c.input(0)?.resource()?.clone();
    handle
        .downcast::<TensorArray>()
        .map_err(|_| Error::invalid(format!("input 0 of '{}' is no TensorArray", c.node.name)))
}

fn make_gradient(c: &mut KernelContext) -> Result<()> {
    let forward = array(c)?;
    let source = c.attrs().str("source")?.to_string();
    let mut gradients = forward.gradients.lock();
    let found = gradients
        .iter()
        .find(|(s, _)| *s == source)
        .map(|(_, a)| a.clone());
    let made = found.unwrap_or_else(|| {
        let size = forward.places.lock().len();
        let made = Arc::new(TensorArray {
            dtype: forward.dtype,
            shape: forward.shape.clone(),
            is_dynamic: false,
            clears: false,
            adds: true,
            name: format!("{}@{source}", forward.name),
            places: Mutex::new(vec![Place::Empty; size]),
            gradients: Mutex::default(),
            forward: Some(forward.clone()),
        });
        gradients.push((source, made.clone()));
        made
    });
    drop(gradients);
    c.set_output(0, Value::handle(DType::Resource, made));
    c.set_output(1, flow()?);
    Ok(())
}

impl TensorArray {
    fn write(&self, index: i64, value: Value) -> Result<()> {
        ensure!(
            value.dtype() == self.dtype,
            invalid,
            "TensorArray dtype is {} but Op is trying to write dtype {}.",
            self.dtype.short_name(),
            value.dtype().short_name()
        );
        ensure!(
            self.shape.admits(value.shape()),
            invalid,
            "TensorArray {}_{index}: Could not write to TensorArray index {index} because the value shape is {} which is \
             incompatible with the TensorArray's inferred element shape: {}",
            self.name,
            value.shape(),
            self.shape
        );
        let mut places = self.places.lock();
        let at = usize::try_from(index).ok();
        let Some(at) = at.filter(|at| *at < places.len() || (self.is_dynamic && *at < MOST)) else {
            bail!(
                invalid,
                "TensorArray {}_{index}: Tried to write to index {index} but array is not resizeable and size is: {}",
                self.name,
                places.len()
            );
        };
        if at >= places.len() {
            places.resize(at + 1, Place::Empty);
        }
        places[at] = match std::mem::take(&mut places[at]) {
            Place::Empty => Place::Written(value),
            Place::Written(old) if self.adds => Place::Written(sum(&old, &value)?),
            Place::Written(old) => {
                places[at] = Place::Written(old);
                bail!(
                    invalid,
                    "TensorArray {}_{index}: Could not write to TensorArray index {index} because it has already been written to.",
                    self.name
                );
            }
            Place::Cleared => {
                places[at] = Place::Cleared;
                bail!(
                    invalid,
                    "TensorArray {}_{index}: Could not write to TensorArray index {index} because it has already been read.",
                    self.name
                );
            }
        };
        Ok(())
    }

    fn read(&self, index: i64) -> Result<Value> {
        let mut places = self.places.lock();
        let size = places.len();
        let at = usize::try_from(index).ok().filter(|at| *at < size);
        let Some(at) = at else {
            bail!(
                invalid,
                "Tried to read from index {index} but array size is: {size}"
            );
        };
        match &places[at] {
            Place::Written(value) => {
                let value = value.clone();
                if self.clears {
                    places[at] = Place::Cleared;
                }
                Ok(value)
            }
            Place::Cleared => bail!(
                invalid,
                "TensorArray {}_{index}: Could not read index {index} twice because it was cleared after a previous read \
                 (perhaps try setting clear_after_read = false?).",
                self.name
            ),
            Place::Empty => self.zeros(at).ok_or_else(|| {
                Error::invalid(format!(
                    "TensorArray {}_{index}: Could not read from TensorArray index {index}.  Furthermore, the element \
                     shape is not fully defined: {}.  It is possible you are working with a resizeable TensorArray and \
                     stop_gradients is not allowing the gradients to be written.  If you set the full element_shape \
                     property on the forward TensorArray, the proper all-zeros tensor will be returned instead of \
                     incurring this error.",
                    self.name, self.shape
                ))
            })?,
        }
    }

    /// What stands where nothing was written: zeros, when the shape is known.
    fn zeros(&self, at: usize) -> Option<Result<Value>> {
        let known = self.shape.to_shape().or_else(|| {
            let forward = self.forward.as_ref()?;
            match forward.places.lock().get(at)? {
                Place::Written(value) => Some(value.shape().clone()),
                _ => None,
            }
        });
        known.map(|shape| Value::zeros(self.dtype, shape))
    }
}

/// The largest array: one wrong index must not ask for all memory.
const MOST: usize = 1 << 28;

fn sum(a: &Value, b: &Value) -> Result<Value> {
    ensure!(
        a.shape() == b.shape(),
        invalid,
        "Could not aggregate to a TensorArray because the existing shape is {} but the new input shape is {}.",
        a.shape(),
        b.shape()
    );
    let mut out = Value::uninit(a.dtype(), a.shape().clone())?;
    dispatch!(numbers, a.dtype(), T => {
        use crate::backend::cpu::gemm::Number;
        let (x, y) = (a.slice::<T>()?, b.slice::<T>()?);
        for (to, (x, y)) in out.slice_mut::<T>()?.iter_mut().zip(x.iter().zip(y)) {
            *to = T::plus(*x, *y);
        }
    });
    Ok(out)
}

fn write(c: &mut KernelContext) -> Result<()> {
    let array = array(c)?;
    let index = c.scalar_input(1, "index")?.int()?;
    let value = c.input(2)?.clone();
    array.write(index, value)?;
    c.set_output(0, flow()?);
    Ok(())
}

fn read(c: &mut KernelContext) -> Result<()> {
    let array = array(c)?;
    let index = c.scalar_input(1, "index")?.int()?;
    let value = array.read(index)?;
    c.set_output(0, value);
    Ok(())
}

fn gather(c: &mut KernelContext) -> Result<()> {
    let array = array(c)?;
    let indices = c.ints_input(1)?;
    let values = indices
        .iter()
        .map(|i| array.read(*i))
        .collect::<Result<Vec<_>>>()?;
    let one = match values.first() {
        Some(first) => first.shape().clone(),
        None => array.shape.to_shape().ok_or_else(|| {
            Error::unimplemented(format!(
                "TensorArray has size zero, but element shape {} is not fully defined. Currently only static shapes are supported when packing zero-size TensorArrays.",
                array.shape
            ))
        })?,
    };
    for (value, i) in values.iter().zip(&indices) {
        ensure!(
            *value.shape() == one,
            invalid,
            "TensorArray has inconsistent shapes.  Index 0 has shape: {one} but index {i} has shape: {}",
            value.shape()
        );
    }
    let mut dims = vec![values.len() as i64];
    dims.extend_from_slice(one.dims());
    let sources: Vec<&Value> = values.iter().collect();
    let runs = (0..sources.len()).map(|source| Run {
        source,
        from: 0,
        len: one.num_elements(),
    });
    let made = assemble(array.dtype, Shape::new(&dims)?, &sources, runs)?;
    c.set_output(0, made);
    Ok(())
}

fn scatter(c: &mut KernelContext) -> Result<()> {
    let array = array(c)?;
    let (indices, value) = (c.ints_input(1)?, c.input(2)?);
    let shape = value.shape();
    ensure!(
        shape.rank() >= 1 && shape.dim(0) == indices.len(),
        invalid,
        "Expected len(indices) == values.shape[0], but saw: {} vs. {shape}",
        indices.len()
    );
    let one = Shape::new(&shape.dims()[1..])?;
    for (row, index) in indices.iter().enumerate() {
        let run = Run {
            source: 0,
            from: row * one.num_elements(),
            len: one.num_elements(),
        };
        let part = assemble(value.dtype(), one.clone(), &[value], [run].into_iter())?;
        array.write(*index, part)?;
    }
    c.set_output(0, flow()?);
    Ok(())
}

fn size(c: &mut KernelContext) -> Result<()> {
    let size = array(c)?.places.lock().len() as i32;
    c.set_output(0, Value::scalar(size)?);
    Ok(())
}

fn close(c: &mut KernelContext) -> Result<()> {
    let handle = c.input(0)?.resource()?.clone();
    if let Some(array) = handle.downcast_ref::<TensorArray>() {
        array.places.lock().clear();
    } else if let Some(stack) = handle.downcast_ref::<Stack>() {
        stack.values.lock().clear();
    }
    Ok(())
}

// Gradients go through an array of gradients, found by the name of the `tf.gradients` call (`tensor_array_grad.py`).

/// The name of the gradient call that `grad` belongs to: its scope that begins with "gradients".
fn source_of(g: &GradientContext, grad: Endpoint) -> Result<String> {
    let name = g.graph.node(grad.node).name.to_string();
    let parts: Vec<&str> = name.split('/').collect();
    let at = parts.iter().rposition(|p| p.starts_with("gradients"));
    let Some(at) = at else {
        bail!(
            value,
            "Expected Tensor gradient name to start with 'gradients' (excluding scope), but got {name}"
        );
    };
    Ok(parts[..=at].join("/"))
}

/// The array of gradients and its flow, made in the scope `TensorArrayGrad`.
fn gradient_array(
    g: &mut GradientContext,
    handle: Endpoint,
    flow: Endpoint,
    source: &str,
) -> Result<(Endpoint, Endpoint)> {
    let source = [("source", Attr::from(source))];
    g.graph.in_scope("TensorArrayGrad", |graph| {
        graph.push_colocation(Some(handle.node), false);
        let made = graph.call("TensorArrayGradV3", "", [handle, flow], &source);
        let made = made.and_then(|made| {
            graph.push_controls(vec![made.node], false);
            let flow = graph.call("Identity", "gradient_flow", [flow], &[]);
            graph.pop_controls();
            Ok((made, flow?))
        });
        graph.pop_colocation();
        made
    })
}

fn write_grad(g: &mut GradientContext) -> Result<Grads> {
    let (handle, index, dy) = (g.input(0), g.input(1), g.dy(0)?);
    let source = source_of(g, dy)?;
    let (array, flow) = gradient_array(g, handle, dy, &source)?;
    let dtype = [(
        "dtype",
        Attr::Type(crate::graph::TypeNumber::of(g.node().attrs.dtype("T")?)),
    )];
    let made = g
        .graph
        .call("TensorArrayReadV3", "", [array, index, flow], &dtype)?;
    Ok(vec![None, None, Some(made.into()), Some(dy.into())])
}

fn read_grad(g: &mut GradientContext) -> Result<Grads> {
    let (handle, index, flow, dy) = (g.input(0), g.input(1), g.input(2), g.dy(0)?);
    let source = source_of(g, dy)?;
    let (array, flow) = gradient_array(g, handle, flow, &source)?;
    let made = g
        .graph
        .call("TensorArrayWriteV3", "", [array, index, dy, flow], &[])?;
    Ok(vec![None, None, Some(made.into())])
}

fn gather_grad(g: &mut GradientContext) -> Result<Grads> {
    let (handle, indices, flow, dy) = (g.input(0), g.input(1), g.input(2), g.dy(0)?);
    let source = source_of(g, dy)?;
    let (array, flow) = gradient_array(g, handle, flow, &source)?;
    let made = g
        .graph
        .call("TensorArrayScatterV3", "", [array, indices, dy, flow], &[])?;
    Ok(vec![None, None, Some(made.into())])
}

fn scatter_grad(g: &mut GradientContext) -> Result<Grads> {
    let (handle, indices, dy) = (g.input(0), g.input(1), g.dy(0)?);
    let source = source_of(g, dy)?;
    let (array, flow) = gradient_array(g, handle, dy, &source)?;
    let dtype = [(
        "dtype",
        Attr::Type(crate::graph::TypeNumber::of(g.node().attrs.dtype("T")?)),
    )];
    let made = g
        .graph
        .call("TensorArrayGatherV3", "", [array, indices, flow], &dtype)?;
    Ok(vec![None, None, Some(made.into()), Some(dy.into())])
}

struct Stack {
    dtype: DType,
    limit: Option<usize>,
    name: String,
    values: Mutex<Vec<Value>>,
}

fn make_stack(c: &mut KernelContext) -> Result<()> {
    let limit = usize::try_from(c.scalar_input(0, "max_size")?.int()?).ok();
    let stack = Stack {
        dtype: c.attrs().dtype("elem_type")?,
        limit,
        name: c.node.name.to_string(),
        values: Mutex::default(),
    };
    c.set_output(0, Value::handle(DType::Resource, Arc::new(stack)));
    Ok(())
}

fn stack(c: &KernelContext) -> Result<Arc<Stack>> {
    let handle = c.input(0)?.resource()?.clone();
    handle
        .downcast::<Stack>()
        .map_err(|_| Error::invalid(format!("input 0 of '{}' is no stack", c.node.name)))
}

fn push(c: &mut KernelContext) -> Result<()> {
    let stack = stack(c)?;
    let value = c.input(1)?.clone();
    ensure!(
        value.dtype() == stack.dtype,
        invalid,
        "Must have type {} but got {}",
        stack.dtype.short_name(),
        value.dtype().short_name()
    );
    let mut values = stack.values.lock();
    ensure!(
        stack.limit.is_none_or(|limit| values.len() < limit),
        invalid,
        "Stack[{}] overflowed its max_size ({})",
        stack.name,
        values.len()
    );
    values.push(value.clone());
    drop(values);
    c.set_output(0, value);
    Ok(())
}

fn pop(c: &mut KernelContext) -> Result<()> {
    let stack = stack(c)?;
    let value = stack.values.lock().pop();
    let value = value.ok_or_else(|| {
        Error::invalid(format!(
            "Stack[{}] is empty when calling Pop().",
            stack.name
        ))
    })?;
    c.set_output(0, value);
    Ok(())
}
