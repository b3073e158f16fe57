//! Whether others can read the connection, and what the user is told about it.
//!
//! `io` finds it out when the connection opens; the state machine shows it.

/// Who can read along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Privacy {
    /// Nothing leaves this machine.
    Local,
    /// Everybody on the way.
    None,
    /// Nobody: TLS.
    Tls {
        /// The version, such as `1.3`.
        version: &'static str,
        /// Who says that it is the right server.
        verified_by: String,
    },
}

impl Privacy {
    /// The text for the user, if there is something to say.
    #[must_use]
    pub fn notice(&self) -> Option<String> {
        match self {
            Privacy::Local => None,
            Privacy::None => Some("Not encrypted: others on the way can read along".to_owned()),
            Privacy::Tls { version, verified_by } => {
                Some(format!("Private: TLS {version}, verified by {verified_by}"))
            }
        }
    }
}
