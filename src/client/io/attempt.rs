//! One attempt to connect to one address: TCP, then TLS if the server was given so. `connection` goes
//! from address to address.

use mio::net::TcpStream;

use super::channel::Channel;
use super::socket::{is_connected, keep_alive};
use super::tls::TlsStream;
use super::trust::{Refusal, Trust};

/// How far an attempt has come.
#[derive(Debug)]
pub(super) enum Attempt {
    Tcp(TcpStream),
    Tls(Box<TlsStream>),
}

/// What became of an attempt for now.
pub(super) enum Progress {
    Waits(Attempt),
    Open(Channel),
}

impl Attempt {
    /// Goes on as far as possible. `trust` is `None` without TLS.
    pub(super) fn advance(
        self,
        trust: Option<&Trust>,
        is_ready: bool,
    ) -> Result<Progress, Refusal> {
        if !is_ready {
            return Ok(Progress::Waits(self));
        }
        let mut tls = match (self, trust) {
            (Attempt::Tcp(stream), _) if !is_connected(&stream)? => {
                return Ok(Progress::Waits(Attempt::Tcp(stream)));
            }
            (Attempt::Tcp(stream), None) => {
                keep_alive(&stream);
                return Ok(Progress::Open(Channel::Plain(stream)));
            }
            (Attempt::Tcp(stream), Some(trust)) => {
                keep_alive(&stream);
                Box::new(TlsStream::new(stream, trust).map_err(Refusal::Failed)?)
            }
            (Attempt::Tls(tls), _) => tls,
        };
        Ok(match tls.shake_hands()? {
            true => Progress::Open(Channel::Tls(tls)),
            false => Progress::Waits(Attempt::Tls(tls)),
        })
    }

    /// Why the attempt failed if its time is over.
    pub(super) fn lateness(&self) -> &'static str {
        match self {
            Attempt::Tcp(_) => "no answer",
            Attempt::Tls(_) => "no answer in the TLS handshake",
        }
    }
}
