//! Catches a misspelt template parameter before anything is started. AWS would report it; the emulator ignores it.

use anyhow::{Result, bail};

use crate::template::Template;

/// A name that differs in more letters than this is another name, not a misspelling.
const MOST_EDITS: usize = 3;

/// Fails for the first of these `(name, value)` pairs that does not name a parameter of the template.
pub(crate) fn check(template: &Template, given: &[(String, String)]) -> Result<()> {
    let known = template.parameters();
    let Some((name, _)) = given.iter().find(|(name, _)| !known.contains(&name.as_str())) else {
        return Ok(());
    };
    match closest(name, &known) {
        Some(meant) => bail!("there is no parameter {name}; did you mean {meant}?"),
        None => bail!(
            "there is no parameter {name}; template.yaml has {}",
            known.join(", ")
        ),
    }
}

/// The known name that `name` is most likely a misspelling of.
fn closest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let edits = |known: &str| edits(&name.to_lowercase(), &known.to_lowercase());
    let candidates = known.iter().map(|known| (edits(known), *known));
    let (edits, closest) = candidates.min()?;
    (edits <= MOST_EDITS).then_some(closest)
}

/// How many letters must be added, removed or replaced to turn one word into the other (Levenshtein distance).
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (removed, letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = removed + 1;
        for (index, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[index + 1];
            row[index + 1] = replaced.min(row[index] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(name: &str) -> String {
        let template = Template::parse("Parameters: {RetentionDays: {}, RetrySchedule: {}}").unwrap();
        let given = [(name.to_owned(), "1".to_owned())];
        check(&template, &given).map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn a_parameter_of_the_template_passes() {
        assert_eq!(complaint("RetrySchedule"), "");
    }

    #[test]
    fn a_misspelt_parameter_is_answered_with_the_one_that_was_meant() {
        let expected = "there is no parameter RetryShedule; did you mean RetrySchedule?";
        assert_eq!(complaint("RetryShedule"), expected);
        assert!(complaint("retryschedule").ends_with("did you mean RetrySchedule?"));
    }

    #[test]
    fn an_unknown_parameter_is_answered_with_all_there_are() {
        let expected = "there is no parameter Colour; template.yaml has RetentionDays, RetrySchedule";
        assert_eq!(complaint("Colour"), expected);
    }

    #[test]
    fn edits_are_counted_by_letter() {
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("abc", "abc"), 0);
    }
}
