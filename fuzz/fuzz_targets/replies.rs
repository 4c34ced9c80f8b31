//! Any bytes as a reply to any operation, through its real adapter: no panic, and nothing applied that was not said to be.
//!
//! The stand and the oracle are those of `tests/hostile`; `input.rs` there says what the bytes mean.

#![no_main]

use std::cell::OnceCell;

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/hostile/input.rs"]
mod input;
#[path = "../../tests/hostile/markup.rs"]
mod markup;
#[path = "../../tests/hostile/oracle.rs"]
mod oracle;
#[path = "../../tests/providers/rows.rs"]
mod rows;
#[path = "../../tests/providers/samples/mod.rs"]
mod samples;
#[path = "../../tests/hostile/stand.rs"]
mod stand;

thread_local!(static STANDS: OnceCell<Vec<stand::Stand>> = const { OnceCell::new() });

fuzz_target!(|bytes: &[u8]| {
    STANDS.with(|stands| {
        let stands = stands.get_or_init(stand::every);
        if let Some((stand, say)) = input::read(stands, bytes) {
            let (came, heard) = stand.perform(say.clone());
            heard.check(&came);
            drop(heard);
            stand.observe(say);
        }
    });
});
