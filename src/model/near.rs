//! The known word that a misspelt one probably meant, for hints. Pure; a guess is shown, never acted on.

/// The candidate nearest to `word`, if one is near enough to be meant. Case is ignored; of equals the first wins.
///
/// Near enough is one slip for up to five characters, and one more for each further three.
pub fn near<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = folded(word);
    let most = (word.len() / 3).max(1);
    let mut best: Option<(usize, &'a str)> = None;
    for candidate in candidates {
        let distance = slips(&word, &folded(candidate));
        if distance <= most && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The candidates nearest to `word`, at most three, as the end of a hint: `` `a`, `b` ``. A word that is a part of a
/// candidate (`extend_membership` of `segpay.extend_membership`) is near it too. None where nothing is near.
pub fn near_list<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let word = folded(word.trim());
    let most = (word.len() / 3).max(1);
    let distance = |candidate: &str| {
        let candidate = folded(candidate.trim());
        let part = word.len() > 2 && candidate.windows(word.len()).any(|part| part == word);
        if part { 1 } else { slips(&word, &candidate) }
    };
    let candidates = candidates.into_iter().map(|candidate| (distance(candidate), candidate));
    let mut found: Vec<(usize, &str)> = candidates.filter(|(distance, _)| *distance <= most).collect();
    found.sort_unstable();
    found.dedup();
    found.truncate(3);
    let quoted: Vec<String> = found.iter().map(|(_, name)| format!("`{name}`")).collect();
    (!quoted.is_empty()).then(|| quoted.join(", "))
}

/// `-` and `_` are the same slip of the mind, so they count as equal.
fn folded(word: &str) -> Vec<char> {
    word.chars().flat_map(char::to_lowercase).map(|c| if c == '-' { '_' } else { c }).collect()
}

/// The least number of characters to add, leave out, replace or swap with a neighbour (optimal string alignment).
fn slips(left: &[char], right: &[char]) -> usize {
    let mut before_last = vec![0; right.len() + 1];
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.iter().enumerate() {
        let mut row = vec![i + 1; right.len() + 1];
        for (j, r) in right.iter().enumerate() {
            let replaced = last[j] + usize::from(l != r);
            row[j + 1] = replaced.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *l == right[j - 1] && left[i - 1] == *r {
                row[j + 1] = row[j + 1].min(before_last[j - 1] + 1);
            }
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_counted() {
        let count = |left: &str, right: &str| slips(&folded(left), &folded(right));
        for (left, right, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("rate", "rate", 0),
            ("RATE", "rate", 0),
            ("max-failures", "max_failures", 0),
            ("rat", "rate", 1),
            ("raet", "rate", 1),
            ("tare", "rate", 2),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(count(left, right), expected, "{left} {right}");
            assert_eq!(count(right, left), expected, "{right} {left}");
        }
    }

    #[test]
    fn several_may_be_meant() {
        let names = ["PurchaseID", "Days", "segpay.extend_membership"];
        let find = |typed: &str| near_list(typed, names);
        assert_eq!(find("purchase_id").as_deref(), Some("`PurchaseID`"));
        assert_eq!(find("Dayz").as_deref(), Some("`Days`"));
        assert_eq!(find("extend_membership").as_deref(), Some("`segpay.extend_membership`"));
        assert_eq!(find("amount"), None);
        assert_eq!(near_list("rat", ["rate", "rats", "cat", "bat", "dog"]).as_deref(), Some("`bat`, `cat`, `rate`"));
    }

    #[test]
    fn only_what_may_be_meant_is_offered() {
        let known = ["rate", "concurrency", "timeout", "connect_timeout"];
        for (word, expected) in [
            ("raet", Some("rate")),
            ("concurency", Some("concurrency")),
            ("time-out", Some("timeout")),
            ("connect-timeout", Some("connect_timeout")),
            ("speed", None),
            ("", None),
        ] {
            assert_eq!(near(word, known), expected, "{word}");
        }
    }
}
