//! Files of networks and tensors.

mod crc32;
pub mod network_file;
pub mod safetensors;
pub mod transpose;
