//! Plans as text: for `explain`, the log, the docs and the snapshots of tests.

use std::fmt;

use super::copies::Copies;
use super::step::{Action, NO_SLOT, Operand, Place, Plan, Site, Step};

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (slot, feed) in self.feeds.iter().enumerate() {
            writeln!(f, "%{slot} = feed {} {}", feed.name, feed.dtype.name())?;
        }
        for (i, constant) in self.constants.iter().enumerate() {
            writeln!(f, "c{i} = {constant:?}")?;
        }
        let mut copies = Copies::of(self);
        write_block(f, &self.steps, &mut copies, 0)?;
        for fetch in &self.fetches {
            if let Some(copy) = copies.fetch(fetch.place) {
                writeln!(f, "{copy}")?;
            }
            writeln!(f, "fetch {}", Shown(fetch.place))?;
        }
        Ok(())
    }
}

struct Shown(Place);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Place::Slot(s) => write!(f, "%{s}"),
            Place::Constant(c) => write!(f, "c{c}"),
        }
    }
}

/// `%3` is read, `%3!` is read for the last time, `&%3` is taken by reference.
impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reference = if self.wants_ref { "&" } else { "" };
        let last = if self.is_last { "!" } else { "" };
        write!(f, "{reference}{}{last}", Shown(self.place))
    }
}

fn write_block(
    f: &mut fmt::Formatter<'_>,
    steps: &[Step],
    copies: &mut Copies,
    depth: usize,
) -> fmt::Result {
    for step in steps {
        for copy in copies.before(step) {
            writeln!(f, "{:indent$}{copy}", "", indent = depth * 2)?;
        }
        write!(f, "{:indent$}", "", indent = depth * 2)?;
        match &step.action {
            Action::Loop(body) => {
                writeln!(f, "loop '{}'", body.name)?;
                for enter in &body.enters {
                    write!(f, "{:indent$}", "", indent = depth * 2 + 2)?;
                    let slot = Shown(Place::Slot(enter.slot));
                    writeln!(f, "{slot} = Enter {} '{}'", enter.input, enter.node.name)?;
                    copies.enter(&enter.input, enter.slot);
                }
                write_block(f, &body.steps, copies, depth + 1)?;
            }
            Action::Group(_) => write_together(f, step, "group", depth)?,
            Action::Ended(_) => write_together(f, step, "ended", depth)?,
            _ => write_step(f, step)?,
        }
    }
    Ok(())
}

/// A step of several nodes: what goes in and out, then a line for each.
fn write_together(
    f: &mut fmt::Formatter<'_>,
    step: &Step,
    word: &str,
    depth: usize,
) -> fmt::Result {
    let outputs: Vec<String> = step.outputs.iter().map(|s| show_slot(*s)).collect();
    write!(f, "{} = {word}{}", outputs.join(", "), on(step))?;
    for (i, operand) in step.inputs.iter().enumerate() {
        let comma = if i == 0 { " " } else { ", " };
        write!(f, "{comma}{operand}")?;
    }
    writeln!(f)?;
    for part in step.parts() {
        write!(f, "{:indent$}| ", "", indent = depth * 2)?;
        write_step(f, part)?;
    }
    Ok(())
}

fn write_step(f: &mut fmt::Formatter<'_>, step: &Step) -> fmt::Result {
    let outputs: Vec<String> = step.outputs.iter().map(|s| show_slot(*s)).collect();
    if !outputs.is_empty() {
        write!(f, "{} = ", outputs.join(", "))?;
    }
    write!(f, "{}{}", step.node.op(), on(step))?;
    if let Action::Constant(c) = step.action {
        write!(f, " c{c}")?;
    }
    for (i, operand) in step.inputs.iter().enumerate() {
        let comma = if i == 0 { " " } else { ", " };
        write!(f, "{comma}{operand}")?;
    }
    write!(f, " '{}'", step.node.name)?;
    if step.can_die {
        f.write_str(" if alive")?;
    }
    for bit in &step.needs_alive {
        write!(f, " if {bit}")?;
    }
    if let Some(bit) = step.says_alive {
        write!(f, " sets {bit}")?;
    }
    writeln!(f)
}

/// Where a step runs, when that is not the host.
fn on(step: &Step) -> String {
    match step.site {
        Site::Gpu(number) => format!("@gpu{number}"),
        Site::Host | Site::Anywhere => String::new(),
    }
}

fn show_slot(slot: u32) -> String {
    if slot == NO_SLOT {
        "_".into()
    } else {
        format!("%{slot}")
    }
}
