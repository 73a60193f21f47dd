//! What each caller is told by each route: the lines of `routes.txt`.

/// A route, a request for it, and what callers are told.
pub(super) struct Route {
    /// As the description has it.
    pub(super) route: &'static str,
    /// The request's path. `@name` stands for a thing of the scene (`fixture`).
    pub(super) path: &'static str,
    /// The request's body.
    pub(super) body: Option<&'static str>,
    /// A letter for each of `fixture::CALLERS`.
    pub(super) expect: &'static str,
}

/// All rows.
pub(super) fn routes() -> Vec<Route> {
    let lines = include_str!("routes.txt").lines();
    let rows = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    rows.map(row).collect()
}

fn row(line: &'static str) -> Route {
    let cells: Vec<&str> = line.split(" | ").collect();
    let [route, path, body, expect] = cells[..] else {
        panic!("a row has four cells: {line}");
    };
    Route {
        route,
        path,
        body: (body != "-").then_some(body),
        expect,
    }
}
