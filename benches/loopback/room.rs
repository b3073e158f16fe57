//! A room with all the users in it, of whom one speaks at a time.
//!
//! The speaker says a volley of lines in one write. When every member has heard all of them, the
//! next one speaks: so nobody's place in the server's tables counts for more than another's, and
//! the numbers of the lines run through the whole room.

use std::io;
use std::time::Duration;

use super::clock::now;
use super::dialect;
use super::load::Load;
use super::user::Line;

/// What was said in it so far.
#[derive(Default)]
pub(super) struct Room {
    volleys: usize,
    lines: u64,
}

impl Load {
    /// All who are logged in enter the room.
    pub(super) fn join(&mut self) -> io::Result<u64> {
        let dialect = self.dialect;
        let joined = self.walk_all(&|pair| dialect.join(pair))?;
        // It comes behind who joined: whoever has heard it has nothing of that ahead of him.
        self.speak(1)?;
        Ok(joined)
    }

    /// For so long, the members speak in turn, `volley` lines each.
    pub(super) fn speak_in_turn(&mut self, volley: u32, length: Duration) -> io::Result<u64> {
        let end = now() + length;
        let mut delivered = 0;
        while now() < end {
            delivered += self.speak(volley)?;
        }
        Ok(delivered)
    }

    /// The next speaker says his lines, and everybody hears them.
    fn speak(&mut self, volley: u32) -> io::Result<u64> {
        let speaker = self.room.volleys % self.users.len();
        self.give_the_floor(speaker);
        let said = self.say(speaker, volley)?;
        self.room.volleys += 1;
        self.room.lines += said;
        let hearers = self.users.len() - usize::from(!self.dialect.echoes());
        self.hear_out(said * hearers as u64, volley, &mut |_, _, _| Ok(0))
    }

    /// Who hears nothing of this volley is left with a line that cannot come.
    fn give_the_floor(&mut self, speaker: usize) {
        let (pair, end) = (speaker / 2, speaker % 2);
        let (name, text) = (dialect::name(pair, end), dialect::text(pair, end));
        let line = |wrapping| Line::numbered(wrapping, &text, self.room.lines);
        let said = line(self.dialect.saying_to_room(&name));
        let heard = line(self.dialect.hearing_in_room(&name));
        for (member, user) in self.users.iter_mut().enumerate() {
            let Some(user) = user else { continue };
            if member != speaker || self.dialect.echoes() {
                user.is_to_hear(&heard);
            }
        }
        if let Some(user) = &mut self.users[speaker] {
            user.is_to_say(said);
        }
    }
}
