//! Files, as every format here meets them: reads at an offset, temporary files that become the real ones only when
//! they are whole and on disk, and the system's errors in TensorFlow's words.

use std::fs::{self, File};
use std::hash::{BuildHasher, Hasher};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::error::{Code, Error, Result};

#[cfg(test)]
pub mod fault;

/// A place where tests make the system call fail, or the process die (see `fault`).
macro_rules! step {
    ($path:expr) => {
        #[cfg(test)]
        fault::step($path)?;
        #[cfg(not(test))]
        let _ = $path;
    };
}

/// The error of `TensorFlow` for a failed system call on `path`: "path; No such file or directory".
pub fn error(path: &Path, error: &io::Error) -> Error {
    let text = error.to_string();
    let text = text
        .split_once(" (os error")
        .map_or(text.as_str(), |(text, _)| text);
    Error::new(code(error), format!("{}; {text}", path.display()))
}

/// TensorFlow's canonical code of a system error.
fn code(error: &io::Error) -> Code {
    match error.raw_os_error() {
        #[cfg(unix)]
        Some(number) => code_of_number(number),
        _ => match error.kind() {
            io::ErrorKind::NotFound => Code::NotFound,
            io::ErrorKind::AlreadyExists => Code::AlreadyExists,
            io::ErrorKind::PermissionDenied => Code::PermissionDenied,
            io::ErrorKind::InvalidInput => Code::InvalidArgument,
            io::ErrorKind::OutOfMemory | io::ErrorKind::StorageFull => Code::ResourceExhausted,
            _ => Code::Unknown,
        },
    }
}

/// As `core/platform/posix/error.cc` has it.
#[cfg(unix)]
fn code_of_number(number: i32) -> Code {
    use libc as c;
    match number {
        c::EINVAL | c::ENAMETOOLONG | c::E2BIG | c::EFAULT | c::EILSEQ | c::ENOTTY | c::ESPIPE => {
            Code::InvalidArgument
        }
        c::ETIMEDOUT => Code::DeadlineExceeded,
        c::ENOENT | c::ENODEV | c::ENXIO | c::ESRCH => Code::NotFound,
        c::EEXIST | c::EADDRNOTAVAIL | c::EALREADY => Code::AlreadyExists,
        c::EPERM | c::EACCES | c::EROFS => Code::PermissionDenied,
        c::ENOTEMPTY
        | c::EISDIR
        | c::ENOTDIR
        | c::EBADF
        | c::EBUSY
        | c::ECHILD
        | c::EPIPE
        | c::ETXTBSY => Code::FailedPrecondition,
        c::ENOSPC | c::EDQUOT | c::EMFILE | c::EMLINK | c::ENFILE | c::ENOBUFS | c::ENOMEM => {
            Code::ResourceExhausted
        }
        c::EFBIG | c::EOVERFLOW | c::ERANGE => Code::OutOfRange,
        c::ENOSYS | c::ENOTSUP | c::EXDEV => Code::Unimplemented,
        c::EAGAIN | c::EINTR | c::ENOLCK => Code::Unavailable,
        c::EDEADLK | c::ESTALE => Code::Aborted,
        c::ECANCELED => Code::Cancelled,
        _ => Code::Unknown,
    }
}

/// The path with `suffix` added to its last component.
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The directory that holds `path`; the working directory when it names none.
pub fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Makes the directory (not its parents) unless it exists, as TensorFlow's writers do.
pub fn make_directory(path: &Path) -> Result<()> {
    match fs::create_dir(path) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists && !path.is_dir() => {
            Err(error(path, &e))
        }
        _ => Ok(()),
    }
}

/// A source of bytes that is read at offsets.
pub trait ReadAt {
    /// The bytes that are there now.
    fn len(&self) -> Result<u64>;

    /// Reads up to `buffer.len()` bytes; fewer only where the source ends.
    fn read_some_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize>;

    fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Fills `buffer`, or says OutOfRange.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        if self.read_some_at(offset, buffer)? < buffer.len() {
            crate::bail!(out_of_range, "Read less bytes than requested");
        }
        Ok(())
    }

    /// `len` bytes in new memory, which is asked for only after the source is known to have them.
    fn read_vec(&self, offset: u64, len: u64) -> Result<Vec<u8>> {
        if offset
            .checked_add(len)
            .is_none_or(|end| self.len().is_ok_and(|have| end > have))
        {
            crate::bail!(out_of_range, "Read less bytes than requested");
        }
        let len = usize::try_from(len).map_err(|_| Error::exhausted("a block over 2**63 bytes"))?;
        let mut bytes = Vec::new();
        bytes
            .try_reserve_exact(len)
            .map_err(|_| Error::exhausted(format!("OOM when allocating {len} bytes")))?;
        bytes.resize(len, 0);
        self.read_at(offset, &mut bytes)?;
        Ok(bytes)
    }
}

impl ReadAt for [u8] {
    fn len(&self) -> Result<u64> {
        Ok(<[u8]>::len(self) as u64)
    }

    fn read_some_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|start| self.get(start..))
            .unwrap_or(&[]);
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}

impl ReadAt for Vec<u8> {
    fn len(&self) -> Result<u64> {
        ReadAt::len(self.as_slice())
    }

    fn read_some_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        self.as_slice().read_some_at(offset, buffer)
    }
}

/// A file open for reading; any number of threads may read it at once.
#[derive(Debug)]
pub struct Source {
    file: File,
    path: PathBuf,
}

impl Source {
    pub fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).map_err(|e| error(path, &e))?;
        Ok(Self {
            file,
            path: path.to_owned(),
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    #[cfg(unix)]
    fn read_once(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.file, buffer, offset)
    }

    #[cfg(windows)]
    fn read_once(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(&self.file, buffer, offset)
    }
}

impl ReadAt for Source {
    fn len(&self) -> Result<u64> {
        self.file
            .metadata()
            .map(|m| m.len())
            .map_err(|e| error(&self.path, &e))
    }

    fn read_some_at(&self, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        let mut done = 0;
        while done < buffer.len() {
            match self.read_once(offset.saturating_add(done as u64), &mut buffer[done..]) {
                Ok(0) => break,
                Ok(count) => done += count,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(error(&self.path, &e)),
            }
        }
        Ok(done)
    }
}

/// A whole file in memory.
pub fn read_file(path: &Path) -> Result<Vec<u8>> {
    let source = Source::open(path)?;
    let len = source.len()?;
    source.read_vec(0, len)
}

/// What follows the name of a file in the making, before a random number.
pub const TEMP_SUFFIX: &str = ".tempstate";

/// A file that is being written beside its real name, `NAME.tempstate<random>`, and takes that name by [`rename`] once
/// it is whole and durable. Dropped before that, it removes itself.
///
/// [`rename`]: TempFile::rename
///
/// Large files go to disk while they are written: `sync` then waits for the rest alone.
#[derive(Debug)]
pub struct TempFile {
    file: File,
    path: PathBuf,
    target: PathBuf,
    renamed: bool,
    /// Bytes written since a thread was last sent to bring them to disk.
    waiting: usize,
    flusher: Option<JoinHandle<io::Result<()>>>,
}

/// As many bytes are worth a thread that brings them to disk.
const FLUSH_BYTES: usize = 16 << 20;

impl TempFile {
    pub fn create(target: &Path) -> Result<Self> {
        let path = with_suffix(target, &format!("{TEMP_SUFFIX}{}", random()));
        step!(&path);
        let file = File::options()
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(|e| error(&path, &e))?;
        Ok(Self {
            file,
            path,
            target: target.to_owned(),
            renamed: false,
            waiting: 0,
            flusher: None,
        })
    }

    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        step!(&self.path);
        self.file
            .write_all(bytes)
            .map_err(|e| error(&self.path, &e))?;
        self.waiting += bytes.len();
        if self.waiting >= FLUSH_BYTES && self.flusher.as_ref().is_none_or(JoinHandle::is_finished)
        {
            self.end_flush()?;
            self.begin_flush();
        }
        Ok(())
    }

    /// Best effort: where there is no second handle or thread, `sync` does it all.
    fn begin_flush(&mut self) {
        self.waiting = 0;
        if let Ok(file) = self.file.try_clone() {
            let thread = std::thread::Builder::new().name("flush".into());
            self.flusher = thread.spawn(move || file.sync_data()).ok();
        }
    }

    /// The system tells of a failed write once: to whoever syncs first.
    fn end_flush(&mut self) -> Result<()> {
        match self.flusher.take().map(JoinHandle::join) {
            Some(Ok(Err(e))) => Err(error(&self.path, &e)),
            _ => Ok(()),
        }
    }

    /// Waits until what was written is on disk.
    pub fn sync(&mut self) -> Result<()> {
        step!(&self.path);
        self.end_flush()?;
        self.file.sync_all().map_err(|e| error(&self.path, &e))
    }

    /// Leaves the file under its temporary name, for whoever finishes the work.
    pub fn keep(mut self) {
        self.renamed = true;
    }

    /// Takes the real name, replacing what has it. Durable after [`sync_directory`].
    pub fn rename(mut self) -> Result<()> {
        self.try_rename()
    }

    /// As [`rename`](Self::rename), but the file is still there to be kept when it fails.
    pub fn try_rename(&mut self) -> Result<()> {
        step!(&self.path);
        fs::rename(&self.path, &self.target).map_err(|e| error(&self.target, &e))?;
        self.renamed = true;
        Ok(())
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        #[cfg(test)]
        if fault::is_dead() {
            return;
        }
        if !self.renamed {
            // Best effort: the error that brought us here is the one to report.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// How long a lock is waited for: its holders rename a few small files.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// The lock of a directory, held until it is dropped; the system frees it when the process dies.
#[derive(Debug)]
pub struct DirectoryLock {
    _directory: File,
}

impl DirectoryLock {
    /// Waits for the others. `None` where directories cannot be locked, or nobody lets go: saving goes on without.
    pub fn exclusive(directory: &Path) -> Option<Self> {
        Self::acquire(directory, File::try_lock)
    }

    /// As [`exclusive`](Self::exclusive), shared with others who ask for no more than this.
    pub fn shared(directory: &Path) -> Option<Self> {
        Self::acquire(directory, File::try_lock_shared)
    }

    fn acquire(
        directory: &Path,
        lock: fn(&File) -> std::result::Result<(), fs::TryLockError>,
    ) -> Option<Self> {
        let file = File::open(directory).ok()?;
        let end = Instant::now() + LOCK_PATIENCE;
        loop {
            match lock(&file) {
                Ok(()) => return Some(Self { _directory: file }),
                Err(fs::TryLockError::WouldBlock) if Instant::now() < end => {
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err(_) => return None,
            }
        }
    }
}

/// Makes the renames in `directory` durable. File systems that cannot are left alone.
pub fn sync_directory(directory: &Path) -> Result<()> {
    step!(directory);
    #[cfg(unix)]
    match File::open(directory).and_then(|d| d.sync_all()) {
        Err(e) if !matches!(code(&e), Code::InvalidArgument | Code::Unimplemented) => {
            return Err(error(directory, &e));
        }
        _ => {}
    }
    Ok(())
}

/// Renames a finished file, replacing what has the new name.
pub fn rename(from: &Path, to: &Path) -> Result<()> {
    step!(from);
    fs::rename(from, to).map_err(|e| error(from, &e))
}

/// Replaces the content of `path` so that after a crash it is whole: the old one or the new one.
///
/// For small files that say what the others are: the `checkpoint` state, `.meta`.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut temp = TempFile::create(path)?;
    temp.write(bytes)?;
    temp.sync()?;
    temp.rename()?;
    sync_directory(directory_of(path))
}

/// A file that only grows, whole pieces at a time: what a failed write left of a piece is cut off again.
#[derive(Debug)]
pub struct Appender {
    file: File,
    path: PathBuf,
    len: u64,
}

impl Appender {
    /// A new file; AlreadyExists when there is one.
    pub fn create_new(path: &Path) -> Result<Self> {
        Self::open(path, File::options().write(true).create_new(true))
    }

    /// An empty file, whatever was there.
    pub fn create(path: &Path) -> Result<Self> {
        Self::open(
            path,
            File::options().write(true).create(true).truncate(true),
        )
    }

    fn open(path: &Path, options: &fs::OpenOptions) -> Result<Self> {
        let file = options.open(path).map_err(|e| error(path, &e))?;
        Ok(Self {
            file,
            path: path.to_owned(),
            len: 0,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        step!(&self.path);
        if let Err(e) = self.file.write_all(bytes) {
            // The next piece must begin where the last whole one ended.
            let _ = self.file.set_len(self.len);
            let _ = self.file.seek(SeekFrom::Start(self.len));
            return Err(error(&self.path, &e));
        }
        self.len += bytes.len() as u64;
        Ok(())
    }

    pub fn sync(&self) -> Result<()> {
        step!(&self.path);
        match self.file.sync_all() {
            // Pipes and character devices have nothing to sync.
            Err(e) if code(&e) != Code::InvalidArgument => Err(error(&self.path, &e)),
            _ => Ok(()),
        }
    }
}

/// A number that no other process or thread will draw.
fn random() -> u64 {
    let mut hasher = std::hash::RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    hasher.finish()
}
