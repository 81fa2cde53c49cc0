//! TensorFlow 1.15's protocol buffer messages, as prost types.
//!
//! The code is generated from the schema that the Python package ships (`make protos`). Map fields are sorted maps, so
//! equal messages encode to equal bytes. Decoding nests at most 100 levels deep and takes no more memory than its
//! input justifies; unknown fields are dropped, as in any proto3 reader of their time.

/// Messages of package `tensorflow`; nested ones sit in modules, as prost does: `attr_value::Value`.
#[allow(clippy::all, clippy::unwrap_used, missing_docs)]
pub mod tensorflow {
    include!("generated/tensorflow.rs");
}

/// The few messages of `google.protobuf` that those refer to.
pub mod google {
    #[allow(clippy::all, missing_docs)]
    pub mod protobuf {
        include!("generated/google.protobuf.rs");
    }
}

pub use prost::Message;
pub use tensorflow::*;

use crate::error::{Error, Result};

/// Decodes a message, or says DataLoss with what it was meant to be.
pub fn decode<M: Message + Default>(bytes: &[u8], what: &str) -> Result<M> {
    M::decode(bytes).map_err(|error| Error::data_loss(format!("Unable to parse {what}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_encode_in_the_order_of_their_keys() {
        let mut node = NodeDef {
            name: "n".into(),
            op: "Op".into(),
            ..Default::default()
        };
        for key in ["b", "c", "a"] {
            let value = AttrValue {
                value: Some(attr_value::Value::I(1)),
            };
            node.attr.insert(key.into(), value);
        }
        let bytes = node.encode_to_vec();
        let order: Vec<u8> = bytes
            .iter()
            .copied()
            .filter(|byte| b"abc".contains(byte))
            .collect();
        assert_eq!(order, b"abc");
        assert_eq!(NodeDef::decode(bytes.as_slice()), Ok(node));
    }

    #[test]
    fn deep_nesting_is_an_error_and_not_a_stack_overflow() {
        // Tensors nest through variants: TensorProto.variant_val (15), VariantTensorDataProto.tensors (3).
        let mut bytes = Vec::new();
        for depth in 0..20_000 {
            let mut outer = vec![if depth % 2 == 0 { 0x1a } else { 0x7a }];
            prost::encoding::encode_varint(bytes.len() as u64, &mut outer);
            outer.append(&mut bytes);
            bytes = outer;
        }
        let error = decode::<TensorProto>(&bytes, "a tensor").expect_err("20,000 levels");
        assert!(error.message.contains("recursion"), "{error}");
    }

    #[test]
    fn a_length_beyond_the_input_is_an_error() {
        // tensor_content (4) of 2^40 bytes, of which three are there.
        let mut bytes = vec![0x22];
        prost::encoding::encode_varint(1 << 40, &mut bytes);
        bytes.extend([1, 2, 3]);
        assert!(decode::<TensorProto>(&bytes, "a tensor").is_err());
    }
}
