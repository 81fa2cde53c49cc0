//! A value: what a tensor holds in a run. Cheap to clone; the contents are shared.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::{bail, ensure};

use super::{Buffer, DType, DeviceBuffer, Element, Shape};

/// Something a handle refers to: a variable, a queue, a tensor array.
pub type Resource = Arc<dyn Any + Send + Sync>;

/// The contents of a value.
#[derive(Clone)]
pub enum Data {
    /// Elements side by side in native byte order, row-major.
    Plain(Buffer),
    /// The same bytes in the memory of a device. Whoever asks for them on the host has them read back.
    Device(DeviceBuffer),
    Strings(Arc<[Vec<u8>]>),
    Resources(Arc<[Resource]>),
}

#[derive(Clone)]
pub struct Value {
    dtype: DType,
    shape: Shape,
    data: Data,
}

impl Value {
    /// A value over `buffer`, whose size must be what dtype and shape ask for.
    pub fn from_buffer(dtype: DType, shape: Shape, buffer: Buffer) -> Result<Value> {
        let want = bytes_for(dtype, &shape)?;
        ensure!(
            buffer.len_bytes() == want,
            internal,
            "{} bytes for a {dtype:?} value of shape {shape}",
            buffer.len_bytes()
        );
        Ok(Value {
            dtype,
            shape,
            data: Data::Plain(buffer),
        })
    }

    /// A value over memory of a device, whose size must be what dtype and shape ask for.
    pub fn on_device(dtype: DType, shape: Shape, buffer: DeviceBuffer) -> Result<Value> {
        let want = bytes_for(dtype, &shape)?;
        ensure!(
            buffer.len_bytes() == want,
            internal,
            "{} bytes for a {dtype:?} value of shape {shape}",
            buffer.len_bytes()
        );
        Ok(Value {
            dtype,
            shape,
            data: Data::Device(buffer),
        })
    }

    /// Memory for a result; the contents are whatever was there.
    pub fn uninit(dtype: DType, shape: Shape) -> Result<Value> {
        let buffer = Buffer::new(bytes_for(dtype, &shape)?)?;
        Ok(Value {
            dtype,
            shape,
            data: Data::Plain(buffer),
        })
    }

    /// All zeros, `false`, or empty strings.
    pub fn zeros(dtype: DType, shape: Shape) -> Result<Value> {
        if dtype == DType::String {
            let n = shape.num_elements();
            return Value::strings(shape, vec![Vec::new(); n]);
        }
        let buffer = Buffer::zeroed(bytes_for(dtype, &shape)?)?;
        Ok(Value {
            dtype,
            shape,
            data: Data::Plain(buffer),
        })
    }

    pub fn from_slice<T: Element>(shape: Shape, elements: &[T]) -> Result<Value> {
        Value::from_buffer(
            T::DTYPE,
            shape,
            Buffer::copy_of(bytemuck::cast_slice(elements))?,
        )
    }

    pub fn from_bools(shape: Shape, elements: &[bool]) -> Result<Value> {
        let bytes: Vec<u8> = elements.iter().map(|b| *b as u8).collect();
        Value::from_buffer(DType::Bool, shape, Buffer::copy_of(&bytes)?)
    }

    pub fn scalar<T: Element>(x: T) -> Result<Value> {
        Value::from_slice(Shape::scalar(), &[x])
    }

    pub fn scalar_bool(x: bool) -> Result<Value> {
        Value::from_bools(Shape::scalar(), &[x])
    }

    pub fn vector<T: Element>(elements: &[T]) -> Result<Value> {
        Value::from_slice(Shape::vector(elements.len()), elements)
    }

    pub fn scalar_string(bytes: impl Into<Vec<u8>>) -> Value {
        Value {
            dtype: DType::String,
            shape: Shape::scalar(),
            data: Data::Strings(Arc::new([bytes.into()])),
        }
    }

    pub fn strings(shape: Shape, elements: Vec<Vec<u8>>) -> Result<Value> {
        ensure!(
            shape.num_elements() == elements.len(),
            internal,
            "{} strings for shape {shape}",
            elements.len()
        );
        Ok(Value {
            dtype: DType::String,
            shape,
            data: Data::Strings(elements.into()),
        })
    }

    /// A scalar handle (of type `Resource` or `Variant`).
    pub fn handle(dtype: DType, resource: Resource) -> Value {
        Value {
            dtype,
            shape: Shape::scalar(),
            data: Data::Resources(Arc::new([resource])),
        }
    }

    pub fn dtype(&self) -> DType {
        self.dtype
    }

    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    pub fn data(&self) -> &Data {
        &self.data
    }

    pub fn num_elements(&self) -> usize {
        self.shape.num_elements()
    }

    /// The bytes of plain elements.
    pub fn bytes(&self) -> Result<&[u8]> {
        match &self.data {
            Data::Plain(b) => Ok(b.as_bytes()),
            Data::Device(b) => Ok(b.host()?.as_bytes()),
            _ => Err(Error::invalid(format!(
                "a {} value does not lie in plain memory",
                self.dtype.short_name()
            ))),
        }
    }

    /// The memory on the host, if it lies there.
    pub fn buffer(&self) -> Option<&Buffer> {
        match &self.data {
            Data::Plain(b) => Some(b),
            _ => None,
        }
    }

    /// The memory on a device, if it lies there.
    pub fn device_buffer(&self) -> Option<&DeviceBuffer> {
        match &self.data {
            Data::Device(b) => Some(b),
            _ => None,
        }
    }

    pub fn is_on_device(&self) -> bool {
        matches!(self.data, Data::Device(_))
    }

    /// The same memory of a device after it was written to: what was read back before counts no more.
    pub fn written(self) -> Value {
        let data = match &self.data {
            Data::Device(buffer) => Data::Device(buffer.written()),
            data => data.clone(),
        };
        Value { data, ..self }
    }

    /// Whether it is made of bytes, wherever they lie; strings and handles are not.
    pub fn is_plain(&self) -> bool {
        matches!(self.data, Data::Plain(_) | Data::Device(_))
    }

    /// The same value on the host. What lies on a device is read back once for all that share it.
    pub fn to_host(&self) -> Result<Value> {
        match &self.data {
            Data::Device(b) => {
                Value::from_buffer(self.dtype, self.shape.clone(), b.host()?.clone())
            }
            _ => Ok(self.clone()),
        }
    }

    /// The elements; an error when they are of another type.
    pub fn slice<T: Element>(&self) -> Result<&[T]> {
        match &self.data {
            Data::Plain(b) if T::holds(self.dtype) => Ok(bytemuck::cast_slice(b.as_bytes())),
            Data::Device(b) if T::holds(self.dtype) => {
                Ok(bytemuck::cast_slice(b.host()?.as_bytes()))
            }
            _ => Err(self.wrong(T::DTYPE)),
        }
    }

    /// The elements for writing, when nobody shares them.
    pub fn slice_mut<T: Element>(&mut self) -> Result<&mut [T]> {
        let wrong = self.wrong(T::DTYPE);
        match &mut self.data {
            Data::Plain(b) if T::holds(self.dtype) => {
                let bytes = b
                    .get_mut()
                    .ok_or_else(|| Error::internal("writing to a shared value"))?;
                Ok(bytemuck::cast_slice_mut(bytes))
            }
            _ => Err(wrong),
        }
    }

    pub fn bytes_mut(&mut self) -> Result<&mut [u8]> {
        match &mut self.data {
            Data::Plain(b) => b
                .get_mut()
                .ok_or_else(|| Error::internal("writing to a shared value")),
            _ => Err(Error::internal("bytes of a value that is not plain")),
        }
    }

    /// The element strings.
    pub fn string_slice(&self) -> Result<&[Vec<u8>]> {
        match &self.data {
            Data::Strings(s) => Ok(s),
            _ => Err(self.wrong(DType::String)),
        }
    }

    pub fn resource(&self) -> Result<&Resource> {
        match &self.data {
            Data::Resources(r) if r.len() == 1 => Ok(&r[0]),
            _ => Err(self.wrong(DType::Resource)),
        }
    }

    fn wrong(&self, wanted: DType) -> Error {
        Error::invalid(format!(
            "expected a {} tensor but got {}",
            wanted.short_name(),
            self.dtype.short_name()
        ))
    }

    /// The one element of a scalar (or of any value with one element).
    pub fn item<T: Element>(&self) -> Result<T> {
        match self.slice::<T>()? {
            [x] => Ok(*x),
            _ => bail!(invalid, "expected a scalar but got shape {}", self.shape),
        }
    }

    pub fn item_bool(&self) -> Result<bool> {
        ensure!(
            self.dtype == DType::Bool,
            invalid,
            "expected a bool tensor but got {}",
            self.dtype.short_name()
        );
        Ok(self.item::<u8>()? != 0)
    }

    pub fn item_string(&self) -> Result<&[u8]> {
        match self.string_slice()? {
            [s] => Ok(s),
            _ => bail!(
                invalid,
                "expected a scalar string but got shape {}",
                self.shape
            ),
        }
    }

    /// Elements of an `int32` or `int64` value, widened: sizes, axes and indices.
    pub fn ints(&self) -> Result<Vec<i64>> {
        match self.dtype {
            DType::I32 => Ok(self.slice::<i32>()?.iter().map(|x| i64::from(*x)).collect()),
            DType::I64 => Ok(self.slice::<i64>()?.to_vec()),
            other => bail!(
                invalid,
                "expected int32 or int64 but got {}",
                other.short_name()
            ),
        }
    }

    /// The one element of an `int32` or `int64` value, widened.
    pub fn int(&self) -> Result<i64> {
        match self.ints()?.as_slice() {
            [x] => Ok(*x),
            _ => bail!(invalid, "expected a scalar but got shape {}", self.shape),
        }
    }

    /// The same elements under another shape of equal size. No data moves.
    pub fn with_shape(&self, shape: Shape) -> Result<Value> {
        ensure!(
            shape.num_elements() == self.num_elements(),
            invalid,
            "Input to reshape is a tensor with {} values, but the requested shape has {}",
            self.num_elements(),
            shape.num_elements()
        );
        Ok(Value {
            shape,
            ..self.clone()
        })
    }

    /// The same bytes as elements of another type of equal size. No data moves.
    pub fn with_dtype(&self, dtype: DType) -> Result<Value> {
        ensure!(
            dtype.size().is_some() && dtype.size() == self.dtype.size(),
            internal,
            "{:?} seen as {dtype:?}",
            self.dtype
        );
        Ok(Value {
            dtype,
            ..self.clone()
        })
    }

    /// Whether nobody shares the contents, so that a kernel may write its result here.
    pub fn is_unique(&self) -> bool {
        match &self.data {
            Data::Plain(b) => b.is_unique(),
            Data::Device(b) => b.is_unique(),
            _ => false,
        }
    }

    /// A copy on the host that shares nothing.
    pub fn deep_copy(&self) -> Result<Value> {
        match &self.data {
            Data::Plain(b) => Value::from_buffer(
                self.dtype,
                self.shape.clone(),
                Buffer::copy_of(b.as_bytes())?,
            ),
            Data::Device(b) => Value::from_buffer(self.dtype, self.shape.clone(), b.read()?),
            _ => Ok(self.clone()),
        }
    }
}

/// Bytes that a plain value takes; an error for other types and for sizes that overflow.
pub fn bytes_for(dtype: DType, shape: &Shape) -> Result<usize> {
    let size = dtype
        .size()
        .ok_or_else(|| Error::internal(format!("{} is not plain", dtype.short_name())))?;
    shape
        .num_elements()
        .checked_mul(size)
        .filter(|n| *n <= isize::MAX as usize)
        .ok_or_else(|| {
            Error::exhausted(format!(
                "OOM when allocating tensor with shape{shape} and type {}",
                dtype.short_name()
            ))
        })
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.dtype.name(), self.shape)
    }
}

impl PartialEq for Value {
    /// Bit equality of plain elements and strings; identity of resources.
    fn eq(&self, other: &Value) -> bool {
        self.dtype == other.dtype
            && self.shape == other.shape
            && match (&self.data, &other.data) {
                (Data::Plain(_) | Data::Device(_), Data::Plain(_) | Data::Device(_)) => {
                    matches!((self.bytes(), other.bytes()), (Ok(a), Ok(b)) if a == b)
                }
                (Data::Strings(a), Data::Strings(b)) => a == b,
                (Data::Resources(a), Data::Resources(b)) => {
                    a.iter().zip(b.iter()).all(|(x, y)| Arc::ptr_eq(x, y))
                }
                _ => false,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_only_as_what_they_are() {
        let v = Value::vector(&[1.0f32, 2.0]).unwrap();
        assert_eq!(v.slice::<f32>().unwrap(), [1.0, 2.0]);
        assert!(v.slice::<i32>().is_err() && v.ints().is_err() && v.item::<f32>().is_err());
    }

    #[test]
    fn a_shared_value_is_not_written_to() {
        let mut v = Value::zeros(DType::I64, Shape::vector(3)).unwrap();
        v.slice_mut::<i64>().unwrap()[1] = 7;
        let mut w = v.clone();
        assert!(w.slice_mut::<i64>().is_err());
        assert_eq!(w.ints().unwrap(), [0, 7, 0]);
    }

    #[test]
    fn impossible_sizes_are_errors() {
        let shape = Shape::new(&[1 << 62]).unwrap();
        assert!(Value::uninit(DType::F32, shape).is_err());
    }
}
