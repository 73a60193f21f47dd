//! Routes around the interfaces themselves: problems, limits, health, metrics, documentation.
