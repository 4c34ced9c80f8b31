//! `subops` applies a file of subscription operations to a payment provider, one HTTP call a row: rate-limited,
//! concurrent, restartable, and honest about what it does not know.
//!
//! The providers have no idempotency keys, and some operations add up: a membership extended twice has 60 days, a payment
//! refunded twice is money lost. So the intent is written down durably before each call, only proof makes "not applied",
//! and what cannot be known is named *in doubt*, verified by a read, or put before a person.
//!
//! # The map
//!
//! | room | what lives there | what it may name |
//! |---|---|---|
//! | [`model`] | the words of the domain and what may follow what; pure | nothing of ours |
//! | [`contract`] | the traits where rooms meet, and what is true after each method | `model`, the transport's type |
//! | [`engine`] | the executor: permits, intents, calls, outcomes, and what a failure means | `model`, `contract` |
//! | [`http`] | one request on the wire, and what is proven when it fails | `model` |
//! | [`providers`] | the registry, and one folder for each provider; never another provider | `model`, `contract`, `http` |
//! | [`journal`] | the SQLite file; the one writer | `model`, `contract` |
//! | [`input`] | CSV and JSONL, checked and counted while they stream | `model`, `contract` |
//! | [`config`] | job files, accounts, secrets, and which layer wins | `model`, `contract`, `http` |
//! | [`report`] | what a person sees, and the files that finance reads | `model`, `contract` |
//! | [`sandbox`] | the local stand-in for the providers, with its own ledger | ids and money only |
//! | [`commands`] | one file a command: settings in, wiring, summary out | all of these |
//! | [`cli`] | what was typed, what it means here, how the program ends | `model`, `config` |
//!
//! `tests/architecture.rs` holds the table against the source.
//!
//! # The way of one row
//!
//! [`input`] yields it; [`engine::plan`] decides between send, verify, skip and hold; the account's lane gives a permit
//! (subject, concurrency, gate, rate, not stopping); the [`journal`] commits the intent; one call is made; the journal
//! commits the outcome; the observers hear of it. No step goes back, and nothing but the engine repeats a call.

pub mod cli;
pub mod commands;
pub mod config;
pub mod contract;
pub mod engine;
pub mod http;
pub mod input;
pub mod journal;
pub mod model;
#[cfg(feature = "negative-controls")]
mod negative_controls;
pub mod providers;
pub mod report;
pub mod sandbox;
