//! A provider that changes its limit on the way, and nothing else: whether the rate finds the limit and stays below it.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Home, SandboxProcess, extensions};

/// What one limit saw.
#[derive(Debug)]
pub(crate) struct Phase {
    pub(crate) limit: u64,
    pub(crate) calls: u64,
    pub(crate) throttled: u64,
    pub(crate) took: Duration,
}

impl Phase {
    /// Calls that were taken, in percent of what the limit would have taken.
    pub(crate) fn achieved(&self) -> u64 {
        let possible = u128::from(self.limit) * self.took.as_millis() / 1000;
        u64::try_from(u128::from(self.calls - self.throttled) * 100 / possible.max(1)).unwrap_or(u64::MAX)
    }

    /// Throttled calls, in thousandths of all.
    pub(crate) fn throttled_in_thousand(&self) -> u64 {
        self.throttled * 1000 / self.calls.max(1)
    }
}

fn number(statistics: &Value, pointer: &str) -> u64 {
    statistics.pointer(pointer).and_then(Value::as_u64).unwrap_or(0)
}

/// Runs against these limits, one after the other. Each is looked at for so long, once `settling` has passed.
pub(crate) fn phases(configured: u64, limits: &[u64], settling: Duration, each: Duration) -> Vec<Phase> {
    let sandbox = SandboxProcess::start(["--latency", "1ms..4ms"]);
    let home = Home::with(&sandbox);
    let all = (settling + each) * u32::try_from(limits.len()).expect("a few");
    // More rows than can be sent: the run is interrupted.
    let rows = usize::try_from(configured * (all.as_secs() + 2)).expect("a number of rows");
    home.write("extend.csv", extensions(80_000_000, rows));
    home.write("extend.toml", "input = \"extend.csv\"\noperation = \"segpay.extend_membership\"\nverify = \"off\"\n");
    let settings = format!("rate = \"{configured}/s\"\nconcurrency = 64\n");
    home.write("subops.toml", format!("[accounts.segpay]\nprovider = \"segpay\"\n{settings}"));
    sandbox.control(&format!("{{\"rate\": \"{}/s\"}}", limits[0]));
    let mut program = home.spawn(["run", "extend.toml", "--json", "--progress", "none"]);
    while sandbox.requests() < 2 {
        assert!(program.try_wait().expect("it can be asked").is_none(), "it runs");
    }
    let mut found = Vec::new();
    for limit in limits {
        sandbox.control(&format!("{{\"rate\": \"{limit}/s\"}}"));
        std::thread::sleep(settling);
        let (before, since) = (sandbox.statistics(), Instant::now());
        std::thread::sleep(each);
        let after = sandbox.statistics();
        let grown = |pointer| number(&after, pointer) - number(&before, pointer);
        let (calls, throttled) = (grown("/requests"), grown("/status/429"));
        found.push(Phase { limit: *limit, calls, throttled, took: since.elapsed() });
    }
    program.kill().expect("it can be ended");
    program.wait().expect("it ends");
    found
}

/// Falls below half, and comes back: within seconds, and with few calls that are turned away.
#[test]
fn the_rate_finds_the_limit_and_stays_below_it() {
    let found = phases(200, &[80, 160], Duration::from_secs(4), Duration::from_secs(4));
    for phase in &found {
        assert!(phase.throttled_in_thousand() <= 50, "{found:?}");
        assert!((40..=102).contains(&phase.achieved()), "{found:?}");
    }
}
