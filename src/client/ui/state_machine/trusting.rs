//! Whether others can read along, and the question about a certificate that nobody vouches for.
//!
//! The question comes at the first connection only. Later, nobody may be there to answer, so the
//! same certificate is a failure, and the client tries again.

use super::{Action, Leaving, Link, StateMachine};
use crate::client::ui::client_state::ClientState;
use crate::client::ui::privacy::Privacy;
use crate::core::time::Time;

impl StateMachine {
    /// Says whether the connection that has just opened is private, unless it is as the one before.
    pub fn handle_privacy(&mut self, privacy: Privacy) {
        if self.privacy.as_ref() == Some(&privacy) {
            return;
        }
        if let Some(text) = privacy.notice() {
            self.notice(&text);
        }
        self.privacy = Some(privacy);
    }

    /// Nobody vouches for the certificate with this fingerprint: asks the user.
    pub fn handle_untrusted(&mut self, fingerprint: String, now: Time) {
        if !matches!(self.link, Link::Connecting { is_retry: false, .. }) {
            let reason = format!("nobody vouches for its new certificate, SHA-256 {fingerprint}");
            return self.handle_failure(&reason, now);
        }
        // What was typed meanwhile is no answer.
        if !self.editor.is_empty() {
            self.saved_draft = Some((self.editor.take(), self.draft_state.clone()));
        }
        let server = &self.setup.server;
        self.notice(&format!(
            "Nobody vouches for the certificate of {server}. Its SHA-256 fingerprint:"
        ));
        self.quote(std::slice::from_ref(&fingerprint));
        self.notice("If the operator told you the same, nobody can read along");
        self.link = Link::Untrusted { fingerprint };
    }

    /// The certificate is trusted. `remembered` has the reason if it is only until the client ends.
    pub fn handle_trust(&mut self, remembered: Result<(), String>) {
        self.notice(&match remembered {
            Ok(()) => "Remembered in known_hosts".to_owned(),
            Err(reason) => format!("Trusted, but not remembered: {reason}"),
        });
    }

    /// Takes the line in the editor as the answer to the question. Returns whether there is one.
    pub(super) fn answer_trust(&mut self) -> bool {
        let Link::Untrusted { fingerprint } = &self.link else { return false };
        let fingerprint = fingerprint.clone();
        let answer = self.editor.take().trim().to_lowercase();
        let prompt = "Trust it? ";
        self.pending_lines.push(self.transcript.command(prompt, &answer));
        match answer.as_str() {
            "yes" => {
                self.draft_state = ClientState::Nowhere;
                self.link = Link::Connecting { is_retry: false, remaining_wait: None };
                self.actions.extend([Action::Trust(fingerprint), Action::Connect]);
            }
            "no" => {
                let refused = "you do not trust its certificate; nothing was sent";
                let failed = super::cannot_connect(&self.setup.server, refused);
                self.actions.push_back(Action::Leave(Leaving::Failed(failed)));
            }
            _ => self.notice("Type yes or no"),
        }
        true
    }
}
