//! Finds the names that somebody may have meant.

/// The names closest to `typed`, at most three, as the end of a hint: `` `a`, `b` ``. None where nothing is near.
pub(super) fn near<'n>(typed: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
    let typed = typed.trim().to_lowercase();
    let mut found: Vec<(usize, &str)> = names
        .filter_map(|name| {
            let lower = name.trim().to_lowercase();
            let part = typed.len() > 2 && lower.contains(&typed);
            let distance = if part { 1 } else { distance(&typed, &lower) };
            (distance <= (typed.chars().count() / 3).max(1)).then_some((distance, name))
        })
        .collect();
    found.sort();
    found.dedup();
    found.truncate(3);
    let quoted: Vec<String> = found.iter().map(|(_, name)| format!("`{name}`")).collect();
    (!quoted.is_empty()).then(|| quoted.join(", "))
}

/// How many characters must be added, removed or replaced to make one text of the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (up, mine) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], up + 1);
        for (left, theirs) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(mine != *theirs);
            diagonal = row[left + 1];
            row[left + 1] = replaced.min(diagonal + 1).min(row[left] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (one, other, expected) in
            [("", "abc", 3), ("days", "days", 0), ("dayz", "days", 1), ("kitten", "sitting", 3)]
        {
            assert_eq!(distance(one, other), expected, "{one} {other}");
            assert_eq!(distance(other, one), expected, "{other} {one}");
        }
    }

    #[test]
    fn what_was_meant() {
        let names = ["PurchaseID", "Days", "segpay.extend_membership"];
        let find = |typed: &str| near(typed, names.iter().copied());
        assert_eq!(find("purchase_id").as_deref(), Some("`PurchaseID`"));
        assert_eq!(find("Dayz").as_deref(), Some("`Days`"));
        assert_eq!(find("extend_membership").as_deref(), Some("`segpay.extend_membership`"));
        assert_eq!(find("amount"), None);
    }
}
