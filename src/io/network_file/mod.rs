//! Network files: the configuration as text, and each W^l and b^l as a tensor in the shape that users see.
//! A checkpoint also has the state of the training.

mod config;
pub mod format;
mod tensors;

use std::collections::BTreeMap;
use std::path::Path;

use crate::base::alloc::check_available;
use crate::base::cancel::CancelToken;
use crate::base::error::{Error, Result};
use crate::io::crc32::Crc32;
use crate::io::network_file::config::{FileConfig, configuration};
use crate::io::network_file::format::{CHECKPOINT, NETWORK, VERSION};
use crate::io::network_file::tensors::{biases_name, find, weights_name};
use crate::io::safetensors::{self, Dtype, Reader, Tensor, TensorElement};
use crate::io::transpose::transpose;
use crate::model::activation::Activation;
use crate::model::architecture::{Architecture, Layer};
use crate::model::cost::Cost;

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

/// The configuration of a network, in JSON.
///
/// # Errors
/// Memory runs out.
pub fn config_text(architecture: &Architecture, dtype: &str) -> Result<String> {
    let layers = architecture.layers();
    check_available("config", layers.len().saturating_mul(PER_LAYER))?;
    let (last, hidden) = (layers.len() - 1, &layers[..layers.len() - 1]);
    let config = FileConfig {
        sizes: architecture.sizes().to_vec(),
        hidden: hidden.iter().map(|l| l.activation.to_string()).collect(),
        output: layers[last].activation.to_string(),
        cost: architecture.cost().name().into(),
        dtype: dtype.into(),
        biases: (!layers.iter().all(Layer::has_biases))
            .then(|| layers.iter().map(Layer::has_biases).collect()),
    };
    serde_json::to_string(&config)
        .map_err(|error| Error::value("config", "what JSON can hold", error))
}

/// The names of W^l and b^l of each layer; None for a layer without biases.
///
/// # Errors
/// Memory runs out.
pub fn tensor_names(architecture: &Architecture) -> Result<Vec<(String, Option<String>)>> {
    let layers = architecture.layers();
    check_available("tensors", layers.len().saturating_mul(PER_LAYER))?;
    let of_layer = |(k, layer): (usize, &Layer)| {
        let biases = layer.has_biases().then(|| biases_name(k));
        (weights_name(k), biases)
    };
    Ok(layers.iter().enumerate().map(of_layer).collect())
}

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
    let config = config_text(architecture, dtype_name(T::DTYPE))?;
    let mut check = Crc32::default();
    check.add(config.as_bytes());
    for (k, layer) in architecture.layers().iter().enumerate() {
        add_layer(
            &mut check,
            (k, layer),
            &rows[layer.weights.clone()],
            &rows[layer.biases.clone()],
            cancel,
        )?;
    }
    let metadata = BTreeMap::from([
        ("format".to_owned(), NETWORK.to_owned()),
        ("format_version".to_owned(), VERSION.to_string()),
        ("config".to_owned(), config),
        ("check".to_owned(), check.text()),
    ]);
    let parts = architecture
        .layers()
        .iter()
        .enumerate()
        .flat_map(|(k, layer)| {
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

/// Adds W^l and b^l of a layer to a checksum; `biases` is empty for a layer without.
fn add_layer<T: TensorElement>(
    check: &mut Crc32,
    (k, layer): (usize, &Layer),
    weights: &[T],
    biases: &[T],
    cancel: &CancelToken<'_>,
) -> safetensors::Result<()> {
    let shape = [layer.n_out, layer.n_in];
    check.add_tensor(&weights_name(k), &shape, weights, cancel)?;
    if layer.has_biases() {
        check.add_tensor(&biases_name(k), &shape[..1], biases, cancel)?;
    }
    Ok(())
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

    /// Whether the file also has the state of a training.
    pub fn is_checkpoint(&self) -> bool {
        let format = self.reader.header().metadata.get("format");
        format.is_some_and(|format| format == CHECKPOINT)
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
    /// The file cannot be read or is damaged, memory runs out, or the call is cancelled.
    pub fn read<T: TensorElement>(
        &mut self,
        architecture: &Architecture,
        params: &mut [T],
        cancel: &CancelToken<'_>,
    ) -> safetensors::Result<()> {
        let mut check = Crc32::default();
        check.add(self.text("config").unwrap_or_default().as_bytes());
        let layers = architecture.layers().iter().enumerate();
        for ((k, layer), &(weights, biases)) in layers.zip(&self.tensor_indices) {
            let rows = self.reader.numbers(weights, cancel)?;
            transpose(
                &rows,
                &mut params[layer.weights.clone()],
                layer.n_in,
                cancel,
            )?;
            let biases = match biases {
                Some(biases) => self.reader.numbers(biases, cancel)?,
                None => Vec::new(),
            };
            params[layer.biases.clone()].copy_from_slice(&biases);
            add_layer(&mut check, (k, layer), &rows, &biases, cancel)?;
        }
        self.refuse_damage(&check.text())
    }

    /// # Errors
    /// The file has another checksum than `found`. A file of an older version has none; that of a checkpoint is
    /// over all of it, and not checked here.
    fn refuse_damage(&self, found: &str) -> safetensors::Result<()> {
        match self.text("check") {
            Some(claimed) if claimed != found && !self.is_checkpoint() => {
                let expected = format!("{found} for what is in the file");
                let hint = "if the file was changed on purpose, remove check from its metadata";
                let error = Error::value("check", expected, format!("{claimed}; {hint}"));
                Err(error.at(self.path().display()).into())
            }
            _ => Ok(()),
        }
    }

    /// A text of the metadata.
    fn text(&self, key: &str) -> Option<&str> {
        let metadata = &self.reader.header().metadata;
        metadata.get(key).map(String::as_str)
    }
}
