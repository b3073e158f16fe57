//! Accounts against the exchange, with a store that answers when the test says so: what addresses,
//! connections and late answers change. The plays are in `tests/transcripts/12-accounts.txt`.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

#[path = "common/store.rs"]
mod store;

use chinwag::core::accounts::{
    AccountAnswer, AccountChange, AccountNameError, AccountPolicy, RequestNumber,
};
use chinwag::core::chat::Name;
use chinwag::core::exchange::{Action, Exchange};
use chinwag::core::limits::{
    ACCOUNTS_MAX, GUESS_WAIT_MS, Limits, REGISTRATION_INTERVAL_MS, REGISTRATIONS_IN_A_ROW_MAX,
};
use chinwag::core::time::Time;
use chinwag::core::transport::{Received, Transport, TransportError};
use chinwag::core::{Origin, SessionId};
use store::Store;

const PASSWORD: &str = "correct horse";
const HOME: [u8; 4] = [192, 0, 2, 1];
const ELSEWHERE: [u8; 4] = [192, 0, 2, 2];
const LOOPBACK: [u8; 4] = [127, 0, 0, 1];
const MENU: &str = "? 1 list users, 2 request chat, 3 exit, 4 join a room, 5 list rooms\n";

/// An exchange with a store. Every connection reads everything at once.
struct Scene {
    exchange: Exchange,
    store: Store,
    now: Time,
    read: Vec<String>,
}

impl Scene {
    /// The server keeps accounts, takes passwords everywhere, and has the account anna.
    fn new() -> Scene {
        Scene::with(Limits { allow_plain_passwords: true, ..Limits::default() })
    }

    fn with(limits: Limits) -> Scene {
        let mut scene = Scene {
            exchange: Exchange::new(limits),
            store: Store::default(),
            now: Time::START.after_ms(1_000_000),
            read: Vec::new(),
        };
        scene.exchange.start_accounts();
        scene.store.set(&name("anna"), PASSWORD);
        assert!(scene.exchange.load_account(name("anna")));
        scene
    }

    fn connects(&mut self, key: usize, address: [u8; 4]) {
        self.expect_reader(key);
        self.exchange.handle_connect_from(self.now, id(key), Origin::v4(address));
        self.settle();
        self.read[key].clear();
    }

    fn expect_reader(&mut self, key: usize) {
        self.read.resize(self.read.len().max(key + 1), String::new());
    }

    fn says(&mut self, key: usize, line: &str) {
        assert!(self.exchange.wants_input(id(key)), "{key} is not read");
        self.exchange.handle_received(self.now, id(key), format!("{line}\n").as_bytes());
        self.settle();
    }

    /// The store answers everything, the oldest question first.
    fn answers(&mut self) {
        while !self.store.waiting().is_empty() {
            let (number, answer) = self.store.answer(0);
            self.gives(number, answer);
        }
    }

    fn gives(&mut self, number: RequestNumber, answer: AccountAnswer) {
        self.exchange.handle_account_answer(self.now, number, answer);
        self.settle();
    }

    fn changes(&mut self, change: AccountChange) {
        self.exchange.handle_account_change(self.now, change);
        self.settle();
    }

    /// What a connection has read since the last call.
    fn reads(&mut self, key: usize) -> String {
        std::mem::take(&mut self.read[key])
    }

    fn passes(&mut self, ms: u64) {
        self.now = self.now.after_ms(ms);
        self.exchange.handle_timeout(self.now);
        self.settle();
    }

    fn resets(&mut self, key: usize) {
        self.exchange.handle_failure(self.now, id(key));
        self.settle();
    }

    /// A new connection types a name and a password, and the store answers. Returns what it reads.
    fn signs_in(&mut self, key: usize, address: [u8; 4], password: &str) -> String {
        self.connects(key, address);
        self.says(key, "anna");
        self.reads(key);
        self.says(key, password);
        self.answers();
        self.reads(key)
    }

    fn settle(&mut self) {
        while let Some(action) = self.exchange.poll_action_at_once(self.now) {
            match action {
                Action::Write(id) => {
                    let output = self.exchange.output(id).to_vec();
                    let text = String::from_utf8_lossy(&output).replace('\r', "");
                    assert!(!text.contains(PASSWORD), "a password is shown: {text}");
                    self.read[id.key()].push_str(&text);
                    self.exchange.handle_sent(self.now, id, output.len());
                }
                Action::EndSending(id) => self.exchange.handle_end_of_input(self.now, id),
                Action::Close(id) => self.exchange.forget(id),
                Action::AskAccounts(request) => {
                    assert!(!format!("{request:?}").contains(PASSWORD), "a password is printed");
                    self.store.ask(request);
                }
                Action::Report(_) | Action::TransportFailed(..) | Action::Open(..) => {}
            }
        }
        self.exchange.chat().check();
    }
}

fn id(key: usize) -> SessionId {
    SessionId::from_key(key)
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// A transport that changes no byte, and calls itself private.
#[derive(Debug, Default)]
struct Private(Vec<u8>);

impl Transport for Private {
    fn receive(
        &mut self,
        _now: Time,
        bytes: &[u8],
        input: &mut Vec<u8>,
    ) -> Result<Received, TransportError> {
        input.extend_from_slice(bytes);
        Ok(Received::Data)
    }

    fn send(&mut self, data: &[u8]) -> usize {
        self.0.extend_from_slice(data);
        data.len()
    }

    fn output(&self) -> &[u8] {
        &self.0
    }

    fn handle_sent(&mut self, count: usize) {
        self.0.drain(..count);
    }

    fn close(&mut self) {}

    fn is_end_clean(&self) -> bool {
        true
    }

    fn is_private(&self) -> bool {
        true
    }
}

/// (3.4.5)
#[test]
fn a_password_crosses_no_connection_that_others_can_read() {
    let mut scene = Scene::with(Limits::default());
    scene.connects(0, HOME);
    scene.says(0, "Anna");
    assert_eq!(
        scene.reads(0),
        "! anna is registered, and others could read its password on this connection; choose \
         another name\n? Username:\n"
    );
    scene.says(0, "bert");
    scene.says(0, "register");
    assert!(scene.reads(0).contains("! Others could read a password on this connection"));
    scene.connects(1, LOOPBACK);
    scene.says(1, "anna");
    assert!(scene.reads(1).contains("? Password for anna:"));
    scene.expect_reader(2);
    let transport = Box::new(Private::default());
    scene.exchange.handle_connect_through_from(scene.now, id(2), Origin::v4(HOME), transport);
    scene.says(2, "anna");
    assert!(scene.reads(2).contains("? Password for anna:"));
}

/// (3.4.6, 7.87)
#[test]
fn an_address_that_guesses_waits_and_the_owner_elsewhere_does_not() {
    let mut scene = Scene::new();
    for guess in ["a guess 1", "a guess 2", "a guess 3"] {
        assert!(scene.signs_in(0, HOME, guess).contains("Wrong password"));
        scene.resets(0);
    }
    let refused = "! Too many wrong passwords; try again in 1 s\n? Password for anna:\n";
    assert_eq!(scene.signs_in(0, HOME, PASSWORD), refused, "not even the right one is checked");
    scene.says(0, "a guess 4");
    assert_eq!(scene.reads(0), refused, "and no try is lost");
    assert!(scene.signs_in(1, ELSEWHERE, PASSWORD).contains("* Hello, anna"));
    scene.passes(GUESS_WAIT_MS);
    scene.says(0, PASSWORD);
    scene.answers();
    assert!(scene.reads(0).contains("* Hello, anna"));
}

/// (3.4.6)
#[test]
fn parallel_tries_do_not_help_and_nothing_is_said_of_the_password() {
    let mut scene = Scene::new();
    let mut refused = 0;
    for key in 0..50 {
        scene.connects(key, HOME);
        scene.says(key, "anna");
        scene.reads(key);
        scene.says(key, if key == 20 { PASSWORD } else { "not the password" });
        refused += usize::from(scene.reads(key).contains("Too many wrong passwords"));
    }
    assert_eq!((refused, scene.store.waiting().len()), (47, 3));
}

/// (3.4.6)
#[test]
fn one_password_tried_on_many_names_delays_the_address_and_no_other() {
    let mut scene = Scene::new();
    for n in 0..40 {
        let account = name(&format!("user-{n}x"));
        scene.store.set(&account, PASSWORD);
        scene.exchange.load_account(account);
    }
    assert!(scene.signs_in(90, ELSEWHERE, PASSWORD).contains("* Hello"));
    scene.resets(90);
    let mut tries = 0;
    for n in 0..40 {
        scene.connects(n, HOME);
        scene.says(n, &format!("user-{n}x"));
        scene.says(n, "password1");
        tries += scene.store.waiting().len();
        scene.answers();
    }
    assert_eq!(tries, 32, "7.88");
    assert!(scene.signs_in(90, ELSEWHERE, PASSWORD).contains("* Hello"));
}

/// (4.11.6)
#[test]
fn a_proof_of_an_older_password_lets_nobody_in() {
    for (change, says) in [
        (vec![AccountChange::Reset(name("anna"))], "has just been changed"),
        (vec![AccountChange::Removed(name("anna"))], "is no longer registered"),
        (
            vec![AccountChange::Removed(name("anna")), AccountChange::Added(name("anna"))],
            "has just been changed",
        ),
    ] {
        let mut scene = Scene::new();
        scene.connects(0, HOME);
        scene.says(0, "anna");
        scene.reads(0);
        scene.says(0, PASSWORD);
        let (number, answer) = scene.store.answer(0);
        assert_eq!(answer, AccountAnswer::Ok);
        change.into_iter().for_each(|change| scene.changes(change));
        scene.gives(number, answer);
        let read = scene.reads(0);
        assert!(read.contains(says) && !read.contains("Hello"), "{read}");
    }
}

/// (4.11.6, 3.4.7)
#[test]
fn an_answer_for_a_session_that_is_gone_reaches_nobody() {
    let mut scene = Scene::new();
    scene.connects(0, HOME);
    scene.says(0, "anna");
    scene.says(0, PASSWORD);
    let (number, answer) = scene.store.answer(0);
    scene.resets(0);
    // Another connection has the same id, and is in the same state.
    scene.connects(0, ELSEWHERE);
    scene.says(0, "anna");
    scene.reads(0);
    scene.gives(number, answer);
    assert_eq!(scene.reads(0), "");
    scene.says(0, "a guess of mine");
    scene.gives(number, answer);
    assert_eq!(scene.reads(0), "", "a number is answered once");
    scene.answers();
    assert_eq!(scene.reads(0), "! Wrong password; 2 tries left\n? Password for anna:\n");
}

/// (4.11.6)
#[test]
fn answers_in_any_order_reach_the_sessions_that_asked() {
    let mut scene = Scene::new();
    scene.store.set(&name("bert"), PASSWORD);
    scene.exchange.load_account(name("bert"));
    for (key, who, password) in [(0, "anna", "not the one"), (1, "bert", PASSWORD)] {
        scene.connects(key, HOME);
        scene.says(key, who);
        scene.reads(key);
        scene.says(key, password);
    }
    let (later, answer) = scene.store.answer(1);
    scene.gives(later, answer);
    assert_eq!((scene.reads(0), scene.reads(1)), (String::new(), format!("* Hello, bert\n{MENU}")));
    scene.answers();
    assert!(scene.reads(0).starts_with("! Wrong password"));
}

/// (4.11.4)
#[test]
fn of_two_sessions_that_sign_in_together_the_later_one_stays() {
    let mut scene = Scene::new();
    for key in [0, 1] {
        scene.connects(key, HOME);
        scene.says(key, "anna");
        scene.says(key, PASSWORD);
    }
    scene.answers();
    assert!(scene.reads(0).contains("! anna has signed in on another connection"));
    assert!(scene.reads(1).contains("* Hello, anna"));
    assert_eq!(scene.exchange.chat().user_count(), 1);
}

/// A user of anna's name registers, and the helper dies before it answers.
fn registers_and_the_helper_dies(is_stored: bool) -> Scene {
    let mut scene = Scene::new();
    scene.connects(0, HOME);
    for line in ["bert", "register", "battery staple", "battery staple"] {
        scene.says(0, line);
    }
    let (number, down) = scene.store.fail(0, AccountAnswer::Down, is_stored);
    scene.gives(number, down);
    scene.resets(0);
    scene.connects(1, HOME);
    scene.says(1, "bert");
    assert!(scene.reads(1).contains("? Password for bert:"), "nobody knows yet");
    scene.says(1, "cancel");
    let names = scene.store.names();
    scene.exchange.handle_accounts_reloaded(scene.now, names);
    scene.settle();
    scene.reads(1);
    scene.says(1, "bert");
    scene
}

/// (3.4.7, 4.12.2)
#[test]
fn a_name_is_taken_until_it_is_known_whether_it_was_registered() {
    let mut scene = registers_and_the_helper_dies(true);
    scene.says(1, "battery staple");
    scene.answers();
    assert!(scene.reads(1).contains("* Hello, bert"));
    let mut scene = registers_and_the_helper_dies(false);
    assert_eq!(scene.reads(1), format!("* Hello, bert\n{MENU}"), "it was not");
}

/// (3.4.7)
#[test]
fn a_user_whose_registration_was_interrupted_can_try_again() {
    let mut scene = Scene::new();
    scene.connects(0, HOME);
    for line in ["bert", "register", "battery staple", "battery staple"] {
        scene.says(0, line);
    }
    let (number, down) = scene.store.fail(0, AccountAnswer::Down, false);
    scene.gives(number, down);
    for line in ["register", "battery staple", "battery staple"] {
        scene.says(0, line);
    }
    scene.reads(0);
    scene.answers();
    assert!(scene.reads(0).starts_with("* bert is registered"));
}

/// (3.4.8)
#[test]
fn a_user_whose_name_looks_like_a_new_account_must_go() {
    let mut scene = Scene::new();
    scene.connects(0, HOME);
    scene.says(0, "B0B");
    scene.connects(1, HOME);
    scene.says(1, "bobby");
    scene.reads(1);
    scene.changes(AccountChange::Added(name("BOB")));
    assert!(scene.reads(0).contains("! The account BOB has been changed; sign in again"));
    assert_eq!(scene.reads(1), "");
}

/// (3.4.8, 3.4.1)
#[test]
fn an_account_that_is_removed_or_reset_ends_its_session_where_accounts_are_required() {
    for change in [AccountChange::Removed(name("anna")), AccountChange::Reset(name("anna"))] {
        let accounts = AccountPolicy::Required;
        let limits = Limits { accounts, allow_plain_passwords: true, ..Limits::default() };
        let mut scene = Scene::with(limits);
        scene.signs_in(0, HOME, PASSWORD);
        scene.changes(change);
        assert!(scene.reads(0).contains("! The account anna has been changed"));
        assert_eq!(scene.exchange.chat().user_count(), 0);
    }
}

/// (3.4.1)
#[test]
fn without_accounts_every_name_is_free() {
    let mut scene = Scene::with(Limits { accounts: AccountPolicy::Off, ..Limits::default() });
    scene.connects(0, HOME);
    scene.says(0, "anna");
    assert!(scene.reads(0).contains("* Hello, anna"));
}

/// (7.90)
#[test]
fn the_number_of_accounts_is_limited() {
    let mut scene = Scene::new();
    let mut texts = (0_u32..).map(|n| {
        let letter = |place: u32| char::from(b'a' + (n / 26_u32.pow(place) % 26) as u8);
        format!("x{}", [4, 3, 2, 1, 0].map(letter).iter().collect::<String>())
    });
    // Some of these look alike: `rn` is `m`.
    let mut count = 1;
    while count < ACCOUNTS_MAX {
        count += usize::from(scene.exchange.load_account(name(&texts.next().unwrap())));
    }
    assert_eq!(scene.exchange.accounts("").count(), ACCOUNTS_MAX);
    assert_eq!(scene.exchange.check_account_name("someone"), Err(AccountNameError::TooMany));
    scene.connects(0, HOME);
    for line in ["someone", "register", PASSWORD, PASSWORD] {
        scene.says(0, line);
    }
    assert!(scene.reads(0).contains("! This server has no room for another account"));
}

/// (7.91)
#[test]
fn an_address_that_registers_many_names_waits() {
    let mut scene = Scene::new();
    for n in 0..=REGISTRATIONS_IN_A_ROW_MAX as usize {
        scene.connects(n, HOME);
        for line in [&format!("user-{n}x"), "register", PASSWORD, PASSWORD] {
            scene.says(n, line);
        }
        scene.answers();
    }
    let last = REGISTRATIONS_IN_A_ROW_MAX as usize;
    assert!(scene.reads(last - 1).contains("* user-63x is registered"));
    assert!(scene.reads(last).contains("! Your address registered many names; try again in 60 s"));
    scene.passes(REGISTRATION_INTERVAL_MS);
    for line in ["register", PASSWORD, PASSWORD] {
        scene.says(last, line);
    }
    scene.answers();
    assert!(scene.reads(last).contains("* user-64x is registered"));
}

/// (3.4.3)
#[test]
fn an_operator_cannot_make_an_account_of_a_bad_name() {
    let scene = Scene::new();
    let check = |text: &str| scene.exchange.check_account_name(text);
    assert_eq!(check("bert"), Ok(name("bert")));
    assert_eq!(check("no name"), Err(AccountNameError::NotAName));
    assert_eq!(check("operator"), Err(AccountNameError::NotAName));
    assert_eq!(check("ANNA"), Err(AccountNameError::Exists));
    assert_eq!(scene.exchange.find_account("ANNA"), Some(&name("anna")));
    assert!(scene.exchange.accounts("a").eq([&name("anna")]));
}
