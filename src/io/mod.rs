//! Networks and tensors in files.

pub mod network_file;
pub mod safetensors;
pub mod transpose;
