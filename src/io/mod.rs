//! Files of networks and tensors.

mod checksum;
pub mod network_file;
pub mod safetensors;
pub mod transpose;
