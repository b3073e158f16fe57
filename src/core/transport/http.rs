//! HTTP/1.1 (RFC 9112): hands out the page, and turns into WebSocket where a chat begins.
//!
//! A connection asks for documents, or upgrades at `/chat`. Only then does a session begin; a
//! connection that reads documents never is one. Requests that come without waiting (pipelining) are
//! answered in their order. The bodies of documents are never copied.

mod authority;
mod documents;
mod forwarded;
mod head_reader;
mod request;
mod response;
mod site;

use core::net::{IpAddr, SocketAddr};
use std::collections::VecDeque;
use std::rc::Rc;

use super::websocket::WebSocket;
use super::{Opening, Received, SessionEnd, Transport, TransportError};
use crate::core::limits::{HTTP_HEAD_MS, HTTP_REQUESTS_MAX, HTTP_RESPONSES_WAITING_MAX};
use crate::core::time::Time;
pub use authority::{NoOrigin, PageOrigin};
use head_reader::{HeadReader, Progress};
use request::Request;
use response::{Response, Status};
use site::{Reply, malformed};
pub use site::{Site, WebOptions, turned_away};

/// One HTTP connection.
#[derive(Debug)]
pub struct Http {
    site: Rc<Site>,
    /// The peer is a proxy that may say for whom it speaks.
    is_peer_trusted: bool,
    /// Responses that the socket has not taken, the oldest first.
    responses: VecDeque<Response>,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// Requests are read.
    Requests {
        head: HeadReader,
        /// Requests answered so far.
        answered: u32,
        /// When the next head must be complete.
        until: Time,
    },
    /// The last response is written; nothing more is read.
    Over { until: Time },
    /// The connection is a WebSocket one.
    Upgraded {
        socket: WebSocket,
        /// The client's address, if a trusted proxy told it.
        client: Option<SocketAddr>,
        /// The proxy speaks HTTPS with the client.
        is_https: bool,
    },
}

impl Http {
    /// A connection that `peer` has opened at `now`.
    #[must_use]
    pub fn new(now: Time, site: Rc<Site>, peer: IpAddr) -> Http {
        let until = now.after_ms(HTTP_HEAD_MS);
        Http {
            is_peer_trusted: site.trusts(peer),
            site,
            responses: VecDeque::new(),
            stage: Stage::Requests { head: HeadReader::default(), answered: 0, until },
        }
    }

    /// Reads requests and answers them, until `bytes` are used up or no further request may come.
    fn read_requests(&mut self, now: Time, bytes: &mut &[u8]) {
        while let Stage::Requests { head, answered, until } = &mut self.stage {
            let progress = head.read(&mut self.site.pool.borrow_mut(), bytes);
            let reply = match progress {
                Progress::Unfinished => return,
                Progress::RequestLine if Request::may_become_one(head.bytes()) => continue,
                Progress::RequestLine | Progress::NoRequest => {
                    Reply::LastResponse(malformed(Status::BadRequest))
                }
                Progress::TooLong => Reply::LastResponse(malformed(Status::HeadTooLarge)),
                Progress::Complete => {
                    *answered += 1;
                    *until = now.after_ms(HTTP_HEAD_MS);
                    // A client that sends requests and reads nothing must not fill the memory. After
                    // the close it sends its other requests again (RFC 9112, 9.3.2).
                    let is_last = *answered == HTTP_REQUESTS_MAX
                        || self.responses.len() + 1 == HTTP_RESPONSES_WAITING_MAX;
                    self.site.reply(head.bytes(), self.is_peer_trusted, is_last)
                }
            };
            head.clear(&mut self.site.pool.borrow_mut());
            match reply {
                Reply::Response(response) => self.responses.push_back(response),
                Reply::LastResponse(response) => {
                    self.responses.push_back(response);
                    self.stage = Stage::Over { until: now.after_ms(HTTP_HEAD_MS) };
                }
                Reply::Upgrade { response, client, is_https } => {
                    let socket = WebSocket::new(now, Rc::clone(&self.site.pool), &response);
                    self.stage = Stage::Upgraded { socket, client, is_https };
                }
            }
        }
    }
}

impl Transport for Http {
    fn receive(
        &mut self,
        now: Time,
        mut bytes: &[u8],
        input: &mut Vec<u8>,
    ) -> Result<Received, TransportError> {
        self.read_requests(now, &mut bytes);
        match &mut self.stage {
            Stage::Requests { .. } => Ok(Received::Data),
            Stage::Over { .. } => Ok(Received::EndOfInput),
            // A frame may have come together with the handshake.
            Stage::Upgraded { socket, .. } => socket.receive(now, bytes, input),
        }
    }

    fn send(&mut self, data: &[u8]) -> usize {
        match &mut self.stage {
            Stage::Upgraded { socket, .. } => socket.send(data),
            Stage::Requests { .. } | Stage::Over { .. } => 0,
        }
    }

    fn output(&self) -> &[u8] {
        match (self.responses.front(), &self.stage) {
            (Some(response), _) => response.unsent(),
            (None, Stage::Upgraded { socket, .. }) => socket.output(),
            (None, Stage::Requests { .. } | Stage::Over { .. }) => &[],
        }
    }

    fn handle_sent(&mut self, count: usize) {
        match (self.responses.front_mut(), &mut self.stage) {
            (Some(response), _) => {
                if response.take(count) {
                    self.responses.pop_front();
                    // An idle connection keeps no room for responses.
                    if self.responses.is_empty() {
                        self.responses = VecDeque::new();
                    }
                }
            }
            (None, Stage::Upgraded { socket, .. }) => socket.handle_sent(count),
            (None, Stage::Requests { .. } | Stage::Over { .. }) => {}
        }
    }

    fn close(&mut self) {
        if let Stage::Upgraded { socket, .. } = &mut self.stage {
            socket.close();
        }
    }

    fn is_end_clean(&self) -> bool {
        match &self.stage {
            Stage::Upgraded { socket, .. } => socket.is_end_clean(),
            Stage::Requests { .. } | Stage::Over { .. } => true,
        }
    }

    fn opening(&self) -> Opening {
        match &self.stage {
            Stage::Upgraded { client, .. } => Opening::Ready(*client),
            Stage::Requests { .. } | Stage::Over { .. } => Opening::Pending,
        }
    }

    fn is_private(&self) -> bool {
        matches!(self.stage, Stage::Upgraded { is_https: true, .. })
    }

    /// Only WebSocket carries a session, and the page has a field for passwords.
    fn hides_passwords(&self) -> bool {
        true
    }

    fn deadline(&self) -> Option<Time> {
        match &self.stage {
            Stage::Upgraded { socket, .. } => socket.deadline(),
            Stage::Requests { until, .. } | Stage::Over { until } => Some(*until),
        }
    }

    fn handle_timeout(&mut self, now: Time, is_read: bool) -> Result<Received, TransportError> {
        match &mut self.stage {
            Stage::Upgraded { socket, .. } => socket.handle_timeout(now, is_read),
            // The client still reads. A socket that takes nothing has a deadline of its own (7.17).
            Stage::Requests { until, .. } | Stage::Over { until } if !self.responses.is_empty() => {
                *until = now.after_ms(HTTP_HEAD_MS);
                Ok(Received::Data)
            }
            // Browsers connect in advance, and keep connections until the server closes them.
            Stage::Requests { head, .. } if head.bytes().is_empty() => Ok(Received::EndOfInput),
            Stage::Requests { .. } => Err(TransportError("no HTTP request in time")),
            Stage::Over { .. } => Ok(Received::EndOfInput),
        }
    }

    fn handle_session_end(&mut self, why: SessionEnd) {
        if let Stage::Upgraded { socket, .. } = &mut self.stage {
            socket.handle_session_end(why);
        }
    }
}

#[cfg(test)]
mod tests;
