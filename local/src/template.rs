//! What the local stack reads from `template.yaml`: the names of its parameters and of the binaries it deploys.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result};
use serde_yaml_ng::Value;

use crate::layout;

/// The template.
#[derive(Debug)]
pub(crate) struct Template(Value);

impl Template {
    /// Reads the template of this checkout.
    pub(crate) fn read() -> Result<Self> {
        let path = layout::root().join("template.yaml");
        Self::parse(&fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?)
    }

    /// The template with this text.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let value = serde_yaml_ng::from_str(text).context("template.yaml is not valid YAML")?;
        Ok(Self(value))
    }

    /// The names of its parameters.
    pub(crate) fn parameters(&self) -> Vec<&str> {
        let parameters = self.0["Parameters"].as_mapping().into_iter().flatten();
        parameters.filter_map(|(name, _)| name.as_str()).collect()
    }

    /// The binaries that its functions run, each of them once.
    pub(crate) fn binaries(&self) -> BTreeSet<&str> {
        let resources = self.0["Resources"].as_mapping().into_iter().flatten();
        resources
            .filter_map(|(_, resource)| resource["Metadata"]["BuildProperties"]["Binary"].as_str())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_that_several_functions_run_is_listed_once() {
        let template = "Resources:\n  Queue: {Type: Q, Arn: !GetAtt A.B}\n  \
                        A: {Metadata: {BuildProperties: {Binary: webhooks}}}\n  \
                        B: {Metadata: {BuildProperties: {Binary: webhooks}}}\n";

        let template = Template::parse(template).unwrap();

        assert_eq!(template.binaries().into_iter().collect::<Vec<_>>(), ["webhooks"]);
    }

    #[test]
    fn the_template_of_this_checkout_has_parameters_and_binaries() {
        let template = Template::read().unwrap();

        assert!(template.parameters().contains(&"RetrySchedule"));
        assert!(!template.binaries().is_empty());
    }
}
