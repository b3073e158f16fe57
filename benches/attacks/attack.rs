//! The attackers: what each attack sends, and the loop that plays all of them.
//!
//! The loop is not that of `src/peers`, which plays the crowds and attacks of the program. That one is fair
//! among its peers and leaves room for a measurement in the same process: one read and one write of a
//! connection at a time, a few connections a turn. Here the attackers measure nothing, and must send what
//! the server takes from 15,000 connections on half a core. And the load must stay the same from build to
//! build: with `src/peers` a change of the program would change what is compared.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::clock::now;
use super::guesses;

/// Attackers that log in at the same time. More would overflow the server's backlog.
const LOGINS_AT_ONCE: usize = 256;

/// Asks for the whole history of a room.
const HISTORY: &str = "/history 200\n";

/// Becomes busy and free again: a change that all followers of the lists are told.
const BUSY: Says = Says::Burst("busy\nfree\nbusy\n", 50);

/// One kind of attack.
pub(super) struct Attack {
    /// For `--only`.
    pub(super) name: &'static str,
    /// For the table.
    pub(super) title: &'static str,
    /// How many attackers there are.
    pub(super) clients: usize,
    /// How many rooms they enter, if any.
    rooms: usize,
    /// What an attacker sends again and again.
    says: Says,
    /// Whether the rooms have long histories.
    fills_history: bool,
    /// Whether an attacker reads what the server sends.
    reads: bool,
    /// Whether the server keeps accounts. Then the newcomer signs in.
    pub(super) has_accounts: bool,
    /// Whether all follow the lists.
    follows: bool,
    /// Only the first so many burst.
    bursting: usize,
}

enum Says {
    Nothing,
    /// These lines, so many times in one write, as fast as the server takes them.
    Burst(&'static str, usize),
    /// One line every 200 ms, the pace that a room allows; only the first so many attackers.
    Talk(usize),
    /// A wrong password for the newcomer's account, each time from another address.
    Guess,
}

impl Attack {
    /// Every attack; first the calm, to compare with.
    pub(super) const ALL: [Attack; 12] = [
        Attack::new("calm", "none", 0, 0, Says::Nothing),
        Attack {
            fills_history: true,
            ..Attack::new("history", "bursts of `/history 200`", 256, 1, Says::Burst(HISTORY, 156))
        },
        Attack::new("lists", "bursts of `1 a`", 900, 0, Says::Burst("1 a\n", 500)),
        Attack::new("follow", "bursts of `/follow`", 900, 0, Says::Burst("/follow\n", 500)),
        Attack {
            follows: true,
            bursting: 900,
            ..Attack::new("changes", "10,000 follow, 900 change all the time", 10_000, 0, BUSY)
        },
        Attack::new("empty", "bursts of empty lines", 900, 0, Says::Burst("\n", 8_000)),
        Attack::new("requests", "bursts of requests", 900, 0, Says::Burst("2 nobody\n", 200)),
        Attack::new("rooms", "5 rooms of 1,000, all talk", 5_000, 5, Says::Talk(5_000)),
        Attack::new("speakers", "15 rooms of 1,000, one talks in each", 15_000, 15, Says::Talk(15)),
        Attack {
            fills_history: true,
            reads: false,
            ..Attack::new("deaf", "`/history 200`, never read", 15_000, 15, Says::Burst(HISTORY, 4))
        },
        Attack {
            has_accounts: true,
            ..Attack::new("passwords-none", "none, the newcomer signs in", 0, 0, Says::Nothing)
        },
        Attack {
            has_accounts: true,
            ..Attack::new("passwords", "wrong passwords, 48 at a time", 48, 0, Says::Guess)
        },
    ];

    const fn new(
        name: &'static str,
        title: &'static str,
        clients: usize,
        rooms: usize,
        says: Says,
    ) -> Attack {
        Attack {
            name,
            title,
            clients,
            rooms,
            says,
            fills_history: false,
            reads: true,
            follows: false,
            bursting: usize::MAX,
            has_accounts: false,
        }
    }

    /// The first lines of attacker `n`.
    fn login(&self, n: usize) -> String {
        match self.rooms {
            0 if self.follows => format!("a{n}x\n/follow\n"),
            0 => format!("a{n}x\n"),
            rooms if self.fills_history && n < rooms => {
                let line = format!("{}\n", "x".repeat(900));
                format!("a{n}x\n4 r{n}\n{}", line.repeat(200))
            }
            rooms => format!("a{n}x\n4 r{}\n", n % rooms),
        }
    }

    /// The flags of the server. Long histories are not said at the pace of a person.
    pub(super) fn flags(&self) -> &'static [&'static str] {
        if self.fills_history { &["--room-pace", "1000000"] } else { &[] }
    }

    /// The words that end the answer to [`Attack::login`].
    fn welcome(&self) -> &'static [u8] {
        if self.rooms == 0 { b"1 list users" } else { b"You are now in" }
    }
}

/// One attacker.
struct Attacker {
    stream: TcpStream,
    /// What it sends now, and how much of that the kernel took.
    sends: Vec<u8>,
    sent: usize,
    /// The answer to the login, until it is complete.
    answer: Option<Vec<u8>>,
    is_writable: bool,
}

/// Runs one attack until the parent ends this process. Writes a line once all are logged in.
pub(super) fn run(arguments: &[String]) -> io::Result<()> {
    let usage = || io::Error::other("usage: attack NAME ADDRESS CLIENTS");
    let [name, address, clients] = arguments else { return Err(usage()) };
    let attack = Attack::ALL.iter().find(|attack| attack.name == name).ok_or_else(usage)?;
    let address = address.parse().map_err(io::Error::other)?;
    let clients = clients.parse().map_err(io::Error::other)?;
    if let Says::Guess = attack.says {
        println!("ready");
        return guesses::run(address, clients);
    }
    let mut crowd = Crowd { poll: Poll::new()?, attackers: Vec::new(), attack };
    crowd.log_in(address, clients)?;
    println!("ready");
    crowd.attack()
}

struct Crowd {
    poll: Poll,
    attackers: Vec<Attacker>,
    attack: &'static Attack,
}

impl Crowd {
    fn log_in(&mut self, address: SocketAddr, clients: usize) -> io::Result<()> {
        let mut waiting = 0;
        while self.attackers.len() < clients || waiting > 0 {
            while self.attackers.len() < clients && waiting < LOGINS_AT_ONCE {
                let n = self.attackers.len();
                let mut stream = TcpStream::connect(address)?;
                let interest = Interest::READABLE | Interest::WRITABLE;
                self.poll.registry().register(&mut stream, Token(n), interest)?;
                let sends = self.attack.login(n).into_bytes();
                let answer = Some(Vec::new());
                self.attackers.push(Attacker {
                    stream,
                    sends,
                    sent: 0,
                    answer,
                    is_writable: false,
                });
                waiting += 1;
            }
            waiting -= self.turn(Duration::from_secs(10))?;
        }
        Ok(())
    }

    fn attack(&mut self) -> io::Result<()> {
        let began = now();
        let mut talked = 0;
        loop {
            match self.attack.says {
                Says::Nothing | Says::Guess => {}
                Says::Burst(line, times) => {
                    let is_done = |attacker: &&mut Attacker| attacker.sent == attacker.sends.len();
                    let bursting = self.attackers.iter_mut().take(self.attack.bursting);
                    for attacker in bursting.filter(is_done) {
                        (attacker.sends, attacker.sent) = (line.repeat(times).into_bytes(), 0);
                    }
                }
                Says::Talk(speakers) => self.talk(speakers, began, &mut talked),
            }
            self.attackers.iter_mut().for_each(Attacker::send);
            self.turn(Duration::from_millis(1))?;
        }
    }

    /// Lets those speakers talk whose turn has come since the last call.
    fn talk(&mut self, speakers: usize, began: Instant, talked: &mut usize) {
        let speakers = speakers.min(self.attackers.len());
        let due = (began.elapsed().as_micros() as usize).saturating_mul(speakers) / 200_000;
        for n in (*talked..due).take(speakers) {
            let attacker = &mut self.attackers[n % speakers];
            if attacker.sent == attacker.sends.len() {
                (attacker.sends, attacker.sent) = (b"hi\n".to_vec(), 0);
            }
        }
        *talked = due;
    }

    /// Waits for events and handles them. Returns how many logins were completed.
    fn turn(&mut self, timeout: Duration) -> io::Result<usize> {
        let mut events = Events::with_capacity(1024);
        self.poll.poll(&mut events, Some(timeout))?;
        let mut completed = 0;
        for event in &events {
            let attacker = &mut self.attackers[event.token().0];
            attacker.is_writable |= event.is_writable();
            attacker.send();
            if event.is_readable() && (self.attack.reads || attacker.answer.is_some()) {
                completed += usize::from(attacker.read(self.attack.welcome())?);
            }
        }
        Ok(completed)
    }
}

impl Attacker {
    fn send(&mut self) {
        while self.is_writable && self.sent < self.sends.len() {
            match self.stream.write(&self.sends[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(_) => self.is_writable = false,
            }
        }
    }

    /// Reads everything; `true` if that completed the login.
    fn read(&mut self, welcome: &[u8]) -> io::Result<bool> {
        let mut buffer = [0; 16 * 1024];
        let mut completed = false;
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => {
                    return Err(io::Error::other("the server closed an attacker's connection"));
                }
                Ok(count) => {
                    let Some(answer) = &mut self.answer else { continue };
                    answer.extend_from_slice(&buffer[..count]);
                    if answer.windows(welcome.len()).any(|window| window == welcome) {
                        (self.answer, completed) = (None, true);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(completed),
                Err(error) => return Err(error),
            }
        }
    }
}
