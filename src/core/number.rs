//! Numbers as a person reads them. The log and the view of the loop show them.

/// A number with separators: `12,345`.
pub(crate) fn with_separators(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_stands_before_each_three_digits() {
        let numbers = [0, 1, 999, 1_000, 1_234_567].map(with_separators);
        assert_eq!(numbers.join(" "), "0 1 999 1,000 1,234,567");
    }
}
