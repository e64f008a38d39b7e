//! Flow: following files and handing what they say to clients.

pub mod archive;
pub mod around;
pub mod backlog;
mod blocks;
pub mod client;
pub mod feed;
pub mod follow;
pub mod followed;
pub mod growth;
pub mod histogram;
pub mod history;
pub mod indexed;
pub mod indexer;
pub mod lens;
pub mod live_view;
pub mod notices;
mod own_read;
pub mod pipe;
pub mod piped;
mod pool;
pub mod resume;
pub mod search;
pub mod source;
pub mod step;
pub mod vector;
pub mod view;
pub mod watch;
