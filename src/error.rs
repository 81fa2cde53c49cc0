//! One error type for the whole core: a canonical code, a message and the node it concerns.

use std::fmt;

/// TensorFlow's canonical status codes; Python raises the `tf.errors` class of the same number.
///
/// `Value` and `Type` are ours: TensorFlow raises Python's `ValueError` and `TypeError` while a graph is being built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    Cancelled = 1,
    Unknown = 2,
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    AlreadyExists = 6,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    FailedPrecondition = 9,
    Aborted = 10,
    OutOfRange = 11,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    DataLoss = 15,
    Unauthenticated = 16,
    /// Python's `ValueError`.
    Value = 100,
    /// Python's `TypeError`.
    Type = 101,
    /// Python's `RuntimeError`.
    Runtime = 102,
    /// Python's `KeyboardInterrupt`, or any exception that is pending in the interpreter.
    Pending = 103,
    /// Python's `LookupError`.
    Lookup = 104,
    /// Python's `OverflowError`.
    Overflow = 105,
}

/// What went wrong, with the name of the node it went wrong in where one is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub code: Code,
    pub message: String,
    pub node: Option<String>,
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            node: None,
        }
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, message)
    }

    pub fn value(message: impl Into<String>) -> Self {
        Self::new(Code::Value, message)
    }

    pub fn type_error(message: impl Into<String>) -> Self {
        Self::new(Code::Type, message)
    }

    /// Python's `RuntimeError`.
    pub fn runtime(message: impl Into<String>) -> Self {
        Self::new(Code::Runtime, message)
    }

    /// Python's `LookupError`.
    pub fn lookup(message: impl Into<String>) -> Self {
        Self::new(Code::Lookup, message)
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Code::NotFound, message)
    }

    pub fn data_loss(message: impl Into<String>) -> Self {
        Self::new(Code::DataLoss, message)
    }

    pub fn out_of_range(message: impl Into<String>) -> Self {
        Self::new(Code::OutOfRange, message)
    }

    pub fn exhausted(message: impl Into<String>) -> Self {
        Self::new(Code::ResourceExhausted, message)
    }

    pub fn failed_precondition(message: impl Into<String>) -> Self {
        Self::new(Code::FailedPrecondition, message)
    }

    pub fn unimplemented(message: impl Into<String>) -> Self {
        Self::new(Code::Unimplemented, message)
    }

    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Code::Internal, message)
    }

    /// The same error, said to be about `node` unless it already names one.
    pub fn at(mut self, node: impl Into<String>) -> Self {
        self.node.get_or_insert_with(|| node.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Leaves the function with an error: `bail!(invalid, "axis {axis} is out of range")`.
#[macro_export]
macro_rules! bail {
    ($kind:ident, $($message:tt)*) => {
        return Err($crate::error::Error::$kind(format!($($message)*)))
    };
}

/// Leaves the function with an error unless the condition holds.
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $kind:ident, $($message:tt)*) => {
        if $condition {
        } else {
            $crate::bail!($kind, $($message)*);
        }
    };
}
