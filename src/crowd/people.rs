//! Simulated people, as pure state machines: lines of the server and the time go in, lines to send
//! come out. Everything that a person does comes from a seed.

pub mod pace;
pub mod person;
pub mod words;

/// What a person tells the owner of the crowd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// Something took so long.
    Took(What, u64),
    /// The person has this username now.
    Entered(String),
    /// The session is over.
    Left,
    /// The person is in a chat now. What it said in an earlier chat will not arrive any more.
    ChatBegan,
    /// The chat is over, for either reason.
    ChatEnded,
    /// The person said this to its partner.
    Said(String),
    /// This partner said this.
    Heard(String, String),
    /// The server refused something that people may try: a user who is taken, a name in use.
    Refused,
    /// Something that must not happen, in words.
    Problem(String),
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// From connecting to the prompt for a username.
    Greeting,
    /// From saying a line in a chat until the partner has it.
    Chat,
    /// From saying a line in a room until it comes back.
    Room,
    /// From asking who is here to the end of the answer.
    List,
}

impl What {
    /// All of them, in the order of the table.
    pub const ALL: [What; 4] = [What::Greeting, What::Chat, What::Room, What::List];

    /// Its row in the table.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            What::Greeting => "greeting",
            What::Chat => "chat line",
            What::Room => "room line",
            What::List => "list",
        }
    }
}
