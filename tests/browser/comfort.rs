//! comfort
