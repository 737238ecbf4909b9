//! Files of networks and tensors.

pub mod network_file;
pub mod safetensors;
pub mod transpose;
