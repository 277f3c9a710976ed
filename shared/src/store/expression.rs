//! An update expression, put together from parts: DynamoDB takes each clause once.

use std::fmt;

/// What an update sets and what it removes.
#[derive(Debug, Clone, Default)]
pub(super) struct Expression {
    set: Vec<&'static str>,
    remove: Vec<&'static str>,
}

impl Expression {
    /// An expression that sets this and removes that.
    pub(super) fn new(set: &[&'static str], remove: &[&'static str]) -> Self {
        Self {
            set: set.to_vec(),
            remove: remove.to_vec(),
        }
    }

    /// The same, which sets this as well, such as `url = :url`.
    pub(super) fn set(mut self, assignment: &'static str) -> Self {
        self.set.push(assignment);
        self
    }

    /// The same, which removes this attribute as well.
    pub(super) fn remove(mut self, attribute: &'static str) -> Self {
        self.remove.push(attribute);
        self
    }

    /// This and another.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.set.extend(other.set);
        self.remove.extend(other.remove);
        self
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clauses = [("SET", &self.set), ("REMOVE", &self.remove)];
        let clauses = clauses.into_iter().filter(|(_, parts)| !parts.is_empty());
        let clauses: Vec<_> = clauses
            .map(|(name, parts)| format!("{name} {}", parts.join(", ")))
            .collect();
        f.write_str(&clauses.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clause_is_there_once_or_not_at_all() {
        let set = Expression::new(&["a = :a"], &[]);
        let removed = Expression::new(&[], &["c"]).remove("d");

        assert_eq!(set.to_string(), "SET a = :a");
        assert_eq!(removed.to_string(), "REMOVE c, d");
        assert_eq!(
            set.and(removed).set("b = :b").to_string(),
            "SET a = :a, b = :b REMOVE c, d"
        );
    }
}
