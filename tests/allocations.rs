//! Allocation, counted and not timed: relaying allocates nothing, and who has left leaves nothing.

#[path = "../benches/shared/room.rs"]
mod room;

use std::alloc::System;

use room::{LINE, Room};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Both in one test: the counts are the process's, and two tests would run at a time.
#[test]
fn relaying_and_rooms_allocate_nothing_and_who_left_leaves_the_heap_where_it_was() {
    relaying_100_000_lines_allocates_nothing();
    saying_10_000_lines_to_a_room_of_100_allocates_nothing();
    ten_thousand_users_who_came_and_went_leave_the_heap_where_it_was();
}

fn relaying_100_000_lines_allocates_nothing() {
    let mut room = Room::of_pairs(100);
    let (batch, lines) = (LINE.repeat(10), 10);
    // A line in two parts as well, since a part of one is kept.
    let (first, rest) = LINE.split_at(20);
    let mut talk = |tours: usize| {
        for tour in 0..tours {
            for pair in 0..50 {
                room.hear(2 * pair + tour % 2, &batch);
                room.hear(2 * pair + tour % 2, first);
            }
            room.act();
            for pair in 0..50 {
                room.hear(2 * pair + tour % 2, rest);
            }
            room.act();
        }
    };
    // Whatever grows to the size it needs does so in the first tours.
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

/// (6.3, 6.8)
fn saying_10_000_lines_to_a_room_of_100_allocates_nothing() {
    const MEMBERS: usize = 100;
    let mut room = Room::of_members(MEMBERS);
    let batch = LINE.repeat(10);
    let mut talk = |tours: usize| {
        let mut written = 0;
        for tour in 0..tours {
            room.hear(tour % MEMBERS, &batch);
            written += room.act();
        }
        written
    };
    // Every member has manners once they have spoken, and the past of the room is full.
    talk(MEMBERS);
    let region = Region::new(HEAP);
    let written = talk(1_000);
    let change = region.change();
    assert!(written > 1_000 * MEMBERS * batch.len(), "everybody hears every line");
    assert_eq!(
        (change.allocations, change.reallocations, change.deallocations),
        (0, 0, 0),
        "saying 10,000 lines to a room of {MEMBERS}: {change:?}"
    );
}

fn ten_thousand_users_who_came_and_went_leave_the_heap_where_it_was() {
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
    // Tables keep the size they had at most, and no more than that is kept: the second crowd
    // finds everything it needs.
    come_and_go();
    let region = Region::new(HEAP);
    come_and_go();
    let change = region.change();
    assert!(change.allocations > USERS, "the counter counts: {change:?}");
    assert_eq!(
        change.bytes_allocated, change.bytes_deallocated,
        "after {USERS} users came and went: {change:?}"
    );
}
