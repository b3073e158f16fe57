//! Runs the simulation against a server that is broken on purpose. The simulation must notice each
//! fault soon, for the expected reason. Write the canary first when you add a check.

use crate::run;
use crate::sabotage::{Fault, Sabotage};

/// Seeds to try for each fault, and steps for each seed.
const SEEDS: u64 = 150;
const STEPS: usize = 600;

/// Opportunities that pass before the fault strikes.
const SKIPPED: usize = 20;

/// Asserts that the first run in which `fault` strikes fails for one of these reasons.
fn assert_caught(fault: Fault, reasons: &[&str]) {
    assert_caught_after(SKIPPED, fault, reasons);
}

fn assert_caught_after(skipped: usize, fault: Fault, reasons: &[&str]) {
    for seed in 1..=SEEDS {
        let sabotage = Sabotage::new(fault, skipped);
        let Err((step, why)) = run(seed, STEPS, sabotage) else { continue };
        assert!(
            reasons.iter().any(|reason| why.contains(reason)),
            "{fault:?} was caught in step {step} of seed {seed}, but for a different reason: {why}"
        );
        println!("{fault:?}: seed {seed}, step {step}: {why}");
        return;
    }
    panic!("{fault:?} was not caught in {SEEDS} runs of {STEPS} steps");
}

#[test]
fn a_lost_message_is_caught() {
    assert_caught(Fault::MessageLost, &["is not served", "nothing explains"]);
}

#[test]
fn a_doubled_message_is_caught() {
    assert_caught(Fault::MessageDoubled, &["nothing explains"]);
}

#[test]
fn a_message_to_a_third_user_is_caught() {
    assert_caught(Fault::MessageToThirdUser, &["nothing explains"]);
}

#[test]
fn an_altered_message_is_caught() {
    assert_caught(Fault::MessageAltered, &["nothing explains"]);
}

#[test]
fn lines_in_the_wrong_order_are_caught() {
    assert_caught(Fault::LinesSwapped, &["nothing explains"]);
}

#[test]
fn a_control_character_is_caught() {
    assert_caught(Fault::ControlCharacter, &["an unsafe character"]);
}

#[test]
fn a_line_ending_inside_a_line_is_caught() {
    assert_caught(Fault::LineEndingInside, &["an unsafe character"]);
}

#[test]
fn a_missing_prompt_is_caught() {
    assert_caught(Fault::PromptLost, &["nothing explains", "is not served", "no output for"]);
}

#[test]
fn a_wrong_row_in_the_user_list_is_caught() {
    assert_caught(Fault::ListRowWrong, &["nothing explains"]);
}

#[test]
fn a_state_change_without_input_is_caught() {
    assert_caught(Fault::StateAltered, &["nothing explains"]);
}

#[test]
fn held_input_that_is_never_read_again_is_caught() {
    assert_caught(
        Fault::NeverResumed,
        &["is not read, although the exchange wants input", "is not served"],
    );
}

/// (7.36)
#[test]
fn an_answer_that_stops_is_caught() {
    assert_caught_after(
        1,
        Fault::AnswerStopped,
        &["although all of it was read", "is not served", "is never served"],
    );
}

/// (6.3.1, 7.36)
#[test]
fn a_line_of_history_that_is_missing_is_caught() {
    assert_caught(Fault::HistoryLineLost, &["nothing explains", "are missing", "after an answer"]);
}

#[test]
fn output_that_is_never_written_is_caught() {
    assert_caught(Fault::NeverWritten, &["has unsent output, although the socket accepts bytes"]);
}

#[test]
fn timers_that_do_not_fire_are_caught() {
    assert_caught(
        Fault::TimersStopped,
        &["the loop wakes up with nothing to do", "by its deadline"],
    );
}

#[test]
fn a_leaked_buffer_is_caught() {
    assert_caught(Fault::BufferLeaked, &["bytes are buffered"]);
}

#[test]
fn a_connection_that_is_never_closed_is_caught() {
    assert_caught(Fault::NeverClosed, &["is not closed", "the loop sleeps"]);
}

#[test]
fn input_left_in_the_kernel_at_the_end_of_a_chat_is_caught() {
    assert_caught(Fault::KernelNotDrained, &["in the kernel still"]);
}

#[test]
fn a_session_that_escapes_the_limits_of_its_address_is_caught() {
    assert_caught_after(2, Fault::AddressForgotten, &["nothing explains", "is not served"]);
}

#[test]
fn ignored_backpressure_is_caught() {
    assert_caught(Fault::BackpressureIgnored, &["bytes are buffered", "nothing explains"]);
}

#[test]
fn a_wrong_count_of_missed_lines_is_caught() {
    // The fault needs a member of a busy room who does not read: this happens a few times per run.
    assert_caught_after(
        1,
        Fault::MissedCountWrong,
        &["are reported as missed", "nothing explains"],
    );
}

#[test]
fn a_room_line_that_is_not_saved_is_caught() {
    assert_caught(Fault::RoomLineNotSaved, &["may have been read", "does not match what was said"]);
}

#[test]
fn a_line_that_is_forgotten_when_the_history_is_written_anew_is_caught() {
    let reasons = ["may have been read", "does not match what was said"];
    assert_caught_after(1, Fault::RewriteForgetsLine, &reasons);
}

#[test]
fn a_room_line_that_one_member_does_not_get_is_caught() {
    assert_caught(Fault::RoomLineLost, &["nothing explains", "is not served"]);
}

#[test]
fn a_room_line_that_one_member_gets_twice_is_caught() {
    assert_caught(Fault::RoomLineDoubled, &["nothing explains"]);
}

#[test]
fn a_room_line_to_a_user_outside_the_room_is_caught() {
    assert_caught(Fault::RoomLineToOutsider, &["nothing explains"]);
}

#[test]
fn room_lines_in_a_different_order_for_one_member_are_caught() {
    // The fault needs two room lines in one check.
    assert_caught_after(2, Fault::RoomLinesSwapped, &["nothing explains", "is not served"]);
}

/// (5.8.2)
#[test]
fn a_change_that_a_follower_does_not_read_is_caught() {
    assert_caught(Fault::ListChangeLost, &["follows other lists", "was not there"]);
}

#[test]
fn a_user_who_is_let_in_without_the_password_is_caught() {
    assert_caught_after(2, Fault::ProofIgnored, &["nothing explains", "no output for"]);
}

#[test]
fn an_answer_of_the_store_that_another_user_gets_is_caught() {
    let reasons = ["nothing explains", "no output for", "disagree", "is not served"];
    assert_caught_after(2, Fault::AnswerToAnother, &reasons);
}

#[test]
fn an_answer_that_a_new_session_with_an_old_key_gets_is_caught() {
    let reasons = ["nothing explains", "no output for", "disagree", "is not served"];
    assert_caught_after(0, Fault::AnswerByKey, &reasons);
}

#[test]
fn a_second_session_of_one_account_is_caught() {
    assert_caught_after(0, Fault::OlderSessionStays, &["nothing explains", "no output for"]);
}

#[test]
fn a_registered_name_that_is_free_again_too_early_is_caught() {
    let reasons = ["nothing explains", "is not served", "owns"];
    assert_caught_after(2, Fault::NameReleased, &reasons);
}
