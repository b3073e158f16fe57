//! The reference session: five people meet, ask, chat and leave. Each program that people connect
//! with must get the same lines.

use super::{MENU, Person, Server, USERNAME, WHOM};

/// Runs the reference session and checks every line in its order. `connect` connects a person that
/// has read nothing yet. `ended` is called for each person after the person's `* Goodbye`.
pub(crate) fn runs(connect: impl FnMut(&Server) -> Person, ended: impl FnMut(Person)) {
    runs_on(&Server::starts(), connect, ended);
}

/// Runs it on a server that nobody has joined.
pub(crate) fn runs_on(
    server: &Server,
    mut connect: impl FnMut(&Server) -> Person,
    mut ended: impl FnMut(Person),
) {
    // The first person takes the username A. The second tries A, is refused, and takes B.
    let mut a = connect(server);
    a.reads_all(&["* Welcome", USERNAME]);
    a.takes_username("A");
    let mut b = connect(server);
    b.reads_all(&["* Welcome", USERNAME]);
    b.says("A");
    b.reads_all(&["! ", USERNAME]);
    b.takes_username("B");

    b_asks_a_and_they_talk(&mut a, &mut b);

    // C, D and E connect. C lists the users.
    let [mut c, mut d, mut e] = ["C", "D", "E"].map(|name| {
        let mut person = connect(server);
        person.reads_all(&["* Welcome", USERNAME]);
        person.takes_username(name);
        person
    });
    c_sees_that_a_and_b_are_chatting(&mut c);
    e_declines_c(&mut c, &mut e);
    c_asks_d_and_they_talk(&mut c, &mut d);
    e_sees_two_chats(&mut e);

    // One partner of each chat quits. The other is then at the menu, where `quit` is refused.
    for (first, second) in [(&mut a, &mut b), (&mut d, &mut c)] {
        first.says("quit");
        first.reads_all(&["* You left", MENU]);
        second.reads(&format!("* {} left", first.name()));
        second.reads_exactly(MENU);
        second.says("quit");
        second.reads_all(&["! ", MENU]);
    }

    // E exits first, then the others.
    for mut person in [e, a, b, c, d] {
        person.says("3");
        person.reads("* Goodbye");
        ended(person);
    }
}

/// B asks A. A reads the request at once, without typing anything.
fn b_asks_a_and_they_talk(a: &mut Person, b: &mut Person) {
    b.says("2");
    b.reads_exactly(WHOM);
    b.says("A");
    b.reads("* Asked A");
    a.reads("? B wants to chat");
    a.says("yes");
    a.reads("* You are now chatting with B");
    b.reads_all(&["* A accepted", "* You are now chatting with A"]);
    a.says("hello");
    b.reads_exactly("A: hello");
    b.says("hello yourself");
    a.reads_exactly("B: hello yourself");
    a.says("how are you?");
    b.reads_exactly("A: how are you?");
    b.says("well, thank you");
    a.reads_exactly("B: well, thank you");
}

fn c_sees_that_a_and_b_are_chatting(c: &mut Person) {
    c.says("1");
    c.reads_exactly("* 5 users online");
    c.reads_exactly("- A chatting with B");
    c.reads_exactly("- B chatting with A");
    c.reads_exactly("- C available (you)");
    c.reads_exactly("- D available");
    c.reads_exactly("- E available");
    c.reads_exactly(MENU);
}

fn e_declines_c(c: &mut Person, e: &mut Person) {
    c.says("2");
    c.reads_exactly(WHOM);
    c.says("E");
    c.reads("* Asked E");
    e.reads("? C wants to chat");
    e.says("no");
    e.reads_all(&["* You declined C", MENU]);
    c.reads_all(&["* E declined", MENU]);
}

fn c_asks_d_and_they_talk(c: &mut Person, d: &mut Person) {
    c.says("2");
    c.reads_exactly(WHOM);
    c.says("D");
    c.reads("* Asked D");
    d.reads("? C wants to chat");
    d.says("yes");
    d.reads("* You are now chatting with C");
    c.reads_all(&["* D accepted", "* You are now chatting with D"]);
    c.says("ahoy");
    d.reads_exactly("C: ahoy");
    d.says("ahoy, C");
    c.reads_exactly("D: ahoy, C");
}

fn e_sees_two_chats(e: &mut Person) {
    e.says("1");
    e.reads_exactly("* 5 users online");
    e.reads_exactly("- A chatting with B");
    e.reads_exactly("- B chatting with A");
    e.reads_exactly("- C chatting with D");
    e.reads_exactly("- D chatting with C");
    e.reads_exactly("- E available (you)");
    e.reads_exactly(MENU);
}
