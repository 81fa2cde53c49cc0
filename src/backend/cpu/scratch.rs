//! Working memory of kernels: belongs to the thread, grows, and is kept for the next kernel.

use std::cell::RefCell;

/// One cache line, which is also the widest vector.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line(#[allow(dead_code, reason = "only its size counts")] [u8; 64]);

thread_local! {
    static KEPT: RefCell<Vec<Vec<Line>>> = const { RefCell::new(Vec::new()) };
}

/// A block of memory with any contents, given back to its thread when dropped.
pub struct Scratch(Vec<Line>);

impl Scratch {
    /// At least `bytes` long, aligned to 64.
    pub fn new(bytes: usize) -> Scratch {
        let lines = bytes.div_ceil(64);
        let kept = KEPT.with_borrow_mut(|kept| {
            // The largest is kept last, so that small requests do not take it when they need not.
            let fits = kept.iter().position(|b| b.len() >= lines);
            fits.map(|i| kept.remove(i)).or_else(|| kept.pop())
        });
        let mut block = kept.unwrap_or_default();
        if block.len() < lines {
            block.resize(lines + lines / 4, Line([0; 64]));
        }
        Scratch(block)
    }

    /// The block as elements.
    pub fn ptr<T>(&mut self) -> *mut T {
        self.0.as_mut_ptr().cast()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let block = std::mem::take(&mut self.0);
        // A thread that is ending has no list any more; the block is then freed.
        let _ = KEPT.try_with(|kept| {
            let mut kept = kept.borrow_mut();
            if kept.len() < 8 {
                let at = kept.partition_point(|b| b.len() < block.len());
                kept.insert(at, block);
            }
        });
    }
}
