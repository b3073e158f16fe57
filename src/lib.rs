//! A chat server that one thread and one `mio` poll loop carry, for tens of thousands of people at
//! once, and that anyone can join with nothing but `nc` or `telnet`.
//!
//! # Two halves
//!
//! The **core** knows lines, people and time, and neither sockets nor clocks: bytes go in, bytes come
//! out, and the same input gives the same output, always. So the whole chat runs in a test, from a
//! seed, millions of steps, without a socket. The **shell** knows sockets and the clock, and turns
//! readiness into calls of the core. It names the core, the core never names it; `tests/tidy.rs` holds
//! the wall up.
//!
//! | core | | shell | |
//! | --- | --- | --- | --- |
//! | [`core::chat`] | who is here, who talks with whom, what they are told | [`server`] | the loop, and its sockets |
//! | [`core::framing`] | bytes ⇄ lines: telnet, framing, text safety, output buffers | [`cli::args`] | the command line |
//! | [`core::exchange`] | joins the two, and holds the rule of backpressure | [`cli::ctl`] | one order to a server's console |
//! | [`core::operator`] | what an operator may order, and how it is answered | | |
//! | [`core::limits`], [`core::time`] | every bound; milliseconds, and deadlines | [`client`] | the terminal client |
//!
//! # The loop, in seven steps
//!
//! `Server::turn` in `src/server.rs`: *wait* for readiness or the next deadline · *note* what the
//! events say · *accept* whoever came · *read* each readable socket once, and hand its lines to the
//! chat · let happen what is *due* · *write* to each socket what was said in this turn, all at once ·
//! *close* what is over. Nothing is closed earlier, so that no slab key changes hands within a batch of
//! events.
//!
//! # One message, in eight hops
//!
//! `A` types `hello`, and `B` reads `A: hello`:
//!
//! 1. `Server::turn` wakes: the socket of A is readable.
//! 2. `Connection::read` reads it once, into the one buffer that serves everybody.
//! 3. [`core::exchange::Exchange::handle_received`] asks whether A may be heard: not while B has too much to read.
//! 4. [`core::chat::Chat::pipe`] finds A in the phase `Chatting { with: B }`: what A says goes to B.
//! 5. [`core::framing::LineReader::next`] finds `hello` where it lies in that buffer.
//! 6. [`core::chat::Route::relay`] finds that it is a text, and no command: [`core::chat::ChatMessage`] is `A: hello`.
//! 7. [`core::framing::Outbox::push`] appends that to what waits for B.
//! 8. `Connection::write` writes it, at the end of the turn, with all else that was said to B.
//!
//! Hops 5 to 7 are gone through again for each line of what was read. No hop allocates, and none asks
//! how many others are connected. Anything but a text goes to [`core::chat::Chat::handle_input`] instead, and
//! what comes of it out of [`core::chat::Chat::poll_output`].
//!
//! # One line in a room
//!
//! `A` types `hello`, and everybody in the room reads `A: hello`. It comes in by hops 1 to 3, and then:
//!
//! 4. [`core::chat::Chat::handle_input`] finds A in the phase `InRoom`; what the line is, `RoomCommand` says.
//! 5. `Chat::speak` writes `A: hello` once, into [`core::chat::Output::Publish`]; the room's past keeps it, and
//!    [`core::chat::Output::Record`] asks for it to be written down.
//! 6. `Endpoints::publish` puts it into the room's feed, once, and lists everybody who is tuned in.
//! 7. `HistoryStore::append` writes the records of the turn to the file, before anybody can have read them.
//! 8. `Connection::write` writes to each of them from where the line lies in the feed.
//!
//! Who has not read to the end of the feed stands in it at a place of their own, and is moved on when
//! that is too far behind: so a slow reader costs no copy, and slows nobody.

pub mod cli;
pub mod client;
pub mod core;
pub mod server;
