//! Records there and back, and files that were cut or changed.

use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::error::Code;
use crate::formats::testing::{Scratch, fixture};

fn read_all(path: &Path, compression: Compression) -> Result<Vec<Vec<u8>>> {
    let mut reader = RecordReader::open(path, compression)?;
    let mut records = Vec::new();
    while let Some(record) = reader.next_record()? {
        records.push(record);
    }
    Ok(records)
}

fn two_records() -> (Scratch, PathBuf, Vec<u8>) {
    let scratch = Scratch::new("records");
    let path = scratch.path("r");
    let mut bytes = Vec::new();
    encode(b"abc", &mut bytes);
    encode(b"de", &mut bytes);
    (scratch, path, bytes)
}

#[test]
fn tensorflows_files_are_read() {
    let all: Vec<u8> = (0..=255).collect();
    let want = [b"first".to_vec(), Vec::new(), vec![b'x'; 1000], all];
    for (name, compression) in [
        ("records", Compression::None),
        ("records.zlib", Compression::Zlib),
        ("records.gzip", Compression::Gzip),
    ] {
        assert_eq!(
            read_all(&fixture(name), compression).unwrap(),
            want,
            "{name}"
        );
    }
}

#[test]
fn plain_files_are_written_byte_for_byte_as_tensorflow_writes_them() {
    let scratch = Scratch::new("written");
    let path = scratch.path("r");
    let mut writer = RecordWriter::create(&path, Compression::None, None).unwrap();
    for record in read_all(&fixture("records"), Compression::None).unwrap() {
        writer.write(&record).unwrap();
    }
    writer.close().unwrap();
    assert_eq!(
        std::fs::read(path).unwrap(),
        std::fs::read(fixture("records")).unwrap()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn what_was_written_is_read(
        records in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..2000), 0..40),
        kind in 0usize..3, flush_after in 0usize..40, level in proptest::option::of(0u32..10),
    ) {
        let compression = [Compression::None, Compression::Zlib, Compression::Gzip][kind];
        let scratch = Scratch::new("round");
        let path = scratch.path("r");
        let mut writer = RecordWriter::create(&path, compression, level).unwrap();
        for (i, record) in records.iter().enumerate() {
            writer.write(record).unwrap();
            if i == flush_after {
                writer.flush().unwrap();
                prop_assert_eq!(read_all(&path, compression).unwrap(), &records[..=i]);
            }
        }
        writer.close().unwrap();
        prop_assert_eq!(read_all(&path, compression).unwrap(), records);
    }
}

#[test]
fn every_flipped_bit_is_data_loss() {
    let (_scratch, path, bytes) = two_records();
    for bit in 0..bytes.len() * 8 {
        let mut broken = bytes.clone();
        broken[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&path, broken).unwrap();
        let error = read_all(&path, Compression::None).unwrap_err();
        assert_eq!(error.code, Code::DataLoss, "bit {bit}");
    }
}

#[test]
fn a_cut_in_a_header_is_the_end_and_a_cut_after_it_is_data_loss() {
    let (_scratch, path, bytes) = two_records();
    for len in 0..=bytes.len() {
        std::fs::write(&path, &bytes[..len]).unwrap();
        let got = read_all(&path, Compression::None);
        match len {
            0..12 => assert_eq!(got.unwrap().len(), 0),
            12..19 => assert_eq!(got.unwrap_err().message, "truncated record at 0"),
            19..31 => assert_eq!(got.unwrap().len(), 1),
            31..37 => assert_eq!(got.unwrap_err().message, "truncated record at 19"),
            _ => assert_eq!(got.unwrap().len(), 2),
        }
    }
}

#[test]
fn a_file_that_grows_is_read_on() {
    let (_scratch, path, bytes) = two_records();
    std::fs::write(&path, &bytes[..25]).unwrap();
    let mut reader = RecordReader::open(&path, Compression::None).unwrap();
    assert_eq!(reader.next_record().unwrap().unwrap(), b"abc");
    assert_eq!(reader.next_record().unwrap(), None);
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(reader.next_record().unwrap().unwrap(), b"de");
}

#[test]
fn a_length_that_lies_takes_no_memory() {
    let scratch = Scratch::new("lie");
    let path = scratch.path("r");
    for len in [1u64 << 45, u64::MAX, u64::MAX - 4, u64::MAX - 16] {
        let len = len.to_le_bytes();
        let mut bytes = len.to_vec();
        bytes.extend(masked_crc32c(&len).to_le_bytes());
        bytes.extend([0; 20]);
        std::fs::write(&path, &bytes).unwrap();
        let error = read_all(&path, Compression::None).unwrap_err();
        assert_eq!(error.code, Code::DataLoss);
    }
}

#[test]
fn what_is_not_compressed_is_data_loss_when_read_so() {
    let path = fixture("records");
    for compression in [Compression::Zlib, Compression::Gzip] {
        let error = read_all(&path, compression).unwrap_err();
        assert_eq!(error.code, Code::DataLoss);
    }
    assert_eq!(
        read_all(Path::new("/nowhere"), Compression::None)
            .unwrap_err()
            .code,
        Code::NotFound
    );
}
