//! The examples of `doc/web.md` with real proxies: nginx and Caddy, where they are installed.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "web/browser.rs"]
mod browser;
mod common;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{fs, thread};

use browser::{Browser, WebUser};
use common::{Person, Server, now, skip, timeout};

const NAME: &str = "chat.example.org";

/// A proxy in front of a server. Dropping it kills the proxy.
struct Proxy {
    process: Child,
    address: SocketAddr,
    folder: PathBuf,
}

impl Proxy {
    /// Starts `command` and waits until it listens.
    fn starts(mut command: Command, address: SocketAddr, folder: PathBuf) -> Proxy {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn().expect("the proxy starts");
        let until = now() + timeout();
        while TcpStream::connect(address).is_err() {
            assert!(now() < until, "the proxy does not listen");
            thread::yield_now();
        }
        Proxy { process, address, folder }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The example of `doc/web.md` in this language.
fn example(language: &str) -> String {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("doc/web.md")).unwrap();
    let (_, rest) = text.split_once(&format!("```{language}\n")).expect("an example");
    rest.split_once("```").expect("an end").0.to_owned()
}

/// A free port and an empty folder for a proxy.
fn place(name: &str) -> (SocketAddr, PathBuf) {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", address.port()));
    fs::create_dir_all(&folder).unwrap();
    (address, folder)
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
    folders.map(|folder| folder.join(program)).any(|path| path.is_file())
}

/// A server as `doc/web.md` starts it.
fn server() -> Server {
    let flags = ["--origin", "https://chat.example.org", "--trusted-proxy", "127.0.0.1"];
    Server::starts_with(&[&["--listen", "http://127.0.0.1:0"], &flags[..]].concat())
}

/// What a browser does behind the proxy: it loads the page and chats, from an address of its own.
fn serves(server: &Server, proxy: &Proxy) {
    let mut browser = Browser::connects(proxy.address);
    browser.sends(format!("GET / HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n"));
    let page = browser.reads_to_the_end();
    assert!(page.starts_with("HTTP/1.1 200 OK"), "{page}");
    assert!(page.contains(&format!("connect-src 'self' ws://{NAME} wss://{NAME}")), "{page}");
    let fields = "Origin: https://chat.example.org\r\nForwarded: for=203.0.113.7\r\n";
    let mut anna = WebUser::connects_to_host(proxy.address, NAME, fields);
    server.logs(&["127.0.0.1 connected through 127.0.0.1"]);
    anna.reads("? Username:");
    anna.says("anna");
    anna.reads("* Hello, anna");
    let mut ben = Person::joins(server, "ben");
    ben.says("2 anna");
    anna.reads("? ben wants to chat");
    anna.says("yes");
    ben.reads("* Asked anna");
    ben.reads("* anna accepted");
    ben.reads("* You are now chatting");
    anna.says("grüße");
    ben.reads_exactly("anna: grüße");
    let mut foreign = Browser::connects(proxy.address);
    foreign.sends(browser::handshake_to(NAME, "Origin: https://evil.example\r\n"));
    assert_eq!(foreign.reads_response(false).status, 403);
}

/// (2.6.3, 2.6.6)
#[test]
fn the_page_works_behind_nginx() {
    if !is_installed("nginx") {
        return skip("nginx is not installed");
    }
    let (address, folder) = place("nginx");
    let server = server();
    let site = example("nginx")
        .lines()
        .filter(|line| !line.contains("ssl_certificate"))
        .map(|line| match line.contains("listen 443") {
            true => format!("    listen {address};\n"),
            false => format!("{line}\n"),
        })
        .collect::<String>()
        .replace("127.0.0.1:7880", &server.page().to_string());
    let at = folder.display();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {at}/{kind};\n"))
        .concat();
    let file = folder.join("nginx.conf");
    let all = format!(
        "daemon off;\nmaster_process off;\npid {at}/pid;\nerror_log {at}/error.log;\nevents {{}}\n\
         http {{\naccess_log off;\n{temporary}{site}}}\n"
    );
    fs::write(&file, all).unwrap();
    let mut command = Command::new("nginx");
    command.arg("-c").arg(&file).arg("-p").arg(&folder);
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin"));
    serves(&server, &Proxy::starts(command, address, folder));
}

/// (2.6.3, 2.6.6)
#[test]
fn the_page_works_behind_caddy() {
    if !is_installed("caddy") {
        return skip("caddy is not installed");
    }
    let (address, folder) = place("caddy");
    let server = server();
    let site = example("caddyfile")
        .replace(NAME, &format!("http://{NAME}:{}", address.port()))
        .replace("127.0.0.1:7880", &server.page().to_string());
    let file = folder.join("Caddyfile");
    let all = format!("{{\nadmin off\nauto_https off\ndefault_bind 127.0.0.1\n}}\n{site}");
    fs::write(&file, all).unwrap();
    let mut command = Command::new("caddy");
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(&file);
    command.env("HOME", &folder).env("XDG_DATA_HOME", &folder).env("XDG_CONFIG_HOME", &folder);
    serves(&server, &Proxy::starts(command, address, folder));
}
