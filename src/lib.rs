#![doc = "subops"]
pub mod config;
pub mod contract;
pub mod http;
pub mod model;
