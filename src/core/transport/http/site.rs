//! What the web server is: its documents, the hosts it answers to, the proxies it believes.
//!
//! [`Site::reply`] decides what one request gets. All connections share one site. Nothing here knows
//! how bytes come and go; that is `http.rs`.

use core::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::authority::{Authority, PageOrigin};
use super::documents::Document;
use super::forwarded;
use super::request::{HeaderRoom, Request};
use super::response::{Envelope, Response, Status, upgrade};
use crate::core::limits::{HTTP_HEAD_BYTES_MAX, HTTP_HEADERS_MAX};
use crate::core::transport::websocket::{SharedPool, accept_key};

/// Where the page opens its WebSocket connection.
const CHAT_PATH: &str = "/chat";
/// The name of our lines as a WebSocket subprotocol. A client need not ask for it.
const SUBPROTOCOL: &str = "chinwag";

/// What an operator decides about the web server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebOptions {
    /// Origins that may connect, besides the server's own. Their hosts are names of this server.
    pub origins: Vec<PageOrigin>,
    /// Networks of proxies that tell the truth about whom they speak for.
    pub trusted_proxies: Vec<IpNet>,
}

/// The web server, as all its connections see it.
#[derive(Debug)]
pub struct Site {
    documents: Vec<Document>,
    options: WebOptions,
    /// The buffers of the connections.
    pub(super) pool: SharedPool,
}

/// What a request gets.
#[derive(Debug)]
pub(super) enum Reply {
    /// A response; the connection goes on.
    Response(Response),
    /// The last response of the connection.
    LastResponse(Response),
    /// The connection becomes a WebSocket one.
    Upgrade {
        response: Vec<u8>,
        /// The client's address, if a trusted proxy told it.
        client: Option<SocketAddr>,
        /// A trusted proxy speaks HTTPS with the client.
        is_https: bool,
    },
}

/// Why a request is refused.
struct Refusal {
    status: Status,
    text: String,
    field: Option<(&'static str, &'static str)>,
}

impl Refusal {
    fn new(status: Status, text: impl Into<String>) -> Refusal {
        Refusal { status, text: text.into(), field: None }
    }
}

impl Default for Site {
    fn default() -> Self {
        Site::new(WebOptions::default())
    }
}

impl Site {
    /// A site with these options.
    #[must_use]
    pub fn new(options: WebOptions) -> Site {
        Site { documents: Document::all(), options, pool: SharedPool::default() }
    }

    /// Whether this peer is a proxy that may speak for others.
    #[must_use]
    pub fn trusts(&self, peer: IpAddr) -> bool {
        forwarded::is_trusted(peer, &self.options.trusted_proxies)
    }

    /// Answers the request with this head. `is_trusted` tells whether its sender is a trusted proxy;
    /// `is_last`, that the connection may have no further request.
    pub(super) fn reply(&self, head: &[u8], is_trusted: bool, is_last: bool) -> Reply {
        let mut room: HeaderRoom<'_> = [httparse::EMPTY_HEADER; HTTP_HEADERS_MAX];
        let request = match Request::parse(head, &mut room) {
            Ok(request) => request,
            Err(status) => return Reply::LastResponse(malformed(status)),
        };
        let is_last = is_last || request.wants_close() || request.has_body();
        let host = Some(request.host);
        let envelope = Envelope { host, is_head: request.method == "HEAD", is_last };
        let refusal = match self.answer(&request, envelope, is_trusted) {
            Ok(reply) => return reply,
            Err(refusal) => refusal,
        };
        let Refusal { status, text, field } = refusal;
        // Behind some requests stands a body that nobody reads, so the connection cannot go on.
        let is_last = is_last || !matches!(status, Status::NotFound | Status::UpgradeRequired);
        let response = Envelope { is_last, ..envelope }.refusal(status, &text, field);
        if is_last { Reply::LastResponse(response) } else { Reply::Response(response) }
    }

    fn answer(
        &self,
        request: &Request<'_>,
        envelope: Envelope<'_>,
        is_trusted: bool,
    ) -> Result<Reply, Refusal> {
        self.check_host(request)?;
        self.check_origin(request)?;
        if request.path == CHAT_PATH {
            return self.upgrade(request, is_trusted);
        }
        let document = self.documents.iter().find(|document| document.path == request.path);
        let document = document.ok_or_else(|| {
            Refusal::new(Status::NotFound, "There is no such page; the chat is at /")
        })?;
        check_method(request, "GET, HEAD")?;
        let tags = request.fields.elements("if-none-match").flatten();
        let response = match document.matches(tags) {
            true => envelope.not_modified(document),
            false => envelope.document(document),
        };
        Ok(match envelope.is_last {
            true => Reply::LastResponse(response),
            false => Reply::Response(response),
        })
    }

    /// The host must be one that no foreign page can have: an address, a loopback name, or a name
    /// from the operator. Otherwise somebody could make the name of a page of theirs point here.
    fn check_host(&self, request: &Request<'_>) -> Result<(), Refusal> {
        let Authority { text, host, .. } = request.host;
        let is_named = self.options.origins.iter().any(|origin| origin.has_host(&request.host));
        if is_named || request.host.is_beyond_rebinding() {
            return Ok(());
        }
        let text = format!(
            "This server does not go by the name {host}; its operator can add it with --origin \
             http://{text} or https://{text}"
        );
        Err(Refusal::new(Status::Forbidden, text))
    }

    /// The page that makes this request, if a browser names one, must be ours (RFC 6455, 10.2).
    fn check_origin(&self, request: &Request<'_>) -> Result<(), Refusal> {
        let foreign = || {
            let text = "The page that sent you here is not a page of this server; its operator can \
                        allow it with --origin";
            Refusal::new(Status::Forbidden, text)
        };
        let Some(origin) = request.fields.only("origin").map_err(|_| foreign())? else {
            return Ok(());
        };
        let origin = origin.parse::<PageOrigin>().map_err(|_| foreign())?;
        let is_ours = origin.is_of(&request.host) || self.options.origins.contains(&origin);
        if is_ours { Ok(()) } else { Err(foreign()) }
    }

    /// Checks the handshake of a WebSocket client (RFC 6455, 4.2.1).
    fn upgrade(&self, request: &Request<'_>, is_trusted: bool) -> Result<Reply, Refusal> {
        check_method(request, "GET")?;
        let fields = request.fields;
        if !fields.has_token("upgrade", "websocket") || !fields.has_token("connection", "upgrade") {
            let text = "This is the WebSocket address of the chat; the page is at /";
            let field = Some(("Upgrade", "websocket"));
            return Err(Refusal { field, ..Refusal::new(Status::UpgradeRequired, text) });
        }
        if fields.only("sec-websocket-version") != Ok(Some("13")) {
            let field = Some(("Sec-WebSocket-Version", "13"));
            let text = "This server speaks WebSocket version 13";
            return Err(Refusal { field, ..Refusal::new(Status::UpgradeRequired, text) });
        }
        let key = fields.only("sec-websocket-key").ok().flatten().and_then(accept_key);
        let key = key.filter(|_| !request.is_http_1_0).ok_or_else(|| {
            let text = "A WebSocket handshake needs HTTP/1.1 and one Sec-WebSocket-Key";
            Refusal::new(Status::BadRequest, text)
        })?;
        let client = match is_trusted {
            true => forwarded::client(fields, &self.options.trusted_proxies).map_err(|status| {
                Refusal::new(status, "Forwarded and X-Forwarded-For disagree about the client")
            })?,
            false => None,
        };
        let is_offered =
            fields.elements("sec-websocket-protocol").flatten().any(|p| p == SUBPROTOCOL);
        let protocol = is_offered.then_some(SUBPROTOCOL);
        // A browser lets no page of HTTPS connect without TLS.
        let origin = fields.only("origin").ok().flatten();
        let is_https = is_trusted && origin.is_some_and(|origin| origin.starts_with("https://"));
        Ok(Reply::Upgrade { response: upgrade(&key, protocol), client, is_https })
    }
}

/// Only reading is allowed, and no request has a body.
fn check_method(request: &Request<'_>, allowed: &'static str) -> Result<(), Refusal> {
    if !allowed.split(", ").any(|method| method == request.method) {
        let text = format!("Only {allowed} here");
        let field = Some(("Allow", allowed));
        return Err(Refusal { field, ..Refusal::new(Status::MethodNotAllowed, text) });
    }
    if request.has_body() {
        return Err(Refusal::new(Status::BadRequest, "No request here has a body"));
    }
    Ok(())
}

/// The response to a connection that is turned away at once, with a `!` line that says why.
#[must_use]
pub fn turned_away(line: &str) -> Vec<u8> {
    let envelope = Envelope { host: None, is_head: false, is_last: true };
    envelope.refusal(Status::Unavailable, line, None).into_bytes()
}

/// The response to something that is no request; the connection closes after it.
pub(super) fn malformed(status: Status) -> Response {
    let text = match status {
        Status::HeadTooLarge => format!(
            "A request here has at most {HTTP_HEAD_BYTES_MAX} bytes and {HTTP_HEADERS_MAX} fields"
        ),
        _ => "That is no HTTP request; open this address with a browser".to_owned(),
    };
    Envelope { host: None, is_head: false, is_last: true }.refusal(status, &text, None)
}
