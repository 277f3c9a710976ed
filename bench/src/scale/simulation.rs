//! The simulation, from event to event: messages come, batches begin, and their invocations go on.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::bucket::Bucket;
use super::burst::{Burst, Receiver};
use super::limits::{Limit, Meters, Source, Table};
use super::rules::{
    ENVIRONMENTS, ENVIRONMENTS_A_SECOND, IN_FLIGHT, Quotas, SECRETS_A_SECOND, active_for_more_than,
    invocations_a_second, places,
};
use super::stack::Stack;
use super::tables::{Access, Tables};

/// How far it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// Everything is delivered that can be.
    HealthyAreDelivered,
    /// Every delivery has ended.
    EverythingHasEnded,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Outcome {
    /// When the last delivery to a healthy endpoint was made.
    pub(super) last_delivered: Duration,
    /// When half of those were made.
    pub(super) half_delivered: Duration,
    /// What held up what until then.
    pub(super) meters: Meters,
    /// What held up what until the end.
    pub(super) meters_to_the_end: Meters,
    /// When the last first attempt at a failing endpoint was made.
    pub(super) last_first_failure: Duration,
    /// When the last delivery ended.
    pub(super) last_ended: Duration,
    /// The most schedules that there were.
    pub(super) most_schedules: usize,
    /// Waits that went in hops, because a schedule was refused.
    pub(super) hops: usize,
}

/// An endpoint, as the tables know it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Endpoint {
    pub(super) workspace: usize,
    pub(super) receiver: Receiver,
    /// It is noted as failing or slow.
    pub(super) is_in_trouble: bool,
}

/// A delivery.
#[derive(Debug, Clone, Copy)]
pub(super) struct Delivery {
    pub(super) endpoint: usize,
    /// The number of the attempt that is to be made, or was made last.
    pub(super) attempt: u32,
    /// When it is due.
    pub(super) due: Timestamp,
}

/// A queue with its event source.
#[derive(Debug, Default)]
struct Queue {
    /// Deliveries, each with the time at which it came.
    waiting: VecDeque<(Duration, usize)>,
    /// Since when there has been something to do.
    active_since: Option<Duration>,
    running: usize,
    in_flight: usize,
    /// What it waits for, and since when.
    blocked: Option<(Limit, Duration)>,
    /// When it is looked at again.
    wakes: Option<Duration>,
}

/// The processes of a function.
#[derive(Debug)]
struct Processes {
    count: usize,
    idle: Vec<usize>,
    environments: Bucket,
}

/// A batch that is being handled.
#[derive(Debug)]
pub(super) struct Invocation {
    pub(super) source: Source,
    pub(super) process: usize,
    pub(super) deliveries: Vec<usize>,
    /// Parts that have not ended.
    pub(super) open: usize,
}

/// What an invocation does next.
#[derive(Debug)]
pub(super) enum Step {
    /// `fan-out` has stored its events.
    Send,
    /// `deliver` has read what it needs.
    Post,
    /// Attempts have ended.
    Record(Vec<usize>),
    /// They are recorded.
    Recorded(Vec<usize>),
    /// `retry` has read what it needs.
    Decide,
    /// What follows is recorded.
    PutOnTheirWay(Vec<usize>),
    /// A part has nothing left to do.
    End,
}

/// What happens at some time.
#[derive(Debug)]
enum Happening {
    Arrive(Source, Vec<usize>),
    Wake(Source),
    Goes(usize, Step),
    Noted(usize),
    Fires(usize),
}

struct Entry {
    at: Duration,
    /// What was planned first happens first.
    number: u64,
    happening: Happening,
}

/// Everything that there is at a moment.
pub(super) struct Simulation<'a> {
    pub(super) stack: &'a Stack,
    pub(super) quotas: Quotas,
    pub(super) burst: Burst,
    pub(super) now: Duration,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) deliveries: Vec<Delivery>,
    pub(super) invocations: Vec<Invocation>,
    pub(super) outcome: Outcome,
    pub(super) meters: Meters,
    pub(super) secrets: Bucket,
    pub(super) schedules: usize,
    pub(super) created: Bucket,
    fired: Bucket,
    /// Which secrets each process of `deliver` has.
    pub(super) known: Vec<Vec<bool>>,
    tables: Tables,
    queues: [Queue; 4],
    processes: [Processes; 3],
    requests: Bucket,
    agenda: BinaryHeap<Reverse<Entry>>,
    planned: u64,
    free: Vec<usize>,
    /// Deliveries to healthy endpoints that are not made, and half of all of them.
    to_deliver: usize,
    half: usize,
    to_end: usize,
}

/// Runs it.
pub(super) fn run(stack: &Stack, quotas: Quotas, burst: Burst, until: Until) -> Outcome {
    let mut simulation = Simulation::new(stack, quotas, burst);
    let events = (0..burst.events).collect();
    simulation.plan(Duration::ZERO, Happening::Arrive(Source::Events, events));
    while let Some(Reverse(next)) = simulation.agenda.pop() {
        simulation.now = next.at;
        simulation.happen(next.happening);
        let is_over = match until {
            Until::HealthyAreDelivered => simulation.to_deliver == 0,
            Until::EverythingHasEnded => simulation.to_end == 0,
        };
        if is_over {
            break;
        }
        simulation.begin_batches();
    }
    simulation.outcome.meters_to_the_end = simulation.meters_so_far();
    simulation.outcome
}

impl<'a> Simulation<'a> {
    fn new(stack: &'a Stack, quotas: Quotas, burst: Burst) -> Self {
        let endpoint = |endpoint| Endpoint {
            workspace: burst.workspace_of(endpoint),
            receiver: burst.receiver_of(endpoint),
            is_in_trouble: false,
        };
        let delivery = |event| Delivery {
            endpoint: burst.endpoint_of(event),
            attempt: 1,
            due: Timestamp::UNIX_EPOCH,
        };
        let healthy = burst.healthy();
        let processes = || Processes {
            count: 0,
            idle: Vec::new(),
            environments: Bucket::with_burst(ENVIRONMENTS_A_SECOND, ENVIRONMENTS),
        };
        let requests = u32::try_from(invocations_a_second(quotas.concurrency)).unwrap_or(u32::MAX);
        Self {
            stack,
            quotas,
            burst,
            now: Duration::ZERO,
            endpoints: (0..burst.endpoints).map(endpoint).collect(),
            deliveries: (0..burst.events).map(delivery).collect(),
            invocations: Vec::new(),
            outcome: Outcome::default(),
            meters: Meters::default(),
            secrets: Bucket::new(SECRETS_A_SECOND),
            schedules: 0,
            created: Bucket::new(quotas.schedules_created),
            fired: Bucket::new(quotas.schedules_fired),
            known: Vec::new(),
            tables: Tables::new(quotas.write_peak, burst.endpoints),
            queues: std::array::from_fn(|_| Queue::default()),
            processes: std::array::from_fn(|_| processes()),
            requests: Bucket::new(f64::from(requests)),
            agenda: BinaryHeap::new(),
            planned: 0,
            free: Vec::new(),
            to_deliver: healthy,
            half: healthy / 2,
            to_end: burst.events,
        }
    }

    /// Now, as the domain has it.
    pub(super) fn timestamp(&self) -> Timestamp {
        let since = SignedDuration::try_from(self.now).unwrap_or(SignedDuration::MAX);
        Timestamp::UNIX_EPOCH
            .saturating_add(since)
            .unwrap_or(Timestamp::MAX)
    }

    /// Lets an invocation go on after a time.
    pub(super) fn goes_on(&mut self, invocation: usize, after: Duration, step: Step) {
        self.plan(self.now + after, Happening::Goes(invocation, step));
    }

    /// Puts deliveries on a queue after a time.
    pub(super) fn send(&mut self, source: Source, after: Duration, deliveries: Vec<usize>) {
        if !deliveries.is_empty() {
            self.plan(self.now + after, Happening::Arrive(source, deliveries));
        }
    }

    /// Notes after a time that an endpoint is in trouble.
    pub(super) fn note(&mut self, endpoint: usize, after: Duration) {
        self.plan(self.now + after, Happening::Noted(endpoint));
    }

    /// Fires the schedule of a delivery at a time.
    pub(super) fn fire(&mut self, delivery: usize, after: Duration) {
        self.schedules += 1;
        self.outcome.most_schedules = self.outcome.most_schedules.max(self.schedules);
        self.plan(self.now + after, Happening::Fires(delivery));
    }

    /// Reads or writes units, and says how long it takes until there are so many.
    pub(super) fn take(&mut self, access: Access, table: Table, key: usize, units: usize) -> Duration {
        self.tables
            .take((access, table, key), units, self.now, &mut self.meters)
    }

    /// An attempt at a healthy endpoint has succeeded.
    pub(super) fn delivered(&mut self) {
        self.to_deliver -= 1;
        if self.to_deliver == self.half {
            self.outcome.half_delivered = self.now;
        }
        if self.to_deliver == 0 {
            self.outcome.last_delivered = self.now;
            self.outcome.meters = self.meters_so_far();
        }
        self.ended();
    }

    /// What has held up what by now.
    fn meters_so_far(&self) -> Meters {
        let mut meters = self.meters.clone();
        for (limit, since) in self.queues.iter().filter_map(|queue| queue.blocked) {
            meters.waits(limit, since, self.now);
        }
        meters
    }

    /// A delivery has ended.
    pub(super) fn ended(&mut self) {
        self.to_end -= 1;
        self.outcome.last_ended = self.now;
    }

    fn plan(&mut self, at: Duration, happening: Happening) {
        let number = self.planned;
        self.planned += 1;
        self.agenda.push(Reverse(Entry {
            at,
            number,
            happening,
        }));
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Arrive(source, deliveries) => {
                let now = self.now;
                let arrived = deliveries.into_iter().map(|delivery| (now, delivery));
                self.queues[source as usize].waiting.extend(arrived);
            }
            Happening::Wake(source) => self.queues[source as usize].wakes = None,
            Happening::Goes(invocation, step) => self.go(invocation, step),
            Happening::Noted(endpoint) => self.endpoints[endpoint].is_in_trouble = true,
            Happening::Fires(delivery) => {
                self.schedules -= 1;
                let wait = self.fired.take(self.now, 1.0);
                self.meters
                    .waits(Limit::SchedulesFired, self.now, self.now + wait);
                self.send(Source::Retries, wait, vec![delivery]);
            }
        }
    }

    fn go(&mut self, invocation: usize, step: Step) {
        match step {
            Step::Send => self.send_tasks(invocation),
            Step::Post => self.post(invocation),
            Step::Record(deliveries) => self.record(invocation, deliveries),
            Step::Recorded(deliveries) => self.recorded(invocation, deliveries),
            Step::Decide => self.decide(invocation),
            Step::PutOnTheirWay(deliveries) => self.put_on_their_way(invocation, deliveries),
            Step::End => self.end(invocation),
        }
    }

    /// Begins as many batches as may begin now, one of each queue in turn.
    fn begin_batches(&mut self) {
        while Source::ALL
            .into_iter()
            .filter(|source| self.begin_batch(*source))
            .count()
            > 0
        {}
    }

    fn begin_batch(&mut self, source: Source) -> bool {
        let Some(&(oldest, _)) = self.queues[source as usize].waiting.front() else {
            self.unblock(source);
            let queue = &mut self.queues[source as usize];
            if queue.running == 0 {
                queue.active_since = None;
            }
            return false;
        };
        let (size, window) = {
            let source = self.stack.source(source);
            (source.batch_size, source.window)
        };
        let queue = &mut self.queues[source as usize];
        queue.active_since.get_or_insert(self.now);
        if queue.waiting.len() < size && self.now < oldest + window {
            self.wake(source, oldest + window);
            return false;
        }
        let count = size.min(queue.waiting.len());
        if let Some((limit, until)) = self.obstacle(source, count) {
            self.block(source, limit);
            if let Some(until) = until {
                self.wake(source, until);
            }
            return false;
        }
        self.unblock(source);
        self.invoke(source, count);
        true
    }

    /// What is in the way of one more batch of a queue, and until when, where that is known.
    fn obstacle(&self, source: Source, count: usize) -> Option<(Limit, Option<Duration>)> {
        let queue = &self.queues[source as usize];
        let maximum = self.stack.source(source).maximum_concurrency;
        let since = queue.active_since.unwrap_or(self.now);
        let allowed = places(self.now.saturating_sub(since), maximum);
        let at = |wait: Duration| (wait > Duration::ZERO).then_some(self.now + wait);
        if queue.running >= allowed {
            let grown = since + active_for_more_than(allowed);
            return Some(if places(grown.saturating_sub(since), maximum) > allowed {
                (Limit::Growth(source), Some(grown))
            } else {
                (Limit::Maximum(source), None)
            });
        }
        if self.queues.iter().map(|queue| queue.running).sum::<usize>() >= self.quotas.concurrency {
            return Some((Limit::Concurrency, None));
        }
        if queue.in_flight + count > IN_FLIGHT {
            return Some((Limit::InFlight(source), None));
        }
        if let Some(until) = at(self.requests.wait(self.now, 1.0)) {
            return Some((Limit::Invocations, Some(until)));
        }
        let processes = &self.processes[function(source)];
        if processes.idle.is_empty()
            && let Some(until) = at(processes.environments.wait(self.now, 1.0))
        {
            return Some((Limit::Environments, Some(until)));
        }
        None
    }

    fn invoke(&mut self, source: Source, count: usize) {
        let queue = &mut self.queues[source as usize];
        queue.running += 1;
        queue.in_flight += count;
        let deliveries = queue
            .waiting
            .drain(..count)
            .map(|(_, delivery)| delivery)
            .collect();
        self.requests.take(self.now, 1.0);
        let invocation = Invocation {
            source,
            process: self.process(source),
            deliveries,
            open: 1,
        };
        let index = if let Some(index) = self.free.pop() {
            self.invocations[index] = invocation;
            index
        } else {
            self.invocations.push(invocation);
            self.invocations.len() - 1
        };
        match source {
            Source::Events => self.store(index),
            Source::Deliveries | Source::Retries => self.read(index),
            Source::FailedAttempts => self.read_failed(index),
        }
    }

    /// A process for an invocation: the one that was used last, or a new one.
    fn process(&mut self, source: Source) -> usize {
        let processes = &mut self.processes[function(source)];
        if let Some(process) = processes.idle.pop() {
            return process;
        }
        processes.environments.take(self.now, 1.0);
        processes.count += 1;
        if matches!(source, Source::Deliveries | Source::Retries) {
            self.known.push(vec![false; self.endpoints.len()]);
        }
        processes.count - 1
    }

    /// Ends a part of an invocation, and the invocation with its last one.
    fn end(&mut self, index: usize) {
        let invocation = &mut self.invocations[index];
        invocation.open -= 1;
        if invocation.open > 0 {
            return;
        }
        let (source, process) = (invocation.source, invocation.process);
        let queue = &mut self.queues[source as usize];
        queue.running -= 1;
        queue.in_flight -= invocation.deliveries.len();
        self.processes[function(source)].idle.push(process);
        self.free.push(index);
    }

    fn block(&mut self, source: Source, limit: Limit) {
        if self.queues[source as usize]
            .blocked
            .is_some_and(|(known, _)| known == limit)
        {
            return;
        }
        self.unblock(source);
        self.queues[source as usize].blocked = Some((limit, self.now));
    }

    fn unblock(&mut self, source: Source) {
        if let Some((limit, since)) = self.queues[source as usize].blocked.take() {
            self.meters.waits(limit, since, self.now);
        }
    }

    fn wake(&mut self, source: Source, at: Duration) {
        let wakes = &mut self.queues[source as usize].wakes;
        if wakes.is_none_or(|planned| at < planned) {
            *wakes = Some(at);
            self.plan(at, Happening::Wake(source));
        }
    }
}

/// Which function reads a queue.
fn function(source: Source) -> usize {
    match source {
        Source::Events => 0,
        Source::Deliveries | Source::Retries => 1,
        Source::FailedAttempts => 2,
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Entry {}

#[cfg(test)]
mod tests {
    use super::super::rules::USUAL;
    use super::*;
    use crate::template::Template;

    const SMALL: Burst = Burst {
        events: 20_000,
        workspaces: 100,
        endpoints: 1000,
        failing: 0,
        hanging: 0,
    };

    fn simulate(change: &[(&str, u64)], quotas: Quotas, burst: Burst, until: Until) -> Outcome {
        let template = change
            .iter()
            .fold(Template::read().unwrap(), |template, (name, value)| {
                template.with(name, *value).unwrap()
            });
        run(&Stack::of(&template).unwrap(), quotas, burst, until)
    }

    fn seconds(outcome: &Outcome) -> f64 {
        outcome.last_delivered.as_secs_f64()
    }

    #[test]
    fn a_burst_takes_as_long_as_its_batches_in_all_places() {
        let few = [("DeliverMaximumConcurrency", 5)];
        let outcome = simulate(&few, USUAL, SMALL, Until::HealthyAreDelivered);

        // 2,000 batches of ten in five places, of at least 265 ms each.
        assert!(
            (106.0..130.0).contains(&seconds(&outcome)),
            "{}",
            seconds(&outcome)
        );
        assert_eq!(
            outcome.meters.longest().unwrap().0,
            Limit::Maximum(Source::Deliveries)
        );
    }

    #[test]
    fn the_same_is_simulated_again() {
        let burst = Burst {
            failing: 100,
            hanging: 1,
            ..SMALL
        };
        let once = simulate(&[], USUAL, burst, Until::HealthyAreDelivered);
        let again = simulate(&[], USUAL, burst, Until::HealthyAreDelivered);

        assert_eq!(once.last_delivered, again.last_delivered);
        assert_eq!(once.meters.by_time(), again.meters.by_time());
    }

    #[test]
    fn endpoints_that_fail_or_hang_hold_healthy_ones_up_for_a_deadline_at_most() {
        let bad = Burst {
            failing: 100,
            hanging: 1,
            ..SMALL
        };
        let alone = simulate(&[], USUAL, SMALL, Until::HealthyAreDelivered);
        let beside = simulate(&[], USUAL, bad, Until::HealthyAreDelivered);

        assert!(
            seconds(&beside) < seconds(&alone) + 15.0,
            "{} {}",
            seconds(&alone),
            seconds(&beside)
        );
    }

    #[test]
    fn one_workspace_ends_at_what_its_key_takes() {
        let burst = Burst {
            workspaces: 1,
            endpoints: 100,
            ..SMALL
        };
        let outcome = simulate(
            &[
                ("FanOutMaximumConcurrency", 1000),
                ("DeliverMaximumConcurrency", 1000),
            ],
            USUAL,
            burst,
            Until::HealthyAreDelivered,
        );

        assert!((19.0..22.0).contains(&seconds(&outcome)), "{}", seconds(&outcome));
        assert_eq!(
            outcome.meters.longest().unwrap().0,
            Limit::KeyWrites(Table::Events)
        );
    }

    const FAILING: Burst = Burst {
        events: 500,
        workspaces: 1,
        endpoints: 10,
        failing: 10,
        hanging: 0,
    };

    #[test]
    fn what_fails_is_tried_as_often_as_the_schedule_says() {
        let outcome = simulate(&[], USUAL, FAILING, Until::EverythingHasEnded);

        let hours = outcome.last_ended.as_secs_f64() / 3600.0;
        assert!((27.6..30.4).contains(&hours), "{hours}");
        assert_eq!((outcome.most_schedules, outcome.hops), (500, 0));
    }

    #[test]
    fn without_schedules_waits_go_in_hops_and_end_as_late() {
        let quotas = Quotas {
            schedules: 0,
            ..USUAL
        };
        let outcome = simulate(&[], quotas, FAILING, Until::EverythingHasEnded);

        let hours = outcome.last_ended.as_secs_f64() / 3600.0;
        assert!((27.6..30.4).contains(&hours), "{hours}");
        assert_eq!(outcome.most_schedules, 0);
        assert!(outcome.hops > 500 * 100, "{}", outcome.hops);
        assert!(
            outcome
                .meters_to_the_end
                .by_time()
                .iter()
                .any(|(limit, _)| *limit == Limit::Schedules)
        );
    }
}
