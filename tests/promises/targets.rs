//! Which targets a deployment without `AllowInsecureTargets` accepts. The stack under test allows insecure ones, to
//! reach its receivers; so the deployed `create-endpoint` is asked under another name, with that one setting changed.
//!
//! One url of each kind is enough here: that every address of the vectors is judged rightly is a unit test of
//! `shared::domain`. This shows that the deployed function asks.

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{Environment, FunctionCode, Runtime};
use http::StatusCode;
use serde_json::{Value, json};
use tests::{Workspace, aws, issued};

use crate::promises::STACK;

const FUNCTION: &str = "create-endpoint-of-a-strict-deployment";

#[tokio::test]
async fn create_refuses_private_targets_and_allows_public_ones() {
    let strict = Strict::deploy().await;

    for url in [
        "http://hooks.example.com/",
        "https://localhost/hook",
        "https://169.254.169.254/hook",
        "https://[::ffff:127.0.0.1]/hook",
    ] {
        let answer = strict.create(url).await;
        let status = StatusCode::UNPROCESSABLE_ENTITY.as_u16();
        assert_eq!(answer["statusCode"], status, "{url}: {answer}");
        let body = answer["body"].as_str().expect("a body");
        assert!(body.contains("\"field\":\"url\""), "{url}: {answer}");
    }
    for url in [
        "https://hooks.example.com/hook",
        "https://8.8.8.8/hook",
        "https://[2606:4700:4700::1111]/hook",
    ] {
        let answer = strict.create(url).await;
        let status = StatusCode::CREATED.as_u16();
        assert_eq!(answer["statusCode"], status, "{url}: {answer}");
    }
    strict.remove().await;
}

/// The deployed function under another name.
struct Strict {
    workspace: Workspace,
    lambda: aws_sdk_lambda::Client,
}

impl Strict {
    async fn deploy() -> Self {
        let lambda = STACK.lambda();
        let deployed = lambda
            .get_function()
            .function_name(STACK.function("CreateEndpointFunction"));
        let deployed = deployed.send().await.expect("the deployed function");
        let location = deployed
            .code()
            .and_then(|code| code.location())
            .expect("where its code is")
            .to_owned();
        let code = reqwest::get(location)
            .await
            .expect("its code")
            .bytes()
            .await
            .expect("its code");
        let configuration = deployed.configuration().expect("its configuration");
        let variables = configuration
            .environment()
            .and_then(|environment| environment.variables())
            .expect("variables");
        let mut variables = variables.clone();
        variables.insert("ALLOW_INSECURE_TARGETS".to_owned(), "false".to_owned());
        lambda
            .create_function()
            .function_name(FUNCTION)
            .role(configuration.role().expect("its role"))
            .runtime(Runtime::Providedal2023)
            .handler(configuration.handler().expect("its handler"))
            .timeout(10)
            // Beside the one it is a copy of, where the whole run's log lines are searched.
            .set_logging_config(configuration.logging_config().cloned())
            .environment(Environment::builder().set_variables(Some(variables)).build())
            .code(FunctionCode::builder().zip_file(Blob::new(code.to_vec())).build())
            .send()
            .await
            .expect("the function under another name");
        Self {
            workspace: Workspace::new(&STACK).await,
            lambda,
        }
    }

    async fn create(&self, url: &str) -> Value {
        let event = json!({
            "version": "2.0",
            "routeKey": "POST /api/integrations/webhooks",
            "rawPath": "/api/integrations/webhooks",
            "rawQueryString": "",
            "headers": {
                "authorization": format!("Bearer {}", self.workspace.token),
                "content-type": "application/json",
            },
            "requestContext": {
                "accountId": "000000000000",
                "apiId": "none",
                "domainName": "none",
                "http": {
                    "method": "POST",
                    "path": "/api/integrations/webhooks",
                    "protocol": "HTTP/1.1",
                    "sourceIp": "127.0.0.1",
                    "userAgent": "test",
                },
                "requestId": "none",
                "stage": "$default",
                "time": "23/Nov/2026:12:00:00 +0000",
                "timeEpoch": 0,
            },
            "body": json!({ "url": url, "events": ["*"] }).to_string(),
            "isBase64Encoded": false,
        });
        let answer = aws::invoke(&self.lambda, FUNCTION, &event).await;
        let answer = answer.expect("the function answers");
        let body = answer["body"]
            .as_str()
            .and_then(|body| serde_json::from_str::<Value>(body).ok());
        if let Some(secret) = body.as_ref().and_then(|body| body["secret"].as_str()) {
            issued::remember(secret);
        }
        answer
    }

    async fn remove(self) {
        self.lambda
            .delete_function()
            .function_name(FUNCTION)
            .send()
            .await
            .expect("it is removed");
    }
}
