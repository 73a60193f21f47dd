//! Tests of the store: the contracts of its ports, and what it promises beyond them.

mod contract;
