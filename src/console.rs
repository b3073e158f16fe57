//! What an operator may order, and how it is answered; `protocol.md` 7.
//!
//! Bytes become lines in [`OrderReader`], a line becomes an [`Order`], and what came of it an
//! [`Answer`], as text or as JSON. All of it is pure: who opened the console, and what an order
//! does, is the shell's (`src/server/operator.rs`); nothing here knows of sockets or the chat.

mod answer;
mod figures;
mod framing;
mod histogram;
mod order;

pub use answer::{Answer, Expiry, Form, Refused, Row, Said};
pub use figures::{Family, Figures, exposition, rows};
pub use framing::{Fault, HttpRequest, OrderReader};
pub use histogram::{Histogram, Snapshot, Unit};
pub use order::{Order, OrderFault, StopOrder, Whom, parse_network};
