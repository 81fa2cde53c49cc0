//! The checksum of every TensorFlow file: CRC-32C (Castagnoli), by the processor's instructions where it has them.

/// The checksum of `bytes`.
pub fn crc32c(bytes: &[u8]) -> u32 {
    ::crc32c::crc32c(bytes)
}

/// The checksum of what gave `crc` followed by `bytes`.
pub fn extend(crc: u32, bytes: &[u8]) -> u32 {
    ::crc32c::crc32c_append(crc, bytes)
}

const DELTA: u32 = 0xa282_ead8;

/// The form in which checksums are stored (LevelDB's): the checksum of data that holds checksums is else degenerate.
pub fn mask(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(DELTA)
}

pub fn unmask(masked: u32) -> u32 {
    masked.wrapping_sub(DELTA).rotate_left(15)
}

/// The stored form of the checksum of `bytes`.
pub fn masked_crc32c(bytes: &[u8]) -> u32 {
    mask(crc32c(bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One bit at a time, from the polynomial.
    fn plain(bytes: &[u8]) -> u32 {
        let mut crc = !0u32;
        for &byte in bytes {
            crc ^= u32::from(byte);
            for _ in 0..8 {
                crc = (crc >> 1) ^ (0x82f6_3b78 & (crc & 1).wrapping_neg());
            }
        }
        !crc
    }

    #[test]
    fn known_answers_of_rfc_3720() {
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }

    proptest! {
        #[test]
        fn equals_the_plain_twin(bytes in proptest::collection::vec(any::<u8>(), 0..3000), cut in 0usize..3000) {
            let cut = cut.min(bytes.len());
            prop_assert_eq!(crc32c(&bytes), plain(&bytes));
            prop_assert_eq!(extend(crc32c(&bytes[..cut]), &bytes[cut..]), plain(&bytes));
        }

        #[test]
        fn unmask_undoes_mask(crc: u32) {
            prop_assert_eq!(unmask(mask(crc)), crc);
        }
    }
}
