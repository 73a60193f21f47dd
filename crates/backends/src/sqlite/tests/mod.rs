//! Tests of the store beyond the contracts.
