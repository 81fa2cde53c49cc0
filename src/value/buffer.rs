//! Shared, 64-byte aligned memory that is recycled: a warm run asks the system for none.
//!
//! Freed blocks wait in per-thread and global free lists, by size class (powers of two and halves), because fresh
//! pages cost 25 to 45 times what a recycled block does. A buffer may be a window into a larger block.

use std::alloc::{Layout, alloc, dealloc};
use std::ptr::NonNull;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::error::{Error, Result};

const ALIGN: usize = 64;
const SMALLEST: usize = 64;
/// Blocks of this size and more are aligned to huge pages and the system is advised to use them.
const HUGE: usize = 2 << 20;
/// At most this many bytes wait in the free lists; beyond it a freed block goes back to the system.
const KEEP_BYTES: usize = 1 << 30;

struct Block {
    ptr: NonNull<u8>,
    capacity: usize,
    /// Keeps foreign memory (a NumPy array, a mapped file) alive; `None` for our own.
    owner: Option<Box<dyn Send + Sync>>,
}

// SAFETY: a block is plain memory that is freed once; who may write to it is the matter of `Buffer`.
unsafe impl Send for Block {}
// SAFETY: as above.
unsafe impl Sync for Block {}

impl Drop for Block {
    fn drop(&mut self) {
        if self.owner.is_none() {
            give_back(self.ptr, self.capacity);
        }
    }
}

/// A window of shared memory. Clones share; `get_mut` copies nothing and works only for a sole owner.
#[derive(Clone)]
pub struct Buffer {
    block: Arc<Block>,
    offset: usize,
    len: usize,
}

impl Buffer {
    /// Uninitialised in meaning, though never in fact: recycled memory holds old bytes, fresh memory zeros.
    pub fn new(len_bytes: usize) -> Result<Buffer> {
        let (ptr, capacity) = take(len_bytes)?;
        Ok(Buffer {
            block: Arc::new(Block {
                ptr,
                capacity,
                owner: None,
            }),
            offset: 0,
            len: len_bytes,
        })
    }

    pub fn zeroed(len_bytes: usize) -> Result<Buffer> {
        let mut buffer = Buffer::new(len_bytes)?;
        buffer
            .get_mut()
            .expect("a new buffer has one owner")
            .fill(0);
        Ok(buffer)
    }

    pub fn copy_of(bytes: &[u8]) -> Result<Buffer> {
        let mut buffer = Buffer::new(bytes.len())?;
        buffer
            .get_mut()
            .expect("a new buffer has one owner")
            .copy_from_slice(bytes);
        Ok(buffer)
    }

    /// Borrows foreign memory for as long as `owner` lives in the buffer. Such a buffer is never written to.
    ///
    /// # Safety
    /// `ptr..ptr + len_bytes` must stay valid and unchanged while `owner` lives, and be aligned for its elements.
    pub unsafe fn foreign(ptr: *const u8, len_bytes: usize, owner: Box<dyn Send + Sync>) -> Buffer {
        let ptr = NonNull::new(ptr.cast_mut()).unwrap_or(NonNull::<u128>::dangling().cast());
        Buffer {
            block: Arc::new(Block {
                ptr,
                capacity: len_bytes,
                owner: Some(owner),
            }),
            offset: 0,
            len: len_bytes,
        }
    }

    pub fn len_bytes(&self) -> usize {
        self.len
    }

    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: the window lies in the block (checked by `slice`), which lives as long as `self`.
        unsafe { std::slice::from_raw_parts(self.as_ptr(), self.len) }
    }

    pub fn as_ptr(&self) -> *const u8 {
        // SAFETY: offset <= capacity.
        unsafe { self.block.ptr.as_ptr().add(self.offset) }
    }

    /// The bytes for writing, when nobody else shares the block and it is our own.
    pub fn get_mut(&mut self) -> Option<&mut [u8]> {
        let block = Arc::get_mut(&mut self.block)?;
        if block.owner.is_some() {
            return None;
        }
        // SAFETY: sole owner of the block, and the window lies within it.
        Some(unsafe {
            std::slice::from_raw_parts_mut(block.ptr.as_ptr().add(self.offset), self.len)
        })
    }

    /// Whether nobody else shares the memory, so that a kernel may write its result here.
    pub fn is_unique(&self) -> bool {
        Arc::strong_count(&self.block) == 1 && self.block.owner.is_none()
    }

    /// Whether both are windows of one block.
    pub fn shares_memory_with(&self, other: &Buffer) -> bool {
        Arc::ptr_eq(&self.block, &other.block)
    }

    /// The part from `offset`, `len` bytes long.
    pub fn slice(&self, offset: usize, len: usize) -> Result<Buffer> {
        let end = offset.checked_add(len).filter(|end| *end <= self.len);
        end.ok_or_else(|| {
            Error::internal(format!(
                "window {offset}+{len} of a buffer of {} bytes",
                self.len
            ))
        })?;
        Ok(Buffer {
            block: self.block.clone(),
            offset: self.offset + offset,
            len,
        })
    }

    /// The bytes for writing although others share them: how a reference variable is updated in place.
    ///
    /// # Safety
    /// The caller holds the variable's lock for writing, and the block is our own (not `foreign`).
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn shared_mut(&self) -> &mut [u8] {
        debug_assert!(self.block.owner.is_none());
        // SAFETY: the window lies in the block; exclusion is the caller's promise.
        unsafe {
            std::slice::from_raw_parts_mut(self.block.ptr.as_ptr().add(self.offset), self.len)
        }
    }

    /// Whether the memory is ours to write to (not borrowed from NumPy or a file).
    pub fn is_own(&self) -> bool {
        self.block.owner.is_none()
    }
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Buffer({} bytes)", self.len)
    }
}

// ---- the free lists ----

/// Size classes: 64, 96, 128, 192, 256, … bytes.
fn class_of(len: usize) -> Option<(usize, usize)> {
    let len = len.max(SMALLEST);
    let low = usize::BITS as usize - 1 - len.leading_zeros() as usize;
    let base = 1usize << low;
    let (index, size) = if len == base {
        (2 * low, base)
    } else if len <= base + base / 2 {
        (2 * low + 1, base + base / 2)
    } else {
        (2 * low + 2, base.checked_mul(2)?)
    };
    Some((index - 2 * 6, size))
}

const CLASSES: usize = 2 * (64 - 6) + 1;

struct FreeLists {
    lists: [Vec<usize>; CLASSES],
    bytes: usize,
}

static FREE: Mutex<FreeLists> = Mutex::new(FreeLists {
    lists: [const { Vec::new() }; CLASSES],
    bytes: 0,
});

fn layout(size: usize) -> Result<Layout> {
    let align = if size >= HUGE { HUGE } else { ALIGN };
    Layout::from_size_align(size, align).map_err(|_| too_large(size))
}

fn too_large(size: usize) -> Error {
    Error::exhausted(format!("OOM when allocating {size} bytes"))
}

fn take(len: usize) -> Result<(NonNull<u8>, usize)> {
    let (class, size) = class_of(len).ok_or_else(|| too_large(len))?;
    {
        let mut free = FREE.lock();
        if let Some(address) = free.lists[class].pop() {
            free.bytes -= size;
            return Ok((
                NonNull::new(address as *mut u8).expect("free lists hold no null"),
                size,
            ));
        }
    }
    let layout = layout(size)?;
    // SAFETY: the size is at least 64.
    let ptr = unsafe { alloc(layout) };
    let ptr = NonNull::new(ptr).ok_or_else(|| too_large(len))?;
    if size >= HUGE {
        #[cfg(target_os = "linux")]
        // SAFETY: the range was just allocated, and advice changes no content.
        unsafe {
            libc::madvise(ptr.as_ptr().cast(), size, libc::MADV_HUGEPAGE);
        }
    } else {
        // SAFETY: the range was just allocated; small blocks are zeroed so that no read is of undefined bytes.
        unsafe { ptr.as_ptr().write_bytes(0, size) };
    }
    Ok((ptr, size))
}

fn give_back(ptr: NonNull<u8>, capacity: usize) {
    let (class, size) = class_of(capacity).expect("the block was made with this size");
    debug_assert_eq!(size, capacity);
    let mut free = FREE.lock();
    if free.bytes + size <= KEEP_BYTES {
        free.bytes += size;
        free.lists[class].push(ptr.as_ptr() as usize);
        return;
    }
    drop(free);
    let layout = layout(size).expect("the block was made with this layout");
    // SAFETY: made by `alloc` with the same layout, and nobody refers to it any more.
    unsafe { dealloc(ptr.as_ptr(), layout) };
}

/// Gives every waiting block back to the system.
pub fn trim() {
    let mut free = FREE.lock();
    for class in 0..CLASSES {
        while let Some(address) = free.lists[class].pop() {
            let ptr = NonNull::new(address as *mut u8).expect("free lists hold no null");
            let size = size_of_class(class);
            free.bytes -= size;
            let layout = layout(size).expect("the block was made with this layout");
            // SAFETY: as in `give_back`.
            unsafe { dealloc(ptr.as_ptr(), layout) };
        }
    }
}

fn size_of_class(class: usize) -> usize {
    let base = SMALLEST << (class / 2);
    if class.is_multiple_of(2) {
        base
    } else {
        base + base / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_close_above_the_size_asked_for() {
        for len in [
            0,
            1,
            63,
            64,
            65,
            96,
            97,
            128,
            129,
            1000,
            4096,
            4097,
            1 << 20,
            (1 << 20) + 1,
        ] {
            let (class, size) = class_of(len).unwrap();
            assert!(
                size >= len && (size <= 64 || size <= 2 * len),
                "{len} gave {size}"
            );
            assert_eq!(size_of_class(class), size);
        }
    }

    #[test]
    fn a_freed_block_is_used_again() {
        let first = Buffer::new(777_777).unwrap();
        let address = first.as_ptr() as usize;
        drop(first);
        let again: Vec<Buffer> = (0..4).map(|_| Buffer::new(777_777).unwrap()).collect();
        assert!(again.iter().any(|b| b.as_ptr() as usize == address));
    }

    #[test]
    fn only_a_sole_owner_may_write() {
        let mut a = Buffer::zeroed(16).unwrap();
        assert!(a.get_mut().is_some());
        let b = a.clone();
        assert!(a.get_mut().is_none() && !b.is_unique());
        assert!(a.slice(8, 9).is_err() && a.slice(usize::MAX, 2).is_err());
    }
}
