//! Splits a text that is longer than a line of the protocol (2.1.3). `state_machine` shows the parts
//! to the user before it sends them.

use unicode_segmentation::UnicodeSegmentation;

/// Splits `text` into parts of at most `bytes_max` bytes, at blanks if there are any. The blank at
/// which a text is split is left out.
#[must_use]
pub fn split_at_words(text: &str, bytes_max: usize) -> Vec<String> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while rest.len() > bytes_max {
        let fits = (0..=bytes_max).rev().find(|at| rest.is_char_boundary(*at)).unwrap_or(0);
        // The blank may stand directly behind the part.
        let is_blank_behind = rest[fits..].starts_with(' ');
        let blank = rest[..fits + usize::from(is_blank_behind)].rfind(' ').filter(|at| *at > 0);
        let (part, after) = match blank {
            Some(at) => (&rest[..at], &rest[at + 1..]),
            None => rest.split_at(last_cluster_boundary(rest, fits)),
        };
        parts.push(part.to_owned());
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(rest.to_owned());
    }
    parts
}

/// The last boundary between grapheme clusters in the first `fits` bytes, or `fits` if one cluster
/// is longer than that.
fn last_cluster_boundary(text: &str, fits: usize) -> usize {
    let starts = text.grapheme_indices(true).map(|(at, _)| at);
    starts.take_while(|at| *at <= fits).last().filter(|at| *at > 0).unwrap_or(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (2.1.3)
    #[test]
    fn a_text_is_split_at_blanks_and_nothing_but_those_blanks_is_lost() {
        assert_eq!(split_at_words("one two three", 7), ["one two", "three"]);
        assert_eq!(split_at_words("one two three", 8), ["one two", "three"]);
        assert_eq!(split_at_words("one two", 7), ["one two"]);
        assert_eq!(split_at_words("onetwo three", 4), ["onet", "wo", "thre", "e"]);
        assert_eq!(split_at_words("日本語日本語", 10), ["日本語", "日本語"]);
        assert_eq!(split_at_words("e\u{301}e\u{301}", 4), ["e\u{301}", "e\u{301}"]);
        let cluster = format!("e{}", "\u{301}".repeat(9));
        assert_eq!(split_at_words(&cluster, 6).concat(), cluster, "a huge cluster is cut");
        for bytes_max in 4..40 {
            let text = "The quick brown 狐 jumps over  the lazy 犬";
            let parts = split_at_words(text, bytes_max);
            assert!(parts.iter().all(|part| (1..=bytes_max).contains(&part.len())), "{parts:?}");
            let letters = |text: &str| text.replace(' ', "");
            assert_eq!(letters(&parts.concat()), letters(text));
        }
    }
}
