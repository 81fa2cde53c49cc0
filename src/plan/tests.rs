//! Plans as text, with the small ops of `testing`.

use super::testing::*;
use super::*;
use crate::graph::NodeSpec;
use crate::value::{DType, Value};

fn explain(graph: &Graph, feeds: &[Endpoint], fetches: &[Endpoint], targets: &[NodeId]) -> String {
    let spec = RunSpec {
        feeds: feeds.to_vec(),
        fetches: fetches.to_vec(),
        targets: targets.to_vec(),
        ..Default::default()
    };
    plan_with(graph, &spec, &|_| None, lookup)
        .unwrap()
        .to_string()
}

#[test]
fn constants_fold_and_equal_nodes_become_one() {
    let mut g = new_graph();
    let x = typed(&mut g, "Placeholder", "x", DType::F32);
    let two = constant(&mut g, "two", 2.0);
    let also_two = constant(&mut g, "also_two", 2.0);
    let four = node(&mut g, "Mul", "four", &[two, also_two]);
    let same = node(&mut g, "Identity", "same", &[x]);
    let a = node(&mut g, "Add", "a", &[x, four]);
    let b = node(&mut g, "Add", "b", &[same, four]);
    let c = node(&mut g, "Mul", "c", &[a, b]);
    insta::assert_snapshot!(explain(&g, &[x], &[c, four], &[]));
}

#[test]
fn prune_keeps_control_inputs_and_folding_their_order() {
    let mut g = new_graph();
    let one = constant(&mut g, "one", 1.0);
    let v = typed(&mut g, "VariableV2", "v", DType::F32);
    let up = node(&mut g, "AssignAdd", "up", &[v, one]);
    let late = NodeSpec::new("Const")
        .name("late")
        .attr("dtype", DType::F32)
        .control(up.node);
    let late = make(&mut g, late.attr("value", Value::scalar(3.0f32).unwrap()));
    let read = node(&mut g, "Identity", "read", &[v]);
    let sum = node(&mut g, "Add", "sum", &[read, late]);
    insta::assert_snapshot!(explain(&g, &[], &[sum, late], &[]));
}

#[test]
fn reads_of_variables_are_neither_dropped_nor_shared() {
    let mut g = new_graph();
    let v = typed(&mut g, "VariableV2", "v", DType::F32);
    let first = node(&mut g, "Identity", "first", &[v]);
    let second = node(&mut g, "Identity", "second", &[v]);
    let sum = node(&mut g, "Add", "sum", &[first, second]);
    insta::assert_snapshot!(explain(&g, &[], &[sum], &[]));
}

#[test]
fn a_loop_is_one_step_with_steps_of_its_own() {
    let mut g = new_graph();
    let x = typed(&mut g, "Placeholder", "x", DType::F32);
    let limit = constant(&mut g, "limit", 3.0);
    let end = counting_loop(&mut g, "count", x, limit);
    let out = node(&mut g, "Mul", "out", &[end, end]);
    insta::assert_snapshot!(explain(&g, &[x], &[out], &[]));
}

#[test]
fn after_a_merge_of_both_branches_nothing_is_checked() {
    let mut g = new_graph();
    let x = typed(&mut g, "Placeholder", "x", DType::F32);
    let p = typed(&mut g, "Placeholder", "p", DType::Bool);
    let id = node(&mut g, "Identity", "p_id", &[p]);
    let switch = node(&mut g, "Switch", "switch", &[x, id]);
    let pivot = node(&mut g, "Switch", "pivot", &[p, p]);
    let pivot = node(
        &mut g,
        "Identity",
        "switch_t",
        &[Endpoint::new(pivot.node, 1)],
    );
    let two = NodeSpec::new("Const")
        .name("two")
        .attr("dtype", DType::F32)
        .control(pivot.node);
    let two = make(&mut g, two.attr("value", Value::scalar(2.0f32).unwrap()));
    let yes = node(&mut g, "Mul", "yes", &[Endpoint::new(switch.node, 1), two]);
    let no = node(&mut g, "Identity", "no", &[switch]);
    let merge = node(&mut g, "Merge", "merge", &[no, yes]);
    let out = node(&mut g, "Add", "out", &[merge, merge]);
    insta::assert_snapshot!(explain(&g, &[x, p], &[out], &[]));
}

#[test]
fn what_is_only_waited_for_is_not_computed() {
    let mut g = new_graph();
    let x = typed(&mut g, "Placeholder", "x", DType::F32);
    let v = typed(&mut g, "VariableV2", "v", DType::F32);
    let read = node(&mut g, "Identity", "read", &[v]);
    let inner = node(&mut g, "Mul", "inner", &[x, read]);
    let unread = node(&mut g, "Add", "unread", &[inner, x]);
    let risky = node(&mut g, "Panic", "risky", &[inner]);
    let wanted = node(&mut g, "Mul", "wanted", &[inner, x]);
    let late = NodeSpec::new("Mul").name("late").input(wanted).input(x);
    let late = late.control(unread.node).control(risky.node);
    let late = make(&mut g, late);
    insta::assert_snapshot!(explain(&g, &[x], &[late], &[]));
    let target = node(&mut g, "Mul", "target", &[x, x]);
    assert!(explain(&g, &[x], &[], &[target.node]).contains("'target'"));
}

#[test]
fn whoever_waited_for_what_is_not_computed_waits_for_its_inputs() {
    let mut g = new_graph();
    let x = typed(&mut g, "Placeholder", "x", DType::F32);
    let one = constant(&mut g, "one", 1.0);
    let v = typed(&mut g, "VariableV2", "v", DType::F32);
    let up = node(&mut g, "AssignAdd", "up", &[v, one]);
    let read = make(
        &mut g,
        NodeSpec::new("Identity")
            .name("read")
            .input(v)
            .control(up.node),
    );
    let unread = node(&mut g, "Add", "unread", &[x, read]);
    let late = NodeSpec::new("NoOp").name("late").control(unread.node);
    let late = g.create(late).unwrap();
    insta::assert_snapshot!(explain(&g, &[x], &[], &[late]));
}

#[test]
fn a_chain_that_nobody_reads_goes_as_a_whole() {
    let mut g = new_graph();
    let x = typed(&mut g, "Placeholder", "x", DType::F32);
    let first = node(&mut g, "Mul", "first", &[x, x]);
    let second = node(&mut g, "Add", "second", &[first, x]);
    let late = NodeSpec::new("Mul").name("late").input(x).input(x);
    let late = make(&mut g, late.control(second.node));
    let plan = explain(&g, &[x], &[late], &[]);
    assert!(
        !plan.contains("'first'") && !plan.contains("'second'"),
        "{plan}"
    );
}
