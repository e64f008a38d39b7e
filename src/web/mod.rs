//! HTTP: one file per group of routes.
