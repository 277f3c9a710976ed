//! What may be given to the templates: what the documents give, and what is told apart.

use regex_lite::Regex;
use serde_json::{Map, Value};
use tests::repository;

const TEMPLATES: [&str; 2] = ["template.yaml", "deploy/domain.yaml"];

/// Values that a parameter takes, and values that it does not.
const TOLD_APART: [(&str, &[&str], &[&str]); 11] = [
    (
        "RetrySchedule",
        &["0", "5,300"],
        &["", "5, 300", "5,300,", "1000000"],
    ),
    (
        "ProducerRules",
        &[
            "",
            "arn:aws:events:eu-west-1:123456789012:rule/one,arn:aws:events:eu-west-1:123456789012:rule/bus/two",
        ],
        &["one", "arn:aws:events:eu-west-1:123456789012:rule/one, "],
    ),
    (
        "PublicUrl",
        &[
            "",
            "https://webhooks.example.com",
            "https://webhooks.example.com:8443",
        ],
        &[
            "webhooks.example.com",
            "http://webhooks.example.com",
            "https://webhooks.example.com/",
        ],
    ),
    (
        "CorsOrigins",
        &["", "*", "https://one.example.com,http://localhost:3000"],
        &[
            "https://app.example.com/",
            "https://one.example.com, https://two.example.com",
        ],
    ),
    (
        "DashboardFrameAncestors",
        &["'none'", "'self' https://app.example.com"],
        &[
            "",
            "none",
            "self",
            "'none' https://app.example.com",
            "https://one.example.com; script-src *",
        ],
    ),
    (
        "ProducerPrincipals",
        &[
            "",
            "123456789012",
            "arn:aws:iam::123456789012:role/producer,123456789013",
        ],
        &["*", "12345678901", "arn:aws:iam::123456789012:root"],
    ),
    ("OperatorWorkspace", &["", "ws_operator"], &["operator", "ws_"]),
    ("TableDeletionProtection", &["true", "false"], &["", "yes"]),
    ("BatchSize", &["1", "100"], &["0", "101", "ten", ""]),
    (
        "DomainName",
        &["webhooks.example.com"],
        &["", "example", "Webhooks.example.com"],
    ),
    (
        "ApiUrl",
        &["https://abc123.execute-api.eu-west-1.amazonaws.com/api"],
        &["", "https://webhooks.example.com"],
    ),
];

fn parameters(template: &str) -> Map<String, Value> {
    let template: serde_yaml_ng::Value = serde_yaml_ng::from_str(&repository::read(template)).expect("YAML");
    let parameters = serde_json::to_value(&template["Parameters"]).expect("only texts, numbers and lists");
    parameters.as_object().expect("parameters").clone()
}

/// Whether `CloudFormation` takes a value for a parameter
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html>).
fn takes(parameter: &Value, value: &str) -> bool {
    let allowed = parameter["AllowedValues"].as_array();
    let is_allowed = |allowed: &Vec<Value>| {
        let texts = allowed
            .iter()
            .map(|one| one.as_str().map_or(one.to_string(), str::to_owned));
        texts.into_iter().any(|text| text == value)
    };
    let pattern = parameter["AllowedPattern"].as_str();
    let whole = |pattern: &str| Regex::new(&format!("^(?:{pattern})$")).expect("a pattern");
    let fits = |pattern: &str| whole(pattern).is_match(value);
    let is_in_range = |number: i64| {
        parameter["MinValue"].as_i64().is_none_or(|least| least <= number)
            && parameter["MaxValue"].as_i64().is_none_or(|most| number <= most)
    };
    allowed.is_none_or(is_allowed)
        && pattern.is_none_or(fits)
        && parameter["MaxLength"]
            .as_u64()
            .is_none_or(|most| value.len() as u64 <= most)
        && (parameter["Type"] != "Number" || value.parse().is_ok_and(is_in_range))
}

/// A parameter that a document gives to a template, and its value; a variable of the shell is none.
struct Given {
    template: String,
    name: String,
    value: Option<String>,
}

impl Given {
    fn of(template: &str, pair: &str) -> Option<Self> {
        let (name, value) = pair.split_once('=')?;
        // SAM takes off the quotation marks of a value that has its own.
        let bare = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        let value = bare.unwrap_or(value);
        Some(Self {
            template: template.to_owned(),
            name: name.to_owned(),
            value: (!value.contains('$')).then(|| value.to_owned()),
        })
    }
}

/// What a document gives to `sam` on the command line.
fn given_in_commands(document: &str) -> Vec<Given> {
    let word = Regex::new(r#"(?:'[^']*'|"(?:\\.|[^"\\])*"|[^\s'"`])+"#).expect("a pattern");
    let text = document.replace("\\\n", " ");
    let mut given = Vec::new();
    for line in text.lines() {
        let Some((before, after)) = line.split_once("--parameter-overrides") else {
            continue;
        };
        let template = before.split_once("--template-file ").map(|(_, rest)| rest);
        let template = template
            .and_then(|rest| rest.split(' ').next())
            .unwrap_or("template.yaml");
        // In a line of prose the command ends with a backtick.
        let words = word.find_iter(after.split('`').next().unwrap_or_default());
        given.extend(words.filter_map(|found| Given::of(template, &unquoted(found.as_str()))));
    }
    given
}

/// A word of the shell as a command gets it.
fn unquoted(word: &str) -> String {
    let inside = |mark| word.strip_prefix(mark).and_then(|word| word.strip_suffix(mark));
    if let Some(inside) = inside('\'') {
        return inside.to_owned();
    }
    inside('"').map_or(word.to_owned(), |inside| inside.replace("\\\"", "\""))
}

/// What a document puts into `samconfig.toml`.
fn given_in_lists(document: &str) -> Vec<Given> {
    let lists = document.split("parameter_overrides = ").skip(1);
    let lists = lists.map(|rest| rest.split_inclusive(']').next().unwrap_or_default());
    // A list of texts is JSON, but for the comma that it may end with.
    let trailing = Regex::new(r",\s*\]").expect("a pattern");
    let lists = lists.map(|list| trailing.replace(list, "]").into_owned());
    let pairs = lists.flat_map(|list| serde_json::from_str::<Vec<String>>(&list).expect("a list"));
    pairs
        .filter_map(|pair| Given::of("template.yaml", &pair))
        .collect()
}

#[test]
fn what_the_documents_give_is_a_parameter_that_takes_it() {
    let documents = repository::stems("docs", "md").into_iter();
    let documents = documents.map(|stem| format!("docs/{stem}.md"));
    let (mut commands, mut lists) = (0, 0);
    for document in documents.chain(["README.md".to_owned(), "samconfig.toml".to_owned()]) {
        let text = repository::read(&document);
        let (in_commands, in_lists) = (given_in_commands(&text), given_in_lists(&text));
        commands += in_commands.len();
        lists += in_lists.len();
        for Given {
            template,
            name,
            value,
        } in in_commands.into_iter().chain(in_lists)
        {
            let known = parameters(&template);
            let parameter = known.get(&name);
            let parameter = parameter.unwrap_or_else(|| panic!("{document}: {template} has no {name}"));
            if let Some(value) = value {
                assert!(
                    takes(parameter, &value),
                    "{document}: {name} does not take {value:?}"
                );
            }
        }
    }
    assert!(commands >= 15 && lists >= 7, "{commands} and {lists} were found");
}

#[test]
fn a_parameter_takes_what_it_is_for_and_nothing_else() {
    let known: Map<_, _> = TEMPLATES.into_iter().flat_map(parameters).collect();
    for (name, taken, refused) in TOLD_APART {
        for value in taken {
            assert!(takes(&known[name], value), "{name} takes {value:?}");
        }
        for value in refused {
            assert!(!takes(&known[name], value), "{name} does not take {value:?}");
        }
    }
}

#[test]
fn a_value_is_not_longer_than_its_parameter_allows() {
    let parameters = parameters("template.yaml");
    let url = |length: usize| format!("https://{}", "a".repeat(length - "https://".len()));

    assert!(takes(&parameters["PublicUrl"], &url(255)));
    assert!(!takes(&parameters["PublicUrl"], &url(256)));
}

#[test]
fn every_default_is_taken() {
    for (name, parameter) in TEMPLATES.into_iter().flat_map(parameters) {
        let text = match &parameter["Default"] {
            Value::Null => continue,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        assert!(takes(&parameter, &text), "{name} does not take its default");
    }
}

#[test]
fn every_pattern_is_tried() {
    let tried: Vec<_> = TOLD_APART.iter().map(|(name, _, _)| *name).collect();
    for (name, parameter) in TEMPLATES.into_iter().flat_map(parameters) {
        let has_pattern = parameter["AllowedPattern"].is_string();
        assert!(
            !has_pattern || tried.contains(&name.as_str()),
            "add {name} to TOLD_APART"
        );
    }
}
