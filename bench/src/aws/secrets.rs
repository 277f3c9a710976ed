//! Secrets in memory; only the newest version of each is kept.

use std::collections::HashMap;

use serde_json::{Value, json};

/// All secrets, by their names.
#[derive(Debug, Default)]
pub(super) struct Secrets(HashMap<String, String>);

impl Secrets {
    /// Answers a call.
    pub(super) fn answer(&mut self, action: &str, input: &Value) -> Value {
        let name = input["Name"]
            .as_str()
            .or(input["SecretId"].as_str())
            .unwrap_or_default();
        if let Some(secret) = input["SecretString"].as_str() {
            self.0.insert(name.to_owned(), secret.to_owned());
        }
        let version = input["ClientRequestToken"]
            .as_str()
            .or(input["VersionId"].as_str())
            .unwrap_or_default();
        let mut answer = json!({ "ARN": name, "Name": name, "VersionId": version });
        if action == "GetSecretValue" {
            answer["SecretString"] = json!(self.0.get(name));
        }
        answer
    }
}
