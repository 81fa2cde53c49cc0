//! Memory on a device, as the rest of the program sees it: shared, read back when somebody asks for the bytes.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::error::Result;

use super::Buffer;

/// A block on a device. The backend that made it knows what it is; others may only read it back.
pub trait DeviceMemory: Any + Send + Sync {
    /// The first `len` bytes, after everything that was launched before is done.
    fn read(&self, len: usize) -> Result<Buffer>;

    /// Writes bytes over the first of them, after everything that was launched before is done.
    fn write(&self, bytes: &[u8]) -> Result<()>;

    /// The number of the device.
    fn device_index(&self) -> usize;

    fn as_any(&self) -> &dyn Any;
}

/// Bytes on a device. Clones share; so do the bytes on the host, once they have been read back.
#[derive(Clone)]
pub struct DeviceBuffer {
    /// None: there are no bytes.
    memory: Option<Arc<dyn DeviceMemory>>,
    len: usize,
    host: Arc<OnceLock<Buffer>>,
}

impl DeviceBuffer {
    pub fn new(memory: Arc<dyn DeviceMemory>, len: usize) -> DeviceBuffer {
        DeviceBuffer {
            memory: Some(memory),
            len,
            host: Arc::default(),
        }
    }

    /// A buffer without bytes, which lies nowhere.
    pub fn empty() -> DeviceBuffer {
        DeviceBuffer {
            memory: None,
            len: 0,
            host: Arc::default(),
        }
    }

    /// The same buffer, whose bytes on the host are known already.
    pub fn with_host(self, host: Buffer) -> DeviceBuffer {
        DeviceBuffer {
            host: Arc::new(OnceLock::from(host)),
            ..self
        }
    }

    pub fn len_bytes(&self) -> usize {
        self.len
    }

    pub fn memory(&self) -> Option<&Arc<dyn DeviceMemory>> {
        self.memory.as_ref()
    }

    /// The bytes on the host; read back at most once.
    pub fn host(&self) -> Result<&Buffer> {
        if let Some(known) = self.host.get() {
            return Ok(known);
        }
        let read = self.read()?;
        Ok(self.host.get_or_init(|| read))
    }

    /// The bytes on the host, if they are there already.
    pub fn host_if_known(&self) -> Option<&Buffer> {
        self.host.get()
    }

    /// The bytes as they are now, for memory that is written in place.
    pub fn read(&self) -> Result<Buffer> {
        match &self.memory {
            Some(memory) => memory.read(self.len),
            None => Buffer::new(0),
        }
    }

    /// Writes other bytes in place; whoever shares the memory sees them.
    pub fn write(&self, bytes: &[u8]) -> Result<DeviceBuffer> {
        if let Some(memory) = &self.memory {
            memory.write(bytes)?;
        }
        Ok(self.written())
    }

    /// Notes what was read back together with others.
    pub fn set_host(&self, host: Buffer) {
        // Somebody else may have been faster; the bytes are the same.
        let _ = self.host.set(host);
    }

    /// The same memory after it was written to: what is known of it on the host is old.
    pub fn written(&self) -> DeviceBuffer {
        DeviceBuffer {
            memory: self.memory.clone(),
            len: self.len,
            host: Arc::default(),
        }
    }

    /// Whether nobody else shares the memory, so that a kernel may write its result here.
    pub fn is_unique(&self) -> bool {
        self.memory
            .as_ref()
            .is_some_and(|memory| Arc::strong_count(memory) == 1)
    }

    pub fn shares_memory_with(&self, other: &DeviceBuffer) -> bool {
        match (&self.memory, &other.memory) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl fmt::Debug for DeviceBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceBuffer({} bytes)", self.len)
    }
}
