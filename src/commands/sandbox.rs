//! `subops sandbox`: serves the local providers until it is told to stop.

use super::context::{Context, quoted, to_stdout};
use super::failure::Failure;
use crate::cli::{Exit, SandboxSettings};
use crate::sandbox::{self, SandboxOptions};

pub(super) fn run(context: &Context, settings: SandboxSettings) -> Result<Exit, Failure> {
    let usage = |error: &dyn std::fmt::Display| Failure::told(Exit::Usage, &error.to_string());
    let mut options = SandboxOptions { listen: settings.listen, ledger: settings.ledger, ..SandboxOptions::default() };
    if let Some(faults) = &settings.faults {
        options.faults = faults.parse().map_err(|error| usage(&error))?;
    }
    if let Some(latency) = &settings.latency {
        options.latency = latency.parse().map_err(|error| usage(&error))?;
    }
    if let Some(rate) = &settings.rate {
        options.rate = Some(rate.parse().map_err(|error| usage(&error))?);
    }
    options.seed = settings.seed.unwrap_or(options.seed);
    let sandbox = sandbox::start(options).map_err(|error| Failure::new(Exit::NotStarted, error.to_string()))?;
    announce(context, sandbox.url(), sandbox.environment())?;
    sandbox.wait();
    Ok(Exit::Success)
}

/// The URL on the first line, then the credentials as a shell takes them; or both in one object.
fn announce(context: &Context, url: &str, environment: &[(String, String)]) -> Result<(), Failure> {
    if context.output.json {
        let variables: serde_json::Map<String, serde_json::Value> =
            environment.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
        return to_stdout(&serde_json::json!({ "url": url, "environment": variables }).to_string());
    }
    let lines: String = environment.iter().map(|(name, value)| format!("export {name}={}\n", quoted(value))).collect();
    to_stdout(&format!("{url}\n{lines}"))
}
