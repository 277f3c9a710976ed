//! Messages as every release writes them. `tests/compat/README.md` says what the files hold.

use serde_json::{Value, json};

use super::{Outgoing, Purge, Turn};
use crate::domain::event::Event;
use crate::domain::task::{Kind, Task};
use crate::golden;

/// A message as an entry of `SendMessageBatch`.
fn entry(message: &Outgoing) -> Value {
    let entry = message.entry(0).unwrap();
    let mut value = json!({ "MessageBody": entry.message_body() });
    if let Some(group) = entry.message_group_id() {
        value["MessageGroupId"] = json!(group);
    }
    if let Some(seconds) = entry.delay_seconds() {
        value["DelaySeconds"] = json!(seconds);
    }
    for (name, attribute) in entry.message_attributes().into_iter().flatten() {
        let attribute = json!({ "DataType": attribute.data_type(), "StringValue": attribute.string_value() });
        value["MessageAttributes"][name] = attribute;
    }
    value
}

fn body(message: &Value) -> &str {
    message["MessageBody"].as_str().unwrap()
}

fn check_task(name: &str, task: &Task, delay_seconds: u16) {
    golden::check(
        name,
        task,
        |task| entry(&Outgoing::task(task, delay_seconds).unwrap()),
        |message| serde_json::from_str(body(message)).unwrap(),
    );
}

#[test]
fn an_event_of_a_producer_is_read_as_in_every_release() {
    let event = Event {
        id: "evt_01HXYZ".parse().unwrap(),
        name: "survey.response.created".to_owned().try_into().unwrap(),
        created_at: "2026-06-07T10:30:00Z".parse().unwrap(),
        workspace: "ws_acme".parse().unwrap(),
        body: golden::EVENT.to_owned(),
    };

    golden::check_reading("messages/event", &event, |message| {
        Event::parse(body(message).to_owned()).unwrap()
    });
}

/// They are on the deliveries and the retries queue, and on the failed-attempts queue when they have failed.
#[test]
fn tasks_are_read_and_written_as_in_every_release() {
    let first = golden::first_attempt();
    let manual = Task {
        attempt: 9,
        kind: Kind::Manual,
        manual_retry: Some("dHJ5IGFnYWlu".to_owned()),
        ..first.clone().by_reference()
    };
    let at_once = Task {
        attempt: 3,
        kind: Kind::Automatic,
        ..manual.clone()
    };
    let test = Task {
        kind: Kind::Test,
        ..first.clone()
    };

    check_task("messages/task-automatic", &first, 0);
    check_task("messages/task-next", &first.clone().next(), 5);
    check_task("messages/task-by-reference", &first.by_reference(), 0);
    check_task("messages/task-manual", &manual, 2);
    check_task("messages/task-at-once", &at_once, 75);
    check_task("messages/task-test", &test, 0);
}

#[test]
fn a_purge_is_read_and_written_as_in_every_release() {
    let purge = Purge {
        workspace: "ws_acme".parse().unwrap(),
        endpoint: "whe_01KT0000000000000000000000".parse().unwrap(),
    };

    golden::check(
        "messages/purge",
        &purge,
        |purge| entry(&purge.outgoing(60).unwrap()),
        |message| serde_json::from_str(body(message)).unwrap(),
    );
}

#[test]
fn a_turn_of_a_recovery_is_read_and_written_as_in_every_release() {
    let turn = Turn {
        workspace: "ws_acme".parse().unwrap(),
        endpoint: "whe_01KT0000000000000000000000".parse().unwrap(),
        recovery: "rec_01KT0000000000000000000002".parse().unwrap(),
        turn: 7,
    };

    golden::check(
        "messages/turn",
        &turn,
        |turn| entry(&turn.outgoing(5).unwrap()),
        |message| serde_json::from_str(body(message)).unwrap(),
    );
}

/// On the unreadable and on the rejected-events queue: the body as it came, so that it can be sent again, and the reason.
#[test]
fn what_is_set_aside_is_written_as_in_every_release() {
    for (name, body, reason) in [
        (
            "messages/unreadable",
            r#"{"kind":"unheard-of"}"#,
            "not a delivery: missing field `workspace`",
        ),
        (
            "messages/rejected",
            "no event",
            "not an event: expected a JSON object",
        ),
    ] {
        golden::check(
            name,
            &(body.to_owned(), reason.to_owned()),
            |(body, reason)| entry(&Outgoing::set_aside(body.clone(), reason)),
            |message| {
                let reason = message["MessageAttributes"]["reason"]["StringValue"].as_str();
                (self::body(message).to_owned(), reason.unwrap().to_owned())
            },
        );
    }
}

/// Of a later release, say: `retry` then sets its message aside as it came.
#[test]
fn a_task_of_a_kind_that_this_release_does_not_know_is_no_task() {
    let task = serde_json::to_string(&golden::first_attempt()).unwrap();
    let unheard_of = task.replace("automatic", "unheard-of");

    assert!(serde_json::from_str::<Task>(&task).is_ok());
    assert!(serde_json::from_str::<Task>(&unheard_of).is_err());
}
