//! Flow: following files and handing what they say to clients.
