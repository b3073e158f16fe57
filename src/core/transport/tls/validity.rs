//! The time for which a certificate is valid (RFC 5280, 4.1.2.5).
//!
//! This reads as much of a certificate as stands before its two dates. A whole parser would be a large
//! dependency for that, and rustls checks the rest. Wrong bytes give no dates, and nothing worse.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// ASN.1 tags (X.690, 8.1.2).
const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const EXPLICIT_0: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// From when to when a certificate is valid, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub not_before: i64,
    /// The last second.
    pub not_after: i64,
}

impl Validity {
    /// Reads the dates of a certificate in DER; `None` if it does not look like one.
    #[must_use]
    pub fn of(der: &[u8]) -> Option<Validity> {
        let mut outside = der;
        let mut certificate = element(&mut outside, SEQUENCE)?;
        let mut fields = element(&mut certificate, SEQUENCE)?;
        if fields.first() == Some(&EXPLICIT_0) {
            element(&mut fields, EXPLICIT_0)?; // version
        }
        element(&mut fields, INTEGER)?; // serial number
        element(&mut fields, SEQUENCE)?; // algorithm of the signature
        element(&mut fields, SEQUENCE)?; // issuer
        let mut dates = element(&mut fields, SEQUENCE)?;
        Some(Validity { not_before: date(&mut dates)?, not_after: date(&mut dates)? })
    }

    /// The last day, as `2026-07-01`.
    #[must_use]
    pub fn last_day(&self) -> String {
        let end = jiff::Timestamp::from_second(self.not_after).ok();
        let end = end.map(|end| end.to_zoned(TimeZone::UTC).date().to_string());
        end.unwrap_or_else(|| "an unknown day".to_owned())
    }
}

/// Takes one element with this tag from the front of `der`, and returns its contents.
fn element<'a>(der: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let (&found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (len, rest) = match usize::from(first) {
        short @ ..0x80 => (short, rest),
        long => {
            let (digits, rest) = rest.split_at_checked(long - 0x80)?;
            let is_sane = (1..=4).contains(&digits.len());
            let len = digits.iter().fold(0, |len, &digit| len << 8 | usize::from(digit));
            (is_sane.then_some(len)?, rest)
        }
    };
    let (contents, rest) = rest.split_at_checked(len)?;
    *der = rest;
    (found == tag).then_some(contents)
}

/// A date in one of its two forms, both in UTC: `YYMMDDHHMMSSZ` up to 2049, `YYYYMMDDHHMMSSZ` beyond.
fn date(der: &mut &[u8]) -> Option<i64> {
    let is_short = der.first() == Some(&UTC_TIME);
    let text = element(der, if is_short { UTC_TIME } else { GENERALIZED_TIME })?;
    let text = str::from_utf8(text).ok()?;
    let century = match is_short {
        false => "",
        true if text < "5" => "20",
        true => "19",
    };
    let text = format!("{century}{text}");
    let digits = text.strip_suffix('Z')?;
    if digits.len() != 14 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number = |from: usize, to: usize| digits[from..to].parse::<i8>().ok();
    let date = DateTime::new(
        digits[..4].parse().ok()?,
        number(4, 6)?,
        number(6, 8)?,
        number(8, 10)?,
        number(10, 12)?,
        number(12, 14)?,
        0,
    );
    Some(date.ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tagged(tag: u8, contents: &[u8]) -> Vec<u8> {
        let len = contents.len();
        let header = if len < 0x80 { vec![tag, len as u8] } else { vec![tag, 0x81, len as u8] };
        [&header, contents].concat()
    }

    fn certificate(version: &[u8], dates: &[u8]) -> Vec<u8> {
        let fields = [version, &[2, 1, 7], &[0x30, 0], &[0x30, 0], &tagged(0x30, dates)].concat();
        tagged(0x30, &tagged(0x30, &fields))
    }

    fn dates(from: (u8, &str), to: (u8, &str)) -> Vec<u8> {
        [tagged(from.0, from.1.as_bytes()), tagged(to.0, to.1.as_bytes())].concat()
    }

    #[test]
    fn both_forms_of_dates_are_read() {
        let dates = dates((UTC_TIME, "700101000001Z"), (GENERALIZED_TIME, "20500101000000Z"));
        let validity = Validity { not_before: 1, not_after: 2_524_608_000 };
        for version in [&[0xa0, 3, 2, 1, 2][..], &[]] {
            let der = certificate(version, &dates);
            assert_eq!(Validity::of(&der), Some(validity));
            for cut in 0..der.len() {
                assert_eq!(Validity::of(&der[..cut]), None, "cut at {cut}");
            }
            for at in 0..der.len() {
                let mut wrong = der.clone();
                wrong[at] ^= 0xff;
                let _ = Validity::of(&wrong);
            }
        }
        assert_eq!(validity.last_day(), "2050-01-01");
    }

    #[test]
    fn a_date_that_is_none_gives_no_validity() {
        for wrong in ["", "Z", "260230000000Z", "2601010000Z", "26010100000ÄZ", "260101000000+0000"]
        {
            let dates = dates((UTC_TIME, wrong), (UTC_TIME, "260101000000Z"));
            assert_eq!(Validity::of(&certificate(&[], &dates)), None, "{wrong}");
        }
    }
}
