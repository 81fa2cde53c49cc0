//! NumPy arrays and values. What comes in is copied, because an array may change while the interpreter is released;
//! a result that nobody else holds goes out without a copy.
//!
//! Element types that NumPy lacks are structured types with one field, named as TensorFlow names them
//! (`[("qint8", int8)]`, `[("bfloat16", uint16)]`). Strings are arrays of `bytes` objects.

use std::os::raw::c_int;
use std::ptr;

use numpy::npyffi::{self, NPY_TYPES, PY_ARRAY_API, PyArray_Descr, PyArrayObject, npy_intp};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyList, PyString};

use crate::error::{Error, Result};
use crate::value::{Buffer, DType, Data, Resource, Shape, Value};

use super::errors::{from_python, to_python};

/// Results of this size and more keep their memory; below it a copy is cheaper than a second owner.
const SHARE_BYTES: usize = 4096;

/// Keeps a value's memory alive for the array that shows it.
#[pyclass(frozen, module = "ferroflow._core")]
struct Memory {
    _buffer: Buffer,
}

/// What a fetched `resource` or `variant` tensor holds.
#[pyclass(frozen, module = "ferroflow._core")]
struct Handle {
    resource: Resource,
}

/// An array of the value's elements; a copy.
pub fn value_to_array<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    match value.data() {
        Data::Plain(buffer) => {
            let array = new_array(py, value.dtype(), value.shape(), ptr::null_mut())?;
            fill(&array, buffer.as_bytes());
            Ok(array)
        }
        Data::Device(_) => value_to_array(py, &value.to_host().map_err(to_python)?),
        Data::Strings(strings) => {
            let items = strings.iter().map(|s| PyBytes::new(py, s).into_any());
            object_array(py, value.shape(), items)
        }
        Data::Resources(resources) => {
            let items = resources.iter().map(|r| {
                let resource = r.clone();
                Bound::new(py, Handle { resource }).map(Bound::into_any)
            });
            let items = items.collect::<PyResult<Vec<_>>>()?;
            object_array(py, value.shape(), items.into_iter())
        }
    }
}

/// What `Session.run` returns for a fetch: an array, a NumPy scalar, or `bytes` for a scalar string.
pub fn value_into_result(py: Python<'_>, value: Value) -> PyResult<Bound<'_, PyAny>> {
    if value.shape().is_scalar() {
        return scalar(py, &value);
    }
    let is_ours = value.is_unique();
    match value.buffer() {
        Some(buffer) if is_ours && buffer.len_bytes() >= SHARE_BYTES => {
            let buffer = buffer.clone();
            drop_into_array(py, value, buffer)
        }
        _ => value_to_array(py, &value),
    }
}

fn scalar<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    match value.data() {
        Data::Plain(buffer) => {
            let descr = descriptor(py, value.dtype())?;
            // SAFETY: the buffer holds one element of the descriptor's type; NumPy copies it.
            unsafe {
                let made = PY_ARRAY_API.PyArray_Scalar(
                    py,
                    buffer.as_ptr().cast_mut().cast(),
                    descr,
                    ptr::null_mut(),
                );
                ffi::Py_DECREF(descr.cast());
                Bound::from_owned_ptr_or_err(py, made)
            }
        }
        Data::Strings(strings) => Ok(PyBytes::new(py, &strings[0]).into_any()),
        Data::Device(_) => scalar(py, &value.to_host().map_err(to_python)?),
        Data::Resources(_) => value_to_array(py, value),
    }
}

/// An array over the memory of `value`, which nobody else holds.
fn drop_into_array(py: Python<'_>, value: Value, buffer: Buffer) -> PyResult<Bound<'_, PyAny>> {
    let data = buffer.as_ptr().cast_mut();
    let array = new_array(py, value.dtype(), value.shape(), data)?;
    drop(value);
    let owner = Bound::new(py, Memory { _buffer: buffer })?;
    // SAFETY: `array` is an array; the call steals the reference to its new base, which keeps the memory alive.
    let failed =
        unsafe { PY_ARRAY_API.PyArray_SetBaseObject(py, array.as_ptr().cast(), owner.into_ptr()) };
    if failed != 0 {
        return Err(PyErr::fetch(py));
    }
    Ok(array)
}

/// A value of type `dtype` with the elements of `array`, which may be anything that `numpy.asarray` takes.
pub fn array_to_value(array: &Bound<PyAny>, dtype: DType) -> Result<Value> {
    match dtype {
        DType::String => strings_to_value(array).map_err(from_python),
        DType::Resource | DType::Variant => handle_to_value(array, dtype),
        _ => plain_to_value(array, dtype),
    }
}

/// A value of the type that the array (or whatever `numpy.asarray` makes one of) has itself.
pub fn infer_value(object: &Bound<PyAny>) -> Result<Value> {
    let array = numpy_module(object.py())
        .and_then(|numpy| numpy.call_method1("asarray", (object,)))
        .map_err(from_python)?;
    let name = array
        .getattr("dtype")
        .and_then(|dtype| dtype.getattr("name"))
        .and_then(|name| name.extract::<String>())
        .map_err(from_python)?;
    let is_text = ["str", "bytes", "object"]
        .iter()
        .any(|kind| name.starts_with(kind));
    let dtype = if is_text {
        DType::String
    } else {
        DType::from_name(&name)
            .ok_or_else(|| Error::invalid(format!("Unsupported numpy data type {name}")))?
    };
    array_to_value(&array, dtype)
}

fn plain_to_value(array: &Bound<PyAny>, dtype: DType) -> Result<Value> {
    let array = as_array(array, dtype).map_err(from_python)?;
    let shape = shape_of(&array)?;
    let mut value = Value::uninit(dtype, shape)?;
    let out = value.bytes_mut()?;
    if out.is_empty() {
        return Ok(value);
    }
    // SAFETY: `as_array` gave a C-contiguous array of this type in native order, so its data are `out.len()` bytes.
    // The interpreter is held, so no Python code writes to them meanwhile.
    let bytes = unsafe {
        let object: *mut PyArrayObject = array.as_ptr().cast();
        std::slice::from_raw_parts((*object).fields.data.cast::<u8>(), out.len())
    };
    if dtype == DType::Bool {
        for (to, from) in out.iter_mut().zip(bytes) {
            *to = u8::from(*from != 0);
        }
    } else {
        out.copy_from_slice(bytes);
    }
    Ok(value)
}

fn strings_to_value(array: &Bound<PyAny>) -> PyResult<Value> {
    let py = array.py();
    if let Ok(bytes) = array.cast::<PyBytes>() {
        return Ok(Value::scalar_string(bytes.as_bytes()));
    }
    if let Ok(text) = array.cast::<PyString>() {
        return Ok(Value::scalar_string(text.to_str()?));
    }
    let array = if is_array(array) {
        array.clone()
    } else {
        numpy_module(py)?.call_method1("asarray", (array, "O"))?
    };
    let shape = shape_of(&array).map_err(to_python)?;
    let flat = array.call_method0("ravel")?.call_method0("tolist")?;
    let mut strings = Vec::with_capacity(shape.num_elements());
    for item in flat.cast::<PyList>()?.iter() {
        strings.push(bytes_of(&item)?);
    }
    Value::strings(shape, strings).map_err(to_python)
}

fn bytes_of(item: &Bound<PyAny>) -> PyResult<Vec<u8>> {
    if let Ok(bytes) = item.cast::<PyBytes>() {
        return Ok(bytes.as_bytes().to_vec());
    }
    if let Ok(text) = item.cast::<PyString>() {
        return Ok(text.to_str()?.as_bytes().to_vec());
    }
    let kind = item.get_type().name()?;
    Err(to_python(Error::internal(format!(
        "Unsupported object type {kind}"
    ))))
}

fn handle_to_value(array: &Bound<PyAny>, dtype: DType) -> Result<Value> {
    let item = match array.cast::<Handle>() {
        Ok(handle) => Some(handle.clone()),
        Err(_) => array
            .call_method0("item")
            .ok()
            .and_then(|i| i.cast_into::<Handle>().ok()),
    };
    let handle = item.ok_or_else(|| {
        Error::type_error(format!(
            "a {} tensor holds handles alone",
            dtype.short_name()
        ))
    })?;
    Ok(Value::handle(dtype, handle.get().resource.clone()))
}

// ---- NumPy's own interface ----

fn numpy_module(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
    static NUMPY: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = NUMPY.get_or_try_init(py, || py.import("numpy").map(Bound::unbind))?;
    Ok(module.bind(py))
}

fn is_array(object: &Bound<PyAny>) -> bool {
    // SAFETY: only the object's type is looked at.
    unsafe { npyffi::PyArray_Check(object.py(), object.as_ptr()) != 0 }
}

/// NumPy's number of an element type; none for those that are structured types.
fn type_number(dtype: DType) -> Option<NPY_TYPES> {
    Some(match dtype {
        DType::F32 => NPY_TYPES::NPY_FLOAT,
        DType::F64 => NPY_TYPES::NPY_DOUBLE,
        DType::F16 => NPY_TYPES::NPY_HALF,
        DType::I8 => NPY_TYPES::NPY_BYTE,
        DType::I16 => NPY_TYPES::NPY_SHORT,
        DType::I32 => NPY_TYPES::NPY_INT,
        DType::I64 => npy_int64(),
        DType::U8 => NPY_TYPES::NPY_UBYTE,
        DType::U16 => NPY_TYPES::NPY_USHORT,
        DType::U32 => NPY_TYPES::NPY_UINT,
        DType::U64 => npy_uint64(),
        DType::Bool => NPY_TYPES::NPY_BOOL,
        DType::C64 => NPY_TYPES::NPY_CFLOAT,
        DType::C128 => NPY_TYPES::NPY_CDOUBLE,
        DType::String | DType::Resource | DType::Variant => NPY_TYPES::NPY_OBJECT,
        DType::QI8 | DType::QU8 | DType::QI16 | DType::QU16 | DType::QI32 | DType::BF16 => {
            return None;
        }
    })
}

fn npy_int64() -> NPY_TYPES {
    if size_of::<std::os::raw::c_long>() == 8 {
        NPY_TYPES::NPY_LONG
    } else {
        NPY_TYPES::NPY_LONGLONG
    }
}

fn npy_uint64() -> NPY_TYPES {
    if size_of::<std::os::raw::c_long>() == 8 {
        NPY_TYPES::NPY_ULONG
    } else {
        NPY_TYPES::NPY_ULONGLONG
    }
}

/// A new reference to NumPy's descriptor of an element type.
fn descriptor(py: Python, dtype: DType) -> PyResult<*mut PyArray_Descr> {
    if let Some(number) = type_number(dtype) {
        // SAFETY: a call with a number that NumPy knows; it returns a new reference.
        let descr = unsafe { PY_ARRAY_API.PyArray_DescrFromType(py, number as c_int) };
        return if descr.is_null() {
            Err(PyErr::fetch(py))
        } else {
            Ok(descr)
        };
    }
    static STRUCTURED: [PyOnceLock<Py<PyAny>>; 24] = [const { PyOnceLock::new() }; 24];
    let made = STRUCTURED[dtype as usize].get_or_try_init(py, || {
        let field = (dtype.name(), storage_name(dtype));
        let made = numpy_module(py)?.call_method1("dtype", (vec![field],))?;
        PyResult::Ok(made.unbind())
    })?;
    Ok(made.clone_ref(py).into_ptr().cast())
}

/// The plain type in which elements of a structured type lie.
fn storage_name(dtype: DType) -> &'static str {
    match dtype {
        DType::QI8 => "int8",
        DType::QU8 => "uint8",
        DType::QI16 => "int16",
        DType::QI32 => "int32",
        _ => "uint16",
    }
}

/// A new array: over `data` when it is not null (the caller then sets the base), else over memory of its own.
fn new_array<'py>(
    py: Python<'py>,
    dtype: DType,
    shape: &Shape,
    data: *mut u8,
) -> PyResult<Bound<'py, PyAny>> {
    let mut dims: smallvec::SmallVec<[npy_intp; 8]> =
        shape.dims().iter().map(|d| *d as npy_intp).collect();
    if dims.len() > 64 {
        return Err(to_python(Error::invalid(format!(
            "a value of {} dimensions does not fit in a NumPy array",
            dims.len()
        ))));
    }
    let flags = if data.is_null() {
        0
    } else {
        npyffi::NPY_ARRAY_CARRAY
    };
    let descr = descriptor(py, dtype)?;
    // SAFETY: `descr` is a new reference, which the call steals; `dims` holds as many sizes as said; `data` is null or
    // has room for the elements, in C order.
    unsafe {
        let subtype = npyffi::get_type_object(py, npyffi::NpyTypes::PyArray_Type);
        let made = PY_ARRAY_API.PyArray_NewFromDescr(
            py,
            subtype,
            descr,
            dims.len() as c_int,
            dims.as_mut_ptr(),
            ptr::null_mut(),
            data.cast(),
            flags,
            ptr::null_mut(),
        );
        Bound::from_owned_ptr_or_err(py, made)
    }
}

/// Copies `bytes` into an array that was just made for as many.
fn fill(array: &Bound<PyAny>, bytes: &[u8]) {
    // SAFETY: a new array owns the bytes of its elements, as many as the value of the same type and shape has.
    unsafe {
        let object: *mut PyArrayObject = array.as_ptr().cast();
        ptr::copy_nonoverlapping(
            bytes.as_ptr(),
            (*object).fields.data.cast::<u8>(),
            bytes.len(),
        );
    }
}

fn object_array<'py>(
    py: Python<'py>,
    shape: &Shape,
    items: impl Iterator<Item = Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let array = new_array(py, DType::String, shape, ptr::null_mut())?;
    // SAFETY: a new object array holds null or borrowed-forever references in each element; each is replaced by an owned one.
    unsafe {
        let object: *mut PyArrayObject = array.as_ptr().cast();
        let data: *mut *mut ffi::PyObject = (*object).fields.data.cast();
        for (i, item) in items.take(shape.num_elements()).enumerate() {
            let old = std::mem::replace(&mut *data.add(i), item.into_ptr());
            ffi::Py_XDECREF(old);
        }
    }
    Ok(array)
}

/// `object` as a C-contiguous array of `dtype` in native byte order, converted as `numpy.asarray` does.
fn as_array<'py>(object: &Bound<'py, PyAny>, dtype: DType) -> PyResult<Bound<'py, PyAny>> {
    let py = object.py();
    if type_number(dtype).is_none() {
        return as_structured(object, dtype);
    }
    let flags = npyffi::NPY_ARRAY_CARRAY_RO | npyffi::NPY_ARRAY_FORCECAST;
    let descr = descriptor(py, dtype)?;
    // SAFETY: `descr` is a new reference, which the call steals.
    unsafe {
        let made =
            PY_ARRAY_API.PyArray_FromAny(py, object.as_ptr(), descr, 0, 0, flags, ptr::null_mut());
        Bound::from_owned_ptr_or_err(py, made)
    }
}

/// Structured types: elements that lie in memory as they should are taken bit by bit, others are cast.
fn as_structured<'py>(object: &Bound<'py, PyAny>, dtype: DType) -> PyResult<Bound<'py, PyAny>> {
    let py = object.py();
    let array = numpy_module(py)?.call_method1("asarray", (object,))?;
    let kind = array
        .getattr("dtype")?
        .getattr("kind")?
        .extract::<String>()?;
    let storage = storage_name(dtype);
    if kind == "V" {
        return array
            .call_method1("copy", ("C",))?
            .call_method1("view", (storage,));
    }
    if dtype == DType::BF16 && kind != "u" {
        let floats = plain_to_value(&array, DType::F32).map_err(to_python)?;
        let floats = floats.slice::<f32>().map_err(to_python)?;
        let bits: Vec<u16> = floats
            .iter()
            .map(|x| half::bf16::from_f32(*x).to_bits())
            .collect();
        let bits = numpy::PyArray1::from_vec(py, bits).into_any();
        return bits.call_method1("reshape", (array.getattr("shape")?,));
    }
    let array = array.call_method1("astype", (storage,))?;
    array.call_method1("copy", ("C",))
}

fn shape_of(array: &Bound<PyAny>) -> Result<Shape> {
    if !is_array(array) {
        return Err(Error::type_error("expected a NumPy array"));
    }
    // SAFETY: it is an array; `dimensions` points to `nd` sizes.
    let dims: smallvec::SmallVec<[i64; 8]> = unsafe {
        let object: *mut PyArrayObject = array.as_ptr().cast();
        let rank = (*object).fields.nd as usize;
        (0..rank)
            .map(|i| *(*object).fields.dimensions.add(i) as i64)
            .collect()
    };
    Shape::new(&dims)
}
