//! The WuKongIM dialect (`wukong.md`).
//!
//! [`binary`] is the framed protocol of TCP and of binary WebSocket messages;
//! [`reason`] holds the result codes that all its encodings share. The module
//! does not know users, channels or permissions: it moves fields, it never
//! judges them.

pub mod binary;
pub mod reason;
