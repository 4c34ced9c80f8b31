#!/usr/bin/env bash
# The long form of the soak: 100,000 rows through 1 % of every fault at once, then a provider that changes its limit. Writes
# tests/soak/report-<date>.md. Takes about ten minutes; SUBOPS_SOAK_ROWS says how many rows.
set -euo pipefail
cd "$(dirname "$0")/../.."
export SUBOPS_SOAK_ROWS=${SUBOPS_SOAK_ROWS:-100000}
exec cargo test --locked --release --test soak -- --nocapture long_form
