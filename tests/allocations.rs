//! Counts heap allocations: relaying a message allocates nothing, and users who have left keep no
//! memory.
//!
//! A count is exact where a time would vary with the machine.

#[path = "../benches/shared/room.rs"]
mod room;

use std::alloc::System;

use room::{LINE, Room, framed};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// All checks are one test: the counters belong to the process, and the test runner would run
/// several tests at the same time.
#[test]
fn relaying_and_rooms_allocate_nothing_and_users_who_left_keep_no_memory() {
    relaying_100_000_lines_allocates_nothing(Room::of_pairs(100), |bytes| bytes.to_vec());
    relaying_100_000_lines_allocates_nothing(Room::of_web_pairs(100), framed);
    saying_10_000_lines_to_a_room_of_100_allocates_nothing();
    ten_thousand_users_who_left_keep_no_memory();
}

fn relaying_100_000_lines_allocates_nothing(mut room: Room, encode: fn(&[u8]) -> Vec<u8>) {
    let (batch, lines) = (encode(&LINE.repeat(10)), 10);
    // One line comes in two parts, because the server stores an unfinished line.
    let line = encode(LINE);
    let (first, rest) = line.split_at(20);
    let mut talk = |rounds: usize| {
        for round in 0..rounds {
            for pair in 0..50 {
                room.hear(2 * pair + round % 2, &batch);
                room.hear(2 * pair + round % 2, first);
            }
            room.act();
            for pair in 0..50 {
                room.hear(2 * pair + round % 2, rest);
            }
            room.act();
        }
    };
    // The first rounds let every buffer grow to its final size.
    talk(4);
    let region = Region::new(HEAP);
    talk(100_000 / 50 / (lines + 1) + 1);
    let change = region.change();
    assert_eq!(
        (change.allocations, change.reallocations, change.deallocations),
        (0, 0, 0),
        "relaying 100,000 lines: {change:?}"
    );
}

/// (4.8.2, 6.2.1, 6.3.1)
fn saying_10_000_lines_to_a_room_of_100_allocates_nothing() {
    const MEMBERS: usize = 100;
    let mut room = Room::of_members(MEMBERS);
    let batch = LINE.repeat(10);
    let mut talk = |rounds: usize| {
        let mut written = 0;
        for round in 0..rounds {
            room.hear(round % MEMBERS, &batch);
            written += room.act();
        }
        written
    };
    // Every member has spoken once, so the user options and rate limits exist, and the room's
    // history is full.
    talk(MEMBERS);
    let region = Region::new(HEAP);
    let written = talk(1_000);
    let change = region.change();
    assert!(written > 1_000 * MEMBERS * batch.len(), "every member gets every line");
    assert_eq!(
        (change.allocations, change.reallocations, change.deallocations),
        (0, 0, 0),
        "saying 10,000 lines to a room of {MEMBERS}: {change:?}"
    );
}

fn ten_thousand_users_who_left_keep_no_memory() {
    const USERS: usize = 10_000;
    let mut room = Room::empty();
    let mut come_and_go = || {
        (0..USERS).for_each(|user| room.arrive(user));
        (0..USERS / 2).for_each(|pair| room.pair_up(pair));
        for user in 0..USERS {
            room.say(user, LINE);
            room.leave(user);
        }
    };
    // Tables keep the largest size they have had. The first crowd makes them grow, so the second
    // crowd needs no larger table.
    come_and_go();
    let region = Region::new(HEAP);
    come_and_go();
    let change = region.change();
    assert!(change.allocations > USERS, "the counter works: {change:?}");
    assert_eq!(
        change.bytes_allocated, change.bytes_deallocated,
        "after {USERS} users have come and left: {change:?}"
    );
}
