//! The first line of a recording: the version of its form, the program, and the limits.

use serde_json::{Map, Value, json};

use crate::core::accounts::AccountPolicy;
use crate::core::limits::Limits;

/// The version of the form. A change that breaks a reader changes it.
const VERSION: u64 = 1;

/// The program that records.
const PROGRAM: &str = env!("CARGO_PKG_VERSION");

/// Why a line is no first line of a recording.
pub(super) const NONE: &str = "this is no recording of chinwag";

/// The word of each policy.
const POLICIES: [(&str, AccountPolicy); 3] = [
    ("off", AccountPolicy::Off),
    ("optional", AccountPolicy::Optional),
    ("required", AccountPolicy::Required),
];

/// The line, without its ending.
pub(super) fn encode(limits: &Limits) -> String {
    json!({ "recording": VERSION, "program": PROGRAM, "limits": limits_to_json(limits) })
        .to_string()
}

/// The limits in the line, and the program if it is another one.
///
/// # Errors
/// Why this cannot be replayed.
pub(super) fn parse(line: &[u8]) -> Result<(Limits, Option<String>), String> {
    let header = serde_json::from_slice::<Value>(line).unwrap_or_default();
    match header["recording"].as_u64() {
        None => return Err(NONE.to_owned()),
        Some(VERSION) => {}
        Some(version) => {
            return Err(format!("it has version {version}, and this program reads {VERSION}"));
        }
    }
    let limits = header["limits"].as_object().and_then(limits_from_json);
    let limits = limits.ok_or("its limits cannot be read")?;
    let program = header["program"].as_str().unwrap_or("?");
    Ok((limits, (program != PROGRAM).then(|| program.to_owned())))
}

fn limits_to_json(limits: &Limits) -> Value {
    // Without `..`, a new limit that is missing here does not build.
    let Limits {
        naming_ms,
        ask_ms,
        ask_again_ms,
        high_water_bytes,
        scarce_bytes,
        stall_ms,
        closing_ms,
        connections_max,
        per_address_max,
        opening_max,
        handshakes_per_address_max,
        rooms_max,
        rooms_per_address_max,
        members_max,
        room_line_ms,
        room_history_ms,
        address_share,
        accounts,
        allow_plain_passwords,
    } = limits;
    let policy =
        POLICIES.iter().find(|(_, policy)| policy == accounts).map_or("", |(word, _)| word);
    json!({
        "naming_ms": naming_ms,
        "ask_ms": ask_ms,
        "ask_again_ms": ask_again_ms,
        "high_water_bytes": high_water_bytes,
        "scarce_bytes": scarce_bytes,
        "stall_ms": stall_ms,
        "closing_ms": closing_ms,
        "connections_max": connections_max,
        "per_address_max": per_address_max,
        "opening_max": opening_max,
        "handshakes_per_address_max": handshakes_per_address_max,
        "rooms_max": rooms_max,
        "rooms_per_address_max": rooms_per_address_max,
        "members_max": members_max,
        "room_line_ms": room_line_ms,
        "room_history_ms": room_history_ms,
        "address_share": address_share,
        "accounts": policy,
        "allow_plain_passwords": allow_plain_passwords,
    })
}

fn limits_from_json(object: &Map<String, Value>) -> Option<Limits> {
    let number = |name: &str| object.get(name)?.as_u64();
    let size = |name: &str| usize::try_from(number(name)?).ok();
    let policy = object.get("accounts")?.as_str()?;
    Some(Limits {
        naming_ms: number("naming_ms")?,
        ask_ms: number("ask_ms")?,
        ask_again_ms: number("ask_again_ms")?,
        high_water_bytes: size("high_water_bytes")?,
        scarce_bytes: size("scarce_bytes")?,
        stall_ms: number("stall_ms")?,
        closing_ms: number("closing_ms")?,
        connections_max: size("connections_max")?,
        per_address_max: size("per_address_max")?,
        opening_max: size("opening_max")?,
        handshakes_per_address_max: size("handshakes_per_address_max")?,
        rooms_max: size("rooms_max")?,
        rooms_per_address_max: size("rooms_per_address_max")?,
        members_max: size("members_max")?,
        room_line_ms: number("room_line_ms")?,
        room_history_ms: number("room_history_ms")?,
        address_share: u32::try_from(number("address_share")?).ok()?,
        accounts: POLICIES.iter().find(|(word, _)| *word == policy)?.1,
        allow_plain_passwords: object.get("allow_plain_passwords")?.as_bool()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_are_read_as_they_were_written() {
        let limits = Limits {
            address_share: 3,
            accounts: AccountPolicy::Required,
            allow_plain_passwords: true,
            ..Limits::default()
        };
        assert_eq!(parse(encode(&limits).as_bytes()), Ok((limits, None)));
    }

    #[test]
    fn another_program_is_named_and_another_form_refused() {
        let line = encode(&Limits::default());
        let other = line.replace(PROGRAM, "9.9.9");
        assert_eq!(parse(other.as_bytes()).unwrap().1, Some("9.9.9".to_owned()));
        let newer = line.replace("\"recording\":1", "\"recording\":2");
        assert_eq!(
            parse(newer.as_bytes()),
            Err("it has version 2, and this program reads 1".to_owned())
        );
        for damaged in ["", "{}", "[1]", "{\"recording\":1}", &line.replace("rooms_max", "x")] {
            assert!(parse(damaged.as_bytes()).is_err(), "{damaged}");
        }
    }
}
