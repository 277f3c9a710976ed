//! Calls of AWS that never answer: no function runs into its own time-out, and everything ends as without it.
//!
//! The queue functions' calls hang in `steps` as well, each with every story; here it is the calls of the API and of the
//! operator's functions, and that no log ever says that a function timed out.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::{join_all, join3};
use futures::{StreamExt, stream};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tests::workspace::ApiAnswer;
use tests::{PATIENCE, Workspace, event_types};

use crate::faults::STACK;
use crate::faults::proxy::{self, Effect, Fault};

/// Longer than any function may run.
const HANGING: Duration = Duration::from_mins(1);

/// Longer than a call is waited for.
const A_CALL: Duration = Duration::from_secs(9);

/// Requests at the same time.
const CALLERS: usize = 15;

/// What the emulator logs when a function runs into its time-out.
const TIMED_OUT: &str = "Task timed out";

#[tokio::test]
async fn no_call_that_hangs_makes_a_function_time_out() {
    let _turn = STACK.alone().await;
    let mut scenarios = Vec::new();
    for route in Route::ALL {
        for (call, count) in route.calls().await {
            scenarios.extend((0..count).map(|number| (route, call.clone(), number)));
        }
    }
    println!("{} calls", scenarios.len());

    let told = stream::iter(&scenarios)
        .map(|(route, call, number)| route.with_a_call_that_hangs(call, *number))
        .buffer_unordered(CALLERS)
        .filter_map(async |failure| failure)
        .collect::<Vec<_>>();
    let (failures, ..) = join3(
        told,
        an_operator_gets_an_error_while_a_table_hangs(),
        purges_end_after_their_calls_hung(),
    )
    .await;

    assert!(failures.is_empty(), "{}", failures.join("\n"));
    creation_ends_while_its_secret_hangs().await;
    let log = std::fs::read_to_string(&STACK.log_file).expect("the emulator's log");
    assert!(!log.contains(TIMED_OUT), "a function timed out");
}

/// The name of the secret is not known before, so this call is told apart by what all such names begin with, and nobody else
/// may create one meanwhile.
async fn creation_ends_while_its_secret_hangs() {
    let scene = Scene::set().await;
    let fault = Fault::once(
        "CreateSecret",
        std::slice::from_ref(&STACK.secret_prefix),
        Effect::HangBefore,
    );
    let injected = proxy::inject(fault.during(HANGING));

    let answer = Route::Create.ask(&scene).await;

    assert_eq!(injected.hits() > 0, is_our_500(&answer), "{}", answer.body);
    assert!(is_our_500(&answer), "{} {}", answer.status, answer.body);
}

/// A call of each of the operator's functions, and what it is about.
const OPERATORS_CALLS: [(&str, &str, &str); 5] = [
    ("IssueTokenFunction", "PutItem TokensTable", "workspace_id"),
    ("RevokeTokenFunction", "UpdateItem TokensTable", "token_id"),
    ("CreatePortalLinkFunction", "PutItem TokensTable", "workspace_id"),
    ("ListTokensFunction", "Query TokensTable", "workspace_id"),
    ("EraseWorkspaceFunction", "Query EventsTable", "workspace_id"),
];

async fn an_operator_gets_an_error_while_a_table_hangs() {
    let asked = OPERATORS_CALLS.map(async |(function, call, field)| {
        let value = match field {
            "token_id" => "0".repeat(64),
            _ => format!("ws_of_{function}"),
        };
        let fault = Fault::once(call, std::slice::from_ref(&value), Effect::HangBefore);
        let _injected = proxy::inject(fault.during(HANGING));

        let answer = STACK.invoke(function, &json!({ field: value })).await;

        let error = answer.expect_err("nothing is done");
        assert_eq!(error["errorType"], "InternalError", "{function}: {error}");
    });
    join_all(asked).await;
}

/// The calls of `purge` for a deleted endpoint.
const PURGE_CALLS: [&str; 4] = [
    "SendMessageBatch PurgesQueue",
    "GetItem EndpointsTable",
    "Query DeliveriesTable",
    "DeleteSecret",
];

async fn purges_end_after_their_calls_hung() {
    let purges = PURGE_CALLS.map(async |call| {
        let scene = Scene::set().await;
        let deleting = Fault::once(call, std::slice::from_ref(&scene.endpoint), Effect::HangBefore);
        // The request itself makes the first two as well.
        let is_shared = ["SendMessageBatch PurgesQueue", "GetItem EndpointsTable"].contains(&call);
        let injected = proxy::inject(deleting.after(usize::from(is_shared)).during(A_CALL));
        let answer = Route::Delete.ask(&scene).await;
        assert!(answer.status.is_success(), "{call}: {}", answer.body);

        tests::eventually_within(2 * PATIENCE, &format!("a purge whose {call} hung"), async || {
            (!STACK.has_secret(&scene.endpoint).await).then_some(())
        })
        .await;
        assert!(injected.hits() > 0, "{call}: the fault met no call");
    });
    join_all(purges).await;
}

/// A route of the API.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Route {
    Create,
    List,
    Get,
    Update,
    Disable,
    Rotate,
    Delete,
    Test,
    Deliveries,
    AllDeliveries,
    Stats,
    Delivery,
    Event,
    Retry,
    Recover,
    Recoveries,
    Recovery,
    CancelRecovery,
    EventTypes,
    Token,
}

impl Route {
    const ALL: [Self; 20] = [
        Self::Create,
        Self::List,
        Self::Get,
        Self::Update,
        Self::Disable,
        Self::Rotate,
        Self::Delete,
        Self::Test,
        Self::Deliveries,
        Self::AllDeliveries,
        Self::Stats,
        Self::Delivery,
        Self::Event,
        Self::Retry,
        Self::Recover,
        Self::Recoveries,
        Self::Recovery,
        Self::CancelRecovery,
        Self::EventTypes,
        Self::Token,
    ];

    /// The calls of AWS that a request of this route makes, and how many of each.
    async fn calls(self) -> BTreeMap<String, usize> {
        let scene = Scene::set_for(self).await;
        let recording = proxy::record(&scene.keys());
        let answer = self.ask(&scene).await;
        assert!(answer.status.is_success(), "{self:?}: {}", answer.body);
        let mut counts = BTreeMap::new();
        let callers = STACK.processes();
        for call in recording.calls() {
            let of_api = callers.iter().any(|process| {
                process.access_key == call.access_key && !QUEUE_FUNCTIONS.contains(&process.function.as_str())
            });
            if of_api {
                *counts.entry(call.name).or_default() += 1;
            }
        }
        assert!(
            !counts.is_empty(),
            "{self:?} calls nothing that is known to be its own"
        );
        counts
    }

    /// Asks while a call hangs, and then once more; says what is wrong with the answers.
    async fn with_a_call_that_hangs(self, call: &str, number: usize) -> Option<String> {
        let scene = Scene::set_for(self).await;
        let fault = Fault::once(call, &scene.keys(), Effect::HangBefore);
        let injected = proxy::inject(fault.after(number).during(HANGING));
        let answer = self.ask(&scene).await;
        if injected.hits() == 0 {
            return Some(format!("{self:?}, {call} #{number}: the fault met no call"));
        }
        // What does not matter for the answer may have hung.
        let is_answered = answer.status.is_success() || is_our_500(&answer);
        if !is_answered {
            let (status, body) = (answer.status, answer.body);
            return Some(format!("{self:?}, {call} #{number}: {status} {body}"));
        }
        drop(injected);
        let again = self.ask(&scene).await;
        let is_gone = matches!(self, Self::Delete) && again.status == StatusCode::NOT_FOUND;
        // A rotation that was cut off keeps others away for a while, a delivery that is retried is not failed, and a recovery
        // has begun or ended.
        let claims = [Self::Rotate, Self::Retry, Self::Recover, Self::CancelRecovery];
        let is_claimed = claims.contains(&self) && again.status == StatusCode::CONFLICT;
        let is_well = again.status.is_success() || is_gone || is_claimed;
        (!is_well).then(|| {
            let (status, body) = (again.status, again.body);
            format!("{self:?} after {call} #{number} hung: {status} {body}")
        })
    }

    async fn ask(self, scene: &Scene) -> ApiAnswer {
        let endpoint = format!("/{}", scene.endpoint);
        let (method, path, body) = match self {
            Self::Create => {
                let body = json!({ "url": "https://example.com/hooks", "events": ["*"] });
                (Method::POST, String::new(), Some(body))
            }
            Self::List => (Method::GET, String::new(), None),
            Self::Get => (Method::GET, endpoint, None),
            Self::Update => (
                Method::PATCH,
                endpoint,
                Some(json!({ "events": [event_types::one()] })),
            ),
            Self::Disable => (Method::PATCH, endpoint, Some(json!({ "enabled": false }))),
            Self::Rotate => (Method::POST, format!("{endpoint}/rotate-secret"), None),
            Self::Delete => (Method::DELETE, endpoint, None),
            Self::Test => {
                let body = json!({ "event": event_types::one() });
                (Method::POST, format!("{endpoint}/test"), Some(body))
            }
            Self::Deliveries => (Method::GET, format!("{endpoint}/deliveries"), None),
            Self::AllDeliveries => (Method::GET, "/deliveries".to_owned(), None),
            Self::Stats => (Method::GET, format!("{endpoint}/stats"), None),
            Self::Delivery => (
                Method::GET,
                format!("{endpoint}/deliveries/{}", scene.delivery),
                None,
            ),
            Self::Event => (Method::GET, format!("/events/{}", scene.event), None),
            Self::Retry => {
                let path = format!("{endpoint}/deliveries/{}/retry", scene.delivery);
                (Method::POST, path, None)
            }
            Self::Recover => {
                // Its first turn comes later than the answer.
                let body = json!({ "since": "2026-06-07T08:00:00Z", "include": "missing" });
                (Method::POST, format!("{endpoint}/recoveries"), Some(body))
            }
            Self::Recoveries => (Method::GET, format!("{endpoint}/recoveries"), None),
            Self::Recovery => {
                let path = format!("{endpoint}/recoveries/{}", scene.recovery);
                (Method::GET, path, None)
            }
            Self::CancelRecovery => {
                let path = format!("{endpoint}/recoveries/{}/cancel", scene.recovery);
                (Method::POST, path, None)
            }
            Self::EventTypes => (Method::GET, "/event-types".to_owned(), None),
            Self::Token => (Method::GET, "/token".to_owned(), None),
        };
        scene.workspace.api(method, &path, body.as_ref()).await
    }
}

/// A 500 that a function answered, and not the gateway.
fn is_our_500(answer: &ApiAnswer) -> bool {
    let message = answer.body["message"].as_str().unwrap_or_default();
    answer.status == StatusCode::INTERNAL_SERVER_ERROR
        && answer.body["statusCode"] == 500
        && message.contains("request")
        && answer.body["error"] != Value::Null
}

/// Who is not asked by a request.
const QUEUE_FUNCTIONS: [&str; 5] = [
    "FanOutFunction",
    "DeliverFunction",
    "RetryFunction",
    "PurgeFunction",
    "RecoverFunction",
];

/// A workspace with an endpoint.
struct Scene {
    workspace: Workspace,
    endpoint: String,
    /// A delivery that has failed, if the route is about one or its event.
    delivery: String,
    /// The event of that delivery.
    event: String,
    /// A recovery, if the route is about one.
    recovery: String,
}

impl Scene {
    async fn set_for(route: Route) -> Self {
        let mut scene = Self::set().await;
        if matches!(route, Route::Delivery | Route::Event | Route::Retry) {
            Route::Test.ask(&scene).await;
            let failed = tests::eventually("a test event that fails", async || {
                let deliveries = scene.workspace.deliveries(&scene.endpoint).await;
                deliveries
                    .into_iter()
                    .find(|delivery| delivery["status"] == "failed")
            })
            .await;
            let id = |name: &str| failed[name].as_str().expect("an id").to_owned();
            (scene.delivery, scene.event) = (id("id"), id("event_id"));
        }
        if matches!(route, Route::Recovery | Route::CancelRecovery) {
            let started = Route::Recover.ask(&scene).await;
            let id = started.body["id"].as_str().expect("an id");
            id.clone_into(&mut scene.recovery);
        }
        scene
    }

    async fn set() -> Self {
        let workspace = Workspace::new(&STACK).await;
        let endpoint = workspace
            .create_endpoint("https://example.com/hooks", &["*"])
            .await
            .id;
        Self {
            workspace,
            endpoint,
            delivery: String::new(),
            event: String::new(),
            recovery: String::new(),
        }
    }

    /// What the calls of a request hold; the token's look-up holds its hash.
    fn keys(&self) -> [String; 3] {
        let hash = shared::domain::token::Token::parse(&self.workspace.token)
            .expect("a token")
            .hash();
        [
            self.workspace.id.clone(),
            self.endpoint.clone(),
            hash.as_str().to_owned(),
        ]
    }
}
