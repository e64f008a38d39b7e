//! Sample logs.
