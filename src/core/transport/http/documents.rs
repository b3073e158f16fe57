//! The documents that the server hands out: the page, its script, its style, and its icon.
//!
//! They are files under `src/web/`, compiled into the program. A new file is one more row of
//! [`FILES`].

use sha1::{Digest, Sha1};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// The row of a file whose path is its name.
macro_rules! file {
    ($name:literal, $content_type:expr) => {
        (concat!("/", $name), $content_type, include_bytes!(concat!("../../../web/", $name)))
    };
}

/// Path, type, and bytes of each document.
const FILES: &[(&str, &str, &[u8])] = &[
    ("/", HTML, include_bytes!("../../../web/index.html")),
    file!("style.css", CSS),
    file!("acts.js", SCRIPT),
    file!("alerts.js", SCRIPT),
    file!("dom.js", SCRIPT),
    file!("lists.js", SCRIPT),
    file!("log.js", SCRIPT),
    file!("model.js", SCRIPT),
    file!("page.js", SCRIPT),
    file!("places.js", SCRIPT),
    file!("protocol.js", SCRIPT),
    file!("text.js", SCRIPT),
    file!("view.js", SCRIPT),
    file!("waiting.js", SCRIPT),
    file!("icon.svg", SVG),
    // Browsers ask for this path by themselves.
    ("/favicon.ico", SVG, include_bytes!("../../../web/icon.svg")),
];

/// One file of the page.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) path: &'static str,
    pub(super) content_type: &'static str,
    pub(super) bytes: &'static [u8],
    /// In quotes. It depends on the bytes alone, so it changes when the file does.
    pub(super) etag: String,
}

impl Document {
    /// All documents, hashed.
    pub(super) fn all() -> Vec<Document> {
        let document = |&(path, content_type, bytes)| Document {
            path,
            content_type,
            bytes,
            etag: etag(bytes),
        };
        FILES.iter().map(document).collect()
    }

    /// Whether one of the tags that the client has is this document's (RFC 9110, 13.1.2).
    pub(super) fn matches<'a>(&self, mut tags: impl Iterator<Item = &'a str>) -> bool {
        tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == self.etag)
    }
}

fn etag(bytes: &[u8]) -> String {
    let digest = Sha1::digest(bytes);
    let digits = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("\"{digits}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_follows_the_bytes() {
        assert_eq!(etag(b"abc"), "\"a9993e364706816a\"", "the first bytes of SHA-1 (FIPS 180)");
        let documents = Document::all();
        let document = documents.iter().find(|document| document.path == "/").unwrap();
        let weak = format!("W/{}", document.etag);
        assert!(
            document.matches(["\"x\"", &weak].into_iter()) && document.matches(["*"].into_iter())
        );
        assert!(!document.matches(["\"x\""].into_iter()));
    }

    #[test]
    fn the_page_is_light() {
        let paths = Document::all().into_iter().filter(|document| document.path != "/favicon.ico");
        let bytes = paths.map(|document| document.bytes.len()).sum::<usize>();
        assert!(bytes < 60 * 1024, "{bytes} bytes");
    }
}
