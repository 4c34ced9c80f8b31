//! http
/// Transport
#[derive(Clone)]
pub struct Transport;
