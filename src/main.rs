//! The program: reads the command line, does what it says, and ends with a code that scripts act on.

use std::io::{self, Write};
use std::process::ExitCode;

use subops::cli::{self, CliError, Exit};
use subops::commands::{self, Failure};

/// A row comes with some fifty small allocations and goes with them, and the C library's allocator was a tenth of what a
/// run costs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    run().into()
}

fn run() -> Exit {
    let invocation = match cli::parse_from(std::env::args_os()) {
        Ok(invocation) => invocation,
        Err(error) => return show(&error),
    };
    commands::dispatch(invocation).unwrap_or_else(|(failure, json)| tell(&failure, json))
}

fn show(error: &CliError) -> Exit {
    let rendered = error.render();
    write(&rendered.stdout, &rendered.stderr);
    error.exit()
}

fn tell(failure: &Failure, json: bool) -> Exit {
    match &failure.screen {
        Some((_, object)) if json => write(object, ""),
        Some((text, _)) => write("", text),
        None => {
            let rendered = cli::render_error(&failure.message, failure.hint.as_deref(), failure.exit, json);
            write(&rendered.stdout, &rendered.stderr);
        }
    }
    failure.exit
}

/// Whoever does not read what we say has gone; the exit code tells the rest.
fn write(stdout: &str, stderr: &str) {
    let said = io::stdout().write_all(stdout.as_bytes()).and_then(|()| io::stderr().write_all(stderr.as_bytes()));
    if said.is_err() {
        tracing::debug!("nobody listens");
    }
}
