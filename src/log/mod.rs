//! Files and the bytes in them. The pure part (`cursor`, `lines`, `encode`, `record`, `filter`, `redact`, `tally`) knows no files,
//! threads or clocks; the other modules are plain blocking code over `std`.

pub mod cursor;
pub mod decode;
pub mod encode;
pub mod filter;
pub mod index;
pub mod ledger;
pub mod lines;
pub mod logfile;
pub mod map;
pub mod private;
pub mod record;
pub mod redact;
pub mod rotated;
pub mod said;
pub mod sample;
pub mod search;
pub mod seek;
pub mod segment;
pub mod shown;
pub mod source;
pub mod spool;
pub mod tally;
pub mod wide;
