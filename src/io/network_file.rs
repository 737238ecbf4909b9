//! Network files: the configuration as text, and each W^l and b^l as a tensor in the shape that users see.
//! A checkpoint also has the state of the training.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::base::alloc::check_available;
use crate::base::cancel::CancelToken;
use crate::base::error::{Error, Result};
use crate::io::safetensors::{self, Dtype, Reader, Tensor, TensorElement};
use crate::io::transpose::transpose;
use crate::model::activation::Activation;
use crate::model::architecture::{Architecture, Layer};
use crate::model::cost::Cost;

/// The value of the metadata key `format`.
const FORMAT: &str = "bpfast.network";

/// The same for checkpoints, which `python/bpfast/_training/checkpoint/file.py` writes.
const CHECKPOINT: &str = "bpfast.checkpoint";

/// The same for ensembles, which `python/bpfast/_many/ensemble/file.py` writes.
const ENSEMBLE: &str = "bpfast.ensemble";

/// The prefix of the tensors in a checkpoint that are not the network's.
const TRAINING_PREFIX: &str = "training.";

/// Advice for tensors of other programs.
const TENSORS: &str = "read it with bpfast.formats.from_torch if it is a state_dict of PyTorch, else with \
    safetensors.numpy.load_file, and pass weights of shape (outputs, inputs) and biases to \
    Network.from_parameters";

/// The version of both formats, under the key `format_version`. Increased when older readers would misread
/// the new format.
const VERSION: u64 = 1;

/// The configuration, under the key `config`: the arguments of Python's `Network`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileConfig {
    sizes: Vec<usize>,
    hidden: Vec<String>,
    output: String,
    cost: String,
    dtype: String,
    /// Whether each layer has biases; all have, if this is missing, as in files of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    biases: Option<Vec<bool>>,
}

/// A network file whose configuration matches its tensors, which are not read yet.
#[derive(Debug)]
pub struct NetworkFile {
    reader: Reader,
    sizes: Vec<usize>,
    hidden: Vec<Activation>,
    output: Activation,
    has_biases: Option<Vec<bool>>,
    /// The indices of W^l and b^l of each layer in the header.
    tensor_indices: Vec<(usize, Option<usize>)>,
    /// The cost; [`Cost::Custom`] if the file cannot name it.
    pub cost: Cost,
    dtype: Dtype,
}

/// NumPy's name of a dtype that a network can have.
fn dtype_name(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::F32 => "float32",
        _ => "float64",
    }
}

/// More bytes than the names and shapes of a layer take.
const PER_LAYER: usize = 1 << 11;
/// More bytes than one byte of a configuration takes when parsed.
const PARSED: usize = 32;

/// Writes the network whose parameters are `rows`, from [`to_file_order`](crate::io::transpose::to_file_order).
///
/// # Errors
/// Those of [`safetensors::write`].
pub fn write<T: TensorElement>(
    path: &Path,
    architecture: &Architecture,
    rows: &[T],
    cancel: &CancelToken<'_>,
) -> safetensors::Result<()> {
    let layers = architecture.layers();
    check_available("config", layers.len().saturating_mul(PER_LAYER))?;
    let (last, hidden) = (layers.len() - 1, &layers[..layers.len() - 1]);
    let config = FileConfig {
        sizes: architecture.sizes().to_vec(),
        hidden: hidden.iter().map(|l| l.activation.to_string()).collect(),
        output: layers[last].activation.to_string(),
        cost: architecture.cost().name().into(),
        dtype: dtype_name(T::DTYPE).into(),
        biases: (!layers.iter().all(Layer::has_biases))
            .then(|| layers.iter().map(Layer::has_biases).collect()),
    };
    let config = serde_json::to_string(&config)
        .map_err(|error| Error::value("config", "what JSON can hold", error))?;
    let metadata = BTreeMap::from([
        ("format".to_owned(), FORMAT.to_owned()),
        ("format_version".to_owned(), VERSION.to_string()),
        ("config".to_owned(), config),
    ]);
    let parts = layers.iter().enumerate().flat_map(|(k, layer)| {
        let weights = Tensor {
            name: weights_name(k),
            shape: vec![layer.n_out, layer.n_in],
            numbers: T::borrow(&rows[layer.weights.clone()]),
        };
        let biases = layer.has_biases().then(|| Tensor {
            name: biases_name(k),
            shape: vec![layer.n_out],
            numbers: T::borrow(&rows[layer.biases.clone()]),
        });
        std::iter::once(weights).chain(biases)
    });
    safetensors::write(path, &parts.collect::<Vec<_>>(), metadata, cancel)
}

fn weights_name(k: usize) -> String {
    format!("weights.{k}")
}

fn biases_name(k: usize) -> String {
    format!("biases.{k}")
}

impl NetworkFile {
    /// The network in the file of `reader`.
    ///
    /// # Errors
    /// The file is of another kind or a newer version, or its configuration is invalid or does not match
    /// its tensors.
    pub fn open(reader: Reader) -> Result<Self> {
        let at = |error: Error| error.at(reader.path().display());
        let config = configuration(&reader).map_err(at)?;
        let dtype = match config.dtype.as_str() {
            "float32" => Dtype::F32,
            "float64" => Dtype::F64,
            name => {
                return Err(at(Error::unknown_name(
                    "dtype",
                    name,
                    &["float32", "float64"],
                )));
            }
        };
        let hidden = config.hidden.iter().enumerate();
        let hidden = hidden
            .map(|(k, name)| Activation::hidden_from_name(format_args!("hidden[{k}]"), name))
            .collect::<Result<_>>()
            .map_err(at)?;
        let output = Activation::from_name("output", &config.output).map_err(at)?;
        let cost = match config.cost.as_str() {
            name if name == Cost::Custom.name() => Cost::Custom,
            name => Cost::from_name("cost", name).map_err(at)?,
        };
        let has_biases = config.biases.as_deref();
        let tensor_indices = find(&reader, &config.sizes, has_biases, dtype).map_err(at)?;
        Ok(Self {
            reader,
            sizes: config.sizes,
            hidden,
            output,
            has_biases: config.biases,
            tensor_indices,
            cost,
            dtype,
        })
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        self.reader.path()
    }

    /// Whether its parameters are float32; else they are float64.
    pub fn is_float32(&self) -> bool {
        self.dtype == Dtype::F32
    }

    /// The architecture, with `cost` in place of the file's.
    ///
    /// # Errors
    /// Those of [`Architecture::new`].
    pub fn architecture(&self, cost: Cost) -> Result<Architecture> {
        Architecture::new(&self.sizes, &self.hidden, self.output, cost)
            .and_then(|architecture| match &self.has_biases {
                Some(has_biases) => architecture.with_biases(has_biases),
                None => Ok(architecture),
            })
            .map_err(|error| error.at(self.reader.path().display()))
    }

    /// Reads the parameters of `architecture`, which [`Self::architecture`] returned, of the type that
    /// [`Self::is_float32`] names.
    ///
    /// # Errors
    /// The file cannot be read, memory runs out, or the call is cancelled.
    pub fn read<T: TensorElement>(
        &mut self,
        architecture: &Architecture,
        params: &mut [T],
        cancel: &CancelToken<'_>,
    ) -> safetensors::Result<()> {
        for (layer, &(weights, biases)) in architecture.layers().iter().zip(&self.tensor_indices) {
            let rows = self.reader.numbers(weights, cancel)?;
            transpose(
                &rows,
                &mut params[layer.weights.clone()],
                layer.n_in,
                cancel,
            )?;
            if let Some(biases) = biases {
                let numbers = self.reader.numbers(biases, cancel)?;
                params[layer.biases.clone()].copy_from_slice(&numbers);
            }
        }
        Ok(())
    }
}

/// The configuration in a file.
///
/// # Errors
/// The file is of another kind or a newer version, or its configuration is invalid.
fn configuration(reader: &Reader) -> Result<FileConfig> {
    let text = |key: &str| reader.header().metadata.get(key).map(String::as_str);
    let expected = "a network that bpfast saved";
    match text("format") {
        Some(FORMAT | CHECKPOINT) => {}
        other => {
            let got = match other {
                Some(format) => format!("'{format}'"),
                None => "none".to_owned(),
            };
            let hint = match other {
                Some(ENSEMBLE) => "read the networks of an ensemble with bpfast.Ensemble.load",
                _ => TENSORS,
            };
            return Err(Error::value("format", expected, format!("{got}; {hint}")));
        }
    }
    let expected = format!("{VERSION}, or an earlier one");
    let version = text("format_version").unwrap_or_default();
    match version.parse::<u64>() {
        Ok(1..=VERSION) => {}
        Ok(VERSION..) => {
            let got = format!("{version}: a newer bpfast wrote the file");
            return Err(Error::value("format_version", expected, got));
        }
        _ => {
            let got = format!("'{version}'");
            return Err(Error::value("format_version", expected, got));
        }
    }
    let expected = "the configuration of a network";
    let Some(config) = text("config") else {
        return Err(Error::value("config", expected, "none"));
    };
    // serde also takes a list of the values, and names the struct in its errors.
    if !config.trim_ascii_start().starts_with('{') {
        return Err(Error::value("config", expected, "no JSON object"));
    }
    check_available("config", config.len().saturating_mul(PARSED))?;
    serde_json::from_str(config).map_err(|error| Error::value("config", expected, error))
}

/// The indices of W^l and b^l of each layer in the header.
///
/// # Errors
/// The tensors do not match `sizes`. Until this succeeds, `sizes` is unverified and may be arbitrarily
/// large.
fn find(
    reader: &Reader,
    sizes: &[usize],
    has_biases: Option<&[bool]>,
    dtype: Dtype,
) -> Result<Vec<(usize, Option<usize>)>> {
    let tensors = &reader.header().tensors;
    check_available("tensors", tensors.len().saturating_mul(PER_LAYER))?;
    let indices: BTreeMap<_, _> = (0..).zip(tensors).map(|(k, (name, _))| (name, k)).collect();
    let layers = sizes.len().saturating_sub(1);
    let has_biases = |k: usize| has_biases.is_none_or(|has| has.get(k) == Some(&true));
    let find_tensor = |name: String, shape: &[usize]| {
        let Some(&index) = indices.get(&name) else {
            return Err(Error::value(name, "a tensor of this name", "none"));
        };
        let info = &tensors[index].1;
        if info.shape != shape {
            return Err(Error::shape(name, shape, &info.shape));
        }
        if info.dtype != dtype {
            return Err(Error::value(name, format!("dtype {dtype}"), info.dtype));
        }
        Ok(index)
    };
    let layer = |(k, pair): (usize, &[usize])| {
        let weights = find_tensor(weights_name(k), &[pair[1], pair[0]])?;
        let biases = has_biases(k).then(|| find_tensor(biases_name(k), &[pair[1]]));
        Ok((weights, biases.transpose()?))
    };
    let found: Vec<_> = sizes
        .windows(2)
        .enumerate()
        .map(layer)
        .collect::<Result<_>>()?;
    let used: BTreeSet<_> = found
        .iter()
        .flat_map(|&(weights, biases)| std::iter::once(weights).chain(biases))
        .collect();
    let has_more = reader.header().metadata.get("format").map(String::as_str) == Some(CHECKPOINT);
    let is_of_training = |name: &str| has_more && name.starts_with(TRAINING_PREFIX);
    let is_other = |k: usize| !used.contains(&k) && !is_of_training(&tensors[k].0);
    if let Some(k) = (0..tensors.len()).find(|&k| is_other(k)) {
        let expected = format!("tensors of {layers} layers, as its configuration says");
        let got = format!("'{}' too", tensors[k].0);
        return Err(Error::value("tensors", expected, got));
    }
    Ok(found)
}
