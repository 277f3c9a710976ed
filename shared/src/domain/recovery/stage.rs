//! What a turn of a recovery does, and where the recovery goes on after it: counting, then page by page taking, sending and
//! waiting, with pauses while the endpoint fails. Values in, values out.

use jiff::{SignedDuration, Timestamp};

use super::{MAX_PAGE, Outcome, Recovery, Stage, Status, Taken};
use crate::domain::endpoint::Endpoint;
use crate::domain::wait::MAX_DELAY_SECONDS;

/// The wait before the first probe of a pause; it doubles with each that fails, up to the longest delay of SQS.
const FIRST_PROBE_AFTER: SignedDuration = SignedDuration::from_secs(10);

/// The wait after the first look that finds attempts under way; it doubles.
const FIRST_LOOK_AGAIN: SignedDuration = SignedDuration::from_millis(250);

/// The longest such wait.
const LONGEST_LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(30);

/// After so many looks, about a quarter of an hour, the tasks of what is still pending are sent again: they may have been
/// deleted by hand. If they only wait, `deliver` drops the second ones.
const LOOKS_BEFORE_SENDING_AGAIN: u32 = 36;

/// How long after an attempt its failure is noted at the endpoint for certain, unless writes are throttled.
const FAILURE_IS_NOTED: SignedDuration = SignedDuration::from_secs(3);

/// By how much two functions' clocks may differ: one enabled the endpoint, and the other started the recovery after it.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(1);

/// What a turn does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// End the recovery, because the endpoint is or was disabled, or does not name it.
    Cancel,
    /// Count a part.
    Count,
    /// Take the next page.
    Take,
    /// Reopen the page's deliveries and send their tasks.
    Send,
    /// Look whether the page has ended.
    Look,
    /// See whether the endpoint is well again, and send a probe otherwise.
    Probe,
}

impl Recovery {
    /// What a turn does, given the endpoint as it is now.
    #[must_use]
    pub fn step(&self, endpoint: &Endpoint) -> Step {
        if !self.goes_on_at(endpoint) && !self.status.has_ended() {
            return Step::Cancel;
        }
        match self.progress.stage {
            Stage::Counting => Step::Count,
            Stage::Taking => Step::Take,
            Stage::Sending => Step::Send,
            Stage::Waiting => Step::Look,
            Stage::Resting => Step::Probe,
        }
    }

    /// Whether the endpoint has been enabled since the start, and names this recovery. It may name none or another one if
    /// its table was restored.
    fn goes_on_at(&self, endpoint: &Endpoint) -> bool {
        let enabled_again = endpoint
            .switched_at
            .is_some_and(|enabled_at| enabled_at.duration_since(self.started_at) > CLOCKS_DIFFER);
        endpoint.enabled && !enabled_again && endpoint.recovery.as_ref() == Some(&self.id)
    }

    /// The deliveries that this round is about: the page, or one of it as a probe.
    #[must_use]
    pub fn attempted(&self) -> &[Taken] {
        let page = self.progress.page.as_slice();
        if self.status != Status::Paused || page.is_empty() {
            return page;
        }
        let probe = usize::try_from(self.progress.probes).unwrap_or(0) % page.len();
        &page[probe..=probe]
    }

    /// How many keys the next page may have: those of the last page whose outcome is unsure would join it in a pause.
    #[must_use]
    pub fn room(&self) -> usize {
        MAX_PAGE.saturating_sub(self.progress.unsure.len()).max(1)
    }

    /// The recovery after a part was counted, up to `cursor`; `None` if that was the last part.
    #[must_use]
    pub fn counted(mut self, found: u64, cursor: Option<String>) -> Self {
        let progress = &mut self.progress;
        progress.counted += found;
        if cursor.is_none() {
            progress.stage = Stage::Taking;
            self.counts.total = Some(progress.counted);
        }
        progress.cursor = cursor;
        self
    }

    /// The recovery with its next page, which the walk has found up to `cursor`; `None` if nothing was left to walk.
    #[must_use]
    pub fn taken(mut self, page: Vec<Taken>, cursor: Option<String>, now: Timestamp) -> Self {
        let Some(cursor) = cursor else {
            return self.finished(now);
        };
        self.progress.cursor = Some(cursor);
        self.progress.due = now;
        if !page.is_empty() {
            self.progress.page = page;
            self.progress.pauses = 0;
            self.progress.probes = 0;
            self = self.sending();
        }
        self
    }

    /// The recovery after its deliveries were sent in a turn that began then. `kept` are those that have had or will have
    /// the attempt; the others are not looked at again, unless they were counted before a pause.
    #[must_use]
    pub fn sent(mut self, kept: Vec<Taken>, begun: Timestamp) -> Self {
        let is_sent_again = self.progress.looks > 0;
        if self.progress.pauses == 0 && !is_sent_again {
            self.counts.retried += u64::try_from(kept.len()).unwrap_or(0);
            self.counts.total = self.counts.total.map(|total| total.max(self.counts.retried));
            self.progress.page = kept;
        }
        let attempted = self.attempted().len();
        self.progress.looks = 0;
        self.progress.due = begun
            .saturating_add(pace(attempted, self.wanted.per_second))
            .unwrap_or(begun);
        if attempted == 0 || self.status.has_ended() {
            return self.page_turned(begun);
        }
        self.progress.stage = Stage::Waiting;
        self
    }

    /// The recovery after it looked at what it sent. `is_failing` says whether an attempt at the endpoint has failed since
    /// the last success of any.
    #[must_use]
    pub fn looked(mut self, outcomes: &[Outcome], is_failing: bool, now: Timestamp) -> Self {
        if outcomes.contains(&Outcome::Pending) {
            let wait = doubled(FIRST_LOOK_AGAIN, self.progress.looks).min(LONGEST_LOOK_AGAIN);
            self.progress.looks += 1;
            if self.progress.looks >= LOOKS_BEFORE_SENDING_AGAIN {
                self.progress.stage = Stage::Sending;
            }
            return self.due_in(wait, now);
        }
        if self.status == Status::Paused {
            return self.probed(outcomes, now);
        }
        let last = |time: fn(&Outcome) -> Option<Timestamp>| outcomes.iter().filter_map(time).max();
        let Some(last_failure) = last(Outcome::failed_at) else {
            return self.page_ended(outcomes, None, now);
        };
        if let Some(last_success) = last(Outcome::delivered_at) {
            let unsure_after = is_failing.then_some(last_success);
            return self.page_ended(outcomes, unsure_after, now);
        }
        if is_failing {
            return self.paused(outcomes, now);
        }
        let noted = last_failure.saturating_add(FAILURE_IS_NOTED).unwrap_or(now);
        if noted > now {
            self.progress.due = noted;
            return self;
        }
        self.page_ended(outcomes, None, now)
    }

    /// The recovery when its pause is over: the endpoint is well again, or the next probe is to be sent.
    #[must_use]
    pub fn rested(self, is_failing: bool, now: Timestamp) -> Self {
        if is_failing {
            return self.sending();
        }
        self.resumed(now)
    }

    /// The page has ended, and what failed has failed for good, but for what failed after `unsure_after`, the last success
    /// before an endpoint failed: the next page says whether it was still well. A page in which everything is lost says
    /// nothing about the endpoint, and what was unsure before stays so.
    fn page_ended(mut self, outcomes: &[Outcome], unsure_after: Option<Timestamp>, now: Timestamp) -> Self {
        let is_unsure = |failed_at: Timestamp| unsure_after.is_some_and(|success| failed_at > success);
        let says_nothing = outcomes.iter().all(|outcome| *outcome == Outcome::Lost);
        let mut unsure_now = Vec::new();
        for (taken, outcome) in self.progress.page.iter().zip(outcomes) {
            match outcome {
                Outcome::Delivered { .. } => self.counts.delivered += 1,
                Outcome::Failed { at } if is_unsure(*at) => unsure_now.push(taken.clone()),
                Outcome::Failed { .. } | Outcome::Lost => self.counts.failed += 1,
                Outcome::Pending => {}
            }
        }
        if !says_nothing {
            self = self.sure();
            self.progress.unsure = unsure_now;
        }
        self.page_turned(now)
    }

    /// Nothing of the page succeeded, and the endpoint fails.
    fn paused(mut self, outcomes: &[Outcome], now: Timestamp) -> Self {
        self.status = Status::Paused;
        self.progress.stage = Stage::Resting;
        self.counts.failed += count(outcomes, Outcome::Lost);
        let mut outcomes = outcomes.iter();
        self.progress
            .page
            .retain(|_| outcomes.next().is_some_and(|outcome| *outcome != Outcome::Lost));
        let unsure = std::mem::take(&mut self.progress.unsure);
        self.progress.page.extend(unsure);
        self.progress.pauses = self.progress.pauses.saturating_add(1);
        self.progress.probes = 0;
        self.due_in(FIRST_PROBE_AFTER, now)
    }

    /// The probe has ended.
    fn probed(mut self, outcomes: &[Outcome], now: Timestamp) -> Self {
        if let [Outcome::Failed { .. }] = outcomes {
            self.progress.probes = self.progress.probes.saturating_add(1);
            self.progress.stage = Stage::Resting;
            let wait = doubled(FIRST_PROBE_AFTER, self.progress.probes);
            return self.due_in(wait.min(SignedDuration::from_secs(MAX_DELAY_SECONDS.into())), now);
        }
        let probe = self.attempted().first().cloned();
        self.progress.page.retain(|taken| Some(taken) != probe.as_ref());
        if let [Outcome::Delivered { .. }] = outcomes {
            self.counts.delivered += 1;
            return self.resumed(now);
        }
        // It was no probe, so the next one is sent at once.
        self.counts.failed += 1;
        if self.progress.page.is_empty() {
            return self.resumed(now);
        }
        self.progress.stage = Stage::Resting;
        self.progress.due = now;
        self
    }

    /// The endpoint is well again: what failed while it was not gets its attempt again.
    fn resumed(mut self, now: Timestamp) -> Self {
        self.status = Status::Running;
        if self.progress.page.is_empty() {
            return self.page_turned(now);
        }
        self.progress.due = now;
        self.sending()
    }

    fn sending(mut self) -> Self {
        self.progress.round += 1;
        self.progress.looks = 0;
        self.progress.stage = Stage::Sending;
        self
    }

    fn page_turned(mut self, now: Timestamp) -> Self {
        self.progress.page.clear();
        self.progress.stage = Stage::Taking;
        self.progress.due = now;
        self
    }

    /// Nothing is left to walk. What was unsure has failed.
    fn finished(mut self, now: Timestamp) -> Self {
        self = self.sure();
        self.status = Status::Finished;
        self.finished_at = Some(now);
        self
    }

    /// What was unsure has failed for good.
    fn sure(mut self) -> Self {
        self.counts.failed += u64::try_from(self.progress.unsure.len()).unwrap_or(0);
        self.progress.unsure.clear();
        self
    }

    fn due_in(mut self, wait: SignedDuration, now: Timestamp) -> Self {
        self.progress.due = now.saturating_add(wait).unwrap_or(now);
        self
    }
}

/// The time that so many deliveries take at least.
fn pace(deliveries: usize, per_second: u16) -> SignedDuration {
    let deliveries = i64::try_from(deliveries).unwrap_or(0);
    SignedDuration::from_millis(deliveries * 1000 / i64::from(per_second.max(1)))
}

/// How long a task waits on its queue so that a page is spread over its time, in seconds; `index` is its place in the page.
#[must_use]
pub fn spread_seconds(index: usize, per_second: u16) -> u16 {
    let seconds = index / usize::from(per_second.max(1));
    u16::try_from(seconds).unwrap_or(MAX_DELAY_SECONDS)
}

fn doubled(first: SignedDuration, times: u32) -> SignedDuration {
    first.saturating_mul(1 << times.min(16))
}

fn count(outcomes: &[Outcome], wanted: Outcome) -> u64 {
    u64::try_from(outcomes.iter().filter(|outcome| **outcome == wanted).count()).unwrap_or(0)
}
