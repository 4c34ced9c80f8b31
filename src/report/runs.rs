//! The list of runs as a table. Pure.

use serde::Serialize;

use super::format::{count, moment, printable, rfc3339, table};
use super::style::Style;
use crate::contract::Millis;
use crate::model::summary::RowCounts;

/// One run in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunLine {
    /// Its number.
    pub run: i64,
    /// Its job.
    pub job: String,
    /// `running`, `interrupted`, `halted` or `finished`.
    pub state: String,
    /// When it started.
    pub started: Millis,
    /// Its rows.
    pub rows: RowCounts,
}

/// The runs as a table, in the order given.
pub fn text(runs: &[RunLine], style: &Style) -> String {
    if runs.is_empty() {
        return "No run yet.\n".to_owned();
    }
    let header = ["run", "job", "state", "rows", "done", "failed", "in doubt", "open", "started"];
    let lines = runs.iter().map(|run| {
        let rows = &run.rows;
        vec![
            run.run.to_string(),
            printable(&run.job),
            printable(&run.state),
            count(rows.total),
            count(rows.applied + rows.already),
            count(rows.refused + rows.failed),
            count(rows.in_doubt),
            count(rows.held + rows.not_sent),
            moment(run.started, &style.zone),
        ]
    });
    table(&header, lines, &[0, 3, 4, 5, 6, 7], style.width)
}

#[derive(Serialize)]
struct RunJson<'a> {
    run: i64,
    job: &'a str,
    state: &'a str,
    started: String,
    rows: RowCounts,
}

/// The runs as JSON: `{"runs": […]}` on one line, and a line break.
pub fn to_json(runs: &[RunLine]) -> String {
    let runs: Vec<RunJson<'_>> = runs
        .iter()
        .map(|run| RunJson {
            run: run.run,
            job: &run.job,
            state: &run.state,
            started: rfc3339(run.started),
            rows: run.rows,
        })
        .collect();
    super::format::json(&serde_json::json!({ "runs": runs }))
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "what a test stands on must be there")]
mod tests {
    use super::*;

    fn run(number: i64, job: &str, in_doubt: u64) -> RunLine {
        RunLine {
            run: number,
            job: job.into(),
            state: "finished".into(),
            started: 1_795_400_047_000,
            rows: RowCounts { total: 1_000 + in_doubt, applied: 1_000, in_doubt, ..RowCounts::default() },
        }
    }

    #[test]
    fn a_table_of_runs() {
        let expected = "\
run  job      state      rows   done  failed  in doubt  open  started
  7  nightly  finished  1,001  1,000       0         1     0  2026-11-23 02:14:07Z
 12  weekly   finished  1,000  1,000       0         0     0  2026-11-23 02:14:07Z
";
        assert_eq!(text(&[run(7, "nightly", 1), run(12, "weekly", 0)], &Style::plain(90)), expected);
        assert_eq!(text(&[], &Style::plain(80)), "No run yet.\n");
    }

    #[test]
    fn for_machines() {
        let expected = concat!(
            r#"{"runs":[{"run":7,"job":"nightly","state":"finished","started":"2026-11-23T02:14:07Z","rows":{"total":1001,"#,
            r#""applied":1000,"already":0,"refused":0,"failed":0,"in_doubt":1,"held":0,"not_sent":0}}]}"#,
            "\n"
        );
        assert_eq!(to_json(&[run(7, "nightly", 1)]), expected);
    }
}
