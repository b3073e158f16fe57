//! Levels 1 to 3: what a server says to polite people.

use super::Case;
use super::person::{Outcome, Person, pair};
use super::server::Server;

pub(super) const CASES: &[Case] = &[
    Case { level: 1, name: "a welcome and a prompt", play: welcome },
    Case { level: 1, name: "lines end in CR LF", play: endings },
    Case { level: 1, name: "exit ends the session", play: exit_before_a_name },
    Case { level: 1, name: "a silent client delays nobody", play: silent_client },
    Case { level: 2, name: "a username is taken", play: takes_a_name },
    Case { level: 2, name: "no name is used twice, in any case of letters", play: same_name },
    Case { level: 2, name: "a malformed name is refused", play: malformed_name },
    Case { level: 2, name: "the list of users", play: list },
    Case { level: 2, name: "an unknown choice is refused", play: unknown_choice },
    Case { level: 2, name: "exit says goodbye and frees the name", play: name_is_free_again },
    Case { level: 3, name: "ask, yes, talk, quit", play: whole_chat },
    Case { level: 3, name: "no declines", play: declines },
    Case { level: 3, name: "cancel withdraws", play: withdraws },
    Case { level: 3, name: "nobody can ask someone who is not there, or themselves", play: nobody },
    Case { level: 3, name: "a third user hears nothing of a chat", play: third_user },
    Case { level: 3, name: "a partner who hangs up has left", play: hangs_up },
    Case { level: 3, name: "an asker who hangs up has left", play: asker_hangs_up },
];

fn welcome(server: &Server) -> Outcome {
    Person::arrives(server, "anna").map(drop)
}

fn endings(server: &Server) -> Outcome {
    let mut anna = Person::connects(server, "anna")?;
    anna.reads("4.1.1", "* …")?;
    match anna.ending.as_str() {
        "\r\n" => Ok(()),
        other => anna.fails("2.1.1", "CR LF behind the line", format!("{other:?}")),
    }
}

fn exit_before_a_name(server: &Server) -> Outcome {
    let mut anna = Person::arrives(server, "anna")?;
    anna.says("exit");
    anna.reads("4.9.1", "* Goodbye…")?;
    anna.ends("4.9.1")
}

fn silent_client(server: &Server) -> Outcome {
    let _silent = Person::arrives(server, "silent")?;
    Person::enters(server, "anna").map(drop)
}

fn takes_a_name(server: &Server) -> Outcome {
    Person::enters(server, "anna").map(drop)
}

fn same_name(server: &Server) -> Outcome {
    let _anna = Person::enters(server, "anna")?;
    let mut other = Person::arrives(server, "anna")?;
    for name in ["anna", "ANNA"] {
        other.says(name);
        other.reads("3.2.2", "! …")?;
        other.reads("4.2.3", "? …")?;
    }
    other.says("ben");
    other.reads_all("4.2.2", &["* …", "? …"])
}

fn malformed_name(server: &Server) -> Outcome {
    let mut anna = Person::arrives(server, "anna")?;
    for name in ["", "two words", "* star", "a:b", &"x".repeat(100)] {
        anna.says(name);
        anna.reads("3.2.1", "! …")?;
        anna.reads("4.2.3", "? …")?;
    }
    anna.says("anna");
    anna.reads_all("4.2.2", &["* …", "? …"])
}

fn list(server: &Server) -> Outcome {
    let mut ben = Person::enters(server, "ben")?;
    let _anna = Person::enters(server, "anna")?;
    ben.says("1");
    ben.reads_all("5.2.1", &["* …", "- anna…", "- ben…", "? …"])
}

fn unknown_choice(server: &Server) -> Outcome {
    let mut anna = Person::enters(server, "anna")?;
    for line in ["hello", ""] {
        anna.says(line);
        anna.reads_all("4.3.1", &["! …", "? …"])?;
    }
    Ok(())
}

fn name_is_free_again(server: &Server) -> Outcome {
    let mut anna = Person::enters(server, "anna")?;
    anna.says("3");
    anna.reads("4.9.1", "* Goodbye…")?;
    anna.ends("4.9.1")?;
    Person::enters(server, "anna").map(drop)
}

fn whole_chat(server: &Server) -> Outcome {
    let mut anna = Person::enters(server, "anna")?;
    let mut ben = Person::enters(server, "ben")?;
    pair(&mut ben, &mut anna)?;
    anna.says("hello Ben");
    ben.reads("4.7.2", "anna: hello Ben")?;
    ben.says("  1 list, exit? ");
    anna.reads("3.1.2", "ben:   1 list, exit? ")?;
    ben.says("exit");
    anna.reads("4.7.1", "ben: exit")?;
    ben.says("quit");
    ben.reads_all("4.7.3", &["* You left…", "? …"])?;
    anna.reads_all("4.7.3", &["* ben left…", "? …"])?;
    anna.says("1");
    anna.reads_all("5.2.1", &["* …", "- anna…", "- ben…", "? …"])
}

fn declines(server: &Server) -> Outcome {
    let mut anna = Person::enters(server, "anna")?;
    let mut ben = Person::enters(server, "ben")?;
    anna.says("2 ben");
    anna.reads("4.3.2", "* Asked ben…")?;
    ben.reads("4.3.2", "? anna wants to chat…")?;
    ben.says("maybe");
    ben.reads("4.6.1", "! …")?;
    ben.says("no");
    anna.reads_all("4.6.3", &["* ben declined…", "? …"])?;
    ben.reads_all("4.6.3", &["* …", "? …"])
}

fn withdraws(server: &Server) -> Outcome {
    let mut anna = Person::enters(server, "anna")?;
    let mut ben = Person::enters(server, "ben")?;
    anna.says("2 ben");
    anna.reads("4.3.2", "* Asked ben…")?;
    ben.reads("4.3.2", "? anna wants to chat…")?;
    anna.says("hello?");
    anna.reads("4.5.1", "! …")?;
    anna.says("cancel");
    anna.reads_all("4.5.2", &["* …", "? …"])?;
    ben.reads_all("4.5.2", &["* …", "? …"])
}

fn nobody(server: &Server) -> Outcome {
    let mut anna = Person::enters(server, "anna")?;
    for line in ["2 zoe", "2 anna"] {
        anna.says(line);
        anna.reads_all("4.3.3", &["! …", "? …"])?;
    }
    Ok(())
}

fn third_user(server: &Server) -> Outcome {
    let mut anna = Person::enters(server, "anna")?;
    let mut ben = Person::enters(server, "ben")?;
    let mut carl = Person::enters(server, "carl")?;
    pair(&mut anna, &mut ben)?;
    anna.says("a secret");
    ben.reads("4.7.2", "anna: a secret")?;
    carl.says("2 ben");
    carl.reads_all("4.3.3", &["! …", "? …"])?;
    ben.says("another");
    anna.reads("4.7.2", "ben: another")
}

fn hangs_up(server: &Server) -> Outcome {
    let mut anna = Person::enters(server, "anna")?;
    let mut ben = Person::enters(server, "ben")?;
    pair(&mut anna, &mut ben)?;
    drop(anna);
    ben.reads_all("4.10.1", &["* anna left…", "? …"])?;
    Person::enters(server, "anna").map(drop)
}

fn asker_hangs_up(server: &Server) -> Outcome {
    let mut anna = Person::enters(server, "anna")?;
    let mut ben = Person::enters(server, "ben")?;
    anna.says("2 ben");
    ben.reads("4.3.2", "? anna wants to chat…")?;
    drop(anna);
    ben.reads_all("4.10.1", &["* anna left…", "? …"])
}
