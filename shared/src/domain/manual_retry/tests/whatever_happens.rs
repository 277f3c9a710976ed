//! One delivery at a receiver that always fails, retried by hand while its messages come late, twice, or after a crash,
//! and while whoever handles them dies. Each scheduled attempt is counted once, and the delivery ends.

use proptest::prelude::*;

use super::super::super::delivery::Attempt;
use super::*;

/// Three retries, a minute after each failure.
const SCHEDULE: &str = "60,60,60";

/// How many attempts that makes.
const ATTEMPTS: u32 = 4;

/// Who reads a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    Deliver,
    Retry,
}

#[derive(Debug, Clone)]
struct Message {
    id: usize,
    reader: Reader,
    task: Task,
}

/// A record that somebody has read and has not written yet.
#[derive(Debug)]
enum Write {
    /// `deliver` has made the attempt.
    Attempted { task: Task, read: Delivery },
    /// `retry` has decided what follows.
    Planned {
        message: Message,
        read: Option<Delivery>,
        record: Delivery,
    },
    /// Somebody has asked for a retry. Its first message is sent, and delayed for longer than this takes.
    Retry { read: Delivery, retry: ManualRetry },
}

struct World {
    now: Timestamp,
    endpoint: Endpoint,
    record: Option<Delivery>,
    messages: Vec<Message>,
    writes: Vec<Write>,
    sent: usize,
    /// Retries that were answered with 202.
    begun: u32,
}

/// What the condition of a write looks at.
fn seen(record: Option<&Delivery>) -> Option<(Status, u32, Option<String>, Option<String>)> {
    record.map(|record| {
        (
            record.status,
            record.attempt_count,
            record.planned_for.clone(),
            record.manual_retry.clone(),
        )
    })
}

impl World {
    fn new() -> Self {
        let mut world = Self {
            now: NOW,
            endpoint: endpoint(),
            record: None,
            messages: Vec::new(),
            writes: Vec::new(),
            sent: 0,
            begun: 0,
        };
        world.send(Reader::Deliver, task(1, Kind::Automatic));
        world
    }

    fn send(&mut self, reader: Reader, task: Task) {
        self.sent += 1;
        self.messages.push(Message {
            id: self.sent,
            reader,
            task,
        });
    }

    /// A message comes to its reader.
    fn read(&mut self, message: Message) {
        match message.reader {
            Reader::Deliver => self.deliver(message.task),
            Reader::Retry => self.follow_up(message),
        }
    }

    fn deliver(&mut self, task: Task) {
        let endpoint = self.endpoint.clone();
        match plan::step(&task, Some(&endpoint), self.record.as_ref(), self.now) {
            Step::Skip => {}
            Step::HandOver => self.send(Reader::Retry, task),
            Step::NotDue { .. } => self.send(Reader::Deliver, task),
            Step::Attempt { record: read, .. } => {
                let read = self.record.clone().unwrap_or(read);
                self.writes.push(Write::Attempted { task, read });
            }
            Step::EndDisabled { .. } => panic!("the endpoint is enabled"),
        }
    }

    fn follow_up(&mut self, message: Message) {
        let schedule: Schedule = SCHEDULE.parse().unwrap();
        let (id, read) = (message.id.to_string(), self.record.clone());
        let endpoint = self.endpoint.clone();
        let decided = plan::follow_up(
            &message.task,
            &id,
            Some(&endpoint),
            read.as_ref(),
            &schedule,
            self.now,
        );
        match decided {
            FollowUp::Nothing => {}
            FollowUp::NotDue { .. } => self.send(Reader::Deliver, message.task),
            FollowUp::SendNext { .. } => self.send(Reader::Deliver, message.task.next()),
            FollowUp::Failed(failed) => {
                let record = failed.record;
                self.writes.push(Write::Planned {
                    message,
                    read,
                    record,
                });
            }
        }
    }

    /// Somebody asks for the next attempt now.
    fn ask(&mut self) {
        let Some(read) = self.record.clone() else { return };
        let name = format!("retry {}", self.sent);
        let Ok(retry) = ManualRetry::of(&read, &name, self.now) else {
            return;
        };
        if retry.kind == Kind::Manual {
            return;
        }
        self.writes.push(Write::Retry { read, retry });
    }

    /// Who has read the record writes it, under its condition, and goes on; or dies before going on.
    fn write(&mut self, write: Write, dies: bool) {
        match write {
            Write::Attempted { task, read } => {
                let outcome = Outcome::Attempted(failed_at(self.now));
                let current = self.record.as_ref();
                let is_first = read.attempt_count == 0 && current.is_none();
                let record = if is_first || seen(current) == seen(Some(&read)) {
                    Some(read.with(&outcome, task.kind))
                } else {
                    match Overtaken::of(current, &task, &outcome) {
                        Overtaken::Leave(_) => None,
                        Overtaken::Record(record) => Some(record),
                    }
                };
                self.record = record.or(self.record.take());
                // Its message comes back, or `deliver` hands the attempt over.
                let reader = if dies { Reader::Deliver } else { Reader::Retry };
                self.send(reader, task);
            }
            Write::Planned {
                message,
                read,
                record,
            } => {
                if seen(self.record.as_ref()) != seen(read.as_ref()) {
                    self.messages.push(message);
                    return;
                }
                let follows = record.next_attempt_at.is_some();
                self.record = Some(record);
                if dies {
                    self.messages.push(message);
                } else if follows {
                    self.send(Reader::Deliver, message.task.next());
                }
            }
            Write::Retry { read, retry } => {
                let task = task_of(&retry);
                self.send(Reader::Deliver, task.clone());
                let waits = |record: &Delivery| (record.status, record.attempt_count, record.next_attempt_at);
                if self.record.as_ref().map(waits) != Some(waits(&read)) {
                    return;
                }
                self.record = Some(retry.record);
                self.begun += 1;
                if !dies {
                    self.send(Reader::Deliver, task);
                }
            }
        }
    }

    /// One thing happens.
    fn turn(&mut self, choice: u8, which: usize) {
        let message = (!self.messages.is_empty()).then(|| which % self.messages.len().max(1));
        let write = (!self.writes.is_empty()).then(|| which % self.writes.len().max(1));
        match (choice % 9, message, write) {
            (0 | 1, Some(message), _) => {
                let message = self.messages.remove(message);
                self.read(message);
            }
            // It comes twice.
            (2, Some(message), _) => self.read(self.messages[message].clone()),
            // It was received five times.
            (3, Some(message), _) => self.messages[message].reader = Reader::Retry,
            (4 | 5, _, Some(write)) => {
                let write = self.writes.remove(write);
                self.write(write, choice.is_multiple_of(2));
            }
            (6 | 7, ..) => self.ask(),
            _ => self.now = self.now.saturating_add(SECONDS).unwrap(),
        }
    }

    /// Nothing new happens, and everything comes.
    fn settle(&mut self) {
        while !self.writes.is_empty() || !self.messages.is_empty() {
            if let Some(write) = self.writes.pop() {
                self.write(write, false);
                continue;
            }
            let message = self.messages.remove(0);
            self.read(message);
            self.now = self.now.saturating_add(SECONDS).unwrap();
        }
    }
}

/// How time passes.
const SECONDS: jiff::SignedDuration = jiff::SignedDuration::from_secs(20);

fn failed_at(at: Timestamp) -> Attempt {
    Attempt { at, ..attempt(500) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn each_scheduled_attempt_is_counted_once_and_the_delivery_ends(
        turns in proptest::collection::vec((any::<u8>(), 0_usize..16), 0..120),
    ) {
        let mut world = World::new();

        for (choice, which) in turns {
            world.turn(choice, which);
        }
        world.settle();

        let record = world.record.unwrap();
        prop_assert_eq!(record.status, Status::Failed);
        prop_assert_eq!(record.attempt_count, ATTEMPTS);
        prop_assert!(world.begun < ATTEMPTS, "each retry is an attempt");
    }
}
