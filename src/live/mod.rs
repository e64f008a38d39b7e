//! Flow: following files and handing what they say to clients.

pub mod archive;
pub mod client;
pub mod feed;
pub mod follow;
pub mod followed;
pub mod growth;
pub mod live_view;
mod own_read;
pub mod pipe;
pub mod piped;
pub mod resume;
pub mod source;
pub mod step;
pub mod vector;
pub mod view;
pub mod watch;
