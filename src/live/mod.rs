//! Flow: following files and handing what they say to clients.

pub mod archive;
pub mod client;
pub mod feed;
pub mod follow;
pub mod followed;
pub mod growth;
pub mod live_view;
pub mod pipe;
pub mod resume;
pub mod vector;
pub mod watch;
