//! The simulation against a server broken on purpose: it must notice each fault, soon, and say what
//! is wrong. A new kind of check begins with a canary that dies of its absence.

use crate::run;
use crate::sabotage::{Sabotage, Wrong};

/// Seeds that each fault is tried with, and the steps of each.
const SEEDS: u64 = 40;
const STEPS: usize = 600;

/// How many times all goes well before the fault.
const SPARED: usize = 20;

/// Asserts that the first run in which `wrong` comes about fails for one of these reasons.
fn assert_caught(wrong: Wrong, reasons: &[&str]) {
    assert_caught_after(SPARED, wrong, reasons);
}

fn assert_caught_after(spared: usize, wrong: Wrong, reasons: &[&str]) {
    for seed in 1..=SEEDS {
        let sabotage = Sabotage::new(wrong, spared);
        let Err((step, why)) = run(seed, STEPS, sabotage) else { continue };
        assert!(
            reasons.iter().any(|reason| why.contains(reason)),
            "{wrong:?} was caught in step {step} of seed {seed}, but for another reason: {why}"
        );
        println!("{wrong:?}: seed {seed}, step {step}: {why}");
        return;
    }
    panic!("{wrong:?} was not caught in {SEEDS} runs of {STEPS} steps");
}

#[test]
fn a_text_lost_is_caught() {
    assert_caught(Wrong::TextLost, &["is not served", "nothing explains"]);
}

#[test]
fn a_text_said_twice_is_caught() {
    assert_caught(Wrong::TextTwice, &["nothing explains"]);
}

#[test]
fn a_text_said_to_a_third_is_caught() {
    assert_caught(Wrong::TextToThird, &["nothing explains"]);
}

#[test]
fn a_text_altered_is_caught() {
    assert_caught(Wrong::TextAltered, &["nothing explains"]);
}

#[test]
fn lines_out_of_order_are_caught() {
    assert_caught(Wrong::LinesSwapped, &["nothing explains"]);
}

#[test]
fn a_control_character_is_caught() {
    assert_caught(Wrong::ControlCharacter, &["an unsafe character"]);
}

#[test]
fn a_line_ending_within_a_line_is_caught() {
    assert_caught(Wrong::EndingWithin, &["an unsafe character"]);
}

#[test]
fn a_prompt_forgotten_is_caught() {
    assert_caught(Wrong::PromptLost, &["nothing explains", "is not served", "nothing came of"]);
}

#[test]
fn a_list_that_is_wrong_is_caught() {
    assert_caught(Wrong::ListLies, &["nothing explains"]);
}

#[test]
fn a_state_altered_is_caught() {
    assert_caught(Wrong::StateAltered, &["nothing explains"]);
}

#[test]
fn input_that_is_never_read_again_is_caught() {
    assert_caught(Wrong::NeverResumed, &["is not read, though input is wanted"]);
}

#[test]
fn output_that_is_never_written_is_caught() {
    assert_caught(Wrong::NeverWritten, &["is not written to, though the socket has room"]);
}

#[test]
fn a_deadline_forgotten_is_caught() {
    assert_caught(Wrong::DeadlineForgotten, &["the loop wakes for nothing", "in time"]);
}

#[test]
fn a_buffer_that_is_not_given_back_is_caught() {
    assert_caught(Wrong::BufferLeaked, &["bytes are buffered"]);
}

#[test]
fn a_connection_that_is_never_closed_is_caught() {
    assert_caught(Wrong::NeverClosed, &["is not closed", "the loop sleeps"]);
}

#[test]
fn reading_those_who_are_to_be_held_is_caught() {
    assert_caught(Wrong::AlwaysRead, &["bytes are buffered", "nothing explains"]);
}

#[test]
fn a_count_of_missed_lines_that_is_wrong_is_caught() {
    // It takes somebody who does not read a busy room: that happens a few times in a run.
    assert_caught_after(1, Wrong::MissedMiscounted, &["are said to be missed", "nothing explains"]);
}

#[test]
fn a_line_of_a_room_that_is_not_written_down_is_caught() {
    assert_caught(Wrong::RecordLost, &["may have been read", "was not said there so"]);
}

#[test]
fn a_line_of_a_room_that_one_member_does_not_get_is_caught() {
    assert_caught(Wrong::RoomLineLost, &["nothing explains", "is not served"]);
}

#[test]
fn a_line_of_a_room_that_one_member_gets_twice_is_caught() {
    assert_caught(Wrong::RoomLineTwice, &["nothing explains"]);
}

#[test]
fn a_line_of_a_room_for_somebody_who_is_in_none_is_caught() {
    assert_caught(Wrong::RoomLineToOutsider, &["nothing explains"]);
}

#[test]
fn lines_of_a_room_in_another_order_for_one_member_are_caught() {
    // It takes two lines in one look.
    assert_caught_after(2, Wrong::RoomLinesSwapped, &["nothing explains", "is not served"]);
}
