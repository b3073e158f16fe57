//! The transport as bytes in and bytes out.

use super::*;

const PEER: [u8; 4] = [127, 0, 0, 1];
const UPGRADE: &str = "GET /chat HTTP/1.1\nHost: localhost:7880\nOrigin: http://localhost:7880\n\
    Upgrade: WebSocket\nConnection: keep-alive, Upgrade\nSec-WebSocket-Version: 13\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n";

fn site() -> Rc<Site> {
    Rc::new(Site::new(WebOptions {
        origins: vec!["https://chat.example.org".parse().unwrap()],
        trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
    }))
}

fn http() -> Http {
    Http::new(Time::START, site(), PEER.into())
}

/// Everything that the socket would write, in pieces of `at_a_time`.
fn written(http: &mut Http, at_a_time: usize) -> String {
    let mut bytes = Vec::new();
    while !http.output().is_empty() {
        let count = http.output().len().min(at_a_time);
        bytes.extend_from_slice(&http.output()[..count]);
        http.handle_sent(count);
    }
    String::from_utf8(bytes).unwrap()
}

/// The response to requests that are written with LF alone, and what it means for the connection.
fn responses_from(http: &mut Http, requests: &str) -> (String, Received) {
    let (bytes, mut input) = (requests.replace('\n', "\r\n"), Vec::new());
    let received = http.receive(Time::START, bytes.as_bytes(), &mut input).unwrap();
    assert!(input.is_empty());
    (written(http, usize::MAX), received)
}

fn response(request: &str) -> String {
    responses_from(&mut http(), request).0
}

fn get(path: &str, fields: &str) -> String {
    response(&format!("GET {path} HTTP/1.1\nHost: localhost:7880\n{fields}\n"))
}

fn status(response: &str) -> u16 {
    response.strip_prefix("HTTP/1.1 ").unwrap()[..3].parse().unwrap()
}

fn field<'r>(response: &'r str, name: &str) -> Option<&'r str> {
    let head = response.split("\r\n\r\n").next().unwrap();
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// (2.6.1)
#[test]
fn the_documents_are_served_with_a_tag_and_again_only_if_they_changed() {
    for path in ["/", "/style.css", "/model.js", "/page.js", "/icon.svg", "/favicon.ico", "/?a=b"] {
        let whole = get(path, "");
        assert_eq!(status(&whole), 200, "{path}: {whole}");
        let (_, body) = whole.split_once("\r\n\r\n").unwrap();
        assert_eq!(field(&whole, "Content-Length"), Some(body.len().to_string().as_str()));
        let tag = field(&whole, "ETag").unwrap();
        let unchanged = get(path, &format!("If-None-Match: \"x\", W/{tag}\n"));
        assert_eq!((status(&unchanged), field(&unchanged, "ETag")), (304, Some(tag)));
        assert!(unchanged.ends_with("\r\n\r\n"));
        assert_eq!(get(path, "If-None-Match: \"x\"\n"), whole);
        let head = response(&format!("HEAD {path} HTTP/1.1\nHost: localhost:7880\n\n"));
        assert_eq!(format!("{head}{body}"), whole);
    }
}

/// (2.6.2, 7.66)
#[test]
fn every_other_request_gets_the_status_that_says_why() {
    let with_host = |line: &str| response(&format!("{line} HTTP/1.1\nHost: localhost\n\n"));
    let body = "Content-Length: 5\n\n2 bob";
    for (expected, response) in [
        (400, response("anna\n")),
        (400, response("HELLO THERE\n")),
        (400, response("GET / HTTP/1.1\n\n")),
        (400, response("GET / HTTP/1.1\nHost: a\nHost: a\n\n")),
        (400, get("/", "Content-Length: 5\n")),
        (400, get("/", "Transfer-Encoding: chunked\n")),
        (404, with_host("GET /nowhere")),
        (404, with_host("GET /../etc/passwd")),
        (404, with_host("POST /nowhere")),
        (405, with_host("OPTIONS /")),
        (405, with_host("HEAD /chat")),
        (405, response(&format!("POST / HTTP/1.1\nHost: localhost\n{body}"))),
        (405, response(&format!("POST /chat HTTP/1.1\nHost: localhost\n{body}"))),
        (426, get("/chat", "")),
        (426, get("/chat", "Upgrade: h2c\nConnection: upgrade\n")),
        (431, get("/", &format!("Cookie: {}\n", "x".repeat(9_000)))),
        (431, get("/", &"A: b\n".repeat(100))),
    ] {
        assert_eq!(status(&response), expected, "{response}");
        let (_, body) = response.split_once("\r\n\r\n").unwrap();
        assert!(body.len() > 10 || expected == 405, "one line says what was wrong: {response}");
        assert!(field(&response, "Content-Security-Policy").is_some());
    }
    assert_eq!(field(&with_host("PUT /"), "Allow"), Some("GET, HEAD"));
    assert_eq!(field(&with_host("PUT /chat"), "Allow"), Some("GET"));
    assert_eq!(field(&get("/chat", ""), "Upgrade"), Some("websocket"));
    assert_eq!(status(&get("/", "Content-Length: 0\n")), 200);
}

/// (2.6.3)
#[test]
fn a_foreign_host_and_a_foreign_page_are_refused() {
    for (host, origin, expected) in [
        ("localhost:7880", "http://localhost:7880", 200),
        ("127.0.0.1:7880", "http://127.0.0.1:7880", 200),
        ("[::1]:7880", "http://[::1]:7880", 200),
        ("192.0.2.1", "http://192.0.2.1", 200),
        ("chat.example.org", "https://chat.example.org", 200),
        ("127.0.0.1:7880", "https://chat.example.org", 200),
        ("evil.example:7880", "http://evil.example:7880", 403),
        ("localhost:7880", "http://evil.example", 403),
        ("localhost:7880", "http://localhost:3000", 403),
        ("localhost:7880", "null", 403),
        ("localhost:7880", "http://localhost:7880\nOrigin: http://localhost:7880", 403),
    ] {
        for upgrade in [false, true] {
            let path = if upgrade { "/chat" } else { "/" };
            let fields = if upgrade { UPGRADE.split_once("Upgrade").unwrap().1 } else { "" };
            let fields = if upgrade { format!("Upgrade{fields}") } else { String::new() };
            let answer = response(&format!(
                "GET {path} HTTP/1.1\nHost: {host}\nOrigin: {origin}\n{fields}\n"
            ));
            let expected = if upgrade && expected == 200 { 101 } else { expected };
            assert_eq!(status(&answer), expected, "{host} {origin}: {answer}");
        }
    }
}

/// (2.6.5)
#[test]
fn an_upgrade_begins_a_session_and_a_document_never_does() {
    let mut http = http();
    responses_from(&mut http, "GET / HTTP/1.1\nHost: localhost\n\n");
    assert_eq!((http.opening(), http.send(b"* Welcome\r\n")), (Opening::Pending, 0));
    let (response, received) =
        responses_from(&mut http, &format!("{UPGRADE}Sec-WebSocket-Protocol: other, chinwag\n\n"));
    assert_eq!((status(&response), received), (101, Received::Data));
    assert_eq!(field(&response, "Sec-WebSocket-Accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_eq!(field(&response, "Sec-WebSocket-Protocol"), Some("chinwag"));
    assert_eq!(http.opening(), Opening::Ready(None));
    assert_eq!(http.send(b"* Welcome\r\n"), 11);
    assert_eq!(http.output(), b"\x81\x0b* Welcome\r\n");
}

/// (2.6.5)
#[test]
fn a_handshake_that_is_not_whole_is_refused() {
    let without = |name: &str| {
        let kept = UPGRADE.lines().filter(|line| !line.starts_with(name));
        response(&format!("{}\n\n", kept.collect::<Vec<_>>().join("\n")))
    };
    assert_eq!(status(&without("Origin")), 101, "only browsers name an origin");
    assert_eq!(status(&without("Sec-WebSocket-Key")), 400);
    assert_eq!(field(&without("Sec-WebSocket-Version"), "Sec-WebSocket-Version"), Some("13"));
    assert_eq!(status(&without("Connection")), 426);
    let old = UPGRADE.replace("HTTP/1.1", "HTTP/1.0");
    assert_eq!(status(&response(&format!("{old}\n"))), 400);
    assert_eq!(status(&response(&format!("{UPGRADE}Sec-WebSocket-Key: x\n\n"))), 400);
}

/// (2.6.5)
#[test]
fn frames_that_come_with_the_handshake_count_however_they_are_cut() {
    let frames = b"\x81\x85\0\0\0\0hello\x89\x80\0\0\0\0";
    let bytes = [UPGRADE.replace('\n', "\r\n").as_bytes(), b"\r\n", frames].concat();
    for cut in 0..bytes.len() {
        let (mut http, mut input) = (http(), Vec::new());
        for piece in [&bytes[..cut], &bytes[cut..]] {
            http.receive(Time::START, piece, &mut input).unwrap();
        }
        assert_eq!(input, b"hello\n", "cut at {cut}");
        let output = http.output();
        assert!(output.starts_with(b"HTTP/1.1 101 ") && output.ends_with(b"\r\n\r\n\x8a\0"));
    }
}

/// (2.6.4, 7.68, 7.69)
#[test]
fn requests_without_waiting_are_answered_in_order_and_in_number_they_are_bounded() {
    let request = |path: &str| format!("GET {path} HTTP/1.1\nHost: localhost\n\n");
    let (two, received) =
        responses_from(&mut http(), &format!("{}{}", request("/nowhere"), request("/style.css")));
    assert_eq!((status(&two), received), (404, Received::Data));
    assert!(two.contains("HTTP/1.1 200 OK\r\n"));
    let (many, received) = responses_from(&mut http(), &request("/").repeat(1_000));
    assert_eq!(many.matches("HTTP/1.1 200 OK").count(), HTTP_RESPONSES_WAITING_MAX);
    assert_eq!(many.matches("Connection: close").count(), 1);
    assert_eq!(received, Received::EndOfInput);
    let mut patient = http();
    for n in 1..=HTTP_REQUESTS_MAX {
        let (response, received) = responses_from(&mut patient, &request("/"));
        let is_last = n == HTTP_REQUESTS_MAX;
        assert_eq!(received == Received::EndOfInput, is_last);
        assert_eq!(field(&response, "Connection").is_some(), is_last);
    }
    let (none, received) = responses_from(&mut patient, &request("/"));
    assert_eq!((none.as_str(), received), ("", Received::EndOfInput));
}

#[test]
fn every_cut_of_requests_and_every_size_of_writes_gives_the_same_bytes() {
    let requests =
        b"GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n\r\nHEAD /page.js HTTP/1.1\r\nHost: [::1]\r\n\
        \r\nGET /x HTTP/1.1\r\nHost: [::1]\r\nConnection: close\r\n\r\nGET / HTTP/1.1\r\n";
    let through = |pieces: &[&[u8]], at_a_time: usize| {
        let (mut http, mut input, mut all) = (http(), Vec::new(), String::new());
        for piece in pieces {
            http.receive(Time::START, piece, &mut input).unwrap();
            all.push_str(&written(&mut http, at_a_time));
        }
        all
    };
    let whole = through(&[requests], usize::MAX);
    assert_eq!(whole.matches("HTTP/1.1 ").count(), 3, "{whole}");
    for cut in 0..requests.len() {
        assert_eq!(through(&[&requests[..cut], &requests[cut..]], 1 + cut % 7), whole, "{cut}");
    }
}

/// (2.6.4, 7.67)
#[test]
fn a_client_that_is_slow_with_its_request_is_given_up_but_not_one_that_still_reads() {
    let at = |ms| Time::START.after_ms(ms);
    let (mut slow, mut input) = (http(), Vec::new());
    assert_eq!(slow.deadline(), Some(at(HTTP_HEAD_MS)));
    assert_eq!(slow.receive(at(9_000), b"GET / HTTP/1.1\r\n", &mut input), Ok(Received::Data));
    assert_eq!(slow.deadline(), Some(at(HTTP_HEAD_MS)), "half a head moves nothing");
    assert!(slow.handle_timeout(at(HTTP_HEAD_MS), true).is_err());
    let mut reader = http();
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert_eq!(reader.receive(at(9_000), request, &mut input), Ok(Received::Data));
    assert_eq!(reader.deadline(), Some(at(9_000 + HTTP_HEAD_MS)));
    assert_eq!(
        reader.handle_timeout(at(19_000), true),
        Ok(Received::Data),
        "a response still waits"
    );
    written(&mut reader, usize::MAX);
    assert_eq!(reader.deadline(), Some(at(19_000 + HTTP_HEAD_MS)));
    let over = reader.handle_timeout(at(29_000), true);
    assert_eq!(over, Ok(Received::EndOfInput), "an idle browser did nothing wrong");
}

/// (2.6.6)
#[test]
fn only_a_trusted_proxy_says_whom_it_speaks_for() {
    let opening = |peer: [u8; 4], fields: &str| {
        let mut http = Http::new(Time::START, site(), peer.into());
        let (response, _) = responses_from(&mut http, &format!("{UPGRADE}{fields}\n"));
        (status(&response), http.opening())
    };
    let client = Opening::Ready(Some("192.0.2.7:0".parse().unwrap()));
    let forwarded = "X-Forwarded-For: 203.0.113.1, 192.0.2.7\n";
    assert_eq!(opening([10, 0, 0, 9], forwarded), (101, client));
    assert_eq!(opening([127, 0, 0, 1], forwarded), (101, Opening::Ready(None)));
    assert_eq!(opening([10, 0, 0, 9], ""), (101, Opening::Ready(None)));
    let both = format!("{forwarded}Forwarded: for=203.0.113.1\n");
    assert_eq!(opening([10, 0, 0, 9], &both), (400, Opening::Pending));
}

/// (3.4.5)
#[test]
fn a_page_over_https_behind_a_trusted_proxy_is_private() {
    let is_private = |peer: [u8; 4], origin: &str| {
        let mut http = Http::new(Time::START, site(), peer.into());
        let upgrade = UPGRADE.replace("http://localhost:7880", origin);
        let (response, _) = responses_from(&mut http, &format!("{upgrade}\n"));
        assert_eq!(status(&response), 101);
        http.is_private()
    };
    assert!(is_private([10, 0, 0, 9], "https://chat.example.org"));
    assert!(!is_private([10, 0, 0, 9], "http://localhost:7880"));
    assert!(!is_private([192, 0, 2, 1], "https://chat.example.org"), "anybody can claim that");
}
