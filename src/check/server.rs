//! The server under check: a process of its own, on a free port.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

/// How long a server may take until it listens: 250 attempts, 20 ms apart.
const ATTEMPTS: u32 = 250;
const PAUSE: Duration = Duration::from_millis(20);

/// A running server. It is killed when this value goes.
pub(super) struct Server {
    child: Child,
    pub(super) address: SocketAddr,
}

impl Server {
    /// Starts the server, and returns when it accepts connections.
    pub(super) fn start(command: &str, shows_errors: bool) -> io::Result<Server> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let command = command.replace("{port}", &port.to_string());
        let child = Command::new("sh")
            .args(["-c", &command])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(if shows_errors { Stdio::inherit() } else { Stdio::null() })
            // A group, so that the shell and what it started end together.
            .process_group(0)
            .spawn()?;
        let mut server = Server { child, address: (Ipv4Addr::LOCALHOST, port).into() };
        for _ in 0..ATTEMPTS {
            if TcpStream::connect(server.address).is_ok() {
                return Ok(server);
            }
            if let Some(status) = server.child.try_wait()? {
                return Err(io::Error::other(format!("it ended with {status}")));
            }
            pause();
        }
        Err(io::Error::other(format!("nothing listens on {} after 5 s", server.address)))
    }
}

#[expect(clippy::disallowed_methods, reason = "a foreign process gives no event when it listens")]
fn pause() {
    std::thread::sleep(PAUSE);
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
}
