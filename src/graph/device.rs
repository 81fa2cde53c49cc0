//! Device strings: `/job:a/replica:0/task:1/device:GPU:0`, their short forms, and how an inner one covers an outer one.

use crate::error::{Error, Result};

/// A device's name in parts: those that are not there leave the choice open.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeviceName {
    pub job: Option<String>,
    pub replica: Option<i64>,
    pub task: Option<i64>,
    pub kind: Option<String>,
    pub index: Option<i64>,
}

impl DeviceName {
    /// Reads a name as TensorFlow's `DeviceSpec` does; ValueError for what is none.
    pub fn parse(device: &str) -> Result<DeviceName> {
        parse(device)
    }

    /// Whether `other`, a whole name, is one of those that this name leaves open.
    pub fn covers(&self, other: &DeviceName) -> bool {
        fn fits<T: PartialEq>(wanted: &Option<T>, is: &Option<T>) -> bool {
            wanted.is_none() || wanted == is
        }
        let is_kind = self.kind.as_deref().is_none_or(|kind| {
            kind == "*"
                || other
                    .kind
                    .as_deref()
                    .is_some_and(|k| k.eq_ignore_ascii_case(kind))
        });
        fits(&self.job, &other.job)
            && fits(&self.replica, &other.replica)
            && fits(&self.task, &other.task)
            && fits(&self.index, &other.index)
            && is_kind
    }
}

fn parse(device: &str) -> Result<DeviceName> {
    let mut spec = DeviceName::default();
    let number = |text: &str| {
        text.parse::<i64>()
            .map_err(|_| Error::value(format!("invalid literal for int() with base 10: '{text}'")))
    };
    for part in device.split('/') {
        let fields: Vec<&str> = part.split(':').collect();
        let one_kind = |spec: &DeviceName| match spec.kind {
            None => Ok(()),
            Some(_) => Err(Error::value(format!(
                "Cannot specify multiple device types: {device}"
            ))),
        };
        match fields.as_slice() {
            [""] => {}
            ["job", name] => spec.job = Some((*name).into()),
            ["replica" | "task", "*"] => {}
            ["replica", n] => spec.replica = Some(number(n)?),
            ["task", n] => spec.task = Some(number(n)?),
            [kind] | [kind, _] if matches!(kind.to_ascii_uppercase().as_str(), "CPU" | "GPU") => {
                one_kind(&spec)?;
                spec.kind = Some(kind.to_ascii_uppercase());
                if let Some(n) = fields.get(1).filter(|n| **n != "*") {
                    spec.index = Some(number(n)?);
                }
            }
            ["device", kind, n] => {
                one_kind(&spec)?;
                spec.kind = Some(match *kind {
                    "cpu" | "gpu" => kind.to_ascii_uppercase(),
                    _ => (*kind).into(),
                });
                if *n != "*" {
                    spec.index = Some(number(n)?);
                }
            }
            [kind, ..] => {
                return Err(Error::value(format!(
                    "Unknown attribute: '{kind}' in '{device}'"
                )));
            }
            [] => {}
        }
    }
    Ok(spec)
}

fn render(spec: &DeviceName) -> String {
    let mut out = String::new();
    if let Some(job) = &spec.job {
        out += &format!("/job:{job}");
    }
    if let Some(n) = spec.replica {
        out += &format!("/replica:{n}");
    }
    if let Some(n) = spec.task {
        out += &format!("/task:{n}");
    }
    if let Some(kind) = &spec.kind {
        let index = spec.index.map_or("*".to_string(), |n| n.to_string());
        out += &format!("/device:{kind}:{index}");
    }
    out
}

/// The long form that graphs hold: `/cpu:0` becomes `/device:CPU:0`.
pub fn canonical_device(device: &str) -> Result<String> {
    Ok(render(&parse(device)?))
}

/// `inner`'s parts over those of `outer`.
pub fn merge_device(outer: &str, inner: &str) -> Result<String> {
    let (outer, inner) = (parse(outer)?, parse(inner)?);
    let index = if inner.index.is_some() {
        inner.index
    } else {
        outer.index
    };
    Ok(render(&DeviceName {
        job: inner.job.or(outer.job),
        replica: inner.replica.or(outer.replica),
        task: inner.task.or(outer.task),
        kind: inner.kind.or(outer.kind),
        index,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_parts_cover_outer_ones() {
        assert_eq!(canonical_device("/cpu:0").unwrap(), "/device:CPU:0");
        assert_eq!(
            merge_device("/job:ps/task:1", "/gpu:0").unwrap(),
            "/job:ps/task:1/device:GPU:0"
        );
        assert_eq!(
            merge_device("/device:CPU:0", "/device:GPU:1").unwrap(),
            "/device:GPU:1"
        );
        assert!(canonical_device("/nonsense:x:y:z").is_err());
    }
}
