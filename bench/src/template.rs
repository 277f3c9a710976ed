//! What the benchmark takes from `template.yaml`: parameters and event sources, the environment of the functions, and the
//! tables with their keys and indexes, so that nothing is written down twice.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use local::root;
use serde_yaml_ng::Value;

/// The name of the stack.
const STACK: &str = "bench";
/// The account of the queues' ARNs and urls.
const ACCOUNT: &str = "000000000000";

/// The template.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    value: Value,
}

/// The keys of a table or of an index.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    /// Attributes of the key.
    pub(crate) attributes: Vec<String>,
}

/// A table.
#[derive(Debug, Clone)]
pub(crate) struct TableSchema {
    /// Its primary key.
    pub(crate) key: Keys,
    /// Its secondary indexes, billed as if they held keys only.
    pub(crate) indexes: Vec<Keys>,
}

/// An event source of a queue, with the parameters' values.
#[derive(Debug, Clone)]
pub(crate) struct QueueSource {
    /// Messages of a batch.
    pub(crate) batch_size: usize,
    /// For how long a message may wait for others of its batch.
    pub(crate) window: Duration,
    /// Batches at the same time.
    pub(crate) maximum_concurrency: usize,
    /// The parameter that says so.
    pub(crate) concurrency_parameter: String,
}

impl Template {
    /// Reads the template of this checkout.
    pub(crate) fn read() -> Result<Self> {
        let text = std::fs::read_to_string(root().join("template.yaml")).context("reading template.yaml")?;
        Ok(Self {
            value: serde_yaml_ng::from_str(&text)?,
        })
    }

    /// The template with another value of a parameter, within what the parameter allows.
    pub(crate) fn with(&self, parameter: &str, value: u64) -> Result<Self> {
        let mut changed = self.clone();
        let declared = &mut changed.value["Parameters"][parameter];
        let limit = |name: &str, otherwise| declared[name].as_u64().unwrap_or(otherwise);
        let allowed = limit("MinValue", 0)..=limit("MaxValue", u64::MAX);
        ensure!(
            declared.is_mapping() && allowed.contains(&value),
            "{parameter} can't be {value}"
        );
        declared["Default"] = value.into();
        Ok(changed)
    }

    /// The most that a parameter may be.
    pub(crate) fn most(&self, parameter: &str) -> Option<u64> {
        self.value["Parameters"][parameter]["MaxValue"].as_u64()
    }

    /// The value of a parameter.
    pub(crate) fn parameter(&self, parameter: &str) -> Result<String> {
        let value = &self.value["Parameters"][parameter]["Default"];
        ensure!(!value.is_null(), "the template has no parameter {parameter}");
        Ok(scalar(value))
    }

    /// The event source that reads a queue.
    pub(crate) fn queue_source(&self, queue: &str) -> Result<QueueSource> {
        let resources = self.value["Resources"].as_mapping().into_iter().flatten();
        let events = resources
            .filter_map(|(_, resource)| resource["Properties"]["Events"].as_mapping())
            .flatten();
        let mut sources = events.map(|(_, event)| &event["Properties"]);
        let reads = |source: &&Value| operand(&source["Queue"]) == format!("{queue}.Arn");
        let source = sources.find(reads).context("nothing reads that queue")?;
        let concurrency = &source["ScalingConfig"]["MaximumConcurrency"];
        let window = self
            .number(&source["MaximumBatchingWindowInSeconds"])
            .unwrap_or(0);
        Ok(QueueSource {
            batch_size: usize::try_from(self.number(&source["BatchSize"])?)?,
            window: Duration::from_secs(window),
            maximum_concurrency: usize::try_from(self.number(concurrency)?)?,
            concurrency_parameter: operand(concurrency),
        })
    }

    /// A number, or that of the parameter that stands for it.
    fn number(&self, value: &Value) -> Result<u64> {
        let text = match value {
            Value::Tagged(_) => self.parameter(&operand(value))?,
            _ => scalar(value),
        };
        text.parse().with_context(|| format!("{text:?} is not a number"))
    }

    /// The memory of every function in MB.
    pub(crate) fn memory_mb(&self) -> Result<f64> {
        let memory = &self.value["Globals"]["Function"]["MemorySize"];
        memory.as_f64().context("the template has no MemorySize")
    }

    /// The environment of every function, and what single functions have besides, with AWS at `aws_url`.
    pub(crate) fn environment(&self, aws_url: &str) -> Result<BTreeMap<String, String>> {
        let variables = |of: &Value| of["Environment"]["Variables"].as_mapping().cloned();
        let resources = self.value["Resources"].as_mapping().into_iter().flatten();
        let own = resources.filter_map(|(_, resource)| variables(&resource["Properties"]));
        let common =
            variables(&self.value["Globals"]["Function"]).context("the template has no environment")?;
        let text = |name: &Value| name.as_str().unwrap_or_default().to_owned();
        let mut environment: BTreeMap<_, _> = own
            .chain([common])
            .flatten()
            .map(|(name, value)| (text(&name), self.resolve(&value, aws_url)))
            .collect();
        environment.insert("AWS_ENDPOINT_URL".to_owned(), aws_url.to_owned());
        Ok(environment)
    }

    /// The tables by their names, which are those of the template.
    pub(crate) fn tables(&self) -> BTreeMap<String, TableSchema> {
        let resources = self.value["Resources"].as_mapping().into_iter().flatten();
        let tables = resources.filter(|(_, resource)| resource["Type"] == "AWS::DynamoDB::Table");
        let schema = |(name, table): (&Value, &Value)| {
            let properties = &table["Properties"];
            let indexes = properties["GlobalSecondaryIndexes"]
                .as_sequence()
                .into_iter()
                .flatten();
            let schema = TableSchema {
                key: keys(properties),
                indexes: indexes.map(keys).collect(),
            };
            (name.as_str().unwrap_or_default().to_owned(), schema)
        };
        tables.map(schema).collect()
    }

    fn resolve(&self, value: &Value, aws_url: &str) -> String {
        let Value::Tagged(tagged) = value else {
            return scalar(value);
        };
        let operand = scalar(&tagged.value);
        match tagged.tag.to_string().trim_start_matches('!') {
            // What holds with the default parameters.
            "If" => {
                let otherwise = tagged.value.as_sequence().and_then(|operands| operands.last());
                otherwise.map_or_else(String::new, |value| self.resolve(value, aws_url))
            }
            "GetAtt" => arn(operand.split('.').next().unwrap_or_default()),
            "Ref" => self.reference(&operand, aws_url),
            _ => operand.replace("${AWS::StackName}", STACK),
        }
    }

    fn reference(&self, name: &str, aws_url: &str) -> String {
        match name {
            "AllowInsecureTargets" => return "true".to_owned(),
            // So that what is done for one is measured too.
            "OperatorWorkspace" => return "ws_operator".to_owned(),
            _ => {}
        }
        let parameter = &self.value["Parameters"][name]["Default"];
        match self.value["Resources"][name]["Type"].as_str() {
            Some("AWS::SQS::Queue") => format!("{aws_url}/{ACCOUNT}/{name}"),
            Some(_) => name.to_owned(),
            None => scalar(parameter),
        }
    }
}

/// What stands behind a tag such as `!Ref`.
fn operand(value: &Value) -> String {
    match value {
        Value::Tagged(tagged) => scalar(&tagged.value),
        _ => String::new(),
    }
}

/// The ARN of a queue, as event sources name it.
pub(crate) fn arn(queue: &str) -> String {
    format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{queue}")
}

fn keys(of: &Value) -> Keys {
    let schema = of["KeySchema"].as_sequence().into_iter().flatten();
    Keys {
        attributes: schema.map(|key| scalar(&key["AttributeName"])).collect(),
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_of_the_environment_has_a_value() {
        let environment = Template::read()
            .unwrap()
            .environment("http://127.0.0.1:1")
            .unwrap();

        assert_eq!(environment["DELIVERIES_TABLE"], "DeliveriesTable");
        assert_eq!(
            environment["EVENTS_QUEUE_URL"],
            "http://127.0.0.1:1/000000000000/EventsQueue"
        );
        assert!(
            environment.iter().all(|(_, value)| !value.is_empty()),
            "{environment:?}"
        );
    }

    #[test]
    fn an_event_source_has_what_its_parameters_say() {
        let template = Template::read().unwrap();
        let raised = template.with("DeliverMaximumConcurrency", 100).unwrap();

        let source = raised.queue_source("DeliveriesQueue").unwrap();

        assert_eq!(source.maximum_concurrency, 100);
        assert_eq!(source.concurrency_parameter, "DeliverMaximumConcurrency");
        assert_eq!((source.batch_size, source.window), (10, Duration::ZERO));
    }

    #[test]
    fn a_parameter_that_there_is_not_or_that_is_out_of_range_can_not_be_changed() {
        let template = Template::read().unwrap();

        assert!(template.with("Deliver", 100).is_err());
        assert!(template.with("DeliverMaximumConcurrency", 1001).is_err());
    }

    #[test]
    fn tables_come_with_their_keys_and_indexes() {
        let tables = Template::read().unwrap().tables();

        assert_eq!(tables["DeliveriesTable"].key.attributes, ["endpoint", "delivery"]);
        assert_eq!(
            tables["DeliveriesTable"].indexes[0].attributes,
            ["endpoint", "undelivered"]
        );
    }
}
