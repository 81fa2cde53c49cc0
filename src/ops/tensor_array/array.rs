//! The array itself: elements under one lock, each written once (arrays of gradients add up) and, as a rule, read once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use crate::error::Result;
use crate::ops::state::add;
use crate::value::{DType, PartialShape, Shape, Value};
use crate::{bail, ensure};

/// The most elements that an array may have: an index is an `int32`.
const MAX_SIZE: usize = i32::MAX as usize;

/// What an array is made with.
pub(super) struct Setup {
    pub name: String,
    pub dtype: DType,
    pub element_shape: PartialShape,
    /// A write behind the end makes the array larger.
    pub is_dynamic: bool,
    pub clears_after_read: bool,
    /// The first element tells the shape of all others.
    pub has_identical_shapes: bool,
    /// Values written to one index add up: an array of gradients.
    pub is_gradient: bool,
}

pub(super) struct TensorArray {
    pub setup: Setup,
    name: String,
    content: Mutex<Content>,
    /// The arrays of gradients by the call of `tf.gradients` that they belong to.
    gradients: Mutex<FxHashMap<String, Arc<TensorArray>>>,
}

struct Content {
    elements: Vec<Element>,
    element_shape: PartialShape,
    is_dynamic: bool,
    is_closed: bool,
}

#[derive(Clone, Default)]
struct Element {
    value: Option<Value>,
    /// The shape of what was written here, or of the element whose gradient belongs here.
    shape: Option<Shape>,
    is_read: bool,
    is_cleared: bool,
}

/// Numbers the arrays of the process, for messages.
static COUNT: AtomicU64 = AtomicU64::new(0);

impl TensorArray {
    pub fn new(setup: Setup, size: usize) -> TensorArray {
        let elements = vec![Element::default(); size];
        TensorArray::with_elements(setup, elements)
    }

    fn with_elements(setup: Setup, elements: Vec<Element>) -> TensorArray {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        TensorArray {
            name: format!("{}_{number}", setup.name),
            content: Mutex::new(Content {
                elements,
                element_shape: setup.element_shape.clone(),
                is_dynamic: setup.is_dynamic,
                is_closed: false,
            }),
            gradients: Mutex::default(),
            setup,
        }
    }

    /// The array of gradients for one call of `tf.gradients`; from now on this array grows no more. `prefix` stands
    /// before the shape of each element.
    pub fn gradient(&self, source: &str, prefix: &[i64]) -> Result<Arc<TensorArray>> {
        let mut gradients = self.gradients.lock();
        if let Some(found) = gradients.get(source) {
            return Ok(found.clone());
        }
        let mut content = self.open()?;
        content.is_dynamic = false;
        let longer = |shape: &Shape| Shape::new(&[prefix, shape.dims()].concat());
        let mut elements = Vec::with_capacity(content.elements.len());
        for element in &content.elements {
            elements.push(Element {
                shape: element.shape.as_ref().map(longer).transpose()?,
                ..Element::default()
            });
        }
        let known = content.element_shape.dims();
        let setup = Setup {
            name: format!("{}@{source}", self.name),
            dtype: self.setup.dtype,
            element_shape: known.map_or_else(PartialShape::unknown, |dims| {
                PartialShape::from_dims(prefix.iter().chain(dims).copied())
            }),
            is_dynamic: false,
            clears_after_read: true,
            has_identical_shapes: self.setup.has_identical_shapes,
            is_gradient: true,
        };
        drop(content);
        let made = Arc::new(TensorArray::with_elements(setup, elements));
        gradients.insert(source.to_string(), made.clone());
        Ok(made)
    }

    fn open(&self) -> Result<parking_lot::MutexGuard<'_, Content>> {
        let content = self.content.lock();
        ensure!(
            !content.is_closed,
            invalid,
            "TensorArray {} has already been closed.",
            self.name
        );
        Ok(content)
    }

    pub fn size(&self) -> Result<usize> {
        Ok(self.open()?.elements.len())
    }

    /// Whether an element lies on a GPU.
    pub fn lies_on_device(&self) -> Result<bool> {
        let content = self.open()?;
        let mut values = content.elements.iter().filter_map(|e| e.value.as_ref());
        Ok(values.any(Value::is_on_device))
    }

    /// The shape of all elements, as far as it is known.
    pub fn element_shape(&self) -> Result<PartialShape> {
        Ok(self.open()?.element_shape.clone())
    }

    pub fn is_dynamic(&self) -> Result<bool> {
        Ok(self.open()?.is_dynamic)
    }

    pub fn close(&self) {
        let mut content = self.content.lock();
        content.elements.clear();
        content.is_closed = true;
    }

    pub fn check_dtype(&self, dtype: DType, what: &str) -> Result<()> {
        ensure!(
            dtype == self.setup.dtype,
            invalid,
            "TensorArray dtype is {} but Op {what} dtype {}.",
            self.setup.dtype.short_name(),
            dtype.short_name()
        );
        Ok(())
    }

    pub fn write(&self, index: i64, value: Value) -> Result<()> {
        let mut content = self.open()?;
        let size = content.elements.len();
        let fits = |index: &usize| *index < size || (content.is_dynamic && *index < MAX_SIZE);
        let Some(at) = usize::try_from(index).ok().filter(fits) else {
            bail!(
                invalid,
                "TensorArray {}: Tried to write to index {index} but array is not resizeable and size is: {size}",
                self.name
            );
        };
        let given = PartialShape::from(value.shape());
        ensure!(
            content.element_shape.is_compatible_with(&given),
            invalid,
            "TensorArray {}: Could not write to TensorArray index {index} because the value shape is {} which is \
             incompatible with the TensorArray's inferred element shape: {} (consider setting infer_shape=False).",
            self.name,
            value.shape(),
            shown(&content.element_shape)
        );
        if at >= size {
            grow(&mut content.elements, at + 1)?;
        }
        self.put(&mut content.elements[at], index, value)?;
        if self.setup.has_identical_shapes {
            content.element_shape = content.element_shape.merge(&given)?;
        }
        Ok(())
    }

    fn put(&self, element: &mut Element, index: i64, value: Value) -> Result<()> {
        let refused = |why: &str| {
            crate::error::Error::invalid(format!(
                "TensorArray {}: Could not write to TensorArray index {index} because {why}.",
                self.name
            ))
        };
        if element.is_read {
            return Err(refused("it has already been read"));
        }
        let value = match element.value.take() {
            None => value,
            Some(before) if !self.setup.is_gradient => {
                element.value = Some(before);
                return Err(refused("it has already been written to"));
            }
            Some(before) => {
                ensure!(
                    before.shape() == value.shape(),
                    invalid,
                    "TensorArray {}: Could not aggregate to TensorArray index {index} because the existing shape is {} \
                     but the new input shape is {}.",
                    self.name,
                    before.shape(),
                    value.shape()
                );
                add(before.to_host()?, &value.to_host()?)?
            }
        };
        element.shape = Some(value.shape().clone());
        element.value = Some(value);
        Ok(())
    }

    /// The element at `index`; zeros where nothing was written and the shape is known.
    pub fn read(&self, index: i64) -> Result<Value> {
        let mut content = self.open()?;
        let size = content.elements.len();
        let Some(at) = usize::try_from(index).ok().filter(|at| *at < size) else {
            bail!(
                invalid,
                "Tried to read from index {index} but array size is: {size}"
            );
        };
        let known = content.element_shape.clone();
        let element = &mut content.elements[at];
        ensure!(
            !element.is_cleared,
            invalid,
            "TensorArray {}: Could not read index {index} twice because it was cleared after a previous read (perhaps \
             try setting clear_after_read = false?).",
            self.name
        );
        let value = match (&element.value, &element.shape, known.to_shape()) {
            (Some(value), ..) => value.clone(),
            (None, Some(shape), _) => Value::zeros(self.setup.dtype, shape.clone())?,
            (None, None, Some(shape)) => Value::zeros(self.setup.dtype, shape)?,
            (None, None, None) => bail!(
                invalid,
                "TensorArray {}: Could not read from TensorArray index {index}.  Furthermore, the element shape is not \
                 fully defined: {}.  It is possible you are working with a resizeable TensorArray and \
                 stop_gradients is not allowing the gradients to be written.  If you set the full element_shape \
                 property on the forward TensorArray, the proper all-zeros tensor will be returned instead of \
                 incurring this error.",
                self.name,
                shown(&known)
            ),
        };
        element.is_read = true;
        if self.setup.clears_after_read {
            element.value = None;
            element.is_cleared = true;
        }
        Ok(value)
    }
}

/// A shape as TensorFlow's messages about tensor arrays show it.
pub(super) fn shown(shape: &PartialShape) -> String {
    match shape.rank() {
        Some(_) => shape.to_string(),
        None => "<unknown>".to_string(),
    }
}

fn grow(elements: &mut Vec<Element>, size: usize) -> Result<()> {
    let more = size - elements.len();
    if elements.try_reserve(more).is_err() {
        bail!(
            exhausted,
            "OOM when growing a TensorArray to {size} elements"
        );
    }
    elements.resize(size, Element::default());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(size: usize, is_dynamic: bool) -> TensorArray {
        let setup = Setup {
            name: "a".into(),
            dtype: DType::F32,
            element_shape: PartialShape::unknown(),
            is_dynamic,
            clears_after_read: true,
            has_identical_shapes: true,
            is_gradient: false,
        };
        TensorArray::new(setup, size)
    }

    fn ones(n: usize) -> Value {
        Value::vector(&vec![1f32; n]).unwrap()
    }

    #[test]
    fn elements_are_written_once_and_read_once() {
        let a = array(2, false);
        a.write(0, ones(2)).unwrap();
        assert!(
            a.write(0, ones(2))
                .unwrap_err()
                .message
                .contains("already been written to")
        );
        assert_eq!(a.read(0).unwrap(), ones(2));
        assert!(a.read(0).unwrap_err().message.contains("twice"));
        assert!(a.write(2, ones(2)).is_err() && a.write(-1, ones(2)).is_err());
    }

    #[test]
    fn what_was_not_written_is_zeros_once_the_shape_is_known() {
        let a = array(0, true);
        assert!(a.read(0).is_err());
        a.write(3, ones(2)).unwrap();
        assert_eq!(a.size().unwrap(), 4);
        assert_eq!(a.read(1).unwrap().slice::<f32>().unwrap(), [0.0, 0.0]);
        assert!(a.write(1, ones(3)).is_err());
    }

    #[test]
    fn gradients_add_up_and_have_the_shapes_of_the_elements() {
        let a = array(2, true);
        a.write(0, ones(2)).unwrap();
        a.write(1, ones(2)).unwrap();
        let g = a.gradient("gradients", &[]).unwrap();
        assert!(Arc::ptr_eq(&g, &a.gradient("gradients", &[]).unwrap()));
        g.write(0, ones(2)).unwrap();
        g.write(0, ones(2)).unwrap();
        assert_eq!(g.read(0).unwrap().slice::<f32>().unwrap(), [2.0, 2.0]);
        assert_eq!(g.read(1).unwrap().slice::<f32>().unwrap(), [0.0, 0.0]);
        assert!(a.write(2, ones(2)).is_err(), "it grows no more");
    }
}
