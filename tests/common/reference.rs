//! The reference session: five strangers meet, whatever they joined with.

use super::{MENU, Person, Server, USERNAME, WHOM};

/// Plays the reference session, every line of it in its order. `arrives` connects a person who has heard
/// nothing yet; `left` is called for each when the server has closed the connection.
pub(crate) fn plays(mut arrives: impl FnMut(&Server) -> Person, mut left: impl FnMut(Person)) {
    let server = Server::starts();

    // The first takes A; the second tries A, is refused, takes B.
    let mut a = arrives(&server);
    a.hears_all(&["* Welcome", USERNAME]);
    a.enters("A");
    let mut b = arrives(&server);
    b.hears_all(&["* Welcome", USERNAME]);
    b.says("A");
    b.hears_all(&["! ", USERNAME]);
    b.enters("B");

    b_asks_a_and_they_talk(&mut a, &mut b);

    // C, D and E connect; C sees who is taken.
    let [mut c, mut d, mut e] = ["C", "D", "E"].map(|name| {
        let mut person = arrives(&server);
        person.hears_all(&["* Welcome", USERNAME]);
        person.enters(name);
        person
    });
    c_sees_who_is_taken(&mut c);
    e_declines_c(&mut c, &mut e);
    c_asks_d_and_they_talk(&mut c, &mut d);
    e_sees_two_chats(&mut e);

    // All four quit. The second of each pair is at the menu by then, where quit ends nothing.
    for (first, second) in [(&mut a, &mut b), (&mut d, &mut c)] {
        first.says("quit");
        first.hears_all(&["* You left", MENU]);
        second.hears(&format!("* {} left", first.name()));
        second.hears_exactly(MENU);
        second.says("quit");
        second.hears_all(&["! ", MENU]);
    }

    // E leaves, then the others.
    for mut person in [e, a, b, c, d] {
        person.says("3");
        person.hears("* Goodbye");
        left(person);
    }
}

/// B asks for A, who has typed nothing and sees the request at once.
fn b_asks_a_and_they_talk(a: &mut Person, b: &mut Person) {
    b.says("2");
    b.hears_exactly(WHOM);
    b.says("A");
    b.hears("* Asked A");
    a.hears("? B wants to chat");
    a.says("yes");
    a.hears("* You are now chatting with B");
    b.hears_all(&["* A accepted", "* You are now chatting with A"]);
    a.says("hello");
    b.hears_exactly("A: hello");
    b.says("hello yourself");
    a.hears_exactly("B: hello yourself");
    a.says("how are you?");
    b.hears_exactly("A: how are you?");
    b.says("well, thank you");
    a.hears_exactly("B: well, thank you");
}

fn c_sees_who_is_taken(c: &mut Person) {
    c.says("1");
    c.hears_exactly("* 5 users online");
    c.hears_exactly("- A chatting with B");
    c.hears_exactly("- B chatting with A");
    c.hears_exactly("- C available (you)");
    c.hears_exactly("- D available");
    c.hears_exactly("- E available");
    c.hears_exactly(MENU);
}

fn e_declines_c(c: &mut Person, e: &mut Person) {
    c.says("2");
    c.hears_exactly(WHOM);
    c.says("E");
    c.hears("* Asked E");
    e.hears("? C wants to chat");
    e.says("no");
    e.hears_all(&["* You declined C", MENU]);
    c.hears_all(&["* E declined", MENU]);
}

fn c_asks_d_and_they_talk(c: &mut Person, d: &mut Person) {
    c.says("2");
    c.hears_exactly(WHOM);
    c.says("D");
    c.hears("* Asked D");
    d.hears("? C wants to chat");
    d.says("yes");
    d.hears("* You are now chatting with C");
    c.hears_all(&["* D accepted", "* You are now chatting with D"]);
    c.says("ahoy");
    d.hears_exactly("C: ahoy");
    d.says("ahoy, C");
    c.hears_exactly("D: ahoy, C");
}

fn e_sees_two_chats(e: &mut Person) {
    e.says("1");
    e.hears_exactly("* 5 users online");
    e.hears_exactly("- A chatting with B");
    e.hears_exactly("- B chatting with A");
    e.hears_exactly("- C chatting with D");
    e.hears_exactly("- D chatting with C");
    e.hears_exactly("- E available (you)");
    e.hears_exactly(MENU);
}
