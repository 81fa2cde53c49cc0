//! Runs groups of elementwise steps: one pass under the locks of all variables that it reads or writes. Where shapes do
//! not go together as the plan took it, the members run one by one and say what is wrong.

use std::sync::Arc;

use parking_lot::{RwLockReadGuard, RwLockWriteGuard};
use smallvec::SmallVec;

use crate::backend::cpu::map;
use crate::error::Result;
use crate::ops::kernel::Slot;
use crate::ops::resource::Variable;
use crate::plan::{End, Group, Member, Need, Operand, Place, Site, Source, Step};
use crate::value::{DType, Shape, Value};

use super::executor::{Executor, Inputs};
use super::on_gpu::{gpu, to_host};

/// The locks of variables, taken in the order of their addresses: so does everybody who takes several.
pub(super) struct Locks<'a> {
    reading: SmallVec<[RwLockReadGuard<'a, Option<Value>>; 2]>,
    writing: SmallVec<[(usize, RwLockWriteGuard<'a, Option<Value>>); 2]>,
}

/// A variable, and whether it is to be written.
pub(super) type Wanted = (Arc<Variable>, bool);

/// Sorts variables, each once.
pub(super) fn in_order(wanted: &mut SmallVec<[Wanted; 4]>) {
    wanted.sort_by_key(|(variable, writes)| (Arc::as_ptr(variable) as usize, !writes));
    wanted.dedup_by(|a, b| Arc::ptr_eq(&a.0, &b.0));
}

pub(super) fn lock(wanted: &[Wanted]) -> Locks<'_> {
    let mut locks = Locks {
        reading: SmallVec::new(),
        writing: SmallVec::new(),
    };
    for (variable, writes) in wanted {
        if *writes {
            let guard = variable.value.write();
            locks.writing.push((Arc::as_ptr(variable) as usize, guard));
        } else {
            // `read_recursive`: another run of this thread's may hold it, while a writer waits.
            locks.reading.push(variable.value.read_recursive());
        }
    }
    locks
}

impl Locks<'_> {
    /// The same, for putting another in its place.
    pub(super) fn content_mut(&mut self, variable: &Arc<Variable>) -> Option<&mut Value> {
        let address = Arc::as_ptr(variable) as usize;
        let held = self.writing.iter_mut().find(|(at, _)| *at == address)?;
        held.1.as_mut()
    }

    /// The content of a variable whose lock is held for writing.
    fn content(&self, variable: &Arc<Variable>) -> Option<&Value> {
        let address = Arc::as_ptr(variable) as usize;
        let held = self.writing.iter().find(|(at, _)| *at == address)?;
        held.1.as_ref()
    }
}

impl<'a> Executor<'a, '_> {
    pub(super) fn group(&mut self, step: &'a Step, group: &'a Group, is_first: bool) -> Result<()> {
        let gpu = match step.site {
            Site::Gpu(number) => Some(gpu(number)?),
            _ => None,
        };
        let mut inputs = Inputs::new();
        for operand in &step.inputs {
            // A variable without a value stays where it is: the member that reads it will meet the error and be named.
            if self.has_no_value(operand) {
                break;
            }
            let taken = match gpu {
                Some(gpu) => self.take_there(step, gpu, operand, true),
                None => self.take(step, operand),
            };
            match taken {
                Ok(input) => inputs.push(input),
                Err(_) => break,
            }
        }
        if gpu.is_none() {
            to_host(&mut inputs, 0)?;
        }
        // A traced run shows every node by itself.
        let outputs = match inputs.len() == step.inputs.len() && self.run.trace.is_none() {
            true => match gpu {
                Some(gpu) => self.launch_together(step, gpu, group, &inputs)?,
                None => run_together(group, &inputs)?,
            },
            false => None,
        };
        if let Some(outputs) = outputs {
            drop(inputs);
            for (slot, output) in step.outputs.iter().zip(outputs) {
                self.set(*slot, output);
            }
            return Ok(());
        }
        // One by one: what was moved out is put back first.
        self.put_back(&step.inputs, inputs);
        for member in &group.members {
            self.part(&member.step, is_first)?;
        }
        self.clear_group(step, group);
        Ok(())
    }

    pub(super) fn has_no_value(&self, operand: &Operand) -> bool {
        let Place::Slot(slot) = operand.place else {
            return false;
        };
        let value = &self.slots.values[slot as usize];
        matches!(value, Slot::Ref(variable) if !variable.is_initialized())
    }

    /// Empties what only the group reads.
    fn clear_group(&mut self, step: &Step, group: &Group) {
        for operand in &step.inputs {
            if let Place::Slot(slot) = operand.place
                && operand.is_last
            {
                self.set(slot, Slot::Empty);
            }
        }
        for slot in group.members.iter().flat_map(|m| &m.step.outputs) {
            if !step.outputs.contains(slot) {
                self.set(*slot, Slot::Empty);
            }
        }
    }
}

/// The variables that a group reads or writes, in the order of their locks.
pub(super) fn variables_of(inputs: &[Slot]) -> SmallVec<[Wanted; 4]> {
    let mut wanted: SmallVec<[Wanted; 4]> = SmallVec::new();
    for input in inputs {
        match input {
            Slot::Read(_, variable) => wanted.push((variable.clone(), false)),
            Slot::Ref(variable) => wanted.push((variable.clone(), true)),
            _ => {}
        }
    }
    in_order(&mut wanted);
    wanted
}

/// The outputs of a group in one pass; `None` when its members have to run one by one.
fn run_together(group: &Group, inputs: &[Slot]) -> Result<Option<SmallVec<[Slot; 2]>>> {
    if !is_in_order(group, inputs) {
        return Ok(None);
    }
    let wanted = variables_of(inputs);
    let locks = lock(&wanted);
    let mut values: SmallVec<[&Value; 6]> = SmallVec::new();
    for input in inputs {
        values.push(match input {
            Slot::Value(value) | Slot::Read(value, _) => value,
            Slot::Ref(variable) => match locks.content(variable) {
                Some(value) => value,
                None => return Ok(None),
            },
            Slot::Empty => return Ok(None),
        });
    }
    let Some(shape) = common_shape(group, &shapes_of(&values)) else {
        return Ok(None);
    };
    let Some(ends) = ends_of(group, inputs, &values, &shape) else {
        return Ok(None);
    };
    // SAFETY: an operand that is written over has no other owner, or is the content of a variable whose lock is held
    // for writing; `ends_of` saw to it.
    let results = unsafe { map::run_to(&group.program, &values, &shape, &ends) };
    let Ok(results) = results else {
        return Ok(None);
    };
    let mut outputs = SmallVec::new();
    for (end, result) in group.ends.iter().zip(results) {
        outputs.push(match end {
            End::Value { .. } => Slot::Value(result),
            End::Update { input, .. } => inputs[*input].clone(),
            End::Sum { is_mean: false, .. } => Slot::Value(result),
            End::Sum { .. } => {
                let mean = result.item::<f32>()? / shape.num_elements() as f32;
                Slot::Value(Value::scalar(mean)?)
            }
        });
    }
    Ok(Some(outputs))
}

/// Whether no member reads a variable through one node after another wrote it through another: then the program, which
/// reads operands as they were, would be wrong.
pub(super) fn is_in_order(group: &Group, inputs: &[Slot]) -> bool {
    let updates = group.ends.iter().filter_map(|end| match end {
        End::Update { input, member, .. } => Some((*input, *member)),
        _ => None,
    });
    for (own, member) in updates {
        let Slot::Ref(written) = &inputs[own] else {
            return false;
        };
        for (i, input) in inputs.iter().enumerate() {
            let is_same = match input {
                Slot::Read(_, read) => Arc::ptr_eq(read, written),
                Slot::Ref(other) => i != own && Arc::ptr_eq(other, written),
                _ => false,
            };
            if is_same && (group.last_reads[i] > member || matches!(input, Slot::Ref(_))) {
                return false;
            }
        }
    }
    true
}

pub(super) fn shapes_of<'v>(values: &[&'v Value]) -> SmallVec<[&'v Shape; 6]> {
    values.iter().map(|value| value.shape()).collect()
}

/// The shape of the elements, when every member's result has it.
pub(super) fn common_shape(group: &Group, shapes: &[&Shape]) -> Option<Shape> {
    let shape = map::broadcast(shapes.iter().copied()).ok()?;
    let full: SmallVec<[bool; 6]> = shapes.iter().map(|own| **own == shape).collect();
    let fits = |member: &Member| {
        let is_full = |source: &Source| match source {
            Source::Input(i) => full[*i as usize],
            Source::Member(_) => true,
            Source::Scalar => shape.is_scalar(),
        };
        if member.needs.is_empty() {
            // Operands broadcast to the common shape; one that has it already makes it the result's.
            return member.sources.iter().any(is_full);
        }
        member
            .needs
            .iter()
            .zip(&member.sources)
            .all(|(need, source)| match need {
                Need::Full => is_full(source),
                Need::Scalar => match source {
                    Source::Input(i) => shapes[*i as usize].is_scalar(),
                    Source::Member(_) => shape.is_scalar(),
                    Source::Scalar => true,
                },
                Need::Channels => match source {
                    Source::Input(i) => {
                        let own = shapes[*i as usize];
                        own.rank() == 1
                            && shape.rank() >= 2
                            && shape.dims().last() == own.dims().last()
                    }
                    _ => false,
                },
            })
    };
    group.members.iter().all(fits).then_some(shape)
}

/// For each result that is a value, the operand of its type and shape whose place it takes, if there is one that
/// `may_hold` it.
pub(super) fn places_of(
    group: &Group,
    values: &[&Value],
    shape: &Shape,
    may_hold: impl Fn(usize, DType) -> bool,
) -> SmallVec<[Option<usize>; 2]> {
    let program = group.program.program();
    let mut places: SmallVec<[Option<usize>; 2]> = SmallVec::new();
    for (end, result) in group.ends.iter().zip(&program.outputs) {
        let dtype = program.dtype_of(*result);
        let is_free = |k: &usize| {
            may_hold(*k, dtype)
                && !places.contains(&Some(*k))
                && values[*k].dtype() == dtype
                && values[*k].shape() == shape
        };
        let place = match end {
            End::Value { .. } => (0..values.len()).find(is_free),
            End::Sum { .. } | End::Update { .. } => None,
        };
        places.push(place);
    }
    places
}

/// Where each result goes; results take the place of operands that nobody needs any more.
fn ends_of(
    group: &Group,
    inputs: &[Slot],
    values: &[&Value],
    shape: &Shape,
) -> Option<SmallVec<[map::End; 2]>> {
    let may_hold = |k: usize, dtype: DType| {
        let is_free = matches!(&inputs[k], Slot::Value(value) if value.is_unique());
        is_free && group.program.is_single() && dtype == DType::F32
    };
    let places = places_of(group, values, shape, may_hold);
    let mut ends: SmallVec<[map::End; 2]> = SmallVec::new();
    for (end, place) in group.ends.iter().zip(places) {
        ends.push(match (end, place) {
            (End::Sum { .. }, _) => map::End::Sum,
            (End::Update { input, .. }, _) => {
                is_writable(values, *input, shape)?;
                map::End::Over(*input)
            }
            (End::Value { .. }, Some(k)) => map::End::Over(k),
            (End::Value { .. }, None) => map::End::Value,
        });
    }
    Some(ends)
}

/// Whether a variable's content can be written in place: it is its own memory, all of the shape, and no operand shows
/// it in another way.
fn is_writable(values: &[&Value], input: usize, shape: &Shape) -> Option<()> {
    let content = values[input];
    let buffer = content.buffer().filter(|b| b.is_own())?;
    let is_whole = |value: &Value| {
        value.num_elements() == shape.num_elements()
            && value
                .buffer()
                .is_some_and(|b| b.as_ptr() == buffer.as_ptr())
    };
    let shares = |value: &&&Value| value.buffer().is_some_and(|b| b.shares_memory_with(buffer));
    let fits = content.shape() == shape && values.iter().filter(shares).all(|v| is_whole(v));
    fits.then_some(())
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;

    use crate::graph::{Endpoint, Graph, NodeSpec};
    use crate::ops::new_graph;
    use crate::plan::RunSpec;
    use crate::session::{RunOptions, Session};
    use crate::value::{PartialShape, Value};

    use super::*;

    fn shaped(g: &mut Graph, op: &'static str, name: &str, dims: &[i64]) -> Endpoint {
        let spec = NodeSpec::new(op).name(name).attr("dtype", DType::F32);
        let shape = PartialShape::new(dims).unwrap();
        g.create_tensor(spec.attr("shape", shape)).unwrap()
    }

    fn node(g: &mut Graph, op: &'static str, name: &str, inputs: &[Endpoint]) -> Endpoint {
        let inputs = inputs.iter().copied();
        let spec = inputs.fold(NodeSpec::new(op).name(name), |spec, e| spec.input(e));
        g.create_tensor(spec).unwrap()
    }

    fn floats(dims: &[i64], x: &[f32]) -> Value {
        Value::from_slice(Shape::new(dims).unwrap(), x).unwrap()
    }

    fn run(
        session: &Session,
        feeds: &[(Endpoint, Value)],
        fetches: &[Endpoint],
    ) -> Result<Vec<Vec<f32>>> {
        let spec = RunSpec {
            feeds: feeds.iter().map(|(e, _)| *e).collect(),
            fetches: fetches.to_vec(),
            ..Default::default()
        };
        let values = feeds.iter().map(|(_, v)| v.clone()).collect();
        let results = session.run(&spec, values, RunOptions::default())?;
        results
            .iter()
            .map(|v| Ok(v.slice::<f32>()?.to_vec()))
            .collect()
    }

    fn session(g: Graph) -> Session {
        Session::new(Arc::new(Mutex::new(g)), None)
    }

    #[test]
    fn members_run_one_by_one_where_shapes_differ() {
        let mut g = new_graph();
        let x = shaped(&mut g, "Placeholder", "x", &[-1]);
        let y = shaped(&mut g, "Placeholder", "y", &[-1]);
        let a = node(&mut g, "Neg", "a", &[x]);
        let b = node(&mut g, "Mul", "b", &[a, y]);
        let s = session(g);
        let explained = s.explain(&RunSpec {
            feeds: vec![x, y],
            fetches: vec![a, b],
            ..Default::default()
        });
        assert!(explained.unwrap().contains("group"));
        let three = floats(&[3], &[1.0, 2.0, 3.0]);
        let one = floats(&[1], &[2.0]);
        let feeds = [(x, three.clone()), (y, three.clone())];
        assert_eq!(
            run(&s, &feeds, &[a, b]).unwrap(),
            [[-1.0, -2.0, -3.0], [-1.0, -4.0, -9.0]]
        );
        let feeds = [(x, one), (y, three.clone())];
        let got = run(&s, &feeds, &[a, b]).unwrap();
        assert_eq!(got, [vec![-2.0], vec![-2.0, -4.0, -6.0]]);
        let feeds = [(x, floats(&[2], &[1.0, 1.0])), (y, three)];
        let error = run(&s, &feeds, &[a, b]).unwrap_err();
        assert_eq!(error.node.as_deref(), Some("b"));
    }

    /// A step of descent on `w` and the average `v` of what it leaves.
    fn descent(g: &mut Graph) -> [Endpoint; 6] {
        let w = shaped(g, "VariableV2", "w", &[2]);
        let v = shaped(g, "VariableV2", "v", &[2]);
        let x = shaped(g, "Placeholder", "x", &[-1]);
        let init_w = node(g, "Assign", "init_w", &[w, x]);
        let init_v = node(g, "Assign", "init_v", &[v, x]);
        let half = NodeSpec::new("Const")
            .name("half")
            .attr("dtype", DType::F32);
        let half = half.attr("value", Value::scalar(0.5f32).unwrap());
        let half = g.create_tensor(half).unwrap();
        let down = node(g, "ApplyGradientDescent", "down", &[w, half, x]);
        let now = NodeSpec::new("Identity").name("now").input(w);
        let now = g.create_tensor(now.control(down.node)).unwrap();
        let old = node(g, "Identity", "old", &[v]);
        let off = node(g, "Sub", "off", &[old, now]);
        let part = node(g, "Mul", "part", &[off, half]);
        let up = node(g, "AssignSub", "up", &[v, part]);
        [x, init_w, init_v, up, w, v]
    }

    #[test]
    fn an_average_sees_the_step_that_came_before_it_in_the_same_pass() {
        let mut g = new_graph();
        let [x, init_w, init_v, up, w, v] = descent(&mut g);
        let s = session(g);
        let feed = |a: f32, b: f32| (x, floats(&[2], &[a, b]));
        let error = run(&s, &[feed(1.0, 1.0)], &[up]).unwrap_err();
        assert_eq!(error.code, crate::error::Code::FailedPrecondition);
        run(&s, &[feed(8.0, 4.0)], &[init_w, init_v]).unwrap();
        // w: 8 - 0.5 * 2, 4 - 0.5 * 4; v: 8 - (8 - 7) / 2, 4 - (4 - 2) / 2.
        assert_eq!(run(&s, &[feed(2.0, 4.0)], &[up]).unwrap(), [[7.5, 3.0]]);
        assert_eq!(run(&s, &[], &[w, v]).unwrap(), [[7.0, 2.0], [7.5, 3.0]]);
        let error = run(&s, &[(x, floats(&[1], &[1.0]))], &[up]).unwrap_err();
        assert_eq!(error.node.as_deref(), Some("down"));
        assert_eq!(run(&s, &[], &[w, v]).unwrap(), [[7.0, 2.0], [7.5, 3.0]]);
    }

    #[test]
    fn threads_that_update_one_variable_do_not_wait_for_each_other_for_ever() {
        let mut g = new_graph();
        let [x, init_w, init_v, up, w, v] = descent(&mut g);
        let sum = node(&mut g, "Add", "sum", &[v, w]);
        let s = session(g);
        let feed = |a: f32| (x, floats(&[2], &[a, a]));
        run(&s, &[feed(1.0)], &[init_w, init_v]).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        run(&s, &[feed(0.25)], &[up]).unwrap();
                        run(&s, &[], &[sum]).unwrap();
                    }
                });
            }
        });
        let got = run(&s, &[], &[w]).unwrap();
        assert_eq!(got, [[1.0 - 800.0 * 0.125; 2]]);
    }
}
