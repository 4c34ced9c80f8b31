#![doc = "subops"]
pub mod cli;
pub mod config;
pub mod contract;
pub mod http;
pub mod model;
