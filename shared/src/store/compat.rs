//! Every kind of item of the four tables, as each release writes it. `tests/compat/README.md` says what the files hold.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::attribute::{Item, item};
use super::hours::KeptPart;
use super::late::{Late, Marker, MarkerKind};
use super::walk::KeptCount;
use super::{
    NewEvent, StoredEvent, deletions, delivery_item, endpoint_image, endpoint_item, endpoints, erasures,
    events, kept_counts, kept_hours, late, links, noted, recovery_item, tokens,
};
use crate::domain::annotations::{Description, Metadata};
use crate::domain::delivery::{Attempt, Delivery, Failure, Status};
use crate::domain::endpoint::{DisabledReason, Endpoint};
use crate::domain::erasure::{Deletion, Erasure};
use crate::domain::event::{AcceptedEvent, Event};
use crate::domain::failure_record::FailureRecord;
use crate::domain::id::{DeliveryId, EndpointId, RecoveryId};
use crate::domain::link::LinkGrant;
use crate::domain::operational::{EndedRecovery, Exhausted, Image, LastAttempt};
use crate::domain::recovery::{Include, Outcome, Recovery, Taken, Wanted};
use crate::domain::response_headers::ResponseHeaders;
use crate::domain::statistics::Tally;
use crate::domain::testing;
use crate::domain::token::{Grant, Scope, TokenHash};
use crate::golden;

const EXPIRES_AT: i64 = 1_783_420_200;

/// Seconds after half past ten.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_780_828_200 + seconds).unwrap()
}

fn endpoint_id() -> EndpointId {
    "whe_01KT0000000000000000000000".parse().unwrap()
}

fn delivery_id() -> DeliveryId {
    "del_01KT0000000000000000000001".parse().unwrap()
}

/// DynamoDB's JSON, from and to items.
fn to_json(item: Item) -> Value {
    serde_json::to_value(serde_dynamo::Item::from(item)).unwrap()
}

fn to_item(json: &Value) -> Item {
    let item: serde_dynamo::Item = serde_json::from_value(json.clone()).unwrap();
    item.into()
}

fn endpoint() -> Endpoint {
    Endpoint {
        workspace: "ws_acme".parse().unwrap(),
        id: endpoint_id(),
        url: "https://hooks.example.com/webhooks".to_owned(),
        events: testing::subscriptions(&["*"]),
        description: Description::default(),
        metadata: Metadata::default(),
        enabled: true,
        switched_at: None,
        disabled_reason: None,
        secret_version: "c2VjcmV0".to_owned(),
        created_at: at(0),
        updated_at: at(0),
        failures: FailureRecord::default(),
        recovery: None,
    }
}

fn delivery(status: Status, attempts: Vec<Attempt>) -> Delivery {
    Delivery {
        endpoint: endpoint_id(),
        id: delivery_id(),
        event_id: "evt_01HXYZ".parse().unwrap(),
        event: "survey.response.created".to_owned().try_into().unwrap(),
        test: false,
        status,
        attempt_count: u32::try_from(attempts.len()).unwrap(),
        last_error: attempts.last().and_then(|attempt| attempt.failure),
        attempts,
        next_attempt_at: None,
        planned_for: None,
        manual_retry: None,
    }
}

fn answered(http_status: u16, failure: Option<Failure>) -> Attempt {
    Attempt {
        http_status: Some(http_status),
        duration_ms: 87,
        failure,
        response_body: Some("{}".to_owned()),
        ..Attempt::interrupted(at(1))
    }
}

fn failed(failure: Failure) -> Attempt {
    Attempt {
        failure: Some(failure),
        ..Attempt::interrupted(at(1))
    }
}

fn check_endpoint(name: &str, endpoint: &Endpoint) {
    golden::check(
        name,
        endpoint,
        |endpoint| to_json(endpoint_item::to_item(endpoint).unwrap()),
        |json| endpoint_item::from_item(to_item(json)).unwrap(),
    );
}

fn check_delivery(name: &str, delivery: &Delivery) {
    golden::check(
        name,
        delivery,
        |delivery| to_json(item(delivery_item::fields(delivery, EXPIRES_AT))),
        |json| delivery_item::from_item(to_item(json)).unwrap(),
    );
}

#[test]
fn endpoints_are_read_and_written_as_in_every_release() {
    let failing = FailureRecord {
        failing_since: Some(at(10)),
        slow_since: Some(at(20)),
        exhausted_at: Some(at(30)),
        noted_at: Some(at(35)),
        healthy_since: None,
    };
    let disabled = Endpoint {
        events: testing::subscriptions(&["poster.scanned", "cleaning.log.created"]),
        enabled: false,
        disabled_reason: Some(DisabledReason::Failing),
        updated_at: at(40),
        failures: failing,
        ..endpoint()
    };
    let gone = Endpoint {
        enabled: false,
        disabled_reason: Some(DisabledReason::Gone),
        ..endpoint()
    };
    let described = Endpoint {
        description: Description::parse(Some("Production".to_owned())).unwrap(),
        metadata: Metadata::parse([("customer".to_owned(), "1042".to_owned())].into()).unwrap(),
        ..endpoint()
    };

    let created = Endpoint {
        switched_at: Some(at(0)),
        failures: FailureRecord::beginning(at(0)),
        ..described.clone()
    };
    let switched_off = Endpoint {
        enabled: false,
        switched_at: Some(at(40)),
        failures: failing,
        ..endpoint()
    };

    check_endpoint("items/endpoint", &endpoint());
    check_endpoint("items/endpoint-described", &described);
    check_endpoint("items/endpoint-created", &created);
    check_endpoint("items/endpoint-switched-off", &switched_off);
    check_endpoint("items/endpoint-failing", &disabled);
    check_endpoint("items/endpoint-gone", &gone);
}

/// All are written by expressions: the claim to a rotation, the recovery that has not ended, how the last one ended, and
/// the number of a workspace's endpoints.
#[test]
fn what_expressions_write_is_read_as_in_every_release() {
    golden::check_reading("items/endpoint-rotating", &endpoint(), |json| {
        endpoint_item::from_item(to_item(json)).unwrap()
    });
    let recovering = Endpoint {
        recovery: Some(recovery_id()),
        ..endpoint()
    };
    golden::check_reading("items/endpoint-recovering", &recovering, |json| {
        endpoint_item::from_item(to_item(json)).unwrap()
    });
    golden::check_reading("items/endpoint-recovered", &endpoint(), |json| {
        endpoint_item::from_item(to_item(json)).unwrap()
    });
    golden::check_reading("items/endpoint-count", &3, |json| {
        endpoints::count_of(&to_item(json))
    });
}

#[test]
fn an_event_is_read_and_written_as_in_every_release() {
    let body = r#"{"id":"evt_01HXYZ","event":"survey.response.created","created_at":"2026-06-07T10:30:00Z","workspace_id":"ws_acme","data":{"score":9}}"#;
    let event = Event::parse(body.to_owned()).unwrap();
    let stored = StoredEvent {
        body: body.to_owned(),
        accepted_at: at(0),
        message_id: "059f36b4-87a3-44ab-83d2-661975830a7d".to_owned(),
    };

    golden::check(
        "items/event",
        &stored,
        |stored| {
            let new = NewEvent {
                event: &event,
                message_id: &stored.message_id,
            };
            to_json(item(events::fields(new, stored.accepted_at, EXPIRES_AT)))
        },
        |json| events::from_item(to_item(json)).unwrap(),
    );
    let accepted = AcceptedEvent {
        event: event.clone(),
        accepted_at: at(0),
        expires_at: Timestamp::from_second(EXPIRES_AT).unwrap(),
        test: false,
    };
    golden::check_reading("items/event", &accepted, |json| {
        events::accepted(to_item(json)).unwrap()
    });
}

#[test]
fn deliveries_are_read_and_written_as_in_every_release() {
    let busy = Attempt {
        retry_after_seconds: Some(120),
        ..answered(503, Some(Failure::Status))
    };
    let sent = [("content-type", "text/html"), ("retry-after", "120")];
    let explained = Attempt {
        response_headers: ResponseHeaders::of(|name| {
            let sent = sent.iter().find(|(sent, _)| *sent == name);
            sent.map(|(_, value)| value.as_bytes())
        }),
        ..busy.clone()
    };
    let pending = Delivery {
        next_attempt_at: Some(at(300)),
        planned_for: Some("059f36b4-87a3-44ab-83d2-661975830a7d".to_owned()),
        ..delivery(Status::Pending, vec![busy])
    };
    let every_failure = [
        Failure::Dns,
        Failure::Connect,
        Failure::Tls,
        Failure::Timeout,
        Failure::RefusedAddress,
        Failure::Status,
        Failure::TooLarge,
        Failure::Interrupted,
        Failure::EndpointDisabled,
        Failure::EventExpired,
    ];
    let every_failure = delivery(Status::Failed, every_failure.map(failed).to_vec());
    let reopened = Delivery {
        status: Status::Pending,
        manual_retry: Some("dHJ5IGFnYWlu".to_owned()),
        ..every_failure.clone()
    };
    let at_once = Delivery {
        next_attempt_at: None,
        planned_for: None,
        manual_retry: reopened.manual_retry.clone(),
        ..pending.clone()
    };
    let waiting_again = Delivery {
        manual_retry: reopened.manual_retry.clone(),
        ..pending.clone()
    };
    let test = Delivery {
        test: true,
        ..delivery(Status::Pending, Vec::new())
    };

    check_delivery(
        "items/delivery-delivered",
        &delivery(Status::Delivered, vec![answered(200, None)]),
    );
    check_delivery("items/delivery-pending", &pending);
    check_delivery(
        "items/delivery-explained",
        &delivery(Status::Pending, vec![explained]),
    );
    check_delivery("items/delivery-failed", &every_failure);
    check_delivery("items/delivery-retried-by-hand", &reopened);
    check_delivery("items/delivery-retried-at-once", &at_once);
    check_delivery("items/delivery-waiting-again", &waiting_again);
    check_delivery("items/delivery-test", &test);
}

#[test]
fn what_is_kept_beside_a_history_is_read_and_written_as_in_every_release() {
    let count = KeptCount {
        before: "del_01KT0000000000000000009999".parse().unwrap(),
        last: delivery_id(),
        count: 1_200,
        late: 3,
    };

    golden::check(
        "items/kept-count",
        &(count, EXPIRES_AT),
        |(count, expires_at)| {
            to_json(kept_counts::to_item(&endpoint_id(), count.clone(), *expires_at).unwrap())
        },
        |json| kept_counts::from_item(to_item(json)).unwrap(),
    );
    let (endpoint, delivery) = (endpoint_id(), delivery_id());
    let another = "del_01KT0000000000000000000002".parse().unwrap();
    for (name, kind, deliveries) in [
        ("items/late-marker", MarkerKind::Recorded, vec![&delivery]),
        (
            "items/late-marker-of-two",
            MarkerKind::Recorded,
            vec![&delivery, &another],
        ),
        (
            "items/late-attempt-marker",
            MarkerKind::Attempted,
            vec![&delivery],
        ),
    ] {
        let late = |delivery| Late {
            endpoint: &endpoint,
            kind,
            delivery,
        };
        let group: Vec<_> = deliveries.into_iter().map(late).collect();
        let marker = |one: &Late<'_>| Marker {
            delivery: one.delivery.clone(),
            kind,
        };
        let markers: Vec<_> = group.iter().map(marker).collect();
        golden::check(
            name,
            &markers,
            |_| to_json(item(late::fields(&group, EXPIRES_AT))),
            |json| late::from_item(&to_item(json)),
        );
    }
}

#[test]
fn what_is_kept_of_an_hour_is_read_and_written_as_in_every_release() {
    let part = KeptPart {
        after: "del_01KT0000000000000000000000".parse().unwrap(),
        last: delivery_id(),
        tally: Tally {
            deliveries: 1_200,
            succeeded: 1_100,
            failures: [(Failure::Timeout, 3), (Failure::Status, 90)].into(),
            answered: [(7, 1), (24, 1_189)].into_iter().collect(),
        },
        late: 3,
        expires_at: EXPIRES_AT,
    };

    golden::check(
        "items/kept-hour",
        &part,
        |part| to_json(kept_hours::to_item(&endpoint_id(), part.clone()).unwrap()),
        |json| kept_hours::from_item(to_item(json)).unwrap(),
    );
}

fn recovery_id() -> RecoveryId {
    "rec_01KT0000000000000000000002".parse().unwrap()
}

fn recovery(include: Include) -> Recovery {
    let wanted = Wanted {
        include,
        since: at(-7_200),
        until: at(-1),
        events: testing::subscriptions(&["*"]),
        per_second: 20,
    };
    Recovery::started(endpoint_id(), recovery_id(), wanted, at(0), SignedDuration::ZERO)
}

#[test]
fn recoveries_are_read_and_written_as_in_every_release() {
    let failed = Taken {
        delivery: delivery_id(),
        missing: None,
    };
    let event_type = "survey.response.created".to_owned().try_into().unwrap();
    let missing = Taken {
        missing: Some(("evt_01HXYZ".parse().unwrap(), event_type)),
        ..failed.clone()
    };
    let walked_to = Some(delivery_id().to_string());
    let waiting = recovery(Include::Failed)
        .counted(2, None)
        .taken(vec![failed.clone()], walked_to, at(1))
        .sent(vec![failed.clone()], at(1))
        .written_by("059f36b4-87a3-44ab-83d2-661975830a7d");
    let failure = Outcome::Failed { at: at(2) };
    let paused = waiting.clone().looked(&[failure], true, at(3));
    let sending = recovery(Include::Missing).counted(1, None).taken(
        vec![missing],
        Some("evt_01HXYZ".to_owned()),
        at(1),
    );
    let mut unsure = waiting.clone();
    unsure.progress.unsure = vec![failed];
    let cancelled = waiting.clone().cancelled(at(4));
    let finished = waiting
        .clone()
        .looked(&[Outcome::Delivered { at: at(2) }], false, at(3))
        .taken(Vec::new(), None, at(3));

    for (name, recovery) in [
        ("items/recovery-started", recovery(Include::Failed)),
        ("items/recovery-waiting", waiting),
        ("items/recovery-paused", paused),
        ("items/recovery-sending-missing", sending),
        ("items/recovery-unsure", unsure),
        ("items/recovery-cancelled", cancelled),
        ("items/recovery-finished", finished),
    ] {
        golden::check(
            name,
            &recovery,
            |recovery| to_json(recovery_item::to_item(recovery, EXPIRES_AT).unwrap()),
            |json| recovery_item::from_item(to_item(json)).unwrap(),
        );
    }
}

#[test]
fn the_stream_shows_what_an_owner_notes_as_every_release_writes_it() {
    let noted = (
        Some("Production".to_owned()),
        [("customer".to_owned(), "1042".to_owned())].into(),
    );

    golden::check_reading("items/endpoint-described", &noted, |json| {
        let image = endpoint_image(json.clone()).unwrap();
        (image.description, image.metadata)
    });
}

/// What expressions write for the readers of the stream, who read it at least a release later.
#[test]
fn what_is_noted_of_an_endpoint_that_fails_is_read_and_written_as_in_every_release() {
    let last = LastAttempt {
        at: at(1),
        http_status: Some(503),
        duration_ms: 87,
        error: Some("status".to_owned()),
    };
    let exhausted = delivery(Status::Failed, vec![answered(503, Some(Failure::Status))]);
    let noted = Image {
        workspace: "ws_acme".parse().unwrap(),
        endpoint: endpoint_id(),
        url: endpoint().url,
        events: vec!["*".to_owned()],
        description: None,
        metadata: BTreeMap::new(),
        enabled: true,
        disabled_reason: None,
        secret_version: endpoint().secret_version,
        updated_at: at(0),
        failing_since: Some(at(10)),
        failing: Some(last.clone()),
        exhausted: Some(Exhausted {
            delivery: exhausted.id.to_string(),
            event_id: exhausted.event_id.to_string(),
            event: exhausted.event.to_string(),
            last_attempt: last,
        }),
        last_recovery: None,
    };

    golden::check_reading("items/endpoint-noted", &noted, |json| {
        endpoint_image(json.clone()).unwrap()
    });
    golden::check_reading(
        "items/endpoint-noted",
        &to_json(noted::exhausted(&exhausted, at(2)).unwrap()),
        |json| json["exhausted"]["M"].clone(),
    );
    golden::check_reading(
        "items/endpoint-noted",
        &to_json(noted::failing_attempt(&exhausted, at(2)).unwrap()),
        |json| json["failing_attempt"]["M"].clone(),
    );
}

#[test]
fn the_stream_shows_the_end_of_a_recovery_as_every_release_writes_it() {
    let ended = EndedRecovery {
        id: "rec_01KT0000000000000000000002".to_owned(),
        status: "finished".to_owned(),
        include: "failed".to_owned(),
        since: at(-7200),
        until: at(-1),
        total: Some(0),
        retried: 0,
        delivered: 0,
        failed: 0,
        started_at: at(0),
        finished_at: at(3),
    };

    golden::check_reading("items/endpoint-recovered", &Some(ended), |json| {
        endpoint_image(json.clone()).unwrap().last_recovery
    });
}

#[test]
fn the_end_of_a_recovery_is_written_to_its_endpoint_as_in_every_release() {
    let finished = recovery(Include::Failed)
        .counted(0, None)
        .taken(Vec::new(), None, at(3));
    let recovered = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/compat/0.1.0/items/endpoint-recovered.json"
    ));
    let recovered: Value = serde_json::from_str(&recovered.unwrap()).unwrap();

    let summary = to_json(recovery_item::to_summary(&finished).unwrap());

    assert_eq!(summary, recovered["last_recovery"]["M"]);
}

#[test]
fn deletions_and_erasures_are_read_and_written_as_in_every_release() {
    let workspace = "ws_acme".parse().unwrap();
    golden::check(
        "items/endpoint-deleted",
        &Deletion { settled_at: at(55) },
        |deletion| to_json(deletions::to_item(&workspace, &endpoint_id(), *deletion).unwrap()),
        |json| deletions::from_item(to_item(json)).unwrap(),
    );
    for (name, settled_at) in [
        ("items/erasure-begun", None),
        ("items/erasure-settling", Some(at(45))),
    ] {
        golden::check(
            name,
            &Erasure {
                found_at: at(0),
                settled_at,
            },
            |erasure| to_json(erasures::to_item(&workspace, *erasure).unwrap()),
            |json| erasures::from_item(to_item(json)).unwrap(),
        );
    }
}

#[test]
fn grants_are_read_and_written_as_in_every_release() {
    let hash = TokenHash::parse(&"0123456789abcdef".repeat(4)).unwrap();
    let everything = Grant {
        workspace: "ws_acme".parse().unwrap(),
        scopes: vec![Scope::Read, Scope::Write],
        expires_at: None,
        revoked_at: None,
    };
    let revoked = Grant {
        scopes: vec![Scope::Read],
        expires_at: Some(at(3_600)),
        revoked_at: Some(at(60)),
        ..everything.clone()
    };

    for (name, grant) in [("items/grant", everything), ("items/grant-revoked", revoked)] {
        golden::check(
            name,
            &grant,
            |grant| to_json(tokens::to_item(&hash, grant, at(0)).unwrap()),
            |json| tokens::from_item(to_item(json)).unwrap(),
        );
    }
}

#[test]
fn links_are_read_and_written_as_in_every_release() {
    let hash = TokenHash::parse("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef").unwrap();
    let fresh = LinkGrant {
        workspace: "ws_acme".parse().unwrap(),
        scopes: vec![Scope::Read],
        token_expires_at: at(3_600),
        expires_at: at(600),
        return_url: Some("https://example.com/settings".to_owned()),
        used_at: None,
        revoked_at: None,
    };
    let ended = LinkGrant {
        return_url: None,
        used_at: Some(at(5)),
        revoked_at: Some(at(10)),
        ..fresh.clone()
    };

    for (name, granted) in [("items/link", fresh), ("items/link-ended", ended)] {
        golden::check(
            name,
            &granted,
            |granted| to_json(links::to_item(&hash, granted, at(0)).unwrap()),
            |json| links::from_item(to_item(json)).unwrap(),
        );
    }
}
