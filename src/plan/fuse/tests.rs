//! Which steps become one, and which must not. With the ops of the registry.

use crate::graph::{Endpoint, Graph, NodeId, NodeSpec};
use crate::ops::new_graph;
use crate::plan::{RunSpec, plan};
use crate::value::{DType, PartialShape, Value};

fn explain(graph: &Graph, feeds: &[Endpoint], fetches: &[Endpoint], targets: &[NodeId]) -> String {
    let spec = RunSpec {
        feeds: feeds.to_vec(),
        fetches: fetches.to_vec(),
        targets: targets.to_vec(),
        ..Default::default()
    };
    plan(graph, &spec, &|_| None).unwrap().to_string()
}

fn groups(text: &str) -> usize {
    text.lines().filter(|line| line.contains("= group")).count()
}

fn shaped(graph: &mut Graph, op: &'static str, name: &str, dims: &[i64]) -> Endpoint {
    let spec = NodeSpec::new(op).name(name).attr("dtype", DType::F32);
    let shape = PartialShape::new(dims).unwrap();
    graph.create_tensor(spec.attr("shape", shape)).unwrap()
}

fn constant(graph: &mut Graph, name: &str, value: Value) -> Endpoint {
    let spec = NodeSpec::new("Const").name(name);
    let spec = spec.attr("dtype", value.dtype()).attr("value", value);
    graph.create_tensor(spec).unwrap()
}

fn node(graph: &mut Graph, op: &'static str, name: &str, inputs: &[Endpoint]) -> Endpoint {
    let mut spec = NodeSpec::new(op).name(name);
    for input in inputs {
        spec = spec.input(*input);
    }
    graph.create_tensor(spec).unwrap()
}

fn after(
    graph: &mut Graph,
    op: &'static str,
    name: &str,
    inputs: &[Endpoint],
    wait: Endpoint,
) -> Endpoint {
    let mut spec = NodeSpec::new(op).name(name).control(wait.node);
    for input in inputs {
        spec = spec.input(*input);
    }
    graph.create_tensor(spec).unwrap()
}

#[test]
fn a_chain_and_the_sum_of_it_are_one_pass() {
    let mut g = new_graph();
    let x = shaped(&mut g, "Placeholder", "x", &[-1, 3]);
    let two = constant(&mut g, "two", Value::scalar(2f32).unwrap());
    let a = node(&mut g, "Mul", "a", &[x, two]);
    let b = node(&mut g, "Tanh", "b", &[a]);
    let c = node(&mut g, "Sub", "c", &[b, x]);
    let axes = constant(&mut g, "axes", Value::vector(&[0i32, 1]).unwrap());
    let sum = node(&mut g, "Sum", "sum", &[c, axes]);
    insta::assert_snapshot!(explain(&g, &[x], &[sum], &[]));
}

#[test]
fn a_fetched_value_in_between_is_an_output_of_the_pass() {
    let mut g = new_graph();
    let x = shaped(&mut g, "Placeholder", "x", &[4]);
    let a = node(&mut g, "Exp", "a", &[x]);
    let b = node(&mut g, "Neg", "b", &[a]);
    insta::assert_snapshot!(explain(&g, &[x], &[a, b], &[]));
}

#[test]
fn a_small_value_is_not_computed_for_each_element_of_a_large_one() {
    let mut g = new_graph();
    let x = shaped(&mut g, "Placeholder", "x", &[100]);
    let s = shaped(&mut g, "Placeholder", "s", &[]);
    let small = node(&mut g, "Exp", "small", &[s]);
    let large = node(&mut g, "Mul", "large", &[x, small]);
    let more = node(&mut g, "Neg", "more", &[large]);
    let text = explain(&g, &[x, s], &[more], &[]);
    assert_eq!(groups(&text), 1, "{text}");
    assert!(
        !text.contains("| %") || !text.contains("'small'\n|"),
        "{text}"
    );
    let unknown = node(&mut g, "Mul", "unknown", &[more, large]);
    let text = explain(&g, &[x, s], &[unknown], &[]);
    assert!(
        text.lines()
            .any(|l| l.ends_with("'small'") && !l.starts_with('|')),
        "{text}"
    );
}

#[test]
fn whoever_reads_a_member_before_the_group_ends_splits_it() {
    let mut g = new_graph();
    let x = shaped(&mut g, "Placeholder", "x", &[3, 3]);
    let a = node(&mut g, "Exp", "a", &[x]);
    let b = node(&mut g, "Neg", "b", &[a]);
    let product = node(&mut g, "MatMul", "product", &[b, b]);
    let c = node(&mut g, "Add", "c", &[b, product]);
    let d = node(&mut g, "Neg", "d", &[c]);
    let text = explain(&g, &[x], &[d], &[]);
    assert_eq!(groups(&text), 2, "{text}");
}

/// `v - (v - x) * rate`, as a moving average does it.
fn average(g: &mut Graph, v: Endpoint, x: Endpoint) -> Endpoint {
    let rate = constant(g, "rate", Value::scalar(0.5f32).unwrap());
    let read = node(g, "Identity", "read", &[v]);
    let off = node(g, "Sub", "off", &[read, x]);
    let part = node(g, "Mul", "part", &[off, rate]);
    node(g, "AssignSub", "average", &[v, part])
}

#[test]
fn an_update_ends_the_pass_that_computes_it() {
    let mut g = new_graph();
    let v = shaped(&mut g, "VariableV2", "v", &[5]);
    let x = shaped(&mut g, "Placeholder", "x", &[5]);
    let up = average(&mut g, v, x);
    insta::assert_snapshot!(explain(&g, &[x], &[], &[up.node]));
}

#[test]
fn a_step_of_descent_and_the_average_of_what_it_leaves_are_one_pass() {
    let mut g = new_graph();
    let w = shaped(&mut g, "VariableV2", "w", &[5]);
    let grad = shaped(&mut g, "Placeholder", "grad", &[5]);
    let rate = shaped(&mut g, "Placeholder", "lr", &[]);
    let down = node(&mut g, "ApplyGradientDescent", "down", &[w, rate, grad]);
    let v = shaped(&mut g, "VariableV2", "v", &[5]);
    let now = after(&mut g, "Identity", "now", &[w], down);
    let up = average(&mut g, v, now);
    insta::assert_snapshot!(explain(&g, &[grad, rate], &[], &[up.node]));
}

#[test]
fn a_read_is_not_carried_over_an_update_of_its_variable() {
    let mut g = new_graph();
    let v = shaped(&mut g, "VariableV2", "v", &[2]);
    let x = shaped(&mut g, "Placeholder", "x", &[2]);
    let read = node(&mut g, "Identity", "read", &[v]);
    let before = node(&mut g, "Neg", "before", &[read]);
    let up = after(&mut g, "Assign", "up", &[v, x], before);
    let then = after(&mut g, "Mul", "then", &[before, x], up);
    let text = explain(&g, &[x], &[then], &[]);
    assert_eq!(groups(&text), 0, "{text}");
}

#[test]
fn what_waits_for_an_update_sees_it() {
    let mut g = new_graph();
    let v = shaped(&mut g, "VariableV2", "v", &[2]);
    let x = shaped(&mut g, "Placeholder", "x", &[2]);
    let up = average(&mut g, v, x);
    let now = after(&mut g, "Identity", "now", &[v], up);
    let shape = constant(&mut g, "shape", Value::vector(&[1i32, 2]).unwrap());
    let turned = node(&mut g, "Reshape", "turned", &[now, shape]);
    let out = node(&mut g, "Neg", "out", &[turned]);
    let text = explain(&g, &[x], &[out], &[]);
    let at = |what: &str| text.find(what).unwrap_or(0);
    assert!(
        at("'average'") < at("'turned'") && at("'turned'") < at("'out'"),
        "{text}"
    );
}

#[test]
fn shapes_that_may_differ_stay_apart() {
    let mut g = new_graph();
    let x = shaped(&mut g, "Placeholder", "x", &[-1, 1]);
    let y = shaped(&mut g, "Placeholder", "y", &[-1, 7]);
    let a = node(&mut g, "Neg", "a", &[x]);
    let b = node(&mut g, "Mul", "b", &[a, y]);
    let text = explain(&g, &[x, y], &[b], &[]);
    assert_eq!(groups(&text), 0, "{text}");
}
