//! Sending a page: its deliveries become pending under the recovery's name, and then their tasks are sent. All of it may be
//! done again, by a turn that comes back.

use shared::Error;
use shared::domain::delivery::Delivery;
use shared::domain::lane::Lane;
use shared::domain::recovery::{self, Opening, Recovery, Taken};
use shared::domain::task::{Kind, Task};
use shared::queues::Outgoing;
use shared::store::{DeliveryWrite, Expected, Rows, Written};

use super::super::WRITES;
use super::Work;

/// What becomes of the deliveries of a page when they are looked at once.
#[derive(Default)]
struct Round {
    /// Those that have had or will have their attempt, or were counted before a pause.
    kept: Vec<Taken>,
    /// Records that are to be inserted before their tasks are sent.
    inserts: Vec<(Taken, Delivery)>,
    /// Records that are to be reopened before their tasks are sent.
    reopens: Vec<(Taken, Delivery)>,
    /// Records whose tasks are to be sent.
    open: Vec<Delivery>,
}

impl Work<'_> {
    /// Sends the page, or the probe, and returns those that have had or will have the attempt. What is throttled is tried
    /// again for a while.
    pub(super) async fn send(&self, recovery: &Recovery, known: Option<Rows>) -> Result<Vec<Taken>, Error> {
        let mut left = recovery.attempted().to_vec();
        let mut rows = known;
        let (mut kept, mut sent) = (Vec::with_capacity(left.len()), 0);
        let mut waits = WRITES;
        loop {
            let read = match rows.take() {
                Some(rows) => rows,
                None => self.read(&left).await?,
            };
            let mut round = self.look_at(recovery, std::mem::take(&mut left), &read);
            left = self.open(&mut round).await?;
            kept.append(&mut round.kept);
            self.queue(recovery, &round.open, sent).await?;
            sent += round.open.len();
            if left.is_empty() {
                return Ok(kept);
            }
            if !waits.wait().await {
                return Err(Error::LeftUndone("BatchExecuteStatement"));
            }
        }
    }

    async fn read(&self, page: &[Taken]) -> Result<Rows, Error> {
        let ids = page.iter().map(|taken| &taken.delivery);
        self.app.store.read(self.keys(ids)).await
    }

    fn look_at(&self, recovery: &Recovery, page: Vec<Taken>, rows: &Rows) -> Round {
        let mut round = Round::default();
        for taken in page {
            let record = rows.delivery(&self.endpoint.id, &taken.delivery);
            match recovery.opening(&taken, record, self.workspace) {
                Opening::Send(record) => {
                    round.open.push(record);
                    round.kept.push(taken);
                }
                Opening::Done => round.kept.push(taken),
                // Those of a page that was paused are counted when it ends, whatever has become of them.
                Opening::Leave if recovery.progress.pauses > 0 => round.kept.push(taken),
                Opening::Leave => {}
                Opening::Insert(record) => round.inserts.push((taken, record)),
                Opening::Reopen(record) => round.reopens.push((taken, record)),
            }
        }
        round
    }

    /// Writes the records of a round, and returns the deliveries that are to be looked at again.
    async fn open(&self, round: &mut Round) -> Result<Vec<Taken>, Error> {
        let (inserted, reopened) = (
            std::mem::take(&mut round.inserts),
            std::mem::take(&mut round.reopens),
        );
        let inserts = inserted.iter().map(|(_, record)| DeliveryWrite {
            record: record.clone(),
            expected: Expected::Absent,
        });
        let inserts: Vec<_> = inserts.collect();
        let store = &self.app.store;
        let mut written = if inserts.is_empty() {
            Vec::new()
        } else {
            let inserts: Vec<_> = inserts.iter().collect();
            store.record_deliveries(&inserts, self.app.clock.now()).await
        };
        let records: Vec<_> = reopened.iter().map(|(_, record)| record.clone()).collect();
        written.extend(store.reopen_deliveries(&records).await);
        let mut left = Vec::new();
        for ((taken, record), written) in inserted.into_iter().chain(reopened).zip(written) {
            match written {
                Written::Yes => {
                    round.open.push(record);
                    round.kept.push(taken);
                }
                Written::Overtaken => left.push(taken),
                Written::Open(error) => {
                    tracing::debug!(error = error.chain(), delivery.id = %taken.delivery, "a delivery is not reopened yet");
                    left.push(taken);
                }
                Written::Failed(error) => return Err(error),
            }
        }
        Ok(left)
    }

    /// Puts the tasks on the queue of the retries, where they hold up no fresh event, spread over the time that the page
    /// takes. So many were sent before.
    async fn queue(&self, recovery: &Recovery, records: &[Delivery], before: usize) -> Result<(), Error> {
        let per_second = recovery.wanted.per_second;
        let messages = records.iter().enumerate().map(|(index, record)| {
            let delay = recovery::spread_seconds(before + index, per_second);
            Outgoing::task(&Task::after(record, Kind::Manual, self.workspace), delay)
        });
        let messages: Vec<_> = messages.collect::<Result<_, _>>()?;
        let queue = self.app.config.queues.of_lane(Lane::Retries);
        self.app
            .queues
            .send(queue, &messages)
            .await
            .into_iter()
            .collect::<Result<Vec<()>, _>>()?;
        Ok(())
    }
}
