//! Files and the bytes in them.
