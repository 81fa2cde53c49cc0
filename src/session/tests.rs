//! What a run gives, with the small ops of `plan::testing`.

use super::*;
use crate::error::Code;
use crate::graph::{Endpoint, NodeSpec};
use crate::plan::{plan_with, testing::*};
use crate::value::{DType, Shape};

fn session(graph: Graph) -> Session {
    let graph = Arc::new(Mutex::new(graph));
    Session::with_planner(graph, None, |graph, spec, homes| {
        plan_with(graph, spec, homes, lookup)
    })
}

fn run_with(
    session: &Session,
    feeds: &[(Endpoint, Value)],
    fetches: &[Endpoint],
) -> Result<Vec<Value>> {
    let spec = RunSpec {
        feeds: feeds.iter().map(|(e, _)| *e).collect(),
        fetches: fetches.to_vec(),
        ..Default::default()
    };
    let values = feeds.iter().map(|(_, v)| v.clone()).collect();
    session.run(&spec, values, RunOptions::default())
}

fn run(session: &Session, feeds: &[(Endpoint, f32)], fetches: &[Endpoint]) -> Result<Vec<f32>> {
    let feeds: Vec<_> = feeds
        .iter()
        .map(|(e, x)| (*e, Value::scalar(*x).unwrap()))
        .collect();
    run_with(session, &feeds, fetches)?
        .iter()
        .map(Value::item::<f32>)
        .collect()
}

#[test]
fn fed_tensors_stand_for_nodes() {
    let mut g = new_graph();
    let x = typed(&mut g, "Placeholder", "x", DType::F32);
    let two = constant(&mut g, "two", 2.0);
    let y = node(&mut g, "Mul", "y", &[x, two]);
    let z = node(&mut g, "Add", "z", &[y, two]);
    let s = session(g);
    assert_eq!(run(&s, &[(x, 3.0)], &[z, y, z]).unwrap(), [8.0, 6.0, 8.0]);
    assert_eq!(run(&s, &[(y, 1.0)], &[z, y]).unwrap(), [3.0, 1.0]);
    let error = run(&s, &[], &[z]).unwrap_err();
    assert_eq!(error.node.as_deref(), Some("x"));
}

#[test]
fn a_feed_of_another_type_is_refused() {
    let mut g = new_graph();
    let x = typed(&mut g, "Placeholder", "x", DType::F32);
    let s = session(g);
    let error = run_with(&s, &[(x, Value::scalar(1i32).unwrap())], &[x]).unwrap_err();
    assert_eq!(error.code, Code::InvalidArgument);
}

#[test]
fn a_panic_in_a_kernel_is_an_error_of_its_node() {
    let mut g = new_graph();
    let x = constant(&mut g, "x", 1.0);
    let y = node(&mut g, "Panic", "y", &[x]);
    let s = session(g);
    let error = run(&s, &[], &[y]).unwrap_err();
    assert_eq!(
        (error.code, error.node.as_deref()),
        (Code::Internal, Some("y"))
    );
    assert_eq!(run(&s, &[], &[x]).unwrap(), [1.0]);
}

#[test]
fn reads_of_a_reference_variable_show_later_updates() {
    let mut g = new_graph();
    let v = typed(&mut g, "VariableV2", "v", DType::F32);
    let one = constant(&mut g, "one", 1.0);
    let init = node(&mut g, "Assign", "init", &[v, one]);
    let before = node(&mut g, "Identity", "before", &[v]);
    let view = node(&mut g, "Reshape", "view", &[before]);
    let early = node(&mut g, "Mul", "early", &[before, one]);
    let add = NodeSpec::new("AssignAdd")
        .name("up")
        .input(v)
        .input(one)
        .control(early.node);
    let up = make(&mut g, add.control(view.node));
    let late = NodeSpec::new("Mul")
        .name("late")
        .input(view)
        .input(one)
        .control(up.node);
    let late = make(&mut g, late);
    let s = session(g);
    let error = run(&s, &[], &[early]).unwrap_err();
    assert_eq!(error.code, Code::FailedPrecondition);
    assert_eq!(error.node.as_deref(), Some("before"));
    assert_eq!(
        run(&s, &[], &[v]).unwrap_err().node.as_deref(),
        Some("_retval_v_0")
    );
    assert_eq!(run(&s, &[], &[init]).unwrap(), [1.0]);
    assert_eq!(
        run(&s, &[], &[early, late, before, view]).unwrap(),
        [1.0, 2.0, 2.0, 2.0]
    );
    let error = run(&s, &[(v, 1.0)], &[up]).unwrap_err();
    assert!(
        error
            .message
            .contains("incompatible with expected float_ref"),
        "{error}"
    );
}

#[test]
fn a_variable_may_be_assigned_from_itself() {
    let mut g = new_graph();
    let v = typed(&mut g, "VariableV2", "v", DType::F32);
    let one = constant(&mut g, "one", 1.0);
    let init = node(&mut g, "Assign", "init", &[v, one]);
    let read = node(&mut g, "Identity", "read", &[v]);
    let again = node(&mut g, "Assign", "again", &[v, read]);
    let s = session(g);
    run(&s, &[], &[init]).unwrap();
    assert_eq!(run(&s, &[], &[again]).unwrap(), [1.0]);
}

fn cond(g: &mut Graph) -> (Endpoint, Endpoint, Endpoint) {
    let x = typed(g, "Placeholder", "x", DType::F32);
    let p = typed(g, "Placeholder", "p", DType::Bool);
    let switch = node(g, "Switch", "switch", &[x, p]);
    let two = constant(g, "two", 2.0);
    let yes = node(g, "Mul", "yes", &[Endpoint::new(switch.node, 1), two]);
    let no = node(g, "Panic", "no", &[switch]);
    let merge = node(g, "Merge", "merge", &[no, yes]);
    (x, p, merge)
}

#[test]
fn a_dead_branch_does_not_run() {
    let mut g = new_graph();
    let (x, p, merge) = cond(&mut g);
    let feeds = [
        (x, Value::scalar(4.0f32).unwrap()),
        (p, Value::scalar_bool(true).unwrap()),
    ];
    let index = Endpoint::new(merge.node, 1);
    let yes = g.find("yes").unwrap();
    let s = session(g);
    let got = run_with(&s, &feeds, &[merge, index]).unwrap();
    assert_eq!(
        (got[0].item::<f32>().unwrap(), got[1].int().unwrap()),
        (8.0, 1)
    );
    let feeds = [feeds[0].clone(), (p, Value::scalar_bool(false).unwrap())];
    let error = run_with(&s, &feeds, &[merge]).unwrap_err();
    assert_eq!(error.node.as_deref(), Some("no"));
    let error = run_with(&s, &feeds, &[Endpoint::new(yes, 0)]).unwrap_err();
    assert_eq!(error.code, Code::InvalidArgument);
}

#[test]
fn a_predicate_may_be_the_value_that_it_switches() {
    let mut g = new_graph();
    let p = typed(&mut g, "Placeholder", "p", DType::Bool);
    let q = node(&mut g, "Identity", "q", &[p]);
    let pivot = node(&mut g, "Switch", "pivot", &[q, q]);
    let merge = node(
        &mut g,
        "Merge",
        "merge",
        &[pivot, Endpoint::new(pivot.node, 1)],
    );
    let s = session(g);
    for on in [true, false] {
        let feeds = [(p, Value::scalar_bool(on).unwrap())];
        assert_eq!(
            run_with(&s, &feeds, &[merge]).unwrap()[0]
                .item_bool()
                .unwrap(),
            on
        );
    }
}

#[test]
fn a_dead_control_input_makes_a_node_dead() {
    let mut g = new_graph();
    let x = constant(&mut g, "x", 5.0);
    let p = typed(&mut g, "Placeholder", "p", DType::Bool);
    let switch = node(&mut g, "Switch", "switch", &[x, p]);
    let on = node(&mut g, "Identity", "on", &[Endpoint::new(switch.node, 1)]);
    let v = typed(&mut g, "VariableV2", "v", DType::F32);
    let init = node(&mut g, "Assign", "init", &[v, x]);
    let up = NodeSpec::new("AssignAdd")
        .name("up")
        .input(v)
        .input(x)
        .control(on.node);
    let up = make(&mut g, up);
    let s = session(g);
    run(&s, &[], &[init]).unwrap();
    let spec = RunSpec {
        feeds: vec![p],
        fetches: Vec::new(),
        targets: vec![up.node],
        ..Default::default()
    };
    for on in [false, true] {
        let feeds = vec![Value::scalar_bool(on).unwrap()];
        s.run(&spec, feeds, RunOptions::default()).unwrap();
        assert_eq!(run(&s, &[], &[v]).unwrap(), [if on { 10.0 } else { 5.0 }]);
    }
}

#[test]
fn a_loop_runs_until_its_condition_is_false() {
    let mut g = new_graph();
    let start = typed(&mut g, "Placeholder", "start", DType::F32);
    let limit = constant(&mut g, "limit", 10.0);
    let end = counting_loop(&mut g, "count", start, limit);
    let s = session(g);
    assert_eq!(run(&s, &[(start, 0.0)], &[end]).unwrap(), [10.0]);
    assert_eq!(run(&s, &[(start, 42.0)], &[end]).unwrap(), [42.0]);
    assert_eq!(run(&s, &[(start, 9.5)], &[end]).unwrap(), [10.5]);
}

#[test]
fn a_loop_may_stand_in_a_branch() {
    let mut g = new_graph();
    let x = typed(&mut g, "Placeholder", "x", DType::F32);
    let p = typed(&mut g, "Placeholder", "p", DType::Bool);
    let limit = constant(&mut g, "limit", 3.0);
    let switch = node(&mut g, "Switch", "switch", &[x, p]);
    let limit_switch = node(&mut g, "Switch", "limit_switch", &[limit, p]);
    let limit_in = Endpoint::new(limit_switch.node, 1);
    let end = counting_loop(&mut g, "count", Endpoint::new(switch.node, 1), limit_in);
    let merge = node(&mut g, "Merge", "merge", &[switch, end]);
    let s = session(g);
    for (on, want) in [(true, 3.0), (false, 0.0), (true, 3.0)] {
        let feeds = [
            (x, Value::scalar(0.0f32).unwrap()),
            (p, Value::scalar_bool(on).unwrap()),
        ];
        let got = run_with(&s, &feeds, &[merge]).unwrap();
        assert_eq!(got[0].item::<f32>().unwrap(), want);
    }
}

#[test]
fn broken_loops_are_errors() {
    let mut g = new_graph();
    let x = constant(&mut g, "x", 1.0);
    let exit = node(&mut g, "Exit", "exit", &[x]);
    let next = node(&mut g, "NextIteration", "next", &[x]);
    let enter = NodeSpec::new("Enter")
        .name("enter")
        .input(x)
        .attr("frame_name", "f");
    let enter = make(&mut g, enter);
    let mixed = node(&mut g, "Add", "mixed", &[enter, x]);
    let a = node(&mut g, "Add", "a", &[x, x]);
    let b = node(&mut g, "Add", "b", &[a, x]);
    g.update_input(a.node, 0, b).unwrap();
    let s = session(g);
    for e in [exit, next, mixed, b] {
        assert_eq!(run(&s, &[], &[e]).unwrap_err().code, Code::InvalidArgument);
    }
}

#[test]
fn plans_outlive_growth_of_the_graph_but_not_edits() {
    let mut g = new_graph();
    let x = constant(&mut g, "x", 1.0);
    let y = constant(&mut g, "y", 5.0);
    let z = node(&mut g, "Add", "z", &[x, x]);
    let s = session(g);
    let spec = RunSpec {
        fetches: vec![z],
        ..Default::default()
    };
    let first = s.prepare(&spec).unwrap();
    constant(&mut s.graph.lock(), "more", 3.0);
    assert!(Arc::ptr_eq(&first, &s.prepare(&spec).unwrap()));
    s.graph.lock().update_input(z.node, 1, y).unwrap();
    assert!(!Arc::ptr_eq(&first, &s.prepare(&spec).unwrap()));
    assert_eq!(run(&s, &[], &[z]).unwrap(), [6.0]);
}

#[test]
fn callables_run_by_number_until_released() {
    let mut g = new_graph();
    let x = typed(&mut g, "Placeholder", "x", DType::F32);
    let y = node(&mut g, "Add", "y", &[x, x]);
    let s = session(g);
    let spec = RunSpec {
        feeds: vec![x],
        fetches: vec![y],
        ..Default::default()
    };
    let number = s.make_callable(spec).unwrap();
    let plan = s.callable(number).unwrap();
    let feeds = vec![Value::from_slice(Shape::vector(2), &[1.0f32, 2.0]).unwrap()];
    let got = s.run_plan(&plan, feeds, RunOptions::default()).unwrap();
    assert_eq!(got[0].slice::<f32>().unwrap(), [2.0, 4.0]);
    s.release_callable(number);
    assert!(s.callable(number).is_err() && s.callable(99).is_err());
}

#[test]
fn a_closed_session_runs_nothing() {
    let mut g = new_graph();
    let x = constant(&mut g, "x", 1.0);
    let s = session(g);
    s.close();
    assert_eq!(run(&s, &[], &[x]).unwrap_err().code, Code::Runtime);
}

#[test]
fn an_endless_loop_ends_at_its_time_limit() {
    let mut g = new_graph();
    let start = constant(&mut g, "start", 0.0);
    let limit = constant(&mut g, "limit", f32::INFINITY);
    let end = counting_loop(&mut g, "count", start, limit);
    let s = session(g);
    let spec = RunSpec {
        fetches: vec![end],
        ..Default::default()
    };
    let options = RunOptions {
        timeout: Some(Duration::from_millis(20)),
        ..Default::default()
    };
    let error = s.run(&spec, Vec::new(), options).unwrap_err();
    assert_eq!(error.code, Code::DeadlineExceeded);
}

#[test]
fn a_run_in_parts_goes_as_far_as_its_feeds() {
    let mut g = new_graph();
    let x = typed(&mut g, "Placeholder", "x", DType::F32);
    let y = typed(&mut g, "Placeholder", "y", DType::F32);
    let two = constant(&mut g, "two", 2.0);
    let a = node(&mut g, "Mul", "a", &[x, two]);
    let b = node(&mut g, "Add", "b", &[a, y]);
    let s = session(g);
    let spec = RunSpec {
        feeds: vec![x, y],
        fetches: vec![a, b],
        ..Default::default()
    };
    let number = s.set_up_partial(spec).unwrap();
    let run = s.partial(number).unwrap();
    let scalar = |x: f32| Value::scalar(x).unwrap();
    let go = |feeds: Vec<(usize, Value)>, fetch: Endpoint| {
        let got = run.go_on(&s, feeds, &[fetch], RunOptions::default());
        got.map(|(values, is_over)| (values[0].item::<f32>().unwrap(), is_over))
    };
    assert_eq!(
        go(vec![(0, scalar(3.0))], b).unwrap_err().code,
        Code::InvalidArgument
    );
    let run = s
        .partial(
            s.set_up_partial(RunSpec {
                feeds: vec![x, y],
                fetches: vec![a, b],
                ..Default::default()
            })
            .unwrap(),
        )
        .unwrap();
    let go = |feeds: Vec<(usize, Value)>, fetch: Endpoint| {
        let got = run.go_on(&s, feeds, &[fetch], RunOptions::default());
        got.map(|(values, is_over)| (values[0].item::<f32>().unwrap(), is_over))
    };
    assert_eq!(go(vec![(0, scalar(3.0))], a).unwrap(), (6.0, false));
    assert!(go(vec![(0, scalar(3.0))], a).is_err());
    assert_eq!(go(vec![(1, scalar(1.0))], b).unwrap(), (7.0, true));
}

#[test]
fn a_traced_run_names_its_steps() {
    let mut g = new_graph();
    let x = typed(&mut g, "Placeholder", "x", DType::F32);
    let y = node(&mut g, "Add", "y", &[x, x]);
    let s = session(g);
    let spec = RunSpec {
        feeds: vec![x],
        fetches: vec![y],
        ..Default::default()
    };
    let trace = Arc::new(Trace::default());
    let options = RunOptions {
        trace: Some(trace.clone()),
        ..Default::default()
    };
    s.run(&spec, vec![Value::scalar(1f32).unwrap()], options)
        .unwrap();
    let plan = &s.prepare(&spec).unwrap().plan;
    let metadata = Arc::into_inner(trace)
        .unwrap()
        .into_metadata(plan, |_| None);
    let nodes = &metadata.step_stats.unwrap().dev_stats[0].node_stats;
    assert_eq!(nodes.len(), 1);
    assert_eq!(nodes[0].timeline_label, "y = Add(x, x)");
}
