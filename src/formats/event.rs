//! Event files, TensorBoard's input: records of `Event` messages, the first of which names the version.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use prost::Message;

use crate::error::{Code, Result};
use crate::formats::io::with_suffix;
use crate::formats::proto::{Event, event};
use crate::formats::record::RecordWriter;

const FILE_VERSION: &str = "brain.Event:2";

/// Writes one event file, `PREFIX.out.tfevents.<seconds>.<host><suffix>`, which is made with the first event.
pub struct EventWriter {
    prefix: PathBuf,
    host: String,
    suffix: String,
    file: Option<RecordWriter>,
}

impl EventWriter {
    pub fn new(prefix: &Path, host: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            host: host.to_owned(),
            suffix: String::new(),
            file: None,
        }
    }

    /// Makes the file now, with `suffix` at the end of its name.
    pub fn open_with_suffix(&mut self, suffix: &str) -> Result<()> {
        self.suffix = suffix.to_owned();
        self.open().map(|_| ())
    }

    /// The file being written, if there is one yet.
    pub fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(RecordWriter::path)
    }

    /// Adds a serialized `Event`.
    pub fn write(&mut self, event: &[u8]) -> Result<()> {
        self.open()?.write(event)
    }

    /// Gives the system what was written. False when somebody has removed the file.
    pub fn flush(&mut self) -> Result<bool> {
        let Some(file) = &mut self.file else {
            return Ok(true);
        };
        file.flush()?;
        Ok(file.path().exists())
    }

    /// Waits until everything is on disk; the next event begins a new file.
    pub fn close(&mut self) -> Result<()> {
        self.file.take().map_or(Ok(()), RecordWriter::close)
    }

    fn open(&mut self) -> Result<&mut RecordWriter> {
        let file = match self.file.take() {
            Some(file) => file,
            None => self.create()?,
        };
        Ok(self.file.insert(file))
    }

    fn create(&self) -> Result<RecordWriter> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let mut seconds = now.map_or(0, |now| now.as_secs());
        let version = Event {
            wall_time: seconds as f64,
            what: Some(event::What::FileVersion(FILE_VERSION.into())),
            ..Default::default()
        };
        // Another writer may have begun a file in this very second: nobody's events are overwritten.
        let mut file = loop {
            match RecordWriter::create_new(&self.path_at(seconds)) {
                Err(e) if e.code == Code::AlreadyExists => seconds += 1,
                other => break other?,
            }
        };
        file.write(&version.encode_to_vec())?;
        file.flush()?;
        Ok(file)
    }

    fn path_at(&self, seconds: u64) -> PathBuf {
        with_suffix(
            &self.prefix,
            &format!(".out.tfevents.{seconds:010}.{}{}", self.host, self.suffix),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::record::{Compression, RecordReader};
    use crate::formats::testing::{Scratch, fixture};

    fn events(path: &Path) -> Vec<Event> {
        let mut reader = RecordReader::open(path, Compression::None).unwrap();
        let mut events = Vec::new();
        while let Some(record) = reader.next_record().unwrap() {
            events.push(Event::decode(record.as_slice()).unwrap());
        }
        events
    }

    #[test]
    fn tensorflows_events_are_read() {
        let events = events(&fixture("events"));
        let version = event::What::FileVersion(FILE_VERSION.into());
        assert_eq!(events[0].what, Some(version));
        assert_eq!(events[1].step, 3);
        assert!(
            matches!(&events[1].what, Some(event::What::Summary(s)) if s.value[0].tag == "loss")
        );
        assert!(matches!(&events[2].what, Some(event::What::SessionLog(_))));
    }

    #[test]
    fn the_file_begins_with_the_version_when_the_first_event_comes() {
        let scratch = Scratch::new("events");
        let mut writer = EventWriter::new(&scratch.path("events"), "host");
        assert!(writer.flush().unwrap() && scratch.names().is_empty());
        let event = Event {
            step: 7,
            ..Default::default()
        };
        writer.write(&event.encode_to_vec()).unwrap();
        assert!(writer.flush().unwrap());
        let path = writer.path().unwrap().to_owned();
        let got = events(&path);
        assert_eq!((got.len(), &got[1]), (2, &event));
        assert_eq!(got[0].wall_time.fract(), 0.0);
        std::fs::remove_file(path).unwrap();
        assert!(!writer.flush().unwrap());
    }

    #[test]
    fn writers_of_one_second_do_not_share_a_file() {
        let scratch = Scratch::new("second");
        let mut writers: Vec<EventWriter> = (0..3)
            .map(|_| EventWriter::new(&scratch.path("events"), "host"))
            .collect();
        for writer in &mut writers {
            writer.open_with_suffix(".x").unwrap();
            writer.close().unwrap();
            // A closed writer that gets another event begins another file.
            writer.open_with_suffix(".x").unwrap();
        }
        assert_eq!(scratch.names().len(), 6);
        assert!(scratch.names().iter().all(|name| name.ends_with(".host.x")));
    }
}
