//! The helper process for accounts: hashing and storing would block the loop, and happen here.
//!
//! The server starts its own program again (`helper::run`), with one thread and one socket to talk
//! through (`wire`). The store is a file (`store`), and passwords become hashes (`password_hash`).
//! The server's side is `src/server/accounts.rs`; this process knows no user and no connection.

pub mod helper;
mod password_hash;
mod store;
pub mod wire;
