//! `openapi.yaml` as the tests read it. Every answer that a test gets is held against it, so that code and document
//! cannot part unseen.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use http::{Method, StatusCode};
use serde_json::Value;

use crate::{repository, schema};

/// What every path of the API begins with.
pub const BASE_PATH: &str = "/api/integrations/webhooks";

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    serde_yaml_ng::from_str(&repository::read("openapi.yaml")).expect("openapi.yaml is YAML with text keys")
});

static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| {
    let paths = DOCUMENT["paths"].as_object().expect("paths");
    let of_path = |(path, item): (&String, &'static Value)| {
        let item = item.as_object().expect("a path item");
        let operations = item.iter().filter_map(|(name, value)| {
            let method = name.to_uppercase().parse().ok()?;
            (name != "parameters").then(|| Operation::new(method, path, value))
        });
        operations.collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
});

/// One method of one path.
#[derive(Debug)]
pub struct Operation {
    /// Its `operationId`.
    pub id: String,
    /// Its method.
    pub method: Method,
    /// The path without [`BASE_PATH`], its parameters in braces.
    pub path: String,
    /// What the token must allow; `None` if every token will do, or none is needed.
    pub scope: Option<String>,
    /// What the document says of it.
    pub value: &'static Value,
}

/// The whole document.
pub fn document() -> &'static Value {
    &DOCUMENT
}

/// Every operation of the document.
pub fn operations() -> &'static [Operation] {
    &OPERATIONS
}

impl Operation {
    fn new(method: Method, path: &str, value: &'static Value) -> Self {
        let description = value["description"].as_str().unwrap_or_default();
        let scope = description.split("Needs the scope `").nth(1);
        let scope = scope.and_then(|rest| rest.split('`').next());
        let without_scope = if is_open(value) {
            "Needs no token."
        } else {
            "Needs any scope."
        };
        assert!(
            scope.is_some() || description.contains(without_scope),
            "{path} does not say what it needs"
        );
        Self {
            id: value["operationId"].as_str().expect("an operationId").to_owned(),
            method,
            path: path.strip_prefix(BASE_PATH).expect("the base path").to_owned(),
            scope: scope.map(str::to_owned),
            value,
        }
    }

    /// Whether it needs no token.
    pub fn is_open(&self) -> bool {
        is_open(self.value)
    }

    /// The statuses that it may answer with.
    pub fn statuses(&self) -> BTreeSet<u16> {
        let responses = self.value["responses"].as_object().expect("responses");
        let status = |name: &String| name.parse().expect("a status");
        responses.keys().map(status).collect()
    }

    /// The names of the parameters in its path.
    pub fn path_parameters(&self) -> Vec<&str> {
        let segments = self.path.split('/');
        let names = segments.filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
        names.collect()
    }

    /// Its path with values in place of the parameters; panics if one has none.
    pub fn path_with(&self, values: &[(&str, &str)]) -> String {
        let path = values.iter().fold(self.path.clone(), |path, (name, value)| {
            path.replace(&format!("{{{name}}}"), value)
        });
        assert!(
            !path.contains('{'),
            "{}: no value for a parameter of {path}",
            self.id
        );
        path
    }

    /// The example of its request body, if it takes one.
    pub fn body(&self) -> Option<&'static Value> {
        self.value["requestBody"]["content"]["application/json"].get("example")
    }

    fn matches(&self, path: &str) -> bool {
        let (mut wanted, mut given) = (self.path.split('/'), path.split('/'));
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return true,
                (Some(wanted), Some(given)) if wanted == given || wanted.starts_with('{') => {}
                _ => return false,
            }
        }
    }
}

fn is_open(operation: &Value) -> bool {
    operation["security"].as_array().is_some_and(Vec::is_empty)
}

/// What is wrong with an answer by the document; nothing if the document does not know the route.
pub fn complaints(method: &Method, path: &str, status: StatusCode, body: &Value) -> Vec<String> {
    let path = path.split('?').next().unwrap_or_default();
    let candidates = OPERATIONS.iter();
    let candidates = candidates.filter(|operation| operation.method == *method && operation.matches(path));
    // `/event-types` also looks like an id; the fixed path wins, as it does at the gateway.
    let Some(operation) = candidates.min_by_key(|operation| operation.path_parameters().len()) else {
        return Vec::new();
    };
    let response = resolve(&operation.value["responses"][status.as_str()]);
    if response.is_null() {
        return vec![format!("{} documents no {status}", operation.id)];
    }
    match response["content"]["application/json"].get("schema") {
        Some(schema) => schema::complaints(schema, body),
        None if body.is_null() => Vec::new(),
        None => vec![format!("{} documents no body for {status}", operation.id)],
    }
}

/// What a `$ref` points to; anything else is itself.
pub fn resolve(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(reference) => DOCUMENT
            .pointer(reference.trim_start_matches('#'))
            .unwrap_or_else(|| panic!("{reference} points nowhere")),
        None => value,
    }
}
