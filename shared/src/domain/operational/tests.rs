//! Each line of what a change means, by the images before and after it.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::Value;

use super::super::event::Event;
use super::super::event_type::Catalogue;
use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_780_828_200 + second).unwrap()
}

fn image() -> Image {
    Image {
        workspace: "ws_1".parse().unwrap(),
        endpoint: "whe_1".parse().unwrap(),
        url: "https://hooks.example.com/".to_owned(),
        events: vec!["*".to_owned()],
        description: None,
        metadata: BTreeMap::new(),
        enabled: true,
        disabled_reason: None,
        secret_version: "version-1".to_owned(),
        updated_at: at(0),
        failing_since: None,
        failing: None,
        exhausted: None,
        last_recovery: None,
    }
}

fn attempt(second: i64) -> LastAttempt {
    LastAttempt {
        at: at(second),
        http_status: Some(503),
        duration_ms: 87,
        error: Some("status".to_owned()),
    }
}

fn failing() -> Image {
    Image {
        failing_since: Some(at(10)),
        failing: Some(attempt(20)),
        ..image()
    }
}

fn exhausted(delivery: &str) -> Image {
    Image {
        failing_since: Some(at(10)),
        exhausted: Some(Exhausted {
            delivery: delivery.to_owned(),
            event_id: "evt_1".to_owned(),
            event: "order.paid".to_owned(),
            last_attempt: attempt(30),
        }),
        ..image()
    }
}

fn recovered(id: &str, status: &str) -> Image {
    Image {
        last_recovery: Some(EndedRecovery {
            id: id.to_owned(),
            status: status.to_owned(),
            include: "failed".to_owned(),
            since: at(-7200),
            until: at(0),
            total: Some(2),
            retried: 2,
            delivered: 1,
            failed: 1,
            started_at: at(1),
            finished_at: at(2),
        }),
        ..image()
    }
}

fn change(old: Option<Image>, new: Option<Image>) -> Change {
    Change {
        record_id: "c4ca4238a0b923820dcc509a6f75849b".to_owned(),
        at: at(40),
        old,
        new,
    }
}

fn told(old: Option<Image>, new: Option<Image>) -> Vec<OperationalEvent> {
    events(&change(old, new), &"ws_operator".parse().unwrap()).unwrap()
}

/// The names of the events of a write.
fn names(old: Image, new: Image) -> Vec<&'static str> {
    told(Some(old), Some(new))
        .iter()
        .map(|event| event.name)
        .collect()
}

fn data(event: &OperationalEvent) -> Value {
    serde_json::from_str::<Value>(&event.body).unwrap()["data"].take()
}

#[test]
fn an_endpoint_is_created_and_deleted() {
    let created = told(
        None,
        Some(Image {
            enabled: false,
            ..image()
        }),
    );
    let deleted = told(Some(failing()), None);

    assert_eq!(created.len(), 1);
    assert_eq!(created[0].name, "endpoint.created");
    assert_eq!(data(&created[0])["enabled"], false);
    assert_eq!(deleted.len(), 1);
    assert_eq!(deleted[0].name, "endpoint.deleted");
    assert_eq!(data(&deleted[0])["since"], "2026-06-07T10:30:10Z");
}

#[test]
fn what_its_owner_sets_is_an_update_that_names_what_changed() {
    for (new, changed) in [
        (
            Image {
                url: "https://b.example.com/".to_owned(),
                ..image()
            },
            "url",
        ),
        (
            Image {
                events: vec!["a.b".to_owned()],
                ..image()
            },
            "events",
        ),
        (
            Image {
                description: Some("x".to_owned()),
                ..image()
            },
            "description",
        ),
        (
            Image {
                metadata: BTreeMap::from([("a".to_owned(), "b".to_owned())]),
                ..image()
            },
            "metadata",
        ),
    ] {
        let events = told(
            Some(image()),
            Some(Image {
                updated_at: at(40),
                ..new
            }),
        );
        assert_eq!(events.len(), 1, "{changed}");
        assert_eq!(events[0].name, "endpoint.updated");
        assert_eq!(data(&events[0])["changed"], serde_json::json!([changed]));
    }
}

#[test]
fn a_write_that_changes_nothing_an_operator_cares_for_is_no_event() {
    let slow = Image {
        failing_since: Some(at(10)),
        ..image()
    };
    let touched = Image {
        updated_at: at(40),
        ..image()
    };

    assert_eq!(names(image(), slow.clone()), [""; 0]);
    assert_eq!(names(slow, image()), [""; 0]);
    assert_eq!(names(image(), touched), [""; 0]);
}

#[test]
fn one_write_may_be_several_events() {
    let new = Image {
        url: "https://b.example.com/".to_owned(),
        enabled: false,
        updated_at: at(40),
        ..image()
    };

    let events = told(Some(image()), Some(new));

    let names: Vec<_> = events.iter().map(|event| event.name).collect();
    assert_eq!(names, ["endpoint.updated", "endpoint.disabled"]);
    assert_ne!(events[0].id, events[1].id);
}

#[test]
fn an_endpoint_is_disabled_by_its_owner_or_for_a_reason_and_enabled() {
    let disabled = |reason: Option<&str>| Image {
        enabled: false,
        disabled_reason: reason.map(str::to_owned),
        updated_at: at(40),
        ..failing()
    };

    for reason in [
        None,
        Some("gone"),
        Some("failing"),
        Some("a_word_of_a_later_release"),
    ] {
        let events = told(Some(failing()), Some(disabled(reason)));
        assert_eq!(events.len(), 1, "{reason:?}");
        assert_eq!(events[0].name, "endpoint.disabled");
        assert_eq!(data(&events[0])["reason"], serde_json::json!(reason));
    }
    let enabled = Image {
        updated_at: at(50),
        ..image()
    };
    assert_eq!(names(disabled(None), enabled), ["endpoint.enabled"]);
}

#[test]
fn a_rotated_secret_is_told_without_anything_of_it() {
    let new = Image {
        secret_version: "version-2".to_owned(),
        updated_at: at(40),
        ..image()
    };

    let events = told(Some(image()), Some(new));

    assert_eq!(events.len(), 1);
    assert_eq!(events[0].name, "endpoint.secret_rotated");
    assert!(!events[0].body.contains("version"));
}

#[test]
fn that_an_endpoint_is_failing_is_told_when_it_is_noted_and_not_again() {
    let before = Image {
        failing_since: Some(at(10)),
        ..image()
    };

    let events = told(Some(before), Some(failing()));

    assert_eq!(events.len(), 1);
    assert_eq!(events[0].name, "endpoint.failing");
    let data = data(&events[0]);
    assert_eq!(data["reason"], "status");
    assert_eq!(data["since"], "2026-06-07T10:30:10Z");
    assert_eq!(
        data["last_attempt"],
        serde_json::json!({ "at": "2026-06-07T10:30:20Z", "http_status": 503, "duration_ms": 87, "error": "status" })
    );
    assert_eq!(names(failing(), failing()), [""; 0]);
}

#[test]
fn a_success_ends_what_was_noted_and_enabling_does_not() {
    let by_success = image();
    let by_enabling = Image {
        updated_at: at(40),
        ..image()
    };

    let events = told(Some(failing()), Some(by_success));

    assert_eq!(events.len(), 1);
    assert_eq!(events[0].name, "endpoint.recovered");
    assert_eq!(data(&events[0])["since"], "2026-06-07T10:30:10Z");
    assert_eq!(names(failing(), by_enabling), [""; 0]);
}

#[test]
fn an_exhausted_delivery_is_named_once() {
    let events = told(Some(image()), Some(exhausted("del_1")));

    assert_eq!(events.len(), 1);
    assert_eq!(events[0].name, "delivery.exhausted");
    let data = data(&events[0]);
    assert_eq!(
        (&data["delivery_id"], &data["event_id"], &data["event"]),
        (&"del_1".into(), &"evt_1".into(), &"order.paid".into())
    );
    assert_eq!(names(exhausted("del_1"), exhausted("del_1")), [""; 0]);
    assert_eq!(
        names(exhausted("del_1"), exhausted("del_2")),
        ["delivery.exhausted"]
    );
    assert_eq!(names(exhausted("del_1"), image()), [""; 0]);
}

#[test]
fn a_recovery_is_told_when_it_finished_and_not_when_it_was_cancelled() {
    let events = told(Some(image()), Some(recovered("rec_1", "finished")));

    assert_eq!(events.len(), 1);
    assert_eq!(events[0].name, "recovery.finished");
    assert_eq!(data(&events[0])["recovery"]["delivered"], 1);
    assert_eq!(names(image(), recovered("rec_1", "cancelled")), [""; 0]);
    assert_eq!(
        names(recovered("rec_1", "finished"), recovered("rec_1", "finished")),
        [""; 0]
    );
    assert_eq!(
        names(recovered("rec_1", "finished"), recovered("rec_2", "finished")),
        ["recovery.finished"]
    );
}

#[test]
fn the_operators_own_endpoints_cause_no_event() {
    let own = |image: Image| Image {
        workspace: "ws_operator".parse().unwrap(),
        ..image
    };

    for (old, new) in [
        (None, Some(image())),
        (Some(image()), None),
        (Some(image()), Some(failing())),
        (Some(image()), Some(exhausted("del_1"))),
        (Some(failing()), Some(image())),
        (Some(image()), Some(recovered("rec_1", "finished"))),
    ] {
        assert!(!told(old.clone(), new.clone()).is_empty());
        assert_eq!(told(old.map(own), new.map(own)), []);
    }
}

#[test]
fn every_operational_event_type_is_told_in_its_samples_form() {
    let updated = Image {
        url: "https://b.example.com/".to_owned(),
        ..image()
    };
    let disabled = Image {
        enabled: false,
        ..image()
    };
    let rotated = Image {
        secret_version: "version-2".to_owned(),
        ..image()
    };
    let changes = [
        (None, Some(image())),
        (Some(image()), None),
        (Some(image()), Some(updated)),
        (Some(image()), Some(disabled.clone())),
        (Some(disabled), Some(image())),
        (Some(image()), Some(rotated)),
        (Some(image()), Some(failing())),
        (Some(failing()), Some(image())),
        (Some(image()), Some(exhausted("del_1"))),
        (Some(image()), Some(recovered("rec_1", "finished"))),
    ];
    let events: Vec<_> = changes
        .into_iter()
        .flat_map(|(old, new)| told(old, new))
        .collect();

    let own: BTreeSet<_> = Catalogue::Product
        .event_types()
        .map(|event_type| event_type.name)
        .collect();
    let operational = Catalogue::Operator
        .event_types()
        .map(|event_type| event_type.name);
    let operational: BTreeSet<_> = operational.filter(|name| !own.contains(name)).collect();
    assert_eq!(
        events.iter().map(|event| event.name).collect::<BTreeSet<_>>(),
        operational
    );
    for event in events {
        let sample = Catalogue::Operator.find(event.name).unwrap().sample_data;
        let sample: Value = serde_json::from_str(sample).unwrap();
        let fields = |value: &Value| {
            value
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect::<BTreeSet<_>>()
        };
        assert_eq!(fields(&data(&event)), fields(&sample), "{}", event.name);
        assert_eq!(
            fields(
                &data(&event)["recovery"]
                    .as_object()
                    .map_or(serde_json::json!({}), |_| data(&event)["recovery"].clone())
            ),
            fields(
                &sample["recovery"]
                    .as_object()
                    .map_or(serde_json::json!({}), |_| sample["recovery"].clone())
            ),
            "{}",
            event.name
        );
    }
}

proptest! {
    #[test]
    fn a_record_that_comes_twice_makes_the_same_events_and_each_is_a_valid_one(
        record_id in "[a-z0-9]{1,40}", url in "\\PC{0,40}", second in 0_i64..4_000_000_000,
        bits in proptest::collection::vec(any::<bool>(), 5),
    ) {
        let mut new = if bits[0] { exhausted("del_1") } else { failing() };
        new.url = url;
        new.enabled = bits[1];
        new.secret_version = if bits[2] { "version-1" } else { "version-2" }.to_owned();
        new.metadata.insert("key".to_owned(), "value".to_owned());
        if bits[3] { new.last_recovery = recovered("rec_1", "finished").last_recovery; }
        let old = bits[4].then(image);
        let change = Change { record_id, at: Timestamp::from_second(second).unwrap(), old, new: Some(new) };
        let operator: WorkspaceId = "ws_operator".parse().unwrap();

        let events = super::events(&change, &operator).unwrap();

        prop_assert_eq!(&super::events(&change.clone(), &operator).unwrap(), &events);
        let ids: BTreeSet<_> = events.iter().map(|event| event.id.as_str()).collect();
        prop_assert_eq!(ids.len(), events.len());
        for event in events {
            let parsed = Event::parse(event.body.clone()).unwrap();
            prop_assert_eq!(&parsed.id, &event.id);
            prop_assert_eq!(parsed.name.as_str(), event.name);
            prop_assert_eq!(&parsed.workspace, &operator);
        }
    }
}
