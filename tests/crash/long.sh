#!/usr/bin/env bash
# The long form of the crash suite: 10,000 points and more, then the negative controls. Writes tests/crash/report-<date>.md.
# Takes about 25 minutes of two cores. SUBOPS_CRASH_POINTS says how many points; needs root and the tools of .ci/fault-tools.
set -euo pipefail
cd "$(dirname "$0")/../.."
export SUBOPS_CRASH_POINTS=${SUBOPS_CRASH_POINTS:-10000} SUBOPS_CRASH_CONTROLS=1 SUBOPS_REQUIRE_FAULT_TOOLS=1
cargo build --locked --release
export SUBOPS_PROGRAM=${CARGO_TARGET_DIR:-$PWD/target}/release/subops
exec cargo test --locked --test crash -- --nocapture long_form controls
