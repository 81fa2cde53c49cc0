//! Lines of comma-separated values, quoted as RFC 4180 says.

use crate::error::{Error, Result};
use crate::ops::kernel::KernelContext;
use crate::value::{DType, Value};
use crate::{bail, ensure};

/// How a line is cut.
struct Cut {
    delimiter: u8,
    uses_quotes: bool,
    /// The columns to keep, ascending; empty for all.
    columns: Vec<i64>,
}

impl Cut {
    /// The fields of a record: without their quotes, doubled quotes as one.
    fn fields(&self, record: &[u8]) -> Result<Vec<Vec<u8>>> {
        let mut fields = Vec::new();
        let mut at = 0;
        if record.is_empty() {
            return Ok(vec![Vec::new()]);
        }
        let is_end = |at: usize| at >= record.len() || matches!(record[at], b'\n' | b'\r');
        loop {
            // Line breaks before a field are passed over.
            while at < record.len() && matches!(record[at], b'\n' | b'\r') {
                at += 1;
            }
            let mut field = Vec::new();
            if self.uses_quotes && record.get(at) == Some(&b'"') {
                at += 1;
                loop {
                    match (record.get(at), record.get(at + 1)) {
                        (Some(b'"'), Some(b'"')) => {
                            field.push(b'"');
                            at += 2;
                        }
                        (Some(b'"'), _) => break,
                        (Some(b), _) => {
                            field.push(*b);
                            at += 1;
                        }
                        (None, _) => bail!(
                            invalid,
                            "Quoted field has to end with quote followed by delim or end"
                        ),
                    }
                }
                at += 1;
                ensure!(
                    is_end(at) || record[at] == self.delimiter,
                    invalid,
                    "Quoted field has to end with quote followed by delim or end"
                );
            } else {
                while !is_end(at) && record[at] != self.delimiter {
                    ensure!(
                        !self.uses_quotes || record[at] != b'"',
                        invalid,
                        "Unquoted fields cannot have quotes/CRLFs inside"
                    );
                    field.push(record[at]);
                    at += 1;
                }
            }
            let index = fields.len();
            fields.push(field);
            while at < record.len() && matches!(record[at], b'\n' | b'\r') {
                at += 1;
            }
            if at >= record.len() {
                break;
            }
            ensure!(
                record[at] == self.delimiter,
                invalid,
                "Unquoted fields cannot have quotes/CRLFs inside (field {index})"
            );
            at += 1;
            if at >= record.len() {
                fields.push(Vec::new());
                break;
            }
        }
        if self.columns.is_empty() {
            return Ok(fields);
        }
        let kept = self
            .columns
            .iter()
            .filter_map(|i| fields.get(*i as usize).cloned());
        Ok(kept.collect())
    }
}

enum Column {
    F32(Vec<f32>),
    F64(Vec<f64>),
    I32(Vec<i32>),
    I64(Vec<i64>),
    Text(Vec<Vec<u8>>),
}

fn parsed<T: std::str::FromStr>(field: &[u8]) -> Option<T> {
    std::str::from_utf8(field).ok()?.trim().parse().ok()
}

pub(super) fn decode(c: &mut KernelContext) -> Result<()> {
    let delimiter = c.attrs().str("field_delim")?.as_bytes().to_vec();
    ensure!(
        delimiter.len() == 1,
        invalid,
        "field_delim should be only 1 char"
    );
    let cut = Cut {
        delimiter: delimiter[0],
        uses_quotes: c.attrs().bool("use_quote_delim")?,
        columns: c.attrs().ints("select_cols")?.to_vec(),
    };
    let missing = c.attrs().str("na_value")?.as_bytes().to_vec();
    let records = c.input(0)?;
    let n = c.num_outputs();
    let defaults: Vec<&Value> = (0..n).map(|i| c.input(1 + i)).collect::<Result<_>>()?;
    for (i, default) in defaults.iter().enumerate() {
        ensure!(
            default.num_elements() <= 1,
            invalid,
            "There should only be 1 default per field but field {i} has {}",
            default.num_elements()
        );
    }
    let mut columns = Vec::with_capacity(n);
    for default in &defaults {
        columns.push(match default.dtype() {
            DType::F32 => Column::F32(Vec::new()),
            DType::F64 => Column::F64(Vec::new()),
            DType::I32 => Column::I32(Vec::new()),
            DType::I64 => Column::I64(Vec::new()),
            _ => Column::Text(Vec::new()),
        });
    }
    for (r, record) in records.string_slice()?.iter().enumerate() {
        let fields = cut.fields(record)?;
        ensure!(
            fields.len() == n,
            invalid,
            "Expect {n} fields but have {} in record {r}",
            fields.len()
        );
        for (f, (column, field)) in columns.iter_mut().zip(fields).enumerate() {
            let default = defaults[f];
            let is_missing = field.is_empty() || field == missing;
            ensure!(
                !is_missing || default.num_elements() == 1,
                invalid,
                "Field {f} is required but missing in record {r}!"
            );
            let text = String::from_utf8_lossy(&field);
            let wrong = |label: &str| {
                Error::invalid(format!(
                    "Field {f} in record {r} is not a valid {label}: {text}"
                ))
            };
            match column {
                Column::F32(to) if is_missing => to.push(default.item()?),
                Column::F64(to) if is_missing => to.push(default.item()?),
                Column::I32(to) if is_missing => to.push(default.item()?),
                Column::I64(to) if is_missing => to.push(default.item()?),
                Column::Text(to) if is_missing => to.push(default.item_string()?.to_vec()),
                Column::F32(to) => to.push(parsed(&field).ok_or_else(|| wrong("float"))?),
                Column::F64(to) => to.push(parsed(&field).ok_or_else(|| wrong("double"))?),
                Column::I32(to) => to.push(parsed(&field).ok_or_else(|| wrong("int32"))?),
                Column::I64(to) => to.push(parsed(&field).ok_or_else(|| wrong("int64"))?),
                Column::Text(to) => to.push(field),
            }
        }
    }
    let shape = records.shape().clone();
    let mut made = Vec::with_capacity(n);
    for column in columns {
        made.push(match column {
            Column::F32(x) => Value::from_slice(shape.clone(), &x)?,
            Column::F64(x) => Value::from_slice(shape.clone(), &x)?,
            Column::I32(x) => Value::from_slice(shape.clone(), &x)?,
            Column::I64(x) => Value::from_slice(shape.clone(), &x)?,
            Column::Text(x) => Value::strings(shape.clone(), x)?,
        });
    }
    for (i, value) in made.into_iter().enumerate() {
        c.set_output(i, value);
    }
    Ok(())
}
