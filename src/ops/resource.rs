//! What outlives a run in a session: variables, and whatever else handles refer to.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};
use rustc_hash::FxHashMap;

use crate::error::{Error, Result};
use crate::value::{DType, Resource, Value};

/// A variable's storage. Reference variables are updated in place, so that what was read shows the update; resource
/// variables copy on write. A kernel that updates holds the lock for writing while it runs.
#[derive(Debug)]
pub struct Variable {
    pub name: String,
    pub dtype: DType,
    /// `None` until it is initialized.
    pub value: RwLock<Option<Value>>,
}

impl Variable {
    pub fn new(name: impl Into<String>, dtype: DType) -> Arc<Variable> {
        Arc::new(Variable {
            name: name.into(),
            dtype,
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
