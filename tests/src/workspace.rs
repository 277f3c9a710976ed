//! A workspace of its own for each test, and the ways in which a customer and a producer use it.

use std::sync::atomic::Ordering;

use http::{HeaderMap, Method, StatusCode};
use local::{issue_token, new_id};
use serde_json::{Value, json};

use crate::{SuiteStack, document, eventually, issued};

/// A fresh workspace with a token.
pub struct Workspace {
    /// The stack it is on.
    pub stack: &'static SuiteStack,
    /// The id that producers put into their events.
    pub id: String,
    /// What the API wants to see.
    pub token: String,
    /// What revokes the token.
    pub token_id: String,
    http: reqwest::Client,
    sqs: aws_sdk_sqs::Client,
}

/// What the API answered.
#[derive(Debug)]
pub struct ApiAnswer {
    /// The status.
    pub status: StatusCode,
    /// All headers.
    pub headers: HeaderMap,
    /// `null` if there is none.
    pub body: Value,
}

/// An endpoint as its creation showed it.
#[derive(Debug)]
pub struct CreatedEndpoint {
    /// Its id.
    pub id: String,
    /// Its signing secret, which is never shown again.
    pub secret: String,
}

/// A link as its creation showed it.
#[derive(Debug)]
pub struct CreatedLink {
    /// The address that is given away.
    pub url: String,
    /// What is exchanged.
    pub text: String,
    /// What revokes it.
    pub token_id: String,
    /// When its token expires.
    pub expires_at: String,
}

/// An event as it was put on the queue.
#[derive(Debug)]
pub struct SentEvent {
    /// Its id.
    pub id: String,
    /// The bytes of the message.
    pub body: String,
}

impl Workspace {
    /// A workspace that nobody else uses, with a token that may do everything.
    pub async fn new(stack: &'static SuiteStack) -> Self {
        Self::issue(stack, new_id("ws_"), &["webhooks:read", "webhooks:write"]).await
    }

    /// The workspace of this name, which other tests may use too.
    pub async fn of(stack: &'static SuiteStack, id: &str) -> Self {
        Self::issue(stack, id.to_owned(), &["webhooks:read", "webhooks:write"]).await
    }

    /// The same workspace, seen through another token.
    pub async fn through_token(&self, scopes: &[&str]) -> Self {
        Self::issue(self.stack, self.id.clone(), scopes).await
    }

    async fn issue(stack: &'static SuiteStack, id: String, scopes: &[&str]) -> Self {
        let function = stack.function("IssueTokenFunction");
        let token = issue_token(&stack.lambda(), function, &id, scopes)
            .await
            .expect("a token is issued");
        issued::remember(&token.token);
        stack.workspaces_in_use.fetch_add(1, Ordering::Relaxed);
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none());
        Self {
            stack,
            id,
            token: token.token,
            token_id: token.token_id,
            http: http.build().expect("an HTTP client"),
            sqs: stack.sqs(),
        }
    }

    /// How many workspaces of its stack are in use, this one included.
    pub fn in_use(&self) -> usize {
        self.stack.workspaces_in_use.load(Ordering::Relaxed)
    }

    /// A request to the API with the workspace's token; `path` is what follows the base path.
    pub async fn api(&self, method: Method, path: &str, body: Option<&Value>) -> ApiAnswer {
        let body = body.map(|body| ("application/json", body.to_string().into_bytes()));
        self.raw(method, path, body).await
    }

    /// A request with any bytes and their content type.
    pub async fn raw(&self, method: Method, path: &str, body: Option<(&str, Vec<u8>)>) -> ApiAnswer {
        let mut request = self.request(method, path).bearer_auth(&self.token);
        if let Some((content_type, body)) = body {
            request = request.header("content-type", content_type).body(body);
        }
        answer(request).await
    }

    /// A request without a token, to be completed and then sent with [`answer`].
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{}{path}", self.stack.api_url, document::BASE_PATH);
        self.http.request(method, url)
    }

    /// A `GET`.
    pub async fn get(&self, path: &str) -> ApiAnswer {
        self.api(Method::GET, path, None).await
    }

    /// A `POST` with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> ApiAnswer {
        self.api(Method::POST, path, Some(body)).await
    }

    /// A `PATCH` with a JSON body.
    pub async fn patch(&self, path: &str, body: &Value) -> ApiAnswer {
        self.api(Method::PATCH, path, Some(body)).await
    }

    /// A `DELETE`.
    pub async fn delete(&self, path: &str) -> ApiAnswer {
        self.api(Method::DELETE, path, None).await
    }

    /// Creates an endpoint that is subscribed to `events`.
    pub async fn create_endpoint(&self, url: &str, events: &[&str]) -> CreatedEndpoint {
        let answer = self.post("", &json!({ "url": url, "events": events })).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        assert!(answer.headers.contains_key("location"));
        let text = |name: &str| answer.body[name].as_str().expect("an endpoint has it").to_owned();
        issued::remember(&text("secret"));
        CreatedEndpoint {
            id: text("id"),
            secret: text("secret"),
        }
    }

    /// Creates a link to this workspace, with these fields of the operator's request.
    pub async fn create_link(&self, fields: &Value) -> CreatedLink {
        let mut request = fields.clone();
        request["workspace_id"] = json!(self.id);
        let link = self.stack.invoke("CreatePortalLinkFunction", &request).await;
        let link = link.unwrap_or_else(|error| panic!("no link is created: {error}"));
        let text = |name: &str| link[name].as_str().expect("a link has it").to_owned();
        let url = text("url");
        let (_, exchanged) = url.split_once("/dashboard/#link=").expect("an address");
        issued::remember(exchanged);
        CreatedLink {
            text: exchanged.to_owned(),
            token_id: text("token_id"),
            expires_at: text("expires_at"),
            url,
        }
    }

    /// A request to exchange a link, as its holder makes it: without a token.
    pub fn to_exchange(&self, body: &Value) -> reqwest::RequestBuilder {
        let request = self.request(Method::POST, "/sessions");
        request
            .header("content-type", "application/json")
            .body(body.to_string())
    }

    /// Exchanges a link.
    pub async fn exchange(&self, link: &str) -> ApiAnswer {
        let answer = answer(self.to_exchange(&json!({ "link": link }))).await;
        if let Some(token) = answer.body["token"].as_str() {
            issued::remember(token);
        }
        answer
    }

    /// An event of this workspace, not yet sent.
    pub fn event(&self, name: &str) -> SentEvent {
        let id = new_id("evt_");
        let body = json!({
            "id": id,
            "event": name,
            "created_at": "2026-06-07T10:30:00Z",
            "workspace_id": self.id,
            "data": { "score": 9 },
        });
        SentEvent {
            id,
            body: body.to_string(),
        }
    }

    /// Puts `body` on the events queue, as a producer does.
    pub async fn send(&self, body: &str) {
        let request = self
            .sqs
            .send_message()
            .queue_url(&self.stack.events_queue_url)
            .message_group_id(&self.id)
            .message_body(body);
        request.send().await.expect("the queue takes the event");
    }

    /// Puts a new event on the events queue.
    pub async fn send_event(&self, name: &str) -> SentEvent {
        let event = self.event(name);
        self.send(&event.body).await;
        event
    }

    /// The first page of an endpoint's deliveries.
    pub async fn deliveries(&self, endpoint: &str) -> Vec<Value> {
        let answer = self.get(&format!("/{endpoint}/deliveries")).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.body["data"].as_array().expect("a list").clone()
    }

    /// Waits until an attempt to deliver an event is recorded, and returns the delivery.
    pub async fn wait_for_attempt(&self, endpoint: &str, event: &SentEvent) -> Value {
        eventually("a recorded attempt", async || {
            let deliveries = self.deliveries(endpoint).await;
            let wanted =
                |delivery: &Value| delivery["event_id"] == *event.id && delivery["attempt_count"] != 0;
            deliveries.into_iter().find(wanted)
        })
        .await
    }

    /// Waits until the delivery of an event to an endpoint has `status`, and returns it.
    pub async fn wait_for_delivery(&self, endpoint: &str, event: &SentEvent, status: &str) -> Value {
        eventually(&format!("a delivery that is {status}"), async || {
            let deliveries = self.deliveries(endpoint).await;
            let wanted = |delivery: &Value| delivery["event_id"] == *event.id && delivery["status"] == status;
            deliveries.into_iter().find(wanted)
        })
        .await
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        self.stack.workspaces_in_use.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Sends a request. Panics if the answer is one that `openapi.yaml` does not describe.
pub async fn answer(request: reqwest::RequestBuilder) -> ApiAnswer {
    let (client, request) = request.build_split();
    let request = request.expect("a request");
    let (method, path) = (request.method().clone(), request.url().clone());
    let answer = client.execute(request).await.expect("the API answers");
    let (status, headers) = (answer.status(), answer.headers().clone());
    let body = answer.bytes().await.expect("a complete answer");
    let body = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&body).expect("JSON")
    };
    let path = path
        .path()
        .split_once(document::BASE_PATH)
        .map_or("?", |(_, path)| path);
    let complaints = document::complaints(&method, path, status, &body);
    assert!(complaints.is_empty(), "{method} {path}: {complaints:?} in {body}");
    ApiAnswer {
        status,
        headers,
        body,
    }
}
