//! Words to the person at the terminal. When nobody listens any more (`crosstalk … | head`), they
//! are lost and nothing else.

/// Writes one line to standard output.
macro_rules! say {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($words)*);
    }};
}

pub(crate) use say;
