//! Lines for spreadsheets.

/// Content type of a report.
pub(crate) const CONTENT_TYPE: &str = "text/csv; charset=utf-8";

/// A line of CSV.
pub(crate) fn line(cells: &[&str]) -> String {
    let cells: Vec<_> = cells.iter().map(|cell| quoted(cell)).collect();
    format!("{}\r\n", cells.join(","))
}

/// A cell. A leading `=`, `+`, `-`, `@`, tab or return is defused: spreadsheets would run it as a formula.
fn quoted(cell: &str) -> String {
    let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_cells_cannot_become_formulas() {
        assert_eq!(line(&["=1+1", "a \"b\""]), "\"'=1+1\",\"a \"\"b\"\"\"\r\n");
    }
}
