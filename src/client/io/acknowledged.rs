//! Asks the kernel how many bytes of a TCP connection the peer has not acknowledged.
//!
//! Linux answers at a netlink socket (sock_diag(7)), which needs no `unsafe`, unlike the ioctl
//! SIOCOUTQ. On other systems there is no answer. `connection` then counts only the bytes that the
//! kernel has not taken.

use std::io;
use std::net::SocketAddr;

/// The socket for questions, opened with the first question.
#[derive(Debug, Default)]
pub(super) struct Acknowledged {
    #[cfg(target_os = "linux")]
    socket: Option<socket2::Socket>,
    /// The question about the present connection.
    #[cfg(target_os = "linux")]
    question: Vec<u8>,
}

#[cfg(not(target_os = "linux"))]
impl Acknowledged {
    /// There is no answer on this system.
    pub(super) fn bytes_missing(
        &mut self,
        _: impl FnOnce() -> io::Result<(SocketAddr, SocketAddr)>,
    ) -> Option<usize> {
        None
    }

    /// The next question will be about another connection.
    pub(super) fn forget(&mut self) {}
}

#[cfg(target_os = "linux")]
impl Acknowledged {
    /// The bytes that the kernel holds because the peer has not acknowledged them, or `None` if the
    /// kernel does not say. `addresses` gives both ends of the connection.
    pub(super) fn bytes_missing(
        &mut self,
        addresses: impl FnOnce() -> io::Result<(SocketAddr, SocketAddr)>,
    ) -> Option<usize> {
        use std::io::Read;

        if self.socket.is_none() {
            self.socket = linux::open().ok();
        }
        if self.question.is_empty() {
            let (local, peer) = addresses().ok()?;
            self.question = linux::question(local, peer);
        }
        let mut socket = self.socket.as_ref()?;
        let mut answer = [0; linux::ANSWER_BYTES_MAX];
        let sent = socket.send(&self.question);
        let count = sent.and_then(|_| socket.read(&mut answer)).ok()?;
        linux::send_queue(&answer[..count])
    }

    /// The next question will be about another connection.
    pub(super) fn forget(&mut self) {
        self.question.clear();
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::net::{IpAddr, SocketAddr};
    use std::time::Duration;

    use socket2::{Domain, Protocol, Socket, Type};

    // netlink(7), sock_diag(7), and the kernel's header linux/inet_diag.h.
    const AF_NETLINK: i32 = 16;
    const NETLINK_SOCK_DIAG: i32 = 4;
    const SOCK_DIAG_BY_FAMILY: u16 = 20;
    const NLM_F_REQUEST: u16 = 1;
    const IPPROTO_TCP: u8 = 6;
    const AF_INET: u8 = 2;
    const AF_INET6: u8 = 10;
    const HEADER_BYTES: usize = 16;
    const QUESTION_BYTES: usize = HEADER_BYTES + 56;
    /// Where the field `idiag_wqueue` of the answer begins.
    const SEND_QUEUE_AT: usize = HEADER_BYTES + 60;
    pub(super) const ANSWER_BYTES_MAX: usize = 1024;

    pub(super) fn open() -> io::Result<Socket> {
        let protocol = Some(Protocol::from(NETLINK_SOCK_DIAG));
        let socket = Socket::new(Domain::from(AF_NETLINK), Type::RAW, protocol)?;
        // The kernel answers within the call that sends. A kernel that does not must not hang the
        // client.
        socket.set_read_timeout(Some(Duration::from_millis(50)))?;
        Ok(socket)
    }

    /// The question about one connection (`struct inet_diag_req_v2`).
    pub(super) fn question(local: SocketAddr, peer: SocketAddr) -> Vec<u8> {
        let family = if local.is_ipv4() { AF_INET } else { AF_INET6 };
        let mut question = Vec::with_capacity(QUESTION_BYTES);
        question.extend(u32::try_from(QUESTION_BYTES).unwrap_or(0).to_ne_bytes());
        question.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        question.extend(NLM_F_REQUEST.to_ne_bytes());
        question.extend([0; 8]);
        question.extend([family, IPPROTO_TCP, 0, 0]);
        question.extend([u8::MAX; 4]);
        question.extend(local.port().to_be_bytes());
        question.extend(peer.port().to_be_bytes());
        for address in [local.ip(), peer.ip()] {
            let mut bytes = [0; 16];
            match address {
                IpAddr::V4(address) => bytes[..4].copy_from_slice(&address.octets()),
                IpAddr::V6(address) => bytes.copy_from_slice(&address.octets()),
            }
            question.extend(bytes);
        }
        // Any interface, and a connection whose cookie we do not know.
        question.extend([0; 4]);
        question.extend([u8::MAX; 8]);
        question
    }

    /// The send queue in an answer (`struct inet_diag_msg`). An error message has another type.
    pub(super) fn send_queue(answer: &[u8]) -> Option<usize> {
        let kind = answer.get(4..6)?;
        let bytes = answer.get(SEND_QUEUE_AT..SEND_QUEUE_AT + 4)?.try_into().ok()?;
        let is_answer = kind == SOCK_DIAG_BY_FAMILY.to_ne_bytes();
        is_answer.then(|| u32::from_ne_bytes(bytes)).and_then(|bytes| usize::try_from(bytes).ok())
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn bytes_that_the_peer_has_no_room_for_are_not_acknowledged() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (mut server, _) = listener.accept().unwrap();
            let mut acknowledged = Acknowledged::default();
            let addresses = (client.local_addr().unwrap(), client.peer_addr().unwrap());
            let mut missing = || acknowledged.bytes_missing(|| Ok(addresses));
            // A container may refuse the question. The client then does without the answer.
            if missing().is_none() {
                return;
            }
            client.write_all(b"hello\r\n").unwrap();
            server.read_exact(&mut [0; 7]).unwrap();
            while missing() != Some(0) {}
            client.set_nonblocking(true).unwrap();
            while client.write(&[b'x'; 65_536]).is_ok() {}
            assert!(missing().is_some_and(|bytes| bytes > 65_536));
        }
    }

    #[test]
    fn a_strange_answer_is_no_answer() {
        for answer in [&[][..], &[0; 200], &[20; 70]] {
            assert_eq!(linux::send_queue(answer), None);
        }
    }
}
