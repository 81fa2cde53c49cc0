//! One dispatch: a shader with its constants, the buffers that it works on, and its parameters.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use smallvec::SmallVec;

use crate::error::Error;
use crate::value::DeviceBuffer;

/// A shader: a file of `shaders/`, or text made in the program, with constants. Pipelines are kept by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shader {
    pub source: Source,
    pub constants: SmallVec<[(&'static str, u32); 6]>,
    /// What stands in the place of `shaders/lib/end.wgsl`: a formula of what is stored.
    pub ending: Option<Text>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// `matmul` for `shaders/matmul.wgsl`.
    File(&'static str),
    Text(Text),
}

/// WGSL made in the program. Equal texts are one shader; they are told apart by a number made once.
#[derive(Clone, Debug)]
pub struct Text {
    hash: u64,
    text: Arc<str>,
}

impl Text {
    pub fn new(text: &str) -> Text {
        let mut hasher = rustc_hash::FxHasher::default();
        text.hash(&mut hasher);
        Text {
            hash: hasher.finish(),
            text: text.into(),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Text) -> bool {
        self.hash == other.hash && (Arc::ptr_eq(&self.text, &other.text) || self.text == other.text)
    }
}

impl Eq for Text {}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// Names of constants are left out: shaders of one file mostly have the same.
impl Hash for Shader {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.source.hash(state);
        for (_, value) in &self.constants {
            state.write_u32(*value);
        }
        self.ending.hash(state);
    }
}

impl Shader {
    /// The file `shaders/<name>.wgsl` with these constants.
    pub fn file(name: &'static str, constants: &[(&'static str, u32)]) -> Shader {
        Shader {
            source: Source::File(name),
            constants: constants.into(),
            ending: None,
        }
    }

    pub fn text(text: Text) -> Shader {
        Shader {
            source: Source::Text(text),
            constants: SmallVec::new(),
            ending: None,
        }
    }

    /// The same, ending in a formula.
    pub fn ending_in(self, text: Text) -> Shader {
        Shader {
            ending: Some(text),
            ..self
        }
    }
}

/// Makes the error when a shader found something wrong, from the three words that it left.
pub type Check = Box<dyn FnOnce([u32; 3]) -> Error + Send>;

/// One dispatch. The parameters that a shader sees begin with two words of the driver's: zero, and the place of the
/// check in the buffer of checks, which is bound behind all others when there is a check.
pub struct Launch<'a> {
    pub shader: &'a Shader,
    pub bindings: &'a [&'a DeviceBuffer],
    /// At most 30 words.
    pub params: &'a [u32],
    pub groups: [u32; 3],
    pub check: Option<Check>,
}

/// A step over the elements of some buffers that may share a dispatch with others of its kind. Its shader has the
/// constant `MEMBERS`: so many members, whose bindings stand one after another. Its parameters are what members have
/// alike, then the number of elements of each; workgroups of 256 go to the members in their order.
pub struct Member<'a> {
    /// Without a check.
    pub shader: &'a Shader,
    pub bindings: &'a [&'a DeviceBuffer],
    pub shared: &'a [u32],
    pub count: u32,
    /// Elements of one invocation.
    pub lanes: u32,
}

/// Most workgroups along one axis.
pub const MAX_GROUPS: u32 = 65_535;
/// Invocations of a workgroup of work along one axis.
pub const WORKGROUP: usize = 256;

/// Workgroups for `n` invocations along one axis: shaders read their place as `(y * 65535 + x) * 256 + lane`.
pub fn groups_for(n: usize) -> [u32; 3] {
    groups_of(n.div_ceil(WORKGROUP))
}

/// So many workgroups, folded over two axes: a shader reads its own number as `y * 65535 + x`.
pub fn groups_of(groups: usize) -> [u32; 3] {
    let max = MAX_GROUPS as usize;
    let rows = groups.div_ceil(max).min(max);
    [groups.min(max) as u32, rows as u32, 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_beyond_one_axis_are_folded() {
        assert_eq!(groups_for(1), [1, 1, 1]);
        assert_eq!(groups_for(257), [2, 1, 1]);
        assert_eq!(groups_for(65_535 * 256), [65_535, 1, 1]);
        assert_eq!(groups_for(65_535 * 256 + 1), [65_535, 2, 1]);
    }

    #[test]
    fn shaders_of_equal_text_are_one() {
        let (a, b) = (Text::new("fn main() {}"), Text::new("fn main() {}"));
        assert_eq!(Shader::text(a), Shader::text(b));
        assert_ne!(
            Shader::file("matmul", &[("TILE", 8)]),
            Shader::file("matmul", &[("TILE", 16)])
        );
    }
}
