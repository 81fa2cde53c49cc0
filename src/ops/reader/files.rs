//! How readers take files apart.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};

use flate2::read::{MultiGzDecoder, ZlibDecoder};

use crate::error::{Error, Result};
use crate::formats::io::{error, read_file};
use crate::formats::record::{Compression, RecordReader};
use crate::graph::Attrs;
use crate::ops::io::path_of;
use crate::{bail, ensure};

/// A key and a value.
pub(super) type Record = (Vec<u8>, Vec<u8>);

/// What a reader does with files, from the attributes of its node.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// The name itself.
    Identity,
    WholeFile,
    Lines {
        header_lines: u64,
    },
    Records(Compression),
    Fixed {
        header: u64,
        record: u64,
        footer: u64,
        hop: u64,
        compression: Compression,
    },
}

impl Kind {
    pub fn new(op: &str, attrs: &Attrs) -> Result<Kind> {
        Ok(match op {
            "IdentityReaderV2" => Kind::Identity,
            "WholeFileReaderV2" => Kind::WholeFile,
            "TextLineReaderV2" => Kind::Lines {
                header_lines: bytes(attrs, "skip_header_lines")?,
            },
            "TFRecordReaderV2" => {
                Kind::Records(Compression::from_name(attrs.str("compression_type")?)?)
            }
            _ => Kind::fixed(attrs)?,
        })
    }

    fn fixed(attrs: &Attrs) -> Result<Kind> {
        let record = bytes(attrs, "record_bytes")?;
        ensure!(
            record > 0,
            invalid,
            "record_bytes must be >= 0 not {record}"
        );
        let hop = bytes(attrs, "hop_bytes")?;
        let encoding = attrs.str("encoding")?;
        ensure!(
            matches!(encoding, "" | "ZLIB" | "GZIP"),
            invalid,
            "encoding must be either empty, ZLIB or GZIP. Got {encoding}"
        );
        Ok(Kind::Fixed {
            header: bytes(attrs, "header_bytes")?,
            record,
            footer: bytes(attrs, "footer_bytes")?,
            hop: if hop == 0 { record } else { hop },
            compression: Compression::from_name(encoding)?,
        })
    }

    /// Whether the reader's state can be written.
    pub fn has_state(&self) -> bool {
        matches!(self, Kind::Identity | Kind::WholeFile)
    }

    pub fn open(&self, name: &[u8]) -> Result<Opened> {
        let path = path_of(name);
        Ok(match self {
            Kind::Identity => Opened::Once(Some(name.to_vec())),
            Kind::WholeFile => Opened::Once(Some(read_file(&path)?)),
            Kind::Lines { header_lines } => {
                let file = File::open(&path).map_err(|e| error(&path, &e))?;
                let mut lines = BufReader::new(file);
                let mut number = 0;
                while number < *header_lines && !is_at_end(read_line(&mut lines)?) {
                    number += 1;
                }
                Opened::Lines { lines, number }
            }
            Kind::Records(compression) => Opened::Records(RecordReader::open(&path, *compression)?),
            Kind::Fixed {
                header,
                record,
                footer,
                hop,
                compression,
            } => {
                let file = || File::open(&path).map_err(|e| error(&path, &e));
                let content = match compression {
                    Compression::None => read_file(&path)?,
                    Compression::Zlib => inflate(ZlibDecoder::new(file()?))?,
                    Compression::Gzip => inflate(MultiGzDecoder::new(file()?))?,
                };
                Opened::Fixed {
                    end: (content.len() as u64).saturating_sub(*footer),
                    content,
                    next: *header,
                    record: *record,
                    hop: *hop,
                    number: 0,
                }
            }
        })
    }
}

fn bytes(attrs: &Attrs, name: &str) -> Result<u64> {
    let value = attrs.int(name)?;
    u64::try_from(value).map_err(|_| Error::invalid(format!("{name} must be >= 0 not {value}")))
}

fn inflate(mut stream: impl Read) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    match stream.read_to_end(&mut content) {
        Ok(_) => Ok(content),
        Err(e) => bail!(data_loss, "inflate() failed: {e}"),
    }
}

/// A line without its end, which may be a carriage return and a line feed; `None` at the end of the file.
fn read_line(lines: &mut BufReader<File>) -> Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let read = lines.read_until(b'\n', &mut line);
    let count = read.map_err(|e| Error::data_loss(format!("reading a line failed: {e}")))?;
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    }
    Ok((count > 0).then_some(line))
}

fn is_at_end(line: Option<Vec<u8>>) -> bool {
    line.is_none()
}

/// A file that is being read.
pub(super) enum Opened {
    Once(Option<Vec<u8>>),
    Lines {
        lines: BufReader<File>,
        number: u64,
    },
    Records(RecordReader),
    Fixed {
        content: Vec<u8>,
        next: u64,
        end: u64,
        record: u64,
        hop: u64,
        number: u64,
    },
}

impl Opened {
    /// The next record of the file `name`; `None` at its end.
    pub fn next_record(&mut self, name: &[u8]) -> Result<Option<Record>> {
        let key = |place: u64| [name, format!(":{place}").as_bytes()].concat();
        Ok(match self {
            Opened::Once(content) => content.take().map(|content| (name.to_vec(), content)),
            Opened::Lines { lines, number } => read_line(lines)?.map(|line| {
                *number += 1;
                (key(*number), line)
            }),
            Opened::Records(records) => {
                let at = records.offset();
                records.next_record()?.map(|record| (key(at), record))
            }
            Opened::Fixed {
                content,
                next,
                end,
                record,
                hop,
                number,
            } => {
                let last = next.checked_add(*record).filter(|last| last <= end);
                last.map(|last| {
                    let value = content[*next as usize..last as usize].to_vec();
                    let made = (key(*number), value);
                    *next = next.saturating_add(*hop);
                    *number += 1;
                    made
                })
            }
        })
    }

    /// Whether nothing is left, where that is known without another read.
    pub fn is_finished(&self) -> bool {
        matches!(self, Opened::Once(None))
    }
}
