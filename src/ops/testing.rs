//! Single ops for unit tests: run on plain values, or with shapes inferred.

use crate::error::Result;
use crate::graph::{Attr, Endpoint, NodeSpec};
use crate::value::{DType, PartialShape, Shape, Value};

use super::{new_graph, run_alone};

/// Attributes by name.
pub(super) type Given = Vec<(&'static str, Attr)>;

pub(super) fn attrs(all: &[(&'static str, Attr)]) -> Given {
    all.to_vec()
}

fn spec(op: &'static str, inputs: &[Endpoint], given: &[(&'static str, Attr)]) -> NodeSpec {
    let mut spec = NodeSpec::new(op);
    for input in inputs {
        spec = spec.input(*input);
    }
    for (name, value) in given {
        spec = spec.attr(*name, value.clone());
    }
    spec
}

/// The outputs of `op` on these inputs.
pub(super) fn run(
    op: &'static str,
    inputs: &[Value],
    given: &[(&'static str, Attr)],
) -> Result<Vec<Value>> {
    let mut graph = new_graph();
    let mut endpoints = Vec::new();
    for input in inputs {
        let placeholder = NodeSpec::new("Placeholder").attr("dtype", input.dtype());
        endpoints.push(graph.create_tensor(placeholder)?);
    }
    let made = graph.create_tensor(spec(op, &endpoints, given))?;
    let node = graph.node(made.node).clone();
    run_alone(made.node, &node, inputs.to_vec())
}

/// Floats of both signs without order.
#[cfg(feature = "gpu")]
pub(super) fn floats_of(dims: &[i64]) -> Value {
    let shape = Shape::new(dims).unwrap();
    let all: Vec<f32> = (0..shape.num_elements() as u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / 8_388_608.0 - 1.0)
        .collect();
    Value::from_slice(shape, &all).unwrap()
}

/// Runs `op` on a GPU, when there is one, and asserts that it gives what the CPU gives: exactly, or floats to
/// `tolerance`, absolute below 1 and relative above.
#[cfg(feature = "gpu")]
pub(super) fn agrees_on_gpu(
    op: &'static str,
    inputs: &[Value],
    given: &[(&'static str, Attr)],
    tolerance: f32,
) {
    agrees_on_gpu_with(op, inputs, given, tolerance, &[]);
}

/// The same, with inputs that only the device knows.
#[cfg(feature = "gpu")]
pub(super) fn agrees_on_gpu_with(
    op: &'static str,
    inputs: &[Value],
    given: &[(&'static str, Attr)],
    tolerance: f32,
    unseen: &[usize],
) {
    use super::evaluate::NoSession;
    use super::gpu::{GpuContext, to_device};
    use super::kernel::Slot;

    let Some(gpu) = crate::backend::gpu::for_tests() else {
        return;
    };
    let mut graph = new_graph();
    let mut endpoints = Vec::new();
    for input in inputs {
        let placeholder = NodeSpec::new("Placeholder").attr("dtype", input.dtype());
        endpoints.push(graph.create_tensor(placeholder).unwrap());
    }
    let made = graph.create_tensor(spec(op, &endpoints, given)).unwrap();
    let node = graph.node(made.node).clone();
    let expected = run_alone(made.node, &node, inputs.to_vec()).unwrap();
    let entry = super::find(op).unwrap();
    let mut slots: Vec<Slot> = Vec::new();
    for (i, input) in inputs.iter().enumerate() {
        slots.push(Slot::Value(match entry.host_inputs >> i & 1 {
            _ if unseen.contains(&i) => to_device(&*gpu, input).unwrap().written(),
            1 => input.clone(),
            _ => to_device(&*gpu, input).unwrap(),
        }));
    }
    let session = NoSession::default();
    let formulas = crate::backend::gpu::map::Formulas::default();
    let mut context = GpuContext::new(made.node, &node, &mut slots, &session, &*gpu, &formulas);
    entry.gpu.unwrap()(&mut context).unwrap();
    let outputs = context.into_outputs();
    let outputs = outputs.unwrap_or_else(|| panic!("{op} was left to the host"));
    for (i, (output, expected)) in outputs.into_iter().zip(&expected).enumerate() {
        let Slot::Value(output) = output else {
            panic!("{op} gives no output {i}")
        };
        let there = output.device_buffer().expect("outputs lie on the device");
        let bytes = gpu.download(&[there]).unwrap().remove(0);
        let output = Value::from_buffer(output.dtype(), output.shape().clone(), bytes).unwrap();
        let what = format!("{op} of {inputs:?} {given:?}, output {i}");
        assert_eq!(output.dtype(), expected.dtype(), "{what}");
        assert_eq!(output.shape(), expected.shape(), "{what}");
        if output.dtype() != DType::F32 {
            assert_eq!(output.bytes().unwrap(), expected.bytes().unwrap(), "{what}");
            continue;
        }
        let pairs = output.slice::<f32>().unwrap().iter();
        for (at, (x, y)) in pairs.zip(expected.slice::<f32>().unwrap()).enumerate() {
            let is_near = x == y || (x - y).abs() <= tolerance * y.abs().max(1.0);
            assert!(
                is_near || (x.is_nan() && y.is_nan()),
                "{what}, element {at}: {x} is not {y}"
            );
        }
    }
}

/// What is known of the outputs' shapes. Each input is `float32` of a shape (`None`: unknown), or a constant.
pub(super) fn shapes(
    op: &'static str,
    inputs: &[Input],
    given: &[(&'static str, Attr)],
) -> Result<Vec<String>> {
    let mut graph = new_graph();
    let mut endpoints = Vec::new();
    for input in inputs {
        endpoints.push(match input {
            Input::Known(dims) => {
                let placeholder = NodeSpec::new("Placeholder").attr("dtype", DType::F32);
                graph.create_tensor(placeholder.attr("shape", PartialShape::new(dims)?))?
            }
            Input::Unknown(dtype) => {
                graph.create_tensor(NodeSpec::new("Placeholder").attr("dtype", *dtype))?
            }
            Input::Constant(value) => graph.constant_node("Const", value.clone())?,
        });
    }
    let made = graph.create_tensor(spec(op, &endpoints, given))?;
    let outputs = graph.node(made.node).outputs.len();
    let shape = |i| graph.shape(Endpoint::new(made.node, i)).to_string();
    Ok((0..outputs).map(shape).collect())
}

/// What shape inference is told of an input.
pub(super) enum Input {
    Known(Vec<i64>),
    Unknown(DType),
    Constant(Value),
}

/// A `float32` tensor of this shape; -1 where unknown.
pub(super) fn of(dims: &[i64]) -> Input {
    Input::Known(dims.to_vec())
}

/// A constant vector of `int32`.
pub(super) fn sizes(all: &[i32]) -> Input {
    Input::Constant(Value::vector(all).expect("a small vector"))
}

/// A `float32` value of this shape.
pub(super) fn floats(dims: &[i64], all: &[f32]) -> Value {
    Value::from_slice(Shape::new(dims).expect("a legal shape"), all)
        .expect("as many as the shape says")
}

/// Whether all pairs agree but for rounding.
pub(super) fn assert_close(value: &Value, wanted: &[f32]) {
    let all = value.slice::<f32>().expect("float32");
    assert_eq!(all.len(), wanted.len());
    for (i, (x, y)) in all.iter().zip(wanted).enumerate() {
        let bound = 1e-5 * y.abs().max(1.0);
        assert!((x - y).abs() <= bound, "element {i}: {x} but wanted {y}");
    }
}
