#![doc = "subops"]
pub mod contract;
pub mod http;
pub mod journal;
pub mod model;
