//! Router-level tests of the REST interface.
