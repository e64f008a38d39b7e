//! Buffers that are used again: a chunk's memory is warm and needs no page from the kernel, at the speed of a flood the
//! better part of what a line costs.
//!
//! Bounded: few buffers of bounded size are kept; what does not fit goes back to the allocator.

use super::feed::lock;
use bytes::Bytes;
use std::sync::Mutex;

/// The most buffers kept: what the window of one view turns over.
const MAX_BUFFERS: usize = 16;
/// The largest that is kept: the largest block, encoded.
const MAX_BYTES: usize = 512 << 10;
/// Less than this is not worth a large buffer.
const MIN_BYTES: usize = 16 << 10;

static BUFFERS: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());

/// An empty buffer for about `bytes` bytes.
pub(super) fn take(bytes: usize) -> Vec<u8> {
    if bytes < MIN_BYTES {
        return Vec::new();
    }
    lock(&BUFFERS).pop().unwrap_or_default()
}

/// The buffer as bytes that many share; it is kept when the last of them is gone.
pub(super) fn freeze(mut buffer: Vec<u8>) -> Bytes {
    if buffer.len() < MIN_BYTES {
        // It may have been grown by doubling, and be held for long.
        if buffer.capacity() > buffer.len() + buffer.len() / 4 {
            buffer.shrink_to_fit();
        }
        return Bytes::from(buffer);
    }
    Bytes::from_owner(Pooled(buffer))
}

/// Gives a buffer back.
pub(super) fn give(mut buffer: Vec<u8>) {
    if (MIN_BYTES..=MAX_BYTES).contains(&buffer.capacity()) {
        buffer.clear();
        let mut buffers = lock(&BUFFERS);
        if buffers.len() < MAX_BUFFERS {
            buffers.push(buffer);
        }
    }
}

/// Gives all that is kept to the allocator: nothing floods.
pub(super) fn clear() {
    lock(&BUFFERS).clear();
}

struct Pooled(Vec<u8>);

impl AsRef<[u8]> for Pooled {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        give(std::mem::take(&mut self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_buffer_comes_back_and_a_small_one_is_small() {
        clear();
        let mut buffer = take(MIN_BYTES);
        buffer.resize(MIN_BYTES * 2, b'x');
        let bytes = freeze(buffer);
        let other = bytes.clone();
        drop(bytes);
        assert_eq!(other.len(), MIN_BYTES * 2);
        drop(other);
        let again = take(MIN_BYTES);
        assert!(again.is_empty() && again.capacity() >= MIN_BYTES * 2);
        assert_eq!(take(10).capacity(), 0);
    }
}
