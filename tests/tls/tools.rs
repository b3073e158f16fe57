//! Programs that speak TLS, and persons who use them. Each verifies the server's certificate.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use super::common::receiver::{Framing, Receiver};
use super::{Person, certificate, everything_printed_by, skip};

/// A program that connects through TLS.
#[derive(Clone, Copy)]
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    program: &'static str,
    /// What follows the program: `{HOST}` and other words in braces stand for values.
    arguments: &'static [&'static str],
}

pub(crate) const OPENSSL: Tool = Tool {
    name: "openssl s_client",
    program: "openssl",
    arguments: &[
        "s_client",
        "-quiet",
        "-verify_return_error",
        "-CAfile",
        "{CA}",
        "-connect",
        "{ADDRESS}",
    ],
};
pub(crate) const NCAT: Tool = Tool {
    name: "ncat --ssl",
    program: "ncat",
    arguments: &[
        "--ssl-verify",
        "--ssl-trustfile",
        "{CA}",
        "--ssl-servername",
        "localhost",
        "{HOST}",
        "{PORT}",
    ],
};
pub(crate) const SOCAT: Tool = Tool {
    name: "socat",
    program: "socat",
    arguments: &["-", "OPENSSL:{ADDRESS},cafile={CA},commonname=localhost"],
};
pub(crate) const GNUTLS: Tool = Tool {
    name: "gnutls-cli",
    program: "gnutls-cli",
    arguments: &[
        "--logfile=/dev/null",
        "--x509cafile={CA}",
        "--verify-hostname=localhost",
        "--port={PORT}",
        "{HOST}",
    ],
};

impl Tool {
    /// Whether the program is not installed, which is reported.
    pub(crate) fn is_missing(self) -> bool {
        let probe = Command::new(self.program).arg("--version").stdin(Stdio::null()).output();
        if probe.is_err() {
            skip(&format!("{} is not installed", self.program));
        }
        probe.is_err()
    }

    /// Starts the program, with pipes.
    pub(crate) fn starts(self, address: SocketAddr) -> Child {
        let mut command = Command::new(self.program);
        for argument in self.arguments {
            let argument = argument
                .replace("{HOST}", &address.ip().to_string())
                .replace("{PORT}", &address.port().to_string())
                .replace("{ADDRESS}", &address.to_string())
                .replace("{CA}", &certificate("ca.pem"));
            command.arg(argument);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        command.spawn().expect("is installed")
    }

    /// A person who uses the program.
    pub(crate) fn connects(self, address: SocketAddr) -> Person {
        let mut child = self.starts(address);
        let stdout = child.stdout.take().expect("piped");
        let stdin = child.stdin.take().expect("piped");
        let receiver = Receiver::new(self.name, Box::new(stdout), Framing::Wire);
        Person::uses_program(child, receiver, Box::new(stdin))
    }
}

/// The report of `openssl s_client` about a connection that it closes at once.
pub(crate) fn s_client(address: SocketAddr, flags: &[&str]) -> String {
    s_client_types(address, flags, "Q\n")
}

/// The report of `openssl s_client` with this input, in which `Q` closes and `R` renegotiates.
pub(crate) fn s_client_types(address: SocketAddr, flags: &[&str], input: &str) -> String {
    let mut command = Command::new("openssl");
    command.args(["s_client", "-connect", &address.to_string()]).args(flags);
    everything_printed_by(command, input)
}
