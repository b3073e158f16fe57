//! The flags of `serve` that are about the web page.

use clap::Args;
use ipnet::IpNet;

use crate::core::operator::parse_network;
use crate::core::transport::http::{PageOrigin, WebOptions};

/// The flags that are about the web page.
#[derive(Debug, Args)]
#[allow(rustdoc::bare_urls, reason = "--help shows the text as it is")]
#[command(next_help_heading = "Web")]
pub struct WebArgs {
    /// Another origin of the web page, such as https://chat.example.org behind a proxy. Pages of other
    /// origins cannot connect. Repeat the flag for several
    #[arg(long, value_name = "ORIGIN", env = "CHINWAG_ORIGIN", value_delimiter = ',', value_parser = origin)]
    pub origin: Vec<PageOrigin>,

    /// Network of your HTTP proxies, such as 127.0.0.1. Their fields Forwarded and X-Forwarded-For tell the
    /// addresses of clients. Repeat the flag for several
    #[arg(long, value_name = "NETWORK", env = "CHINWAG_TRUSTED_PROXY", value_delimiter = ',', value_parser = network)]
    pub trusted_proxy: Vec<IpNet>,
}

impl WebArgs {
    /// What the flags decide.
    #[must_use]
    pub fn options(&self) -> WebOptions {
        let (origins, trusted_proxies) = (self.origin.clone(), self.trusted_proxy.clone());
        WebOptions { origins, trusted_proxies }
    }
}

/// An address or a network from the command line.
pub(super) fn network(text: &str) -> Result<IpNet, String> {
    let wanted = "a network is ADDRESS or ADDRESS/BITS, such as 10.0.0.0/8 or ::1";
    parse_network(text).ok_or_else(|| wanted.to_owned())
}

fn origin(text: &str) -> Result<PageOrigin, String> {
    text.parse().map_err(|error: crate::core::transport::http::NoOrigin| error.to_string())
}
