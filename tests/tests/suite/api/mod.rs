//! The quality of the REST interface as a whole: who may call which route, and that what the
//! served description says is true.

mod access;
mod examples;
mod fixture;
mod routes;
mod schema;
