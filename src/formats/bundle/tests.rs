//! Against files that TensorFlow 1.15 wrote (`tests/formats/fixtures`).

use std::path::{Path, PathBuf};

use super::*;
use crate::error::Code;
use crate::value::{DType, Shape, Value};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/formats/fixtures")
        .join(name)
}

/// A directory of the test's own, gone with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("ferroflow-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

#[test]
fn a_checkpoint_of_every_type_is_read_and_written_byte_for_byte() {
    let bundle = Bundle::open(&fixture("types")).unwrap();
    let scratch = Scratch::new("types");
    let copy = scratch.0.join("types");
    let mut writer = BundleWriter::create(&copy).unwrap();
    // In the order in which they were saved.
    let mut tensors = bundle.tensors().unwrap();
    let offset = |name: &Vec<u8>| (bundle.entries()[name].offset, bundle.entries()[name].size);
    tensors.sort_by_key(|(name, ..)| offset(name));
    assert_eq!(tensors.len(), 20);
    for (name, dtype, shape) in tensors {
        let value = bundle.read(&name).unwrap();
        assert!(value.dtype() == dtype && shape.admits(value.shape()));
        writer.add(&name, &value).unwrap();
    }
    writer.finish().unwrap();
    assert_eq!(
        bytes(&data_path(&copy, 0, 1)),
        bytes(&data_path(&fixture("types"), 0, 1))
    );
    assert_eq!(
        bytes(&index_path(&copy)),
        bytes(&index_path(&fixture("types")))
    );
    let text = bundle.read(b"text").unwrap();
    assert_eq!(text.string_slice().unwrap()[1], b"two");
    assert_eq!(bundle.read(b"nothing").unwrap_err().code, Code::NotFound);
}

#[test]
fn parts_make_a_whole_and_are_cut_from_it() {
    let bundle = Bundle::open(&fixture("slices")).unwrap();
    let x: Vec<f32> = (0..24).map(|i| i as f32).collect();
    let whole = Value::from_slice(Shape::new(&[4, 6]).unwrap(), &x).unwrap();
    for name in ["part", "whole", "columns"] {
        assert!(bundle.read(name.as_bytes()).unwrap() == whole, "{name}");
        let cut = ShapeAndSlice::parse("4 6 1,2:2,3").unwrap();
        let got = bundle.read_slice(name.as_bytes(), &cut.slice).unwrap();
        assert_eq!(
            got.slice::<f32>().unwrap(),
            [8.0, 9.0, 10.0, 14.0, 15.0, 16.0]
        );
    }
    let scratch = Scratch::new("slices");
    let copy = scratch.0.join("slices");
    let mut writer = BundleWriter::create(&copy).unwrap();
    let specs = [
        ("part", "4 6 0,2:-"),
        ("part", "4 6 2,2:-"),
        ("whole", "4 6 -:-"),
        ("columns", "4 6 -:1,3"),
        ("columns", "4 6 -:0,1"),
        ("columns", "4 6 -:4,2"),
    ];
    for (name, spec) in specs {
        let part = ShapeAndSlice::parse(spec).unwrap();
        let value = bundle.read_slice(name.as_bytes(), &part.slice).unwrap();
        writer.add_slice(name.as_bytes(), &part, &value).unwrap();
    }
    writer.finish().unwrap();
    assert_eq!(
        bytes(&data_path(&copy, 0, 1)),
        bytes(&data_path(&fixture("slices"), 0, 1))
    );
    assert_eq!(
        bytes(&index_path(&copy)),
        bytes(&index_path(&fixture("slices")))
    );
}

#[test]
fn merged_checkpoints_are_those_of_tensorflow() {
    let bundle = Bundle::open(&fixture("merged")).unwrap();
    assert_eq!(
        bundle.read(b"part").unwrap().slice::<f32>().unwrap(),
        [1.0, 2.0, 3.0, 4.0]
    );
    let scratch = Scratch::new("merged");
    let parts = [("part-0", "a", "2 2 0,1:-"), ("part-1", "b", "2 2 1,1:-")];
    let mut prefixes = Vec::new();
    for (file, name, spec) in parts {
        let prefix = scratch.0.join(file);
        let mut writer = BundleWriter::create(&prefix).unwrap();
        writer
            .add(name.as_bytes(), &bundle.read(name.as_bytes()).unwrap())
            .unwrap();
        let part = ShapeAndSlice::parse(spec).unwrap();
        writer
            .add_slice(
                b"part",
                &part,
                &bundle.read_slice(b"part", &part.slice).unwrap(),
            )
            .unwrap();
        writer.finish().unwrap();
        prefixes.push(prefix);
    }
    let target = scratch.0.join("merged");
    merge(&prefixes, &target).unwrap();
    assert_eq!(
        bytes(&index_path(&target)),
        bytes(&index_path(&fixture("merged")))
    );
    for shard in 0..2 {
        let data = |prefix: &Path| bytes(&data_path(prefix, shard, 2));
        assert_eq!(data(&target), data(&fixture("merged")));
    }
}

#[test]
fn no_flipped_bit_gives_a_wrong_value() {
    let scratch = Scratch::new("flips");
    let prefix = scratch.0.join("types");
    let sound = Bundle::open(&fixture("types")).unwrap();
    let tensors = sound.tensors().unwrap();
    let index = bytes(&index_path(&fixture("types")));
    let data = bytes(&data_path(&fixture("types"), 0, 1));
    std::fs::write(index_path(&prefix), &index).unwrap();
    let check = |what: &str, i: usize| {
        let Ok(bundle) = Bundle::open(&prefix) else {
            return;
        };
        for (name, ..) in &tensors {
            if let Ok(value) = bundle.read(name) {
                assert!(value == sound.read(name).unwrap(), "{what} {i}: {name:?}");
            }
        }
    };
    // One bit of each byte; all of them take half a minute.
    for i in (0..data.len()).map(|byte| byte * 8 + byte % 8) {
        let mut broken = data.clone();
        broken[i / 8] ^= 1 << (i % 8);
        std::fs::write(data_path(&prefix, 0, 1), &broken).unwrap();
        check("data", i);
    }
    std::fs::write(data_path(&prefix, 0, 1), &data).unwrap();
    for i in (0..index.len()).map(|byte| byte * 8 + byte % 8) {
        let mut broken = index.clone();
        broken[i / 8] ^= 1 << (i % 8);
        std::fs::write(index_path(&prefix), &broken).unwrap();
        check("index", i);
    }
}

#[test]
fn shapes_and_slices_that_make_no_sense_are_errors() {
    for text in [
        "",
        "4",
        "4 6",
        "4 6 0,2",
        "4 6 3,2:-",
        "-4 6 -:-",
        "4 6 a:-",
        "4 6 0,-2:-",
    ] {
        assert!(ShapeAndSlice::parse(text).is_err(), "{text}");
    }
}

#[test]
fn an_absent_or_broken_checkpoint_is_an_error_of_tensorflows_class() {
    let error = Bundle::open(Path::new("/nowhere/at/all")).unwrap_err();
    assert_eq!(error.code, Code::NotFound);
    let scratch = Scratch::new("broken");
    let prefix = scratch.0.join("x");
    std::fs::write(index_path(&prefix), b"short").unwrap();
    assert_eq!(
        Bundle::open(&prefix).map(|_| ()).unwrap_err().code,
        Code::DataLoss
    );
    let mut writer = BundleWriter::create(&prefix).unwrap();
    let value = Value::zeros(DType::F32, Shape::vector(2)).unwrap();
    writer.add(b"a", &value).unwrap();
    assert!(writer.add(b"a", &value).is_err() && writer.add(b"", &value).is_err());
}
