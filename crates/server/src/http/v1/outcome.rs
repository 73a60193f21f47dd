//! What became of one of several that were asked for at once: its own members, and `error`.

use crosstalk_core::refusal::Refusal;
use serde::Serialize;
use utoipa::ToSchema;

use super::problem::Problem;

/// Why one was refused.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OutcomeError)]
pub(super) struct OutcomeError {
    /// The stable code, as in problems.
    code: &'static str,
    /// What is wrong.
    detail: String,
}

impl From<Problem> for OutcomeError {
    fn from(problem: Problem) -> Self {
        Self {
            code: problem.refusal.code(),
            detail: problem.why(),
        }
    }
}

impl From<Refusal> for OutcomeError {
    fn from(refusal: Refusal) -> Self {
        Problem::from(refusal).into()
    }
}
