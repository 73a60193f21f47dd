//! WuKongIM's HTTP API.
