#![doc = "subops"]
pub mod contract;
pub mod engine;
pub mod http;
pub mod model;
