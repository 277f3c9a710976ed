//! The stack that is simulated: the template's parameters, and what an invocation takes.

use std::time::Duration;

use anyhow::Result;
use jiff::SignedDuration;
use shared::domain::schedule::Schedule;
use shared::store::{MAX_KEYS, MAX_STATEMENTS};

use super::limits::Source;
use crate::cost::{AWS_LATENCY, PAYLOAD_BYTES, RECEIVER};
use crate::prices::Prices;
use crate::template::{QueueSource, Template};

/// Processor time that a message takes in `fan-out`, `deliver` or `retry`, with a whole processor: half of what a delivery
/// takes in two of them (docs/performance.md).
const PROCESSING: Duration = Duration::from_micros(140);

/// Bytes of an event's item, and of a delivery's record, without the event and before the first failed attempt.
const ITEM_BYTES: usize = 260;
/// Bytes that a failed attempt adds to its record.
const ATTEMPT_BYTES: usize = 200;
/// Bytes of an endpoint's item.
const ENDPOINT_BYTES: usize = 400;

/// Bytes of a write unit and of a read unit
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>).
const WRITE_UNIT: usize = 1024;
const READ_UNIT: usize = 4096;

/// A stack, as its template makes it.
#[derive(Debug, Clone)]
pub(super) struct Stack {
    sources: [QueueSource; 4],
    /// The retry schedule.
    pub(super) schedule: Schedule,
    /// The deadline of an attempt.
    pub(super) post_deadline: Duration,
    /// Longer waits are schedules.
    pub(super) scheduler_threshold: SignedDuration,
    /// Processor time of a message with the memory that the functions have.
    processing: Duration,
}

impl Stack {
    /// The stack that a template makes.
    pub(super) fn of(template: &Template) -> Result<Self> {
        let [events, deliveries, retries, failed_attempts] =
            Source::ALL.map(|source| template.queue_source(source.queue()));
        let stretch = Prices::read()?.stretch(template.memory_mb()?);
        Ok(Self {
            sources: [events?, deliveries?, retries?, failed_attempts?],
            schedule: template.parameter("RetrySchedule")?.parse()?,
            post_deadline: Duration::from_secs(template.parameter("PostDeadlineSeconds")?.parse()?),
            scheduler_threshold: SignedDuration::from_secs(
                template.parameter("SchedulerThresholdSeconds")?.parse()?,
            ),
            processing: PROCESSING.mul_f64(stretch),
        })
    }

    /// An event source.
    pub(super) fn source(&self, source: Source) -> &QueueSource {
        &self.sources[source as usize]
    }

    /// How long so many calls take, one after the other.
    pub(super) fn calls(count: usize) -> Duration {
        AWS_LATENCY * u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// How long it takes to read so many items.
    pub(super) fn reading(items: usize) -> Duration {
        Self::calls(items.div_ceil(MAX_KEYS))
    }

    /// How long it takes to write so many records, or events.
    pub(super) fn writing(items: usize) -> Duration {
        Self::calls(items.div_ceil(MAX_STATEMENTS))
    }

    /// How long so many messages keep the processor busy.
    pub(super) fn processing(&self, messages: usize) -> Duration {
        self.processing * u32::try_from(messages).unwrap_or(u32::MAX)
    }
}

/// How long a receiver takes to answer.
pub(super) const ANSWER: Duration = RECEIVER;

/// Write units of an event.
pub(super) const EVENT_UNITS: usize = (ITEM_BYTES + PAYLOAD_BYTES).div_ceil(WRITE_UNIT);

/// Write units of a record with so many failed attempts.
pub(super) const fn record_units(failed_attempts: usize) -> usize {
    (ITEM_BYTES + failed_attempts * ATTEMPT_BYTES).div_ceil(WRITE_UNIT)
}

/// Read units of the endpoints of a workspace.
pub(super) const fn endpoints_units(endpoints: usize) -> usize {
    (endpoints * ENDPOINT_BYTES).div_ceil(READ_UNIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_is_what_the_template_says() {
        let template = Template::read().unwrap();
        let stack = Stack::of(&template.with("BatchSize", 100).unwrap()).unwrap();

        assert_eq!(stack.source(Source::Events).batch_size, 100);
        assert_eq!(stack.source(Source::FailedAttempts).batch_size, 10);
        assert_eq!(stack.post_deadline, Duration::from_secs(15));
    }

    #[test]
    fn a_hundred_are_written_in_four_calls_and_read_in_one() {
        assert_eq!(
            (Stack::writing(10), Stack::writing(100)),
            (AWS_LATENCY, AWS_LATENCY * 4)
        );
        assert_eq!(
            (Stack::reading(100), Stack::reading(101)),
            (AWS_LATENCY, AWS_LATENCY * 2)
        );
    }

    #[test]
    fn a_record_grows_with_each_failed_attempt() {
        assert_eq!((record_units(0), record_units(3), record_units(4)), (1, 1, 2));
        assert_eq!(
            (EVENT_UNITS, endpoints_units(10), endpoints_units(100)),
            (1, 1, 10)
        );
    }
}
