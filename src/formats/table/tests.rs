//! Tables of many blocks, and tables that are broken.

use super::*;

fn many() -> Vec<(Vec<u8>, Vec<u8>)> {
    let row = |i: u32| {
        (
            format!("key/{i:06}/suffix").into_bytes(),
            vec![i as u8; (i % 300) as usize],
        )
    };
    (0..6000).map(row).collect()
}

#[test]
fn what_was_added_is_found() {
    let mut writer = TableWriter::new();
    let rows = many();
    for (key, value) in &rows {
        writer.add(key, value).unwrap();
    }
    assert!(writer.add(b"a", b"").is_err());
    let table = Table::open(writer.finish().unwrap()).unwrap();
    let mut entries = table.entries();
    for (key, value) in &rows {
        assert_eq!(
            entries.advance().unwrap(),
            Some((key.as_slice(), value.as_slice()))
        );
    }
    assert_eq!(entries.advance().unwrap(), None);
    assert_eq!(
        table.get(&rows[4321].0).unwrap().as_ref(),
        Some(&rows[4321].1)
    );
    assert_eq!(table.get(b"key/0000005").unwrap(), None);
}

#[test]
fn a_cut_table_is_an_error() {
    let mut writer = TableWriter::new();
    writer.add(b"a", b"1").unwrap();
    let whole = writer.finish().unwrap();
    for len in 0..whole.len() {
        assert!(Table::open(whole[..len].to_vec()).is_err());
    }
}
