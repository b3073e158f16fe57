//! Backpressure, stalls and ends, byte by byte; what is said in words stands in the transcripts.

use super::{Action, Exchange};
use crate::core::SessionId;
use crate::core::chat::{Chat, ChatMessage, DisconnectReason, Event};
use crate::core::framing::Input;
use crate::core::limits::{
    ASK_INTERVAL_MS, ASKS_IN_A_ROW_MAX, FAN_OUT_WRITES_PER_TURN, Limits,
    OUTBOX_BYTES_OVER_HIGH_WATER, OUTPUT_BYTES_BEFORE_PRESSURE, REPLIES_BYTES_MAX, STALL_NOTICE_MS,
};
use crate::core::time::Time;

const HIGH_WATER: usize = 64 * 1024;

/// An exchange whose people take what they are told only when the test says so.
struct Scene {
    exchange: Exchange,
    now: Time,
    actions: Vec<Action>,
    /// Sessions whose input went on.
    resumed: Vec<SessionId>,
}

impl Scene {
    /// `names` are here, by id from 0, and have taken all they were told.
    fn with(names: &[&str]) -> Scene {
        Scene::of(Limits::default(), names)
    }

    fn of(limits: Limits, names: &[&str]) -> Scene {
        let exchange = Exchange::new(limits);
        let mut scene =
            Scene { exchange, now: Time::START, actions: Vec::new(), resumed: Vec::new() };
        for (key, name) in names.iter().enumerate() {
            scene.exchange.handle_connect(scene.now, SessionId::from_key(key));
            scene.types(key, name);
            scene.takes_all(key);
        }
        scene
    }

    /// `A` and `B`, 0 and 1, in a chat.
    fn of_two_chatting() -> Scene {
        let mut scene = Scene::with(&["A", "B"]);
        scene.types(0, "2 B");
        scene.types(1, "yes");
        scene.takes_all(0);
        scene.takes_all(1);
        scene
    }

    fn types(&mut self, key: usize, line: &str) {
        self.sends(key, format!("{line}\n").as_bytes());
    }

    fn sends(&mut self, key: usize, bytes: &[u8]) {
        assert!(self.is_read(key), "{key} is not read");
        self.exchange.handle_received(self.now, SessionId::from_key(key), bytes);
        self.settle();
    }

    fn takes(&mut self, key: usize, count: usize) {
        self.exchange.handle_sent(self.now, SessionId::from_key(key), count);
        self.settle();
    }

    fn takes_all(&mut self, key: usize) -> String {
        let output = self.exchange.output(SessionId::from_key(key)).to_vec();
        self.takes(key, output.len());
        String::from_utf8(output).unwrap()
    }

    fn takes_nothing_more(&mut self, key: usize) {
        self.exchange.handle_blocked(self.now, SessionId::from_key(key));
        self.settle();
    }

    fn ms_pass(&mut self, ms: u64) {
        // It walks over everybody, and with a crowd that would be most of the test.
        if self.exchange.chat().user_count() < 10 {
            self.exchange.chat().check();
        }
        self.now = self.now.after_ms(ms);
        self.exchange.handle_timeout(self.now);
        self.settle();
    }

    fn settle(&mut self) {
        while let Some(id) = self.exchange.poll_drain() {
            self.exchange.finish_drain(self.now, id);
        }
        while let Some(id) = self.exchange.poll_resume() {
            self.resumed.push(id);
            self.exchange.resume(self.now, id);
        }
        while let Some(action) = self.exchange.poll_action_at_once(self.now) {
            self.actions.push(action);
        }
    }

    fn is_read(&self, key: usize) -> bool {
        self.exchange.wants_input(SessionId::from_key(key))
    }

    fn waits_for(&self, key: usize) -> usize {
        self.exchange.output(SessionId::from_key(key)).len()
    }

    fn said_to_resume(&mut self, key: usize) -> bool {
        std::mem::take(&mut self.resumed).contains(&SessionId::from_key(key))
    }

    fn departure(&self, key: usize) -> Option<DisconnectReason> {
        let id = SessionId::from_key(key);
        self.actions.iter().find_map(|action| match action {
            Action::Report(Event::Left { who, why }) if *who == id => Some(*why),
            _ => None,
        })
    }

    /// 0 sends numbered lines to 1, who takes nothing, until 0 is not read any more.
    fn fill_the_partner(&mut self) -> usize {
        (0..)
            .find(|n| {
                self.types(0, &format!("{n:0>1000}"));
                !self.is_read(0)
            })
            .unwrap()
    }
}

/// (7.7, 7.8, 7.35)
#[test]
fn a_sender_is_held_above_the_high_water_mark_and_goes_on_at_the_low_one() {
    let mut scene = Scene::of_two_chatting();
    scene.fill_the_partner();
    let waiting = scene.waits_for(1);
    assert!((HIGH_WATER..HIGH_WATER + 1100).contains(&waiting), "one line over: {waiting}");
    scene.takes(1, waiting - HIGH_WATER / 4 - 1);
    assert!(!scene.is_read(0) && !scene.said_to_resume(0), "between the marks");
    scene.takes(1, 1);
    assert!(scene.is_read(0) && scene.said_to_resume(0), "at the low-water mark");
}

/// (7.7, 7.8, 7.35)
#[test]
fn nothing_is_lost_or_reordered_by_holding() {
    let mut scene = Scene::of_two_chatting();
    let sent = (0..40_000).map(|n| format!("{n}\n")).collect::<String>();
    let (mut rest, mut taken) = (sent.as_bytes(), String::new());
    while !rest.is_empty() || scene.waits_for(1) > 0 {
        if scene.is_read(0) && !rest.is_empty() {
            let (chunk, later) = rest.split_at(rest.len().min(16 * 1024));
            scene.sends(0, chunk);
            rest = later;
        }
        assert!(scene.exchange.buffered_bytes() < HIGH_WATER + 2 * 4 * 1024);
        taken.push_str(&scene.takes_all(1));
    }
    assert_eq!(taken.replace("A: ", "").replace('\r', ""), sent);
    assert_eq!(scene.exchange.buffered_bytes(), 0);
}

/// (7.9, 7.36)
#[test]
fn who_does_not_read_the_answers_is_not_read() {
    let mut scene = Scene::with(&["A", "B"]);
    let many = "1\n".repeat(8 * 1024);
    scene.sends(0, many.as_bytes());
    assert!(!scene.is_read(0));
    let waiting = scene.waits_for(0);
    assert!((REPLIES_BYTES_MAX..REPLIES_BYTES_MAX + 200).contains(&waiting), "{waiting}");
    let mut lists = 0;
    while !scene.is_read(0) || scene.waits_for(0) > 0 {
        lists += scene.takes_all(0).matches("2 users online").count();
    }
    assert_eq!(lists, 8 * 1024, "every one is answered in the end");
}

/// (7.10)
#[test]
fn a_crowd_that_does_not_read_shares_a_bound() {
    let names = (0..120).map(|n| format!("u{n:0>3}")).collect::<Vec<_>>();
    let high_water_bytes = 1024 * 1024;
    let limits = Limits { high_water_bytes, ..Limits::default() };
    let mut scene = Scene::of(limits, &names.iter().map(String::as_str).collect::<Vec<_>>());
    for pair in 0..60 {
        scene.types(2 * pair, &format!("2 u{:0>3}", 2 * pair + 1));
        scene.types(2 * pair + 1, "yes");
        while scene.is_read(2 * pair) {
            scene.types(2 * pair, &"x".repeat(1000));
        }
    }
    let most = OUTPUT_BYTES_BEFORE_PRESSURE + high_water_bytes + 60 * 2 * REPLIES_BYTES_MAX;
    assert!(scene.exchange.buffered_bytes() < most);
    assert!(60 * high_water_bytes > most, "they would have taken more");
}

/// (7.11, 5.7.4)
#[test]
fn what_others_cause_has_a_bound_too() {
    let names = (0..100).map(|n| format!("u{n:0>3}")).collect::<Vec<_>>();
    let mut scene = Scene::with(&names.iter().map(String::as_str).collect::<Vec<_>>());
    scene.takes_nothing_more(0);
    for asker in 1..100 {
        scene.types(asker, "2 u000");
        scene.types(asker, "cancel");
        scene.takes_all(asker);
    }
    assert!(scene.waits_for(0) <= REPLIES_BYTES_MAX, "requests are refused");
    // What an operator says reaches everybody, and nothing slows an operator.
    for _ in 0..=(HIGH_WATER + OUTBOX_BYTES_OVER_HIGH_WATER) / 512 {
        if scene.departure(0).is_some() {
            break;
        }
        assert!(scene.waits_for(0) <= HIGH_WATER + OUTBOX_BYTES_OVER_HIGH_WATER);
        scene.exchange.handle_announcement(scene.now, &"x".repeat(512));
        scene.settle();
        scene.takes_all(1);
    }
    assert_eq!(scene.departure(1), None);
    assert_eq!(scene.departure(0), Some(DisconnectReason::Overrun));
}

/// (7.16, 7.37, 7.17, 7.38)
#[test]
fn a_reader_that_takes_nothing_is_parted_after_the_partner_was_told_once() {
    let mut scene = Scene::of_two_chatting();
    scene.fill_the_partner();
    scene.takes_nothing_more(1);
    scene.ms_pass(STALL_NOTICE_MS - 1);
    assert_eq!(scene.takes_all(0), "");
    scene.ms_pass(1);
    assert!(scene.takes_all(0).starts_with("* B is not reading"));
    scene.ms_pass(30_000 - STALL_NOTICE_MS - 1);
    assert_eq!((scene.takes_all(0).as_str(), scene.departure(1)), ("", None), "told once");
    scene.ms_pass(1);
    assert_eq!(scene.departure(1), Some(DisconnectReason::Stalled));
    let told = scene.takes_all(0);
    assert!(told.starts_with("* B left: stopped reading\r\n? 1 list users"), "{told}");
    assert!(scene.takes_all(1).ends_with("! You have read nothing for 30 s. Goodbye\r\n"));
}

/// (7.17, 7.38)
#[test]
fn a_byte_taken_now_and_then_is_patience_earned() {
    let mut scene = Scene::of_two_chatting();
    scene.fill_the_partner();
    scene.takes_nothing_more(1);
    for _ in 0..10 {
        scene.ms_pass(29_999);
        scene.takes(1, 1);
    }
    assert_eq!(scene.departure(1), None);
}

/// (7.17, 7.38)
#[test]
fn of_two_who_do_not_read_the_second_is_given_time_anew() {
    let mut scene = Scene::of_two_chatting();
    scene.types(0, "x");
    scene.types(1, "y");
    scene.takes_nothing_more(1);
    scene.ms_pass(1);
    scene.takes_nothing_more(0);
    scene.ms_pass(29_999);
    assert_eq!((scene.departure(1), scene.departure(0)), (Some(DisconnectReason::Stalled), None));
    scene.ms_pass(29_999);
    assert_eq!(scene.departure(0), None);
    scene.ms_pass(1);
    assert_eq!(scene.departure(0), Some(DisconnectReason::Stalled));
}

/// (4.1.5)
#[test]
fn lines_held_for_a_partner_who_is_gone_go_to_nobody_and_are_counted() {
    let mut scene = Scene::of_two_chatting();
    let paste = format!("{}3\nexit\n2 B\n", format!("{}\n", "x".repeat(1000)).repeat(100));
    scene.sends(0, paste.as_bytes());
    assert!(!scene.is_read(0));
    scene.exchange.handle_failure(scene.now, SessionId::from_key(1));
    scene.settle();
    let told = scene.takes_all(0);
    let lost = told.lines().find_map(|line| {
        line.strip_prefix("! ")?.strip_suffix(" lines you had typed before that were not delivered")
    });
    assert!((1..103).contains(&lost.unwrap().parse::<usize>().unwrap()), "{told}");
    assert!(scene.is_read(0) && scene.departure(0).is_none(), "and nothing of it was obeyed");
}

/// (2.1.6, 7.7, 7.8, 7.35)
#[test]
fn what_a_sender_said_before_hanging_up_is_delivered_as_the_partner_reads() {
    let mut scene = Scene::of_two_chatting();
    let last = scene.fill_the_partner();
    let [a, b] = [0, 1].map(SessionId::from_key);
    scene.exchange.handle_end_of_input(scene.now, a);
    assert_eq!(scene.departure(0), None, "held, and what was said is still on its way");
    let waiting = scene.exchange.output(b).len();
    scene.takes(1, waiting);
    scene.settle();
    assert_eq!(scene.departure(0), Some(DisconnectReason::HungUp));
    assert!(last > 60 && scene.takes_all(1).starts_with("* A left: the connection ended"));
}

/// (7.7, 7.8, 7.35)
#[test]
fn a_held_sender_whose_connection_fails_is_gone_at_once() {
    let mut scene = Scene::of_two_chatting();
    scene.fill_the_partner();
    scene.exchange.handle_failure(scene.now, SessionId::from_key(0));
    scene.settle();
    assert_eq!(scene.departure(0), Some(DisconnectReason::Lost));
    assert!(scene.takes_all(1).contains("* A left: the connection failed"));
}

/// (5.7.2, 7.23)
#[test]
fn asks_in_a_loop_are_slowed_and_nothing_is_lost() {
    let names = (0..ASKS_IN_A_ROW_MAX + 3).map(|n| format!("u{n}")).collect::<Vec<_>>();
    let mut scene = Scene::with(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let asks = names[1..].iter().map(|name| format!("2 {name}\ncancel\n")).collect::<String>();
    scene.sends(0, asks.as_bytes());
    assert!(!scene.is_read(0), "that was one more than is free");
    let told = scene.takes_all(0);
    assert_eq!(told.matches("* Asked").count(), names.len() - 2, "and it is asked all the same");
    assert_eq!(told.matches("* You withdrew").count(), names.len() - 2, "cancel is not held");
    scene.ms_pass(ASK_INTERVAL_MS - 1);
    assert_eq!(scene.takes_all(0), "");
    scene.ms_pass(1);
    assert!(scene.takes_all(0).contains("* Asked"), "what was typed is done then");
    scene.ms_pass(ASK_INTERVAL_MS);
    assert!(scene.is_read(0) && scene.said_to_resume(0));
}

/// (7.18, 7.39)
#[test]
fn an_ending_connection_has_as_long_as_it_keeps_taking() {
    let mut scene = Scene::with(&["A"]);
    scene.sends(0, b"1\n1\n3\n");
    for _ in 0..20 {
        scene.ms_pass(4_999);
        scene.takes(0, 1);
    }
    let close = Action::Close(SessionId::from_key(0));
    assert!(!scene.actions.contains(&close));
    scene.ms_pass(5_000);
    assert!(scene.actions.contains(&close));
    scene.exchange.forget(SessionId::from_key(0));
    assert_eq!((scene.exchange.buffered_bytes(), scene.exchange.poll_timeout()), (0, None));
}

/// (4.1.6)
#[test]
fn an_answer_in_the_same_turn_as_its_deadline_is_in_time() {
    let mut scene = Scene::with(&["A", "B"]);
    scene.types(0, "2 B");
    scene.now = scene.now.after_ms(60_000);
    scene.types(1, "yes");
    scene.ms_pass(0);
    assert!(scene.takes_all(0).contains("* B accepted"));
}

/// (4.7.2, 4.7.4, 4.7.1)
#[test]
fn what_goes_through_the_pipe_is_what_the_chat_itself_would_say() {
    let (mut chat, now) = (Chat::new(Limits::default()), Time::START);
    let [a, b] = [0, 1].map(SessionId::from_key);
    chat.handle_connect(now, a, crate::core::Origin::NONE, false);
    while chat.poll_output().is_some() {}
    chat.handle_connect(now, b, crate::core::Origin::NONE, false);
    for (who, line) in [(a, "A"), (b, "B"), (a, "2 B"), (b, "yes")] {
        while chat.poll_output().is_some() {}
        assert!(chat.handle_input(now, who, Input::Line(line)).is_none());
    }
    while chat.poll_output().is_some() {}
    let said = |relay: ChatMessage<'_>| (relay.to, relay.parts().concat());
    // The last ends the chat.
    for line in [
        "hello",
        "",
        "  1 ",
        "//",
        "//quit",
        "quit it",
        "é",
        "/",
        "/me",
        "/me waves",
        "/say  é ",
        "/help",
        "/exit now",
        "exit",
        " QUIT ",
    ] {
        let through_the_pipe =
            chat.route(a).and_then(|route| route.message(line.as_bytes()).map(said));
        let by_the_chat = chat.handle_input(now, a, Input::Line(line)).map(said);
        assert_eq!(through_the_pipe, by_the_chat, "{line:?}");
        while chat.poll_output().is_some() {}
    }
    assert!(chat.route(a).is_none() && chat.route(b).is_none());
}

/// (7.47)
#[test]
fn a_line_to_a_large_room_takes_a_bounded_share_of_each_turn() {
    let members = FAN_OUT_WRITES_PER_TURN + 88;
    let names = (0..members).map(|n| format!("u{n}")).collect::<Vec<_>>();
    let mut scene = Scene::with(&names.iter().map(String::as_str).collect::<Vec<_>>());
    (0..members).for_each(|member| scene.types(member, "4"));
    while scene.exchange.has_fan_out() {
        scene.settle();
    }
    (0..members).for_each(|member| drop(scene.takes_all(member)));
    let writes = |scene: &mut Scene| {
        let actions = std::mem::take(&mut scene.actions);
        actions.iter().filter(|action| matches!(action, Action::Write(_))).count()
    };
    scene.settle();
    writes(&mut scene);
    scene.exchange.postpone_fan_out();
    scene.types(0, "hello");
    assert_eq!(writes(&mut scene), 0, "postponed, because other input is ready");
    scene.settle();
    assert_eq!(writes(&mut scene), FAN_OUT_WRITES_PER_TURN);
    assert!(scene.exchange.has_fan_out());
    scene.settle();
    assert_eq!(writes(&mut scene), 88);
    assert!((0..members).all(|member| scene.takes_all(member) == "u0: hello\r\n"));
}
