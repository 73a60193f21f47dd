//! Router-level tests of this API.
