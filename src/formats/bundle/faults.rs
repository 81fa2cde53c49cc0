//! Saves that die or fail at each of their operations, and saves that meet each other.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::*;
use crate::error::{Code, Result};
use crate::formats::io::fault::{Fault, Outcome, at};
use crate::formats::testing::Scratch;
use crate::value::{Shape, Value};

const NAMES: [&[u8]; 3] = [b"a", b"b", b"text"];

/// Saves three tensors that all tell `number`. Their sizes depend on it.
fn save(prefix: &Path, number: usize) -> Result<()> {
    let mut writer = BundleWriter::create(prefix)?;
    let elements = vec![number as f32; number % 7 + 1];
    for name in &NAMES[..2] {
        writer.add(name, &Value::vector(&elements)?)?;
    }
    let text = vec![number.to_string().into_bytes(); 3];
    writer.add(NAMES[2], &Value::strings(Shape::vector(3), text)?)?;
    writer.finish()
}

/// The number that the checkpoint's tensors tell, all the same one.
fn load(prefix: &Path) -> Result<usize> {
    let bundle = Bundle::open(prefix)?;
    let mut found = Vec::new();
    for name in &NAMES[..2] {
        found.push(bundle.read(name)?.slice::<f32>()?[0] as usize);
    }
    let text = bundle.read(NAMES[2])?;
    let text = String::from_utf8_lossy(&text.string_slice()?[0]).into_owned();
    found.push(text.parse().unwrap());
    assert!(found.iter().all(|n| *n == found[0]), "{found:?}");
    Ok(found[0])
}

#[test]
fn no_save_that_returned_is_lost_when_a_later_one_dies() {
    for nth in 0.. {
        let scratch = Scratch::new("die");
        let prefix = scratch.path("model.ckpt-7");
        save(&prefix, 1).unwrap();
        let outcome = at(nth, Fault::Die, || save(&prefix, 2));
        let number = load(&prefix).unwrap_or_else(|e| panic!("after death {nth}: {e}"));
        assert!(number == 1 || number == 2);
        save(&prefix, 3).unwrap();
        assert_eq!(load(&prefix).unwrap(), 3);
        let has_index = |name: &String| name.contains(".index.tempstate");
        assert!(
            !scratch.names().iter().any(has_index),
            "{:?}",
            scratch.names()
        );
        if let Outcome::Done(saved) = outcome {
            saved.unwrap();
            assert!(number == 2 && nth > 8, "{nth} operations");
            return;
        }
    }
}

#[test]
fn a_save_that_dies_under_a_new_name_leaves_the_old_one() {
    for nth in 0.. {
        let scratch = Scratch::new("new");
        save(&scratch.path("m-1"), 1).unwrap();
        let outcome = at(nth, Fault::Die, || save(&scratch.path("m-2"), 2));
        assert_eq!(load(&scratch.path("m-1")).unwrap(), 1);
        match load(&scratch.path("m-2")) {
            Ok(number) => assert_eq!(number, 2),
            Err(e) => assert_eq!(e.code, Code::NotFound),
        }
        if matches!(outcome, Outcome::Done(_)) {
            return;
        }
    }
}

#[test]
fn a_save_that_fails_says_so_and_leaves_a_whole_checkpoint() {
    for nth in 0.. {
        let scratch = Scratch::new("fail");
        let prefix = scratch.path("m");
        save(&prefix, 1).unwrap();
        let outcome = at(nth, Fault::Fail(libc::ENOSPC), || save(&prefix, 2));
        let Outcome::Done(saved) = outcome else {
            panic!("died");
        };
        let number = load(&prefix).unwrap_or_else(|e| panic!("after failure {nth}: {e}"));
        match saved {
            Ok(()) => {
                assert_eq!(number, 2);
                return;
            }
            Err(e) => assert_eq!(e.code, Code::ResourceExhausted),
        }
        let left: Vec<String> = scratch
            .names()
            .into_iter()
            .filter(|name| name.contains("tempstate"))
            .collect();
        assert!(left.is_empty(), "after failure {nth}: {left:?}");
    }
}

#[test]
fn each_read_among_writers_is_one_writers_save() {
    let scratch = Scratch::new("writers");
    let prefix = &scratch.path("m");
    save(prefix, 0).unwrap();
    let stop = AtomicBool::new(false);
    let end = Instant::now() + Duration::from_millis(300);
    std::thread::scope(|threads| {
        for writer in 0..2 {
            let stop = &stop;
            threads.spawn(move || {
                for round in 0.. {
                    save(prefix, writer + 2 * (round % 50)).unwrap();
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                }
            });
        }
        while Instant::now() < end {
            load(prefix).unwrap();
        }
        stop.store(true, Ordering::Relaxed);
    });
}
