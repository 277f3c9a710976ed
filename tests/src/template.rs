//! `template.yaml`, as tests read it.

use serde_json::{Map, Value, json};
use serde_yaml_ng::Value as Yaml;

use crate::repository;

/// `template.yaml`, with its short forms (`!Ref`) written out as `CloudFormation` writes them.
pub struct Template(Value);

impl Template {
    /// The template of this repository.
    pub fn read() -> Self {
        let text = repository::read("template.yaml");
        Self(written_out(serde_yaml_ng::from_str(&text).expect("YAML")))
    }

    /// A section, such as the parameters or the outputs, by the names in it.
    pub fn section(&self, name: &str) -> &Map<String, Value> {
        self.0[name].as_object().expect("a section of the template")
    }

    /// What is said of a parameter.
    pub fn parameter(&self, name: &str) -> &Value {
        &self.section("Parameters")[name]
    }

    /// What all functions have in common.
    pub fn globals(&self) -> &Value {
        &self.section("Globals")["Function"]
    }

    /// The properties of a resource.
    pub fn resource(&self, name: &str) -> &Value {
        let resource = &self.0["Resources"][name];
        assert!(resource.is_object(), "the template has no {name}");
        &resource["Properties"]
    }

    /// The metadata of a resource.
    pub fn metadata(&self, name: &str) -> &Value {
        self.attribute(name, "Metadata")
    }

    /// What stands beside the properties of a resource, such as its condition.
    pub fn attribute(&self, name: &str, attribute: &str) -> &Value {
        &self.0["Resources"][name][attribute]
    }

    /// The properties of a function.
    pub fn function(&self, name: &str) -> &Value {
        self.resource(name)
    }

    /// The properties of all resources of a type, by name.
    pub fn of_type(&self, kind: &str) -> Vec<(String, &Value)> {
        let resources = self.0["Resources"].as_object().expect("resources").iter();
        let of_type = resources.filter(|(_, resource)| resource["Type"] == kind);
        of_type
            .map(|(name, resource)| (name.clone(), &resource["Properties"]))
            .collect()
    }

    /// The sources of messages and stream records, each with its function.
    pub fn event_sources(&self) -> Vec<(String, &Value)> {
        let functions = self.of_type("AWS::Serverless::Function").into_iter();
        let events = functions.flat_map(|(name, function)| {
            let events = function["Events"].as_object().into_iter().flat_map(Map::values);
            events.map(move |event| (name.clone(), event)).collect::<Vec<_>>()
        });
        events
            .filter(|(_, event)| event["Type"] != "HttpApi")
            .map(|(name, event)| (name, &event["Properties"]))
            .collect()
    }

    /// The functions with the queues that they read.
    pub fn queue_sources(&self) -> Vec<(String, String)> {
        let sources = self.event_sources().into_iter();
        sources
            .filter_map(|(function, source)| Some((function, Self::queue_of(source)?)))
            .collect()
    }

    /// The queue that an event source reads, if it reads one.
    pub fn queue_of(source: &Value) -> Option<String> {
        Some(
            source["Queue"]["Fn::GetAtt"]
                .as_str()?
                .trim_end_matches(".Arn")
                .to_owned(),
        )
    }

    /// The statements of all policies, each with its role.
    pub fn statements(&self) -> Vec<(String, &Value)> {
        let roles = self.of_type("AWS::IAM::Role").into_iter();
        let statements = roles.flat_map(|(name, role)| {
            let policies = role["Policies"].as_array().into_iter().flatten();
            let statements = policies.flat_map(|policy| {
                policy["PolicyDocument"]["Statement"]
                    .as_array()
                    .into_iter()
                    .flatten()
            });
            statements
                .map(move |statement| (name.clone(), statement))
                .collect::<Vec<_>>()
        });
        statements.collect()
    }

    /// A number, or the default of the parameter that stands for it.
    pub fn number(&self, value: &Value) -> u64 {
        let value = match value["Ref"].as_str() {
            Some(parameter) => &self.0["Parameters"][parameter]["Default"],
            None => value,
        };
        value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
    }
}

fn written_out(yaml: Yaml) -> Value {
    match yaml {
        Yaml::Tagged(tagged) => {
            let name = tagged.tag.to_string();
            let name = name.trim_start_matches('!');
            let name = if name == "Ref" || name == "Condition" {
                name.to_owned()
            } else {
                format!("Fn::{name}")
            };
            json!({ name: written_out(tagged.value) })
        }
        Yaml::Mapping(mapping) => {
            let text = |name: Yaml| name.as_str().expect("a name").to_owned();
            Value::Object(
                mapping
                    .into_iter()
                    .map(|(name, value)| (text(name), written_out(value)))
                    .collect(),
            )
        }
        Yaml::Sequence(values) => values.into_iter().map(written_out).collect(),
        other => serde_json::to_value(other).expect("a plain value"),
    }
}
