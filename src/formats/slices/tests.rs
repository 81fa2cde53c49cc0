//! Against a file that TensorFlow 1.15 wrote (`tests/formats/fixtures/make.py`), whole and broken.

use super::*;
use crate::error::Code;
use crate::formats::bundle::{ShapeAndSlice, Slice};
use crate::formats::testing::{Scratch, fixture};
use crate::value::{DType, Shape, Value};

fn sample() -> SliceFiles {
    SliceFiles::open(&fixture("v1.ckpt")).unwrap()
}

/// Writes what `files` holds to `path`, the partitioned tensor in its two parts.
fn write_again(files: &SliceFiles, path: &std::path::Path) {
    let mut writer = SliceWriter::create(path).unwrap();
    for (name, _, shape) in files.tensors() {
        let whole = shape.to_shape().unwrap();
        let parts: &[&str] = match name.as_slice() {
            b"part" => &["4 3 0,2:0,3", "4 3 2,2:0,3"],
            _ => &[],
        };
        for text in parts {
            let part = ShapeAndSlice::parse(text).unwrap();
            let value = files.read_slice(&name, &part.slice).unwrap();
            writer.add(&name, &whole, &part.slice, &value).unwrap();
        }
        if parts.is_empty() {
            let all = Slice::full(whole.rank());
            writer
                .add(&name, &whole, &all, &files.read(&name).unwrap())
                .unwrap();
        }
    }
    writer.finish(path).unwrap();
}

#[test]
fn a_file_of_every_type_is_read_and_written_byte_for_byte() {
    let scratch = Scratch::new("slices");
    let copy = scratch.path("copy");
    write_again(&sample(), &copy);
    let bytes = |path: &std::path::Path| std::fs::read(path).unwrap();
    assert!(bytes(&copy) == bytes(&fixture("v1.ckpt")));
    assert_eq!(scratch.names(), ["copy"]);
}

#[test]
fn parts_make_a_whole_and_are_cut_from_it() {
    let files = sample();
    assert_eq!(files.describe(b"part").unwrap().0, DType::F32);
    let whole = files.read(b"part").unwrap();
    let want: Vec<f32> = (0..24).filter(|i| i % 6 < 3).map(|i| i as f32).collect();
    assert_eq!(whole.slice::<f32>().unwrap(), want);
    let cut = ShapeAndSlice::parse("4 3 1,2:1,1").unwrap();
    let got = files.read_slice(b"part", &cut.slice).unwrap();
    assert_eq!(got.slice::<f32>().unwrap(), [7.0, 13.0]);
    assert_eq!(files.read(b"nothing").unwrap_err().code, Code::NotFound);
}

#[test]
fn several_files_are_one_checkpoint() {
    let scratch = Scratch::new("shards");
    let whole = Shape::new(&[2, 2]).unwrap();
    for row in 0..2 {
        let path = scratch.path(&format!("m-{row:05}-of-00002"));
        let part = ShapeAndSlice::parse(&format!("2 2 {row},1:-")).unwrap();
        let value = Value::from_slice(part.part_shape().unwrap(), &[row, row + 5]).unwrap();
        let mut writer = SliceWriter::create(&path).unwrap();
        writer.add(b"x", &whole, &part.slice, &value).unwrap();
        writer.finish(&path).unwrap();
    }
    let files = SliceFiles::open(&scratch.path("m-?????-of-00002")).unwrap();
    assert_eq!(
        files.read(b"x").unwrap().slice::<i32>().unwrap(),
        [0, 5, 1, 6]
    );
    let one = SliceFiles::open(&scratch.path("m-00000-of-00002")).unwrap();
    assert_eq!(one.read(b"x").unwrap_err().code, Code::DataLoss);
    let none = SliceFiles::open(&scratch.path("n*")).err().unwrap();
    assert_eq!(none.code, Code::NotFound);
}

#[test]
fn parts_that_overlap_are_refused() {
    let scratch = Scratch::new("overlap");
    let mut writer = SliceWriter::create(&scratch.path("m")).unwrap();
    let whole = Shape::new(&[4]).unwrap();
    let mut add = |text: &str| {
        let part = ShapeAndSlice::parse(text).unwrap();
        let value = Value::zeros(DType::F32, part.part_shape().unwrap()).unwrap();
        writer.add(b"x", &whole, &part.slice, &value)
    };
    add("4 0,2").unwrap();
    let error = add("4 1,2").unwrap_err();
    assert_eq!(
        error.message,
        "Overlapping slices: existing slice = 0,2, new slice = 1,2"
    );
}

/// Reads all of a file; `None` when it cannot.
fn all_values(path: &std::path::Path) -> Result<Vec<(Vec<u8>, Value)>, crate::error::Error> {
    let files = SliceFiles::open(path)?;
    let names = files.tensors().into_iter().map(|(name, ..)| name);
    names
        .map(|name| Ok((name.clone(), files.read(&name)?)))
        .collect()
}

#[test]
fn no_flip_or_cut_gives_a_wrong_value() {
    let scratch = Scratch::new("broken");
    let path = scratch.path("v1");
    let mut writer = SliceWriter::create(&path).unwrap();
    let shape = Shape::new(&[2, 3]).unwrap();
    let value = Value::from_slice(shape.clone(), &[1.5f32, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
    let strings = Value::strings(Shape::new(&[2]).unwrap(), vec![b"a".to_vec(), vec![]]).unwrap();
    writer
        .add(b"text", strings.shape(), &Slice::full(1), &strings)
        .unwrap();
    writer.add(b"x", &shape, &Slice::full(2), &value).unwrap();
    writer.finish(&path).unwrap();
    let sound = std::fs::read(&path).unwrap();
    let want = all_values(&path).unwrap();
    let broken = scratch.path("broken");
    let check = |bytes: &[u8], what: String| {
        std::fs::write(&broken, bytes).unwrap();
        match all_values(&broken) {
            Ok(values) => assert!(values == want, "{what}: other values"),
            Err(e) => assert_eq!(e.code, Code::DataLoss, "{what}: {e}"),
        }
    };
    for at in 0..sound.len() * 8 {
        let mut bytes = sound.clone();
        bytes[at / 8] ^= 1 << (at % 8);
        check(&bytes, format!("bit {at}"));
    }
    for len in 0..sound.len() {
        check(&sound[..len], format!("cut to {len}"));
    }
}
