//! What a running graph tells the outside: lines of text, and the time.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::ensure;
use crate::error::{Error, Result};
use crate::value::Value;

use super::kernel::KernelContext;
use super::{Op, shape};

pub(super) const OPS: &[Op] = &[
    Op::new("PrintV2", "input: string ->")
        .attr("output_stream: string = 'stderr'")
        .attr("end: string = '\n'")
        .stateful()
        .shape(shape::unknown)
        .host(print),
    Op::new("Timestamp", "-> ts: float64")
        .stateful()
        .no_grad()
        .shape(shape::scalar)
        .host(timestamp),
];

fn print(c: &mut KernelContext) -> Result<()> {
    let text = c.scalar_input(0, "Input")?.item_string()?;
    let stream = c.attrs().str("output_stream")?;
    let line = [text, c.attrs().bytes("end")?].concat();
    if let Some(path) = stream.strip_prefix("file://") {
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path);
        return file
            .and_then(|mut file| file.write_all(&line))
            .map_err(|error| Error::not_found(format!("{path}: {error}")));
    }
    let level = match stream {
        "log(info)" => "I ",
        "log(warning)" => "W ",
        "log(error)" => "E ",
        _ => "",
    };
    ensure!(
        !level.is_empty() || matches!(stream, "stdout" | "stderr"),
        invalid,
        "Unknown output stream: {stream}, or the stream is not accessible"
    );
    // A closed stream is no reason to stop a training run.
    let _ = if stream == "stdout" {
        let mut out = std::io::stdout().lock();
        out.write_all(&line).and_then(|()| out.flush())
    } else {
        std::io::stderr().write_all(&[level.as_bytes(), &line].concat())
    };
    Ok(())
}

/// Seconds since 1970.
fn timestamp(c: &mut KernelContext) -> Result<()> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    c.set_output(0, Value::scalar(now.as_secs_f64())?);
    Ok(())
}
