//! Files of tensors and of networks.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;

use bpfast::base::cancel::CancelToken;
use bpfast::io::network_file::{self, NetworkFile};
use bpfast::io::safetensors::{self, FileError, Reader, Tensor, TensorElement};
use bpfast::io::transpose::to_file_order;
use bpfast::{Activation, Cost, Error, Result};

use super::{architecture, fail_each_allocation, try_each_limit};

/// A file that is removed at the end.
struct Gone(PathBuf);

impl Gone {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("bpfast-memory-{}-{name}", std::process::id())))
    }
}

impl Drop for Gone {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// What the system has no memory for counts as any other.
fn memory<R>(outcome: safetensors::Result<R>) -> Result<()> {
    match outcome {
        Ok(_) => Ok(()),
        Err(FileError::Refused(error)) => Err(error),
        Err(FileError::System(error)) => {
            assert_eq!(error.kind(), ErrorKind::OutOfMemory, "{error}");
            Err(Error::memory("the system", error))
        }
    }
}

pub fn tensors() {
    let file = Gone::new("tensors");
    let numbers = vec![0.5_f64; 200_000];
    let tensors: Vec<_> = (0..300)
        .map(|k| Tensor {
            name: format!("{k}").repeat(9),
            shape: vec![if k == 0 { numbers.len() } else { 1 }],
            numbers: f64::borrow(if k == 0 { &numbers } else { &numbers[..1] }),
        })
        .collect();
    let metadata = BTreeMap::from([("text".to_owned(), "\"".repeat(50_000))]);
    let mut copies: Vec<_> = (0..4000).map(|_| metadata.clone()).collect();
    try_each_limit("tensors are written", || {
        let metadata = copies.pop().expect("enough of them");
        memory(safetensors::write(
            &file.0,
            &tensors,
            metadata,
            &CancelToken::none(),
        ))
    });
    try_each_limit("a header is read", || memory(Reader::open(&file.0)));
    let reader = Reader::open(&file.0).expect("a file");
    fail_each_allocation("tensors are read", || {
        memory(reader.tensor(0, &CancelToken::none()))
    });
}

pub fn networks() {
    let file = Gone::new("network");
    let sizes: Vec<usize> = [700, 300].into_iter().chain([1; 300]).collect();
    let architecture = architecture(&sizes, Activation::Sigmoid, Cost::Quadratic);
    let params = vec![0.5_f64; architecture.n_params()];
    fail_each_allocation("parameters in rows", || {
        to_file_order(&architecture, &params, &CancelToken::none()).map(|_| ())
    });
    try_each_limit("a network is written", || {
        memory(network_file::write(
            &file.0,
            &architecture,
            &params,
            &CancelToken::none(),
        ))
    });
    let mut params = params.clone();
    try_each_limit("a network is read", || {
        memory(Reader::open(&file.0).and_then(|reader| {
            let mut saved = NetworkFile::open(reader)?;
            let architecture = saved.architecture(Cost::Quadratic)?;
            saved.read(&architecture, &mut params, &CancelToken::none())
        }))
    });
}
