//! The servers to compare. Each starts with its best settings for this load.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::clock::{now, pause};
use super::process::Process;
use super::protocol::Protocol;
use super::relay::FAN_OUT_ARGUMENT;

/// The hidden first argument that turns this program into the relay.
pub(super) const RELAY_ARGUMENT: &str = "relay";

/// The environment variable that names another build of chinwag.
const OTHER_VARIABLE: &str = "CHINWAG_BENCH_OTHER";

/// How long a server may take to listen.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// A server to measure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ServerKind {
    /// The baseline.
    Relay,
    /// This package.
    Chinwag,
    /// This package over WebSocket.
    Web,
    /// This package, with one operator who watches the loop.
    Watched,
    /// This package, while it records its inputs.
    Recorded,
    /// Another build of chinwag: the program that [`OTHER_VARIABLE`] names. It shows in one run what a
    /// change costs.
    Other,
    /// Used as a broker: one channel for each user or for the room.
    Redis,
    /// An IRC server in C++.
    Inspircd,
    /// An IRC server in C.
    Ngircd,
}

/// The load that a server must carry. Settings that would limit this load are switched off.
#[derive(Clone, Copy)]
pub(super) enum Workload<'a> {
    /// Users in pairs, or users who connect and leave.
    Pairs,
    /// One room with all users. If `history` is set, the room's history is saved in this folder.
    Room { history: Option<&'a Path> },
}

impl ServerKind {
    /// All servers, the baseline first.
    pub(super) const ALL: [Self; 9] = [
        Self::Relay,
        Self::Chinwag,
        Self::Web,
        Self::Watched,
        Self::Recorded,
        Self::Other,
        Self::Redis,
        Self::Inspircd,
        Self::Ngircd,
    ];

    /// The name in the table, and for the option `--with`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Chinwag => "chinwag",
            Self::Web => "web",
            Self::Watched => "watched",
            Self::Recorded => "recorded",
            Self::Other => "other",
            Self::Redis => "redis",
            Self::Inspircd => "inspircd",
            Self::Ngircd => "ngircd",
        }
    }

    /// The protocol of its users.
    pub(super) fn protocol(self) -> Protocol {
        match self {
            Self::Relay => Protocol::Relay,
            Self::Chinwag | Self::Watched | Self::Recorded | Self::Other => Protocol::Chinwag,
            Self::Web => Protocol::Web,
            Self::Redis => Protocol::Redis,
            Self::Inspircd => Protocol::Inspircd,
            Self::Ngircd => Protocol::Ngircd,
        }
    }

    /// Whether 10,000 logins take seconds. InspIRCd welcomes new users once per second; ngircd
    /// searches all users for each new user.
    pub(super) fn is_slow_to_log_in(self) -> bool {
        matches!(self, Self::Inspircd | Self::Ngircd)
    }

    /// The path of the program. `None` if it is not installed.
    pub(super) fn program(self) -> Option<PathBuf> {
        let name = match self {
            Self::Relay => return std::env::current_exe().ok(),
            Self::Chinwag | Self::Web | Self::Watched | Self::Recorded => {
                return Some(PathBuf::from(env!("CARGO_BIN_EXE_chinwag")));
            }
            Self::Other => {
                let program = PathBuf::from(std::env::var_os(OTHER_VARIABLE)?);
                return Some(program).filter(|program| program.is_file());
            }
            Self::Redis => "redis-server",
            Self::Inspircd => "inspircd",
            Self::Ngircd => "ngircd",
        };
        // Debian installs daemons outside a user's PATH.
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
        folders.extend(["/usr/sbin", "/usr/bin"].map(PathBuf::from));
        folders.into_iter().map(|folder| folder.join(name)).find(|program| program.is_file())
    }

    /// Whether the server writes files of its own, apart from room history.
    pub(super) fn needs_folder(self) -> bool {
        matches!(self, Self::Watched | Self::Recorded)
    }

    /// Starts whoever must look on while the server runs: an operator who watches, on `core`.
    pub(super) fn start_watcher(self, core: usize, folder: &Path) -> io::Result<Option<Process>> {
        match self.program().filter(|_| self == Self::Watched) {
            None => Ok(None),
            Some(program) => {
                let words = ["ctl", "--console", &console(folder), "watch"].map(str::to_owned);
                Process::start_silent(core, program, &words).map(Some)
            }
        }
    }

    /// Starts the server on `core`. Returns once it listens. It may write to `folder`.
    pub(super) fn start(
        self,
        core: usize,
        workload: Workload,
        folder: Option<&Path>,
    ) -> io::Result<(Process, SocketAddr)> {
        let program = self.program().ok_or_else(|| io::Error::other("not installed"))?;
        let arguments = match self {
            Self::Relay => return start_ours(core, &program, &relay_arguments(workload)),
            Self::Chinwag | Self::Other | Self::Watched | Self::Recorded => {
                let mut words = chinwag_arguments(CHINWAG, workload);
                match (self, folder) {
                    (Self::Watched, Some(folder)) => {
                        words.extend(["--console".to_owned(), console(folder)]);
                    }
                    (Self::Recorded, Some(folder)) => {
                        let file = folder.join("recording").display().to_string();
                        words.extend(["--record".to_owned(), file]);
                        words.extend(["--max-record", "256m"].map(str::to_owned));
                    }
                    _ => {}
                }
                return start_ours(core, &program, &words);
            }
            Self::Web => {
                return start_ours(core, &program, &chinwag_arguments(CHINWAG_WEB, workload));
            }
            Self::Redis | Self::Inspircd | Self::Ngircd => self.arguments()?,
        };
        let (arguments, address) = arguments;
        let process = Process::start_silent(core, &program, &arguments)?;
        let start = now();
        while TcpStream::connect(address).is_err() {
            if start.elapsed() > START_TIMEOUT {
                return Err(io::Error::other("does not listen"));
            }
            pause(Duration::from_millis(20));
        }
        Ok((process, address))
    }

    /// For a server that cannot choose a free port and report it: chooses a port, and returns the
    /// arguments that pass it.
    fn arguments(self) -> io::Result<(Vec<String>, SocketAddr)> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let port = address.port().to_string();
        let configuration = |template: &str| -> io::Result<String> {
            let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.conf", self.name()));
            fs::write(&path, template.replace("PORT", &port))?;
            Ok(path.display().to_string())
        };
        let arguments: Vec<String> = match self {
            Self::Redis => REDIS.replace("PORT", &port).split(' ').map(str::to_owned).collect(),
            Self::Inspircd => {
                let path = configuration(INSPIRCD)?;
                vec![
                    "--nofork".into(),
                    "--nolog".into(),
                    "--runasroot".into(),
                    "--config".into(),
                    path,
                ]
            }
            Self::Ngircd => vec!["-n".into(), "-f".into(), configuration(NGIRCD)?],
            Self::Relay
            | Self::Chinwag
            | Self::Web
            | Self::Watched
            | Self::Recorded
            | Self::Other => {
                unreachable!("the relay and chinwag choose a port themselves")
            }
        };
        Ok((arguments, address))
    }
}

/// The console of a server that is watched.
fn console(folder: &Path) -> String {
    folder.join("console").display().to_string()
}

fn relay_arguments(workload: Workload) -> Vec<String> {
    let words: &[&str] = match workload {
        Workload::Pairs => &[RELAY_ARGUMENT],
        Workload::Room { .. } => &[RELAY_ARGUMENT, FAN_OUT_ARGUMENT],
    };
    words.iter().map(|&word| word.to_owned()).collect()
}

fn chinwag_arguments(words: &str, workload: Workload) -> Vec<String> {
    let mut words: Vec<String> = words.split(' ').map(str::to_owned).collect();
    match workload {
        Workload::Pairs => {}
        Workload::Room { history } => {
            words.extend(CHINWAG_ROOM.split(' ').map(str::to_owned));
            words.extend(
                history.map(|folder| format!("--state={}", folder.join("state").display())),
            );
        }
    }
    words
}

/// Starts a program of this package, which prints `listens on ADDRESS` or `at http://ADDRESS`.
fn start_ours(core: usize, program: &Path, words: &[String]) -> io::Result<(Process, SocketAddr)> {
    let mut process = Process::start(core, program, words)?;
    let output = process.0.stdout.as_mut().expect("standard output is a pipe");
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    let after = |words| line.split(words).nth(1);
    let address = after("listens on ").or(after("at http://")).and_then(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ':');
        rest[..end.unwrap_or(rest.len())].trim_end_matches(['.', ':']).parse().ok()
    });
    let address = address.ok_or_else(|| {
        io::Error::other(format!("the server printed {line:?} instead of its address"))
    })?;
    Ok((process, address))
}

const CHINWAG: &str = "serve --listen 127.0.0.1:0 -q";

const CHINWAG_WEB: &str = "serve --listen http://127.0.0.1:0 -q";

/// Without limits on members and on lines per second.
const CHINWAG_ROOM: &str = "--max-members 20000 --room-pace 1000000";

/// Nothing is saved, slow readers are kept, and the queue of new connections is long.
const REDIS: &str = "--port PORT --bind 127.0.0.1 --protected-mode no --save  --appendonly no \
                     --maxclients 19900 --client-output-buffer-limit pubsub 0 0 0 \
                     --tcp-backlog 4096 --daemonize no --loglevel warning";

/// Without look-ups, flood control and limits per address, and with rare pings.
const NGIRCD: &str = "\
[Global]
Name = irc.bench
AdminInfo1 = bench
Info = bench
Listen = 127.0.0.1
Ports = PORT
ServerUID = root
ServerGID = root
MotdFile = /dev/null/none
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxNickLength = 20
MaxPenaltyTime = 0
PingTimeout = 3600
PongTimeout = 3600
[Options]
DNS = no
Ident = no
PAM = no
MorePrivacy = no
SyslogFacility = daemon
";

/// The same settings for InspIRCd.
const INSPIRCD: &str = r#"
<config format="xml">
<server name="irc.bench" description="bench" network="bench" id="00B">
<admin name="bench" nick="bench" email="bench@localhost">
<bind address="127.0.0.1" port="PORT" type="clients">
<connect name="main" allow="*" maxchans="20" timeout="60" pingfreq="3600" hardsendq="1M"
         softsendq="64K" recvq="64K" threshold="1000000" commandrate="100000000" fakelag="no"
         localmax="1000000" globalmax="1000000" maxconnwarn="no" resolvehostnames="no"
         useident="no" limit="1000000" modes="">
<performance netbuffersize="65534" somaxconn="4096" softlimit="100000" quietbursts="yes">
<security hidewhois="" userstats="" maxtargets="20">
<options defaultmodes="" prefixquit="">
<limits maxnick="30" maxuser="20" maxline="512">
<cidr ipv4clone="32" ipv6clone="128">
<pid file="/dev/null">
"#;
