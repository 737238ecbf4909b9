//! Python objects that are made once, when they are first needed.
//!
//! `PyOnceLock` and `intern!` of PyO3 release the GIL while their object is being made. A child that another
//! thread forks at that moment would wait forever for the thread that made it. Here nobody waits: two threads
//! may make an object each, and the first one is kept.

use std::sync::OnceLock;

use pyo3::prelude::*;
use pyo3::types::PyString;

/// A Python object, or none yet.
pub struct Cached<T>(OnceLock<Py<T>>);

impl<T> Cached<T> {
    /// No object yet.
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// The object, if it was made.
    pub fn get<'py>(&self, py: Python<'py>) -> Option<&Bound<'py, T>> {
        self.0.get().map(|object| object.bind(py))
    }

    /// The object, which `make` makes if there is none.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn get_or_make<'py>(
        &self,
        py: Python<'py>,
        make: impl FnOnce() -> PyResult<Bound<'py, T>>,
    ) -> PyResult<&Bound<'py, T>> {
        if self.0.get().is_none() {
            let object = make()?.unbind();
            // The GIL is held here, so nobody else is setting it. Another thread may have set it before.
            drop(self.0.set(object));
        }
        Ok(self.get(py).expect("it was set"))
    }
}

impl Cached<PyAny> {
    /// `module.name`.
    ///
    /// # Errors
    /// There is none.
    pub fn import<'py>(
        &self,
        py: Python<'py>,
        module: &str,
        name: &str,
    ) -> PyResult<&Bound<'py, PyAny>> {
        self.get_or_make(py, || py.import(module)?.getattr(name))
    }
}

impl Cached<PyString> {
    /// `text` as an interned string.
    pub fn interned<'py>(&self, py: Python<'py>, text: &str) -> &Bound<'py, PyString> {
        let make = || Ok(PyString::intern(py, text));
        self.get_or_make(py, make).expect("making it cannot fail")
    }
}

/// A string literal as an interned Python string.
macro_rules! interned {
    ($py:expr, $text:expr) => {{
        static NAME: $crate::python::call::cached::Cached<pyo3::types::PyString> =
            $crate::python::call::cached::Cached::new();
        NAME.interned($py, $text)
    }};
}
pub(crate) use interned;

/// Implements `FromPyObject` for a struct whose fields are attributes of an object. The derive of PyO3 would
/// use its own `intern!`.
macro_rules! from_attributes {
    ($struct:ty { $($field:ident),+ $(,)? }) => {
        impl<'py> FromPyObject<'_, 'py> for $struct {
            type Error = PyErr;

            fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
                let py = object.py();
                Ok(Self {
                    $($field: object
                        .getattr($crate::python::call::cached::interned!(py, stringify!($field)))?
                        .extract()?,)+
                })
            }
        }
    };
}
pub(crate) use from_attributes;
