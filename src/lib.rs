//! chinwag: a chat server that runs on one thread and one `mio` poll loop. Anyone can join it with
//! `nc` or `telnet`.
//!
//! # Floor plan
//!
//! | folder | what it holds | what it must not know |
//! | --- | --- | --- |
//! | [`core`] | the whole server without sockets: bytes and time in, bytes out | sockets, clocks, files, threads |
//! | [`server`] | the loop: sockets, signals, files, the log | what a line means |
//! | [`accounts`] | the helper process that hashes passwords and keeps accounts | users, the loop |
//! | [`client`] | the terminal client: `ui` is pure, `io` has the loop and the terminal | the server's code |
//! | [`check`] | `chinwag check`: grades any server from outside | this server's code |
//! | [`peers`] | the loop of simulated people: pure state machines, and the poll that carries them | what a line means |
//! | [`crowd`], [`attack`] | `chinwag crowd`, `chinwag attack`: the people, the attackers and their reports | the chat and its state |
//! | [`demo`] | `chinwag demo`: server, crowd, attacks and view in one terminal, as processes | the loop |
//! | [`watch`] | `chinwag watch`: `view` is pure, `io` has the loop and the terminal | the server's code |
//! | [`cli`] | arguments, manual page, `chinwag ctl` | |
//!
//! The core is deterministic: the same calls give the same output. So the whole chat runs in a test,
//! from a seed, for millions of steps. `tests/tidy.rs` checks that no pure folder names an impure one.
//!
//! # The loop
//!
//! `Server::turn` in `src/server.rs` is one turn: *wait* for readiness or a deadline · *record* what
//! the events report · *accept* new connections · *read* each readable socket once and pass the bytes
//! to the exchange · *serve* the consoles · *fire* timeouts · *act*: drain, write, end, close. Light
//! input is read first (`read_queue.rs`), and a large room takes a bounded share of a turn. Sockets are
//! closed only in the last step. A socket that is closed earlier could pass its slab key to a new
//! connection while an old event with that key is still in the batch.
//!
//! # One message, in eight hops
//!
//! Anna types `hello`, and Bert reads `anna: hello`:
//!
//! 1. `Server::turn` wakes up: Anna's socket is readable.
//! 2. `Connection::read` reads once, into the one buffer that serves all connections.
//! 3. [`core::exchange::Exchange::handle_received`] asks whether Anna's input may be processed. It must
//!    wait while Bert has too much unread output.
//! 4. [`core::chat::Chat::route`] finds Anna in the state `Chatting { with: bert }`.
//! 5. [`core::framing::LineReader::next`] finds the line `hello` inside the read buffer.
//! 6. [`core::chat::Route::message`] finds that the line is a message and not a command.
//! 7. [`core::buffers::Outbox::push`] appends `anna: hello` to the bytes that wait for Bert.
//! 8. `Connection::write` writes it at the end of the turn, with everything else for Bert.
//!
//! Hops 5 to 7 repeat for each line of one read. No hop allocates memory, and no hop depends on how
//! many users are connected. A command goes to [`core::chat::Chat::handle_input`] instead, and its
//! results come out of [`core::chat::Chat::poll_output`]. On a connection that is not plain TCP, a
//! [`core::transport::Transport`] decodes the bytes before hop 3 and encodes them before hop 8.
//!
//! # One line in a room
//!
//! Hops 1 to 3 are the same. Then:
//!
//! 4. [`core::chat::Chat::handle_input`] finds Anna in the state `InRoom`; `Command` parses the
//!    line.
//! 5. The room command writes `anna: hello` once, as [`core::chat::Output::Publish`]. The room's
//!    history keeps it, and [`core::chat::Output::Record`] asks the shell to store it.
//! 6. `Endpoints::publish` appends it to the room's broadcast log, once for all members.
//! 7. `HistoryStore::append` stores the records of the turn before any member can read them.
//! 8. `Connection::write` writes to each member from the log.
//!
//! # One operator command
//!
//! `server/console.rs` reads a line · [`core::operator::OperatorCommand::parse`] parses it ·
//! `server/operator_commands.rs` executes it, through `operator_actions.rs` in the exchange and in the
//! chat · [`core::operator::Answer`] becomes text or JSON.
//!
//! # Who watches
//!
//! `server/watching.rs` takes the time of each step while an operator watches, and makes the lines of
//! `watch`; [`core::exchange::Hop`] knows the places of the hops above, and a test looks each of them
//! up. [`watch::view`] draws the lines. `watching/teaching.rs` holds the loop between two steps.
//!
//! # Glossary
//!
//! | word | meaning |
//! | --- | --- |
//! | connection | a socket and its buffers |
//! | session | the conversation of one connection, from connect to close |
//! | user | a session that has a username |
//! | request | an unanswered wish to chat; one user *asks* another |
//! | chat, partner | two users who are paired; each is the other's partner |
//! | room, member | a group conversation and a user in it |
//! | message | a line that a user sends to a partner or a room |
//! | state | what a session is doing: NAMING, SIGNING IN, MENU, CHOOSING, ASKING, ASKED, CHATTING, IN ROOM, PASSWORD |
//! | account | a registered username and its password |
//! | status | what other users see of it: available, busy, chatting with somebody |
//! | frame | one unit that the framing finds in a byte stream: a line, or a telnet command |
//! | transport | what encodes the bytes of a connection: nothing (TCP), TLS, WebSocket, or both |
//! | opening | a connection without a session yet, because its transport is not ready |
//! | exchange | joins framing, chat and outboxes; applies backpressure |
//! | outbox | bytes that wait for one connection |
//! | broadcast log, cursor | the lines of a room, stored once; a reader's position in it |
//! | held input | received bytes that must wait for backpressure or a rate limit |
//! | hold | the reason why input must wait; also, of the loop: to let it wait between two steps |
//! | high-water mark | outbox size above which the partner's input is held |
//! | history | the last lines that were sent to a room |
//! | refusal | a `!` line: what was wrong; nothing was done |
//! | rejection | a connection that is refused before its session begins |
//! | turn | one pass of the loop |
//! | operator, console | a person who may administer the server, and the socket for that |

pub mod accounts;
pub mod attack;
pub mod check;
pub mod cli;
pub mod client;
pub mod core;
pub mod crowd;
pub mod demo;
pub mod peers;
pub mod server;
pub mod watch;
