#![doc = "subops"]
pub mod contract;
pub mod http;
pub mod input;
pub mod model;
