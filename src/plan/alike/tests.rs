//! What is dropped, and what must stay. With the ops of the registry.

use crate::graph::{Endpoint, Graph, NodeSpec};
use crate::ops::new_graph;
use crate::plan::{RunSpec, plan};
use crate::value::{DType, PartialShape};

fn fed(g: &mut Graph, name: &str, dims: &[i64]) -> Endpoint {
    let spec = NodeSpec::new("Placeholder").name(name);
    let shape = PartialShape::new(dims).unwrap();
    let spec = spec.attr("dtype", DType::F32).attr("shape", shape);
    g.create_tensor(spec).unwrap()
}

fn node(g: &mut Graph, op: &'static str, name: &str, inputs: &[Endpoint]) -> Endpoint {
    let inputs = inputs.iter().copied();
    let spec = inputs.fold(NodeSpec::new(op).name(name), |spec, e| spec.input(e));
    g.create_tensor(spec).unwrap()
}

/// The gradient of a product of `x` and `y` by one of them, as TensorFlow makes it.
fn gradient(g: &mut Graph, x: Endpoint, y: Endpoint, dy: Endpoint, by_first: bool) -> Endpoint {
    let shapes = [("shape_x", x), ("shape_y", y)].map(|(name, e)| node(g, "Shape", name, &[e]));
    let args = node(g, "BroadcastGradientArgs", "args", &shapes).node;
    let (other, own) = if by_first { (y, 0) } else { (x, 1) };
    let product = node(g, "Mul", "by", &[dy, other]);
    let sum = node(g, "Sum", "sum", &[product, Endpoint::new(args, own)]);
    node(g, "Reshape", "back", &[sum, shapes[usize::from(!by_first)]])
}

fn shown(g: &Graph, feeds: &[Endpoint], fetch: Endpoint) -> String {
    let spec = RunSpec {
        feeds: feeds.to_vec(),
        fetches: vec![fetch],
        ..Default::default()
    };
    plan(g, &spec, &|_| None).unwrap().to_string()
}

#[test]
fn nothing_is_summed_where_nothing_was_repeated() {
    let mut g = new_graph();
    let x = fed(&mut g, "x", &[-1, 3]);
    let twice = node(&mut g, "Add", "twice", &[x, x]);
    let back = gradient(&mut g, x, twice, twice, true);
    let text = shown(&g, &[x], back);
    for gone in ["'sum'", "'back'", "'args'", "Shape"] {
        assert!(!text.contains(gone), "{gone}: {text}");
    }
}

#[test]
fn sizes_that_may_differ_are_summed_over() {
    let mut g = new_graph();
    let (x, y) = (fed(&mut g, "x", &[-1, 3]), fed(&mut g, "y", &[-1, 3]));
    let both = node(&mut g, "Mul", "both", &[x, y]);
    let back = gradient(&mut g, x, y, both, true);
    let text = shown(&g, &[x, y], back);
    assert!(text.contains("'sum'") && text.contains("'back'"), "{text}");
}

#[test]
fn a_vector_is_summed_and_what_it_was_multiplied_with_is_not() {
    for by_first in [true, false] {
        let mut g = new_graph();
        let (x, row) = (fed(&mut g, "x", &[-1, 3]), fed(&mut g, "row", &[3]));
        let both = node(&mut g, "Mul", "both", &[x, row]);
        let back = gradient(&mut g, x, row, both, by_first);
        let text = shown(&g, &[x, row], back);
        assert_eq!(text.contains("'sum'"), !by_first, "{text}");
    }
}

#[test]
fn a_shape_that_is_known_is_a_constant() {
    let mut g = new_graph();
    let x = fed(&mut g, "x", &[2, 3]);
    let shape = node(&mut g, "Shape", "shape", &[x]);
    assert!(!shown(&g, &[x], shape).contains("Shape"));
}

#[test]
fn a_variable_that_may_change_its_shape_says_nothing() {
    let mut g = new_graph();
    let spec = NodeSpec::new("VariableV2").name("v");
    let spec = spec.attr("dtype", DType::F32);
    let v = g.create_tensor(spec.attr("shape", PartialShape::unknown()));
    let v = v.unwrap();
    let x = node(&mut g, "Identity", "x", &[v]);
    let y = node(&mut g, "Identity", "y", &[v]);
    let shape = node(&mut g, "Shape", "shape", &[x]);
    let again = node(&mut g, "Reshape", "again", &[y, shape]);
    assert!(shown(&g, &[], again).contains("Reshape"));
}
