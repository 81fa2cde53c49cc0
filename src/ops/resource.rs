//! What outlives a run in a session: variables, and whatever else handles refer to.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock, RwLockWriteGuard};
use rustc_hash::FxHashMap;

use crate::error::{Error, Result};
use crate::value::{DType, DeviceBuffer, Element, PartialShape, Resource, Value};

/// A variable's storage. Reference variables are updated in place, so that what was read shows the update; resource
/// variables copy on write. A kernel that updates holds the lock for writing while it runs.
#[derive(Debug)]
pub struct Variable {
    pub name: String,
    pub dtype: DType,
    /// The shape that it was made with; values of other shapes are refused where `validate_shape` says so.
    pub shape: PartialShape,
    /// `None` until it is initialized.
    pub value: RwLock<Option<Value>>,
}

impl Variable {
    pub fn new(name: impl Into<String>, dtype: DType) -> Arc<Variable> {
        Variable::with_shape(name, dtype, PartialShape::unknown())
    }

    pub fn with_shape(name: impl Into<String>, dtype: DType, shape: PartialShape) -> Arc<Variable> {
        Arc::new(Variable {
            name: name.into(),
            dtype,
            shape,
            value: RwLock::new(None),
        })
    }

    /// The current value (shared, not copied); FailedPrecondition before initialization.
    pub fn read(&self) -> Result<Value> {
        self.value
            .read()
            .clone()
            .ok_or_else(|| self.uninitialized())
    }

    pub fn uninitialized(&self) -> Error {
        Error::failed_precondition(format!(
            "Attempting to use uninitialized value {}",
            self.name
        ))
    }

    pub fn is_initialized(&self) -> bool {
        self.value.read().is_some()
    }

    /// The value for writing; FailedPrecondition before initialization. Behind a reference it is written in place, so
    /// that what was read shows the update; behind a handle a value that somebody else holds is copied first.
    pub fn write(&self, in_place: bool) -> Result<Writing<'_>> {
        let mut value = self.value.write();
        let Some(current) = value.as_mut() else {
            drop(value);
            return Err(self.uninitialized());
        };
        let must_copy = match in_place {
            true => current.buffer().is_some_and(|b| !b.is_own()),
            false => !current.is_unique(),
        };
        // Written on the host and then sent back: what was read before still lies in the same memory.
        let device = current.device_buffer().filter(|_| in_place).cloned();
        if must_copy || current.is_on_device() {
            *current = current.deep_copy()?;
        }
        Ok(Writing {
            value,
            in_place,
            device,
        })
    }

    /// The value in the memory of a device, for a kernel that writes it there while the lock is held; `move_there` makes
    /// what lies elsewhere. Behind a handle a value that somebody else holds is replaced by what `copy` makes of it.
    pub fn write_on_device(
        &self,
        in_place: bool,
        move_there: impl FnOnce(&Value) -> Result<Value>,
        copy: impl FnOnce(&Value) -> Result<Value>,
    ) -> Result<WritingOnDevice<'_>> {
        let mut value = self.value.write();
        let Some(current) = value.as_mut() else {
            drop(value);
            return Err(self.uninitialized());
        };
        match current.device_buffer() {
            // The bytes that it has on the host are old as well when the kernel is done.
            None => *current = move_there(current)?.written(),
            Some(buffer) if in_place || buffer.is_unique() => {
                // What was read back before is old when the kernel is done.
                *current = current.clone().written();
            }
            Some(_) => *current = copy(current)?,
        }
        Ok(WritingOnDevice(value))
    }

    /// Gives the variable a new value. Behind a reference the memory stays where the size allows.
    pub fn assign(&self, new: Value, in_place: bool) -> Result<()> {
        let mut value = self.value.write();
        let new = match new.is_unique() && new.buffer().is_none_or(|b| b.is_own()) {
            true => new,
            false => new.deep_copy()?,
        };
        if in_place
            && let (Some(old), Some(from)) = (value.as_ref(), new.buffer())
            && old.shape() == new.shape()
            && old.dtype() == new.dtype()
            && let Some(to) = old.buffer().filter(|b| b.is_own())
        {
            // SAFETY: the variable's lock is held for writing; whoever reads values that lie in its memory holds it too.
            unsafe { to.shared_mut() }.copy_from_slice(from.as_bytes());
            return Ok(());
        }
        if in_place
            && let (Some(old), Some(from)) = (value.as_ref(), new.buffer())
            && old.shape() == new.shape()
            && old.dtype() == new.dtype()
            && let Some(to) = old.device_buffer()
        {
            let written = to.write(from.as_bytes())?;
            *value = Some(Value::on_device(new.dtype(), new.shape().clone(), written)?);
            return Ok(());
        }
        *value = Some(new);
        Ok(())
    }
}

/// A variable's value under its lock, to be written.
pub struct Writing<'a> {
    value: RwLockWriteGuard<'a, Option<Value>>,
    in_place: bool,
    /// The memory of a device that is to have the same content.
    device: Option<DeviceBuffer>,
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        let (Some(device), Some(value)) = (self.device.take(), self.value.as_ref()) else {
            return;
        };
        if value.bytes().is_ok_and(|b| b.len() == device.len_bytes()) {
            // A device that fails here fails its next use too; until then the content on the host is right.
            let sent = value.bytes().and_then(|bytes| device.write(bytes));
            let sent = sent.and_then(|b| Value::on_device(value.dtype(), value.shape().clone(), b));
            if let Ok(sent) = sent {
                *self.value = Some(sent);
            }
        }
    }
}

impl Writing<'_> {
    pub fn value(&self) -> &Value {
        self.value
            .as_ref()
            .expect("it was there when the lock was taken")
    }

    pub fn slice_mut<T: Element>(&mut self) -> Result<&mut [T]> {
        let value = self
            .value
            .as_mut()
            .expect("it was there when the lock was taken");
        if !self.in_place {
            return value.slice_mut::<T>();
        }
        value.slice::<T>()?;
        let buffer = value
            .buffer()
            .ok_or_else(|| Error::internal("a plain value has a buffer"))?;
        // SAFETY: the variable's lock is held for writing; whoever reads values that lie in its memory holds it too.
        Ok(bytemuck::cast_slice_mut(unsafe { buffer.shared_mut() }))
    }

    /// A new value, for types that cannot be written in place.
    pub fn replace(&mut self, value: Value) {
        *self.value = Some(value);
    }
}

/// A variable's value on a device, under its lock, to be written.
pub struct WritingOnDevice<'a>(RwLockWriteGuard<'a, Option<Value>>);

impl WritingOnDevice<'_> {
    pub fn value(&self) -> &Value {
        self.0
            .as_ref()
            .expect("it was there when the lock was taken")
    }
}

/// A session's resources by container and name.
#[derive(Default)]
pub struct Resources {
    by_name: Mutex<FxHashMap<(String, String), Resource>>,
    removals: AtomicU64,
}

impl Resources {
    /// The resource of this container and name, made by `init` when first asked for.
    pub fn get_or_create<T: Any + Send + Sync>(
        &self,
        container: &str,
        name: &str,
        init: impl FnOnce() -> Result<Arc<T>>,
    ) -> Result<Arc<T>> {
        let key = (container.to_string(), name.to_string());
        let mut all = self.by_name.lock();
        let found = match all.get(&key) {
            Some(found) => found.clone(),
            None => {
                let made: Resource = init()?;
                all.insert(key, made.clone());
                made
            }
        };
        drop(all);
        found.downcast::<T>().map_err(|_| {
            Error::invalid(format!(
                "Resource {container}/{name} exists with another type"
            ))
        })
    }

    /// Counts removals: a resource found before is still the one of its name while this has not changed.
    pub fn removals(&self) -> u64 {
        self.removals.load(Ordering::Acquire)
    }

    pub fn remove(&self, container: &str, name: &str) -> bool {
        self.removals.fetch_add(1, Ordering::AcqRel);
        self.by_name
            .lock()
            .remove(&(container.to_string(), name.to_string()))
            .is_some()
    }

    pub fn clear(&self) {
        self.removals.fetch_add(1, Ordering::AcqRel);
        self.by_name.lock().clear();
    }
}
