#![doc = "subops"]
pub mod contract;
pub mod http;
pub mod model;
pub mod providers;
