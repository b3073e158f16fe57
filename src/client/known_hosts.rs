//! The text of `known_hosts`: the certificates that the user has confirmed. Pure.
//!
//! Each line names a server and the SHA-256 fingerprint of its certificate. `io::trust` reads and
//! appends to the file. Users edit it too, so a line that means nothing is skipped.

/// What the file says about a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// The user has confirmed this certificate.
    Yes,
    /// The user has confirmed no certificate of the server.
    No,
    /// The user has confirmed another certificate.
    Another {
        /// The number of the line, from 1.
        line: usize,
        /// The fingerprint in that line.
        fingerprint: String,
    },
}

/// Looks up `server` (`host:port`) with the certificate of this fingerprint. A server may have
/// several lines; any of them will do.
#[must_use]
pub fn look_up(text: &str, server: &str, fingerprint: &str) -> Known {
    let mut known = Known::No;
    for (n, line) in text.lines().enumerate() {
        let Some((name, found)) = entry(line) else { continue };
        if !name.eq_ignore_ascii_case(server) {
            continue;
        }
        if found.eq_ignore_ascii_case(fingerprint) {
            return Known::Yes;
        }
        if known == Known::No {
            known = Known::Another { line: n + 1, fingerprint: found.to_ascii_uppercase() };
        }
    }
    known
}

/// The line that remembers a certificate, with its ending.
#[must_use]
pub fn line(server: &str, fingerprint: &str) -> String {
    format!("{} {fingerprint}\n", server.to_ascii_lowercase())
}

/// The server and the fingerprint in a line. What follows them is the user's comment.
fn entry(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_ascii_whitespace();
    let (server, fingerprint) = (words.next()?, words.next()?);
    (!server.starts_with('#') && is_fingerprint(fingerprint)).then_some((server, fingerprint))
}

/// Whether a word is 32 pairs of hexadecimal digits with colons between them.
fn is_fingerprint(word: &str) -> bool {
    let mut count = 0;
    let is_pair = |pair: &str| pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit());
    word.split(':').inspect(|_| count += 1).all(is_pair) && count == 32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(pair: &str) -> String {
        [pair; 32].join(":")
    }

    #[test]
    fn a_line_remembers_one_certificate_of_one_server() {
        let (old, new) = (fingerprint("0A"), fingerprint("FF"));
        let text =
            format!("# mine\n{}{}", line("Chat.Example.org:7879", &old), line("[::1]:1", &new));
        assert_eq!(look_up(&text, "chat.example.ORG:7879", &old), Known::Yes);
        assert_eq!(look_up(&text, "[::1]:1", &new.to_lowercase()), Known::Yes);
        let another = Known::Another { line: 2, fingerprint: old.clone() };
        assert_eq!(look_up(&text, "chat.example.org:7879", &new), another);
        for stranger in ["chat.example.org:7880", "example.org:7879", "chat.example.org", ""] {
            assert_eq!(look_up(&text, stranger, &old), Known::No, "{stranger}");
        }
        let both = text + &line("chat.example.org:7879", &new);
        assert_eq!(look_up(&both, "chat.example.org:7879", &new), Known::Yes);
        assert_eq!(look_up(&both, "chat.example.org:7879", &old), Known::Yes);
    }

    #[test]
    fn lines_that_mean_nothing_are_skipped() {
        let good = fingerprint("AB");
        for bad in [
            "h:1".to_owned(),
            "h:1 ".to_owned(),
            format!("#h:1 {good}"),
            format!("h:1 {good}:AB"),
            format!("h:1 {}", &good[3..]),
            format!("h:1 {}", good.replacen("AB", "A", 1)),
            format!("h:1 {}", good.replacen("AB", "é", 1)),
            format!("h:1 {}", good.replacen("AB", "GG", 1)),
            format!("h:1\0 {good}"),
            format!("h:1x {good}"),
            "\u{feff}\u{202e}\x1b[2J ".repeat(1_000),
        ] {
            assert_eq!(look_up(&bad, "h:1", &good), Known::No, "{bad:?}");
            let text = format!("{bad}\r\n\t h:1   {good} confirmed by telephone");
            assert_eq!(look_up(&text, "h:1", &good), Known::Yes, "{bad:?}");
        }
    }
}
