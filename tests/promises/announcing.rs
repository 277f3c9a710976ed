//! What happens to endpoints arrives at the operator's workspace: each kind, signed, once, and nothing about its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use http::{Method, StatusCode};
use local::logs;
use local::receiver::Receiver;
use serde_json::{Value, json};
use tests::settings::setting;
use tests::workspace::CreatedEndpoint;
use tests::{PATIENCE, Workspace, endpoint_items, event_types, eventually, eventually_within, receivers};

use crate::promises::STACK;
use crate::promises::options::OPERATOR_WORKSPACE;

/// For how long an endpoint must have failed before the operator is told.
const HALF_AN_HOUR: Duration = Duration::from_mins(30);

/// Changes that can't be sent at first, in less than a batch of the stream.
const CHANGES_UNSENT: usize = 3;

/// How long a thousand failures may take.
const LONGEST: Duration = Duration::from_mins(4);

/// An endpoint of the operator, for the length of a test: what it receives is delivered while the other tests of the suite
/// run, and it receives what happens to their endpoints too.
struct Operator {
    workspace: Workspace,
    endpoint: CreatedEndpoint,
    receiver: Receiver,
}

impl Operator {
    async fn listening_to(events: &[&str]) -> Self {
        let workspace = Workspace::of(&STACK, OPERATOR_WORKSPACE).await;
        let receiver = receivers::healthy().await;
        let endpoint = workspace.create_endpoint(&receiver.url("/"), events).await;
        Self {
            workspace,
            endpoint,
            receiver,
        }
    }

    /// The events about an endpoint that have arrived, by their ids; each with the bytes of every request.
    fn told_of(&self, endpoint: &str) -> BTreeMap<String, Vec<String>> {
        let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for request in self.receiver.received() {
            let body = String::from_utf8(request.body.to_vec()).expect("a text");
            let event: Value = serde_json::from_str(&body).expect("JSON");
            if event["data"]["endpoint_id"] == *endpoint {
                request.verify(&self.endpoint.secret).expect("it is signed");
                told.entry(request.header("webhook-id").to_owned())
                    .or_default()
                    .push(body);
            }
        }
        told
    }

    /// The events about an endpoint, parsed, once each.
    fn events(&self, endpoint: &str) -> Vec<Value> {
        let told = self.told_of(endpoint).into_values();
        told.map(|bodies| serde_json::from_str(&bodies[0]).expect("JSON"))
            .collect()
    }

    fn names(&self, endpoint: &str) -> Vec<String> {
        let events = self.events(endpoint);
        let mut names: Vec<_> = events
            .iter()
            .filter_map(|event| event["event"].as_str().map(str::to_owned))
            .collect();
        names.sort_unstable();
        names
    }

    async fn wait_for(&self, endpoint: &str, name: &str) -> Value {
        eventually(&format!("{name} of {endpoint}"), async || {
            let mut events = self.events(endpoint).into_iter();
            events.find(|event| event["event"] == name)
        })
        .await
    }

    async fn leave(self) {
        self.workspace.delete(&format!("/{}", self.endpoint.id)).await;
    }
}

/// A customer's endpoint, whose receiver answers with a status that can be changed.
struct Customer {
    workspace: Workspace,
    endpoint: String,
    status: Arc<AtomicU16>,
    _receiver: Receiver,
}

impl Customer {
    async fn with_receiver_that_answers(status: u16) -> Self {
        let status = Arc::new(AtomicU16::new(status));
        let receiver = receivers::answering(&status).await;
        let workspace = Workspace::new(&STACK).await;
        let endpoint = workspace.create_endpoint(&receiver.url("/"), &["*"]).await.id;
        Self {
            workspace,
            endpoint,
            status,
            _receiver: receiver,
        }
    }

    fn path(&self) -> String {
        format!("/{}", self.endpoint)
    }

    async fn patch(&self, body: &Value) {
        let answer = self.workspace.patch(&self.path(), body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    }

    /// As if nothing had succeeded for half an hour.
    async fn has_failed_for_long(&self) {
        let since = jiff::Timestamp::now() - HALF_AN_HOUR;
        endpoint_items::set_failing_since(&STACK, &self.workspace.id, &self.endpoint, since).await;
    }

    /// How many of its deliveries have this status.
    async fn total(&self, status: &str) -> u64 {
        let path = format!("{}/deliveries?status={status}&per_page=1", self.path());
        let total = self.workspace.get(&path).await.body["meta"]["total"].as_u64();
        total.expect("a total")
    }

    /// Asks for everything that failed since then, and returns the recovery's id.
    async fn recover(&self, since: &Value) -> Value {
        let path = format!("{}/recoveries", self.path());
        let answer = self.workspace.post(&path, &json!({ "since": since })).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
        answer.body["id"].clone()
    }

    /// A test event, which a disabled endpoint receives too.
    async fn succeed(&self) {
        self.status.store(200, Ordering::SeqCst);
        let body = json!({ "event": event_types::one() });
        let answer = self.workspace.post(&format!("{}/test", self.path()), &body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.body);
    }
}

#[tokio::test]
async fn each_thing_that_happens_to_an_endpoint_arrives_signed_and_once() {
    let operator = Operator::listening_to(&["*"]).await;
    let customer = Customer::with_receiver_that_answers(500).await;
    let id = &customer.endpoint;

    customer.patch(&json!({ "events": [event_types::one()] })).await;
    customer
        .patch(&json!({ "description": "Till 7", "metadata": { "customer": "1042" } }))
        .await;
    customer.patch(&json!({ "enabled": false })).await;
    customer.patch(&json!({ "enabled": true })).await;
    let rotate = format!("{}/rotate-secret", customer.path());
    let rotated = customer.workspace.api(Method::POST, &rotate, None).await;
    let secret = rotated.body["secret"].as_str().expect("a secret");
    customer.has_failed_for_long().await;
    let event = customer.workspace.send_event(event_types::one()).await;
    let delivery = customer.workspace.wait_for_delivery(id, &event, "failed").await;
    let failing = operator.wait_for(id, "endpoint.failing").await;
    let exhausted = operator.wait_for(id, "delivery.exhausted").await;
    customer.succeed().await;
    let recovered = operator.wait_for(id, "endpoint.recovered").await;
    customer.patch(&json!({ "enabled": true })).await;
    let recovery = customer.recover(&delivery["created_at"]).await;
    let finished = operator.wait_for(id, "recovery.finished").await;
    customer.workspace.delete(&customer.path()).await;
    operator.wait_for(id, "endpoint.deleted").await;
    eventually("both disablings", async || {
        let names = operator.names(id);
        (names.iter().filter(|name| *name == "endpoint.disabled").count() == 2).then_some(())
    })
    .await;

    let names = operator.names(id);
    let expected = [
        "delivery.exhausted",
        "endpoint.created",
        "endpoint.deleted",
        // By its owner, and by this system.
        "endpoint.disabled",
        "endpoint.disabled",
        "endpoint.enabled",
        "endpoint.enabled",
        "endpoint.failing",
        "endpoint.recovered",
        "endpoint.secret_rotated",
        // The event types, and what its owner notes with it.
        "endpoint.updated",
        "endpoint.updated",
        "recovery.finished",
    ];
    assert_eq!(names, expected);
    for (event, requests) in operator.told_of(id) {
        assert_eq!(requests.len(), 1, "{event}");
        assert!(!requests[0].contains(secret));
    }
    for event in operator.events(id) {
        assert_eq!(event["workspace_id"], OPERATOR_WORKSPACE);
        assert_eq!(event["data"]["workspace_id"], *customer.workspace.id);
    }
    let noted = json!(["description", "metadata"]);
    let mut updates = operator.events(id).into_iter();
    let update = updates.find(|event| event["data"]["changed"] == noted);
    let update = update.expect("an update of what its owner notes");
    assert_eq!(update["data"]["description"], "Till 7");
    assert_eq!(update["data"]["metadata"], json!({ "customer": "1042" }));
    assert_eq!(failing["data"]["reason"], "status");
    assert_eq!(failing["data"]["last_attempt"]["http_status"], 500);
    assert_eq!(exhausted["data"]["delivery_id"], delivery["id"]);
    assert_eq!(exhausted["data"]["event_id"], *event.id);
    assert_eq!(recovered["data"]["since"], failing["data"]["since"]);
    assert_eq!(finished["data"]["recovery"]["id"], recovery);
    assert_eq!(finished["data"]["recovery"]["total"], 1);
    assert_eq!(finished["data"]["recovery"]["delivered"], 1);
    operator.leave().await;
}

#[tokio::test]
async fn an_endpoint_that_fails_many_times_is_reported_once_a_spell() {
    let failures: usize = setting("ANNOUNCE_FAILURES", 20);
    let operator =
        Operator::listening_to(&["endpoint.failing", "endpoint.recovered", "endpoint.deleted"]).await;
    let customer = Customer::with_receiver_that_answers(500).await;
    let id = &customer.endpoint;

    for _ in 0..2 {
        customer.status.store(500, Ordering::SeqCst);
        customer.patch(&json!({ "enabled": true })).await;
        customer.has_failed_for_long().await;
        let events: Vec<_> = (0..failures)
            .map(|_| customer.workspace.event("poster.scanned").body)
            .collect();
        STACK.queue("EventsQueue").send_all(&events).await;
        // The first delivery that uses up its attempts disables the endpoint, and the others end.
        eventually_within(LONGEST, "every delivery has failed", async || {
            let disabled = customer.workspace.get(&customer.path()).await.body["enabled"] == false;
            let (pending, failed) = (customer.total("pending").await, customer.total("failed").await);
            (disabled && pending == 0 && failed > 0).then_some(())
        })
        .await;
        customer.succeed().await;
        customer.succeed().await;
        eventually("the endpoint has recovered", async || {
            let item = endpoint_items::read(&STACK, &customer.workspace.id, id).await;
            (!item.contains_key("failing_since")).then_some(())
        })
        .await;
    }
    println!("  {} deliveries failed", customer.total("failed").await);
    // Whatever was told of it has arrived by the time that its deletion has.
    customer.workspace.delete(&customer.path()).await;
    operator.wait_for(id, "endpoint.deleted").await;

    eventually("all of both spells", async || {
        (operator.names(id).len() >= 5).then_some(())
    })
    .await;
    assert_eq!(
        operator.names(id),
        [
            "endpoint.deleted",
            "endpoint.failing",
            "endpoint.failing",
            "endpoint.recovered",
            "endpoint.recovered"
        ]
    );
    operator.leave().await;
}

#[tokio::test]
async fn enabling_an_endpoint_that_fails_is_no_recovery() {
    let operator =
        Operator::listening_to(&["endpoint.failing", "endpoint.recovered", "endpoint.deleted"]).await;
    let customer = Customer::with_receiver_that_answers(500).await;
    let id = &customer.endpoint;
    customer.has_failed_for_long().await;
    customer.workspace.send_event("poster.scanned").await;
    operator.wait_for(id, "endpoint.failing").await;

    customer.patch(&json!({ "enabled": true })).await;

    customer.workspace.delete(&customer.path()).await;
    operator.wait_for(id, "endpoint.deleted").await;
    assert_eq!(operator.names(id), ["endpoint.deleted", "endpoint.failing"]);
    operator.leave().await;
}

#[tokio::test]
async fn the_operators_own_endpoints_cause_nothing() {
    let operator = Operator::listening_to(&["*"]).await;
    let own = operator
        .workspace
        .create_endpoint("https://hooks.example.com/", &["endpoint.created"])
        .await;
    let path = format!("/{}", own.id);
    operator
        .workspace
        .patch(&path, &json!({ "enabled": false }))
        .await;
    let rotate = format!("{path}/rotate-secret");
    operator.workspace.api(Method::POST, &rotate, None).await;
    operator.workspace.delete(&path).await;

    let customer = Customer::with_receiver_that_answers(200).await;
    operator.wait_for(&customer.endpoint, "endpoint.created").await;

    assert_eq!(operator.names(&own.id), [""; 0]);
    assert_eq!(operator.names(&operator.endpoint.id), [""; 0]);
    operator.leave().await;
}

#[tokio::test]
async fn only_the_operators_workspace_knows_the_operational_event_types() {
    let operator = Workspace::of(&STACK, OPERATOR_WORKSPACE).await;
    let other = Workspace::new(&STACK).await;
    let names = async |workspace: &Workspace| {
        let listed = workspace.get("/event-types").await.body;
        let listed = listed["data"].as_array().expect("a list").clone();
        let names = listed
            .iter()
            .filter_map(|each| each["name"].as_str().map(str::to_owned));
        names.collect::<Vec<_>>()
    };

    let (known, others) = (names(&operator).await, names(&other).await);

    assert_eq!(others, event_types::all());
    assert_eq!(known[..others.len()], others[..]);
    assert_eq!(known.len(), others.len() + 10);
    let url = "https://hooks.example.com/";
    let theirs = operator.create_endpoint(url, &["delivery.exhausted"]).await.id;
    let id = other.create_endpoint(url, &["*"]).await.id;
    for name in &known[others.len()..] {
        let events = json!({ "url": url, "events": [name] });
        let refused = [
            other.post("", &events).await,
            other.patch(&format!("/{id}"), &json!({ "events": [name] })).await,
            other
                .post(&format!("/{id}/test"), &json!({ "event": name }))
                .await,
        ];
        for answer in refused {
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
        }
    }
    let receiver = receivers::healthy().await;
    operator
        .patch(&format!("/{theirs}"), &json!({ "url": receiver.url("/") }))
        .await;
    let tested = operator
        .post(
            &format!("/{theirs}/test"),
            &json!({ "event": "endpoint.failing" }),
        )
        .await;
    assert_eq!(tested.status, StatusCode::ACCEPTED);
    let request = receiver
        .wait_for(1, PATIENCE)
        .await
        .expect("it arrives")
        .remove(0);
    let body: Value = serde_json::from_slice(&request.body).expect("JSON");
    assert_eq!(
        (&body["event"], &body["test"]),
        (&json!("endpoint.failing"), &json!(true))
    );
    operator.delete(&format!("/{theirs}")).await;
}

#[tokio::test]
async fn what_could_not_be_sent_is_read_again_and_arrives_once_with_the_same_id() {
    let operator = Operator::listening_to(&["endpoint.created", "endpoint.updated"]).await;
    let customer = Customer::with_receiver_that_answers(200).await;
    let id = &customer.endpoint;
    operator.wait_for(id, "endpoint.created").await;
    let queue = &STACK.queues["EventsQueue"];
    let send_to = async |queue: &str| {
        STACK
            .set_variable("AnnounceFunction", "EVENTS_QUEUE_URL", queue)
            .await;
    };

    send_to(&format!("{queue}-that-is-not-there")).await;
    for number in 0..CHANGES_UNSENT {
        let url = format!("https://hooks.example.com/{number}");
        customer.patch(&json!({ "url": url })).await;
    }
    eventually("each change could not be sent", async || {
        (tried(id).await.len() == CHANGES_UNSENT).then_some(())
    })
    .await;
    assert_eq!(operator.names(id), ["endpoint.created"]);
    send_to(queue).await;

    eventually("every change", async || {
        (operator.told_of(id).len() > CHANGES_UNSENT).then_some(())
    })
    .await;
    let tried = tried(id).await;
    assert!(tried.values().all(|times| *times > 1), "{tried:?}");
    let mut told = operator.told_of(id);
    told.retain(|event, _| tried.contains_key(event));
    assert_eq!(told.len(), CHANGES_UNSENT, "under the ids that were tried first");
    assert!(told.values().all(|requests| requests.len() == 1), "once");
    operator.leave().await;
}

/// How often `announce` tried to send each update of an endpoint, by the event's id.
async fn tried(endpoint: &str) -> BTreeMap<String, usize> {
    let lines = logs::of(&STACK, "AnnounceFunction").await.expect("the log");
    let mut times = BTreeMap::new();
    for line in lines.iter().filter(|line| line.contains(endpoint)) {
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        if line["event.name"] == "endpoint.updated"
            && let Some(id) = line["event.id"].as_str()
        {
            *times.entry(id.to_owned()).or_default() += 1;
        }
    }
    times
}

#[tokio::test]
async fn everything_arrives_in_the_same_bytes_although_announce_is_killed() {
    let changes = setting("ANNOUNCE_CHANGES", 12);
    let operator = Operator::listening_to(&["endpoint.updated"]).await;
    let customer = Customer::with_receiver_that_answers(200).await;
    let id = &customer.endpoint;

    let mut kills = 0;
    for number in 0..changes {
        let url = format!("https://hooks.example.com/{number}");
        customer.patch(&json!({ "url": url })).await;
        for process in STACK.processes_of("AnnounceFunction") {
            process.kill();
            kills += 1;
        }
    }

    assert!(kills > 0, "nothing was killed");
    let updates = eventually("every change", async || {
        let told = operator.told_of(id);
        (told.len() >= changes).then_some(told)
    })
    .await;
    let mut urls = BTreeSet::new();
    for bodies in updates.values() {
        assert!(
            bodies.iter().all(|body| *body == bodies[0]),
            "the same bytes each time"
        );
        let event: Value = serde_json::from_str(&bodies[0]).expect("JSON");
        urls.insert(event["data"]["url"].as_str().expect("a url").to_owned());
    }
    assert_eq!(updates.len(), changes);
    assert_eq!(urls.len(), changes, "each change is told");
    operator.leave().await;
}
