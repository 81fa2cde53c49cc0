//! A handful of ops for the tests of plans and sessions, so that these need no op family.

use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use crate::error::{Error, Result};
use crate::graph::{Endpoint, Graph, NodeSpec, OpDef};
use crate::ops::Run;
use crate::ops::kernel::KernelContext;
use crate::ops::resource::Variable;
use crate::value::{DType, Shape, Value};

struct TestOp {
    def: OpDef,
    run: Run,
}

fn ops() -> &'static FxHashMap<&'static str, TestOp> {
    static OPS: OnceLock<FxHashMap<&'static str, TestOp>> = OnceLock::new();
    OPS.get_or_init(|| {
        let t = "T: type";
        let flow = Run::ControlFlow;
        let frame = ["T: type", "frame_name: string", "is_constant: bool = false"];
        let rows: &[(&'static str, &str, &[&str], Run)] = &[
            (
                "Const",
                "-> o: dtype",
                &["value: tensor", "dtype: type"],
                Run::Host(nothing),
            ),
            (
                "Placeholder",
                "-> o: dtype",
                &["dtype: type"],
                Run::Host(unfed),
            ),
            ("Identity", "x: T -> o: T", &[t], Run::View(identity)),
            ("Reshape", "x: T -> o: T", &[t], Run::View(identity)),
            ("NoOp", "->", &[], Run::Host(nothing)),
            ("Add", "x: T, y: T -> z: T", &[t], Run::Kernel(add)),
            ("Mul", "x: T, y: T -> z: T", &[t], Run::Kernel(mul)),
            ("Less", "x: T, y: T -> z: bool", &[t], Run::Kernel(less)),
            ("Panic", "x: T -> y: T", &[t], Run::Kernel(panic)),
            (
                "VariableV2",
                "-> ref: Ref(dtype)",
                &["dtype: type"],
                Run::Host(variable),
            ),
            (
                "Assign",
                "ref: Ref(T), value: T -> o: Ref(T)",
                &[t],
                Run::Host(assign),
            ),
            (
                "AssignAdd",
                "ref: Ref(T), value: T -> o: Ref(T)",
                &[t],
                Run::Host(assign_add),
            ),
            ("Switch", "data: T, pred: bool -> f: T, t: T", &[t], flow),
            (
                "Merge",
                "inputs: N * T -> o: T, i: int32",
                &[t, "N: int >= 1"],
                flow,
            ),
            ("Enter", "data: T -> o: T", &frame, flow),
            ("Exit", "data: T -> o: T", &[t], flow),
            ("NextIteration", "data: T -> o: T", &[t], flow),
            ("LoopCond", "i: bool -> o: bool", &[], flow),
        ];
        let parse = |(name, signature, attrs, run): &(&'static str, &str, &[&str], Run)| {
            let mut def = OpDef::parse(name, signature, attrs).unwrap();
            def.is_stateful = matches!(*name, "VariableV2" | "Panic");
            def.allows_uninitialized_input = *name == "Assign";
            (*name, TestOp { def, run: *run })
        };
        rows.iter().map(parse).collect()
    })
}

pub fn new_graph() -> Graph {
    Graph::new(|name| ops().get(name).map(|op| &op.def), |_, _| None)
}

pub fn lookup(name: &str) -> Option<Run> {
    ops().get(name).map(|op| op.run)
}

/// Makes a node and gives its first output.
pub fn node(graph: &mut Graph, op: &'static str, name: &str, inputs: &[Endpoint]) -> Endpoint {
    let mut spec = NodeSpec::new(op).name(name);
    for input in inputs {
        spec = spec.input(*input);
    }
    make(graph, spec)
}

pub fn make(graph: &mut Graph, spec: NodeSpec) -> Endpoint {
    graph.create_tensor(spec).unwrap()
}

pub fn constant(graph: &mut Graph, name: &str, x: f32) -> Endpoint {
    let spec = NodeSpec::new("Const")
        .name(name)
        .attr("value", Value::scalar(x).unwrap());
    make(graph, spec.attr("dtype", DType::F32))
}

pub fn typed(graph: &mut Graph, op: &'static str, name: &str, dtype: DType) -> Endpoint {
    make(graph, NodeSpec::new(op).name(name).attr("dtype", dtype))
}

/// Counts from `start` in steps of one while below `limit`, in a loop named `name`.
pub fn counting_loop(graph: &mut Graph, name: &str, start: Endpoint, limit: Endpoint) -> Endpoint {
    let enter = |graph: &mut Graph, part: &str, from: Endpoint, is_constant: bool| {
        let spec = NodeSpec::new("Enter")
            .name(format!("{name}/{part}"))
            .input(from);
        make(
            graph,
            spec.attr("frame_name", name)
                .attr("is_constant", is_constant),
        )
    };
    let first = enter(graph, "Enter", start, false);
    let limit = enter(graph, "Limit", limit, true);
    let merge = node(graph, "Merge", &format!("{name}/Merge"), &[first, first]);
    let less = node(graph, "Less", &format!("{name}/Less"), &[merge, limit]);
    let cond = node(graph, "LoopCond", &format!("{name}/LoopCond"), &[less]);
    let switch = node(graph, "Switch", &format!("{name}/Switch"), &[merge, cond]);
    let body = Endpoint::new(switch.node, 1);
    let body = node(graph, "Identity", &format!("{name}/Body"), &[body]);
    let one = NodeSpec::new("Const")
        .name(format!("{name}/one"))
        .attr("dtype", DType::F32);
    let one = make(
        graph,
        one.attr("value", Value::scalar(1.0f32).unwrap())
            .control(body.node),
    );
    let sum = node(graph, "Add", &format!("{name}/Add"), &[body, one]);
    let next = node(graph, "NextIteration", &format!("{name}/Next"), &[sum]);
    graph.update_input(merge.node, 1, next).unwrap();
    node(graph, "Exit", &format!("{name}/Exit"), &[switch])
}

fn nothing(_: &mut KernelContext) -> Result<()> {
    Ok(())
}

fn unfed(context: &mut KernelContext) -> Result<()> {
    Err(Error::invalid(format!(
        "'{}' was not fed",
        context.node.name
    )))
}

fn identity(context: &mut KernelContext) -> Result<()> {
    let value = context.take_input(0)?;
    context.set_output(0, value);
    Ok(())
}

fn binary(context: &mut KernelContext, f: fn(f32, f32) -> f32) -> Result<()> {
    let (x, y) = (context.input(0)?, context.input(1)?);
    let pairs = x.slice::<f32>()?.iter().zip(y.slice::<f32>()?);
    let z: Vec<f32> = pairs.map(|(x, y)| f(*x, *y)).collect();
    let z = Value::from_slice(x.shape().clone(), &z)?;
    context.set_output(0, z);
    Ok(())
}

fn add(context: &mut KernelContext) -> Result<()> {
    binary(context, |x, y| x + y)
}

fn mul(context: &mut KernelContext) -> Result<()> {
    binary(context, |x, y| x * y)
}

fn less(context: &mut KernelContext) -> Result<()> {
    let is_less = context.input(0)?.item::<f32>()? < context.input(1)?.item::<f32>()?;
    context.set_output(0, Value::from_bools(Shape::scalar(), &[is_less])?);
    Ok(())
}

fn panic(_: &mut KernelContext) -> Result<()> {
    panic!("out of luck")
}

fn variable(context: &mut KernelContext) -> Result<()> {
    let name = context.node.name.to_string();
    let dtype = context.attrs().dtype("dtype")?;
    let found = context
        .session
        .resources()
        .get_or_create("", &name, || Ok(Variable::new(name.clone(), dtype)))?;
    context.set_output_ref(0, found);
    Ok(())
}

fn assign(context: &mut KernelContext) -> Result<()> {
    let variable = context.variable(0)?;
    let new = context.take_input(1)?.deep_copy()?;
    let mut value = variable.value.write();
    let in_place = match &*value {
        Some(old) => old.buffer().map(|b| b.len_bytes()) == new.buffer().map(|b| b.len_bytes()),
        None => false,
    };
    if in_place {
        write_in_place(value.as_ref().unwrap(), new.slice::<f32>()?, |_, new| new);
    } else {
        *value = Some(new);
    }
    drop(value);
    context.set_output_ref(0, variable);
    Ok(())
}

fn assign_add(context: &mut KernelContext) -> Result<()> {
    let variable = context.variable(0)?;
    let value = variable.value.write();
    let by = context.input(1)?.slice::<f32>()?;
    write_in_place(value.as_ref().unwrap(), by, |old, by| old + by);
    drop(value);
    context.set_output_ref(0, variable);
    Ok(())
}

fn write_in_place(value: &Value, with: &[f32], f: fn(f32, f32) -> f32) {
    // SAFETY: the caller holds the variable's lock for writing, and the memory is the variable's own.
    let old = unsafe { value.buffer().unwrap().shared_mut() };
    let old: &mut [f32] = bytemuck::cast_slice_mut(old);
    for (old, with) in old.iter_mut().zip(with) {
        *old = f(*old, *with);
    }
}
