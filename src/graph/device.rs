//! Device strings: `/job:a/replica:0/task:1/device:GPU:0`, their short forms, and how an inner one covers an outer one.

use crate::error::{Error, Result};

#[derive(Clone, Default, PartialEq)]
struct Spec {
    job: Option<String>,
    replica: Option<i64>,
    task: Option<i64>,
    kind: Option<String>,
    /// `None`: not said; `Some(None)`: `*`.
    index: Option<i64>,
}

fn parse(device: &str) -> Result<Spec> {
    let mut spec = Spec::default();
    let unknown = || {
        Error::value(format!(
            "Unknown attribute: '{device}' is not a valid device name"
        ))
    };
    for part in device.split('/').filter(|p| !p.is_empty()) {
        let fields: Vec<&str> = part.split(':').collect();
        let number = |text: &str| text.parse::<i64>().map_err(|_| unknown());
        match fields.as_slice() {
            ["job", name] => spec.job = Some((*name).into()),
            ["replica", "*"] | ["task", "*"] => {}
            ["replica", n] => spec.replica = Some(number(n)?),
            ["task", n] => spec.task = Some(number(n)?),
            ["device", kind] => spec.kind = Some((*kind).into()),
            ["device", kind, "*"] => spec.kind = Some((*kind).into()),
            ["device", kind, n] => {
                (spec.kind, spec.index) = (Some((*kind).into()), Some(number(n)?))
            }
            [kind, n] if matches!(kind.to_ascii_uppercase().as_str(), "CPU" | "GPU") => {
                spec.kind = Some(kind.to_ascii_uppercase());
                if *n != "*" {
                    spec.index = Some(number(n)?);
                }
            }
            [kind] if matches!(kind.to_ascii_uppercase().as_str(), "CPU" | "GPU") => {
                spec.kind = Some(kind.to_ascii_uppercase());
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

fn render(spec: &Spec) -> String {
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
    Ok(render(&Spec {
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
