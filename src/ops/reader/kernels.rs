//! The steps of a run: readers are made, asked for records, counted and reset.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};
use prost::Message;

use crate::error::Result;
use crate::ops::kernel::KernelContext;
use crate::ops::queue;
use crate::value::{DType, Shape, Value};
use crate::{bail, ensure};

use super::files::{Kind, Opened, Record};

/// How often a run that waits for the reader looks whether it should end.
const LOOK_EVERY: Duration = Duration::from_millis(50);

pub(super) struct Reader {
    /// Kind and name, for messages.
    name: String,
    kind: Kind,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The file that is being read, with its name.
    file: Option<(Vec<u8>, Opened)>,
    /// The name of the last file, which a state that is written tells.
    last: Vec<u8>,
    started: i64,
    finished: i64,
    produced: i64,
}

/// TensorFlow's message of a reader's state.
#[derive(Clone, PartialEq, Message)]
struct ReaderBaseState {
    #[prost(int64, tag = "1")]
    work_started: i64,
    #[prost(int64, tag = "2")]
    work_finished: i64,
    #[prost(int64, tag = "3")]
    num_records_produced: i64,
    #[prost(bytes = "vec", tag = "4")]
    current_work: Vec<u8>,
}

pub(super) fn make(c: &mut KernelContext) -> Result<()> {
    let attrs = c.attrs();
    let name = match attrs.str("shared_name")? {
        "" => &*c.node.name,
        name => name,
    };
    // Variables and readers may have one name.
    let key = format!("reader {name}");
    let kind = Kind::new(c.node.op(), attrs)?;
    let made = || {
        Ok(Arc::new(Reader {
            name: format!("{} '{name}'", c.node.op().trim_end_matches("V2")),
            kind,
            state: Mutex::default(),
        }))
    };
    let container = attrs.str("container")?;
    let reader: Arc<Reader> = c.session.resources().get_or_create(container, &key, made)?;
    c.set_output(0, Value::handle(DType::Resource, reader));
    Ok(())
}

fn reader(c: &KernelContext) -> Result<Arc<Reader>> {
    c.resource_input::<Reader>(0, "reader")
}

impl Reader {
    /// Waits for other runs that read; a run of them may wait long for the name of a file.
    fn lock(&self, c: &KernelContext) -> Result<MutexGuard<'_, State>> {
        loop {
            if let Some(state) = self.state.try_lock_for(LOOK_EVERY) {
                return Ok(state);
            }
            c.cancellation.check()?;
        }
    }

    /// Up to `count` records of the file at hand, or of the next one that has any.
    fn read(&self, c: &KernelContext, state: &mut State, count: usize) -> Result<Vec<Record>> {
        let mut records = Vec::new();
        while records.is_empty() {
            let (name, mut file) = match state.file.take() {
                Some(file) => file,
                None => {
                    let name = next_name(c)?;
                    let file = self.kind.open(&name)?;
                    state.started += 1;
                    state.last.clone_from(&name);
                    (name, file)
                }
            };
            let mut is_finished = false;
            while records.len() < count && !is_finished {
                match file.next_record(&name)? {
                    Some(record) => records.push(record),
                    None => is_finished = true,
                }
            }
            if is_finished || file.is_finished() {
                state.finished += 1;
            } else {
                state.file = Some((name, file));
            }
        }
        state.produced += records.len() as i64;
        Ok(records)
    }
}

/// Takes the next file's name from the queue at input 1.
fn next_name(c: &KernelContext) -> Result<Vec<u8>> {
    let tuple = queue::dequeue_one(c, 1)?;
    match &tuple[..] {
        [name] if name.dtype() == DType::String => Ok(name.item_string()?.to_vec()),
        _ => bail!(invalid, "Expected queue with single string component"),
    }
}

pub(super) fn read(c: &mut KernelContext) -> Result<()> {
    let reader = reader(c)?;
    let mut state = reader.lock(c)?;
    let (key, value) = reader.read(c, &mut state, 1)?.swap_remove(0);
    drop(state);
    c.set_output(0, Value::scalar_string(key));
    c.set_output(1, Value::scalar_string(value));
    Ok(())
}

pub(super) fn read_up_to(c: &mut KernelContext) -> Result<()> {
    let reader = reader(c)?;
    let count = c.scalar_input(2, "num_records")?.int()?;
    ensure!(
        count > 0,
        invalid,
        "num_records must be positive, but is {count}"
    );
    let mut state = reader.lock(c)?;
    let records = reader.read(c, &mut state, count as usize)?;
    drop(state);
    let shape = Shape::new(&[records.len() as i64])?;
    let (keys, values) = records.into_iter().unzip();
    c.set_output(0, Value::strings(shape.clone(), keys)?);
    c.set_output(1, Value::strings(shape, values)?);
    Ok(())
}

pub(super) fn num_records(c: &mut KernelContext) -> Result<()> {
    let count = reader(c)?.lock(c)?.produced;
    c.set_output(0, Value::scalar(count)?);
    Ok(())
}

pub(super) fn num_files(c: &mut KernelContext) -> Result<()> {
    let count = reader(c)?.lock(c)?.finished;
    c.set_output(0, Value::scalar(count)?);
    Ok(())
}

pub(super) fn reset(c: &mut KernelContext) -> Result<()> {
    *reader(c)?.lock(c)? = State::default();
    Ok(())
}

pub(super) fn serialize(c: &mut KernelContext) -> Result<()> {
    let reader = reader(c)?;
    ensure!(
        reader.kind.has_state(),
        unimplemented,
        "Reader SerializeState"
    );
    let state = reader.lock(c)?;
    let message = ReaderBaseState {
        work_started: state.started,
        work_finished: state.finished,
        num_records_produced: state.produced,
        current_work: state.last.clone(),
    };
    drop(state);
    c.set_output(0, Value::scalar_string(message.encode_to_vec()));
    Ok(())
}

pub(super) fn restore(c: &mut KernelContext) -> Result<()> {
    let reader = reader(c)?;
    ensure!(
        reader.kind.has_state(),
        unimplemented,
        "Reader RestoreState"
    );
    let bytes = c.scalar_input(1, "Reader state")?.item_string()?;
    let Ok(message) = ReaderBaseState::decode(bytes) else {
        bail!(
            invalid,
            "Could not parse state for {}: {}",
            reader.name,
            String::from_utf8_lossy(bytes)
        );
    };
    let (started, finished) = (message.work_started, message.work_finished);
    ensure!(
        finished >= 0
            && message.num_records_produced >= 0
            && (0..=1).contains(&(started - finished)),
        invalid,
        "Inconsistent work started vs. finished when restoring in {}: work_started: {started} work_finished: {finished}",
        reader.name
    );
    let file = match started > finished {
        true => Some((
            message.current_work.clone(),
            reader.kind.open(&message.current_work)?,
        )),
        false => None,
    };
    *reader.lock(c)? = State {
        file,
        last: message.current_work,
        started,
        finished,
        produced: message.num_records_produced,
    };
    Ok(())
}
