//! End to end on the local stack: from the producer's call to SQS to the arrival at the receiver, through the emulator's
//! queues, functions and tables.

use std::time::Duration;

use anyhow::Result;
use local::receiver::Receiver;

use crate::progress::Bar as Progress;
use crate::report::{Bar, Report, count_of_endpoints, percentile};
use crate::sizes::Sizes;
use crate::stack::{Client, SentAt, latencies, stretch};

/// The section's name.
pub(crate) const SECTION: &str = "end to end";
/// Longer than any scene takes.
const PATIENCE: Duration = Duration::from_mins(9);
/// The steady rate: 20 events a second.
const STEADY_INTERVAL: Duration = Duration::from_millis(50);
/// The number of events is divided by this where they are sent steadily: by default, 250 in 12.5 s.
const STEADY_SHARE: usize = 20;
/// The fewest events that percentiles are taken of.
const LEAST_EVENTS: usize = 20;
const WARM_UP_EVENTS: usize = 200;
/// Deliveries a second: a little more than the system to beat achieves.
const LEAST_RATE: f64 = 800.0;

const ENDPOINTS: [usize; 2] = [1, 5];
const PAYLOADS: [Payload; 3] = [
    Payload {
        name: "512 B",
        bytes: 512,
        share: 1,
    },
    Payload {
        name: "4 KB",
        bytes: 4 * 1024,
        share: 2,
    },
    Payload {
        name: "64 KB",
        bytes: 64 * 1024,
        share: 10,
    },
];

struct Payload {
    name: &'static str,
    bytes: usize,
    /// The number of events is divided by this, because larger ones take longer.
    share: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// As fast as the queue takes them.
    Saturation,
    /// At the steady rate.
    Steady,
}

struct Scene {
    payload: &'static Payload,
    endpoints: usize,
    pace: Pace,
    events: usize,
}

/// Measures all scenes.
pub(crate) async fn measure(
    client: &Client,
    sizes: Sizes,
    report: &mut Report,
    progress: &Progress,
) -> Result<()> {
    let scenes = scenes(sizes.events);
    progress.expect(scenes.len() + 1);
    progress.note("warming up");
    // Starts the functions, which is not to be measured here.
    let warm_up = Scene {
        events: WARM_UP_EVENTS,
        ..scenes[0]
    };
    warm_up.run(client).await?;
    progress.step();
    for scene in &scenes {
        progress.note(scene.name());
        let (sent, receiver) = scene.run(client).await?;
        tell(report, scene, &sent, &receiver);
        progress.step();
    }
    Ok(())
}

fn scenes(events: usize) -> Vec<Scene> {
    let mut scenes = Vec::new();
    for pace in [Pace::Saturation, Pace::Steady] {
        for payload in &PAYLOADS {
            for endpoints in ENDPOINTS {
                let share = match pace {
                    Pace::Saturation => payload.share * endpoints,
                    Pace::Steady => STEADY_SHARE,
                };
                scenes.push(Scene {
                    payload,
                    endpoints,
                    pace,
                    events: (events / share).max(LEAST_EVENTS),
                });
            }
        }
    }
    scenes
}

impl Scene {
    fn name(&self) -> String {
        let pace = match self.pace {
            Pace::Saturation => "",
            Pace::Steady => ", 20 events/s",
        };
        format!(
            "{}, {}{pace}",
            self.payload.name,
            count_of_endpoints(self.endpoints)
        )
    }

    async fn run(&self, client: &Client) -> Result<(SentAt, Receiver)> {
        let receiver = Receiver::start_ok().await?;
        let urls: Vec<_> = (0..self.endpoints)
            .map(|number| receiver.url(&format!("/{number}")))
            .collect();
        let ids = client.create_endpoints(&urls).await?;
        let bytes = self.payload.bytes;
        let sent = match self.pace {
            Pace::Saturation => client.send(self.events, bytes).await?,
            Pace::Steady => client.send_steadily(self.events, bytes, STEADY_INTERVAL).await?,
        };
        receiver.wait_for(self.events * self.endpoints, PATIENCE).await?;
        client.delete_endpoints(&ids).await?;
        Ok((sent, receiver))
    }

    /// The one that has a bar: all events, of the smallest size, to one endpoint.
    fn is_judged(&self) -> bool {
        self.pace == Pace::Saturation && self.endpoints == 1 && self.payload.share == 1
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn tell(report: &mut Report, scene: &Scene, sent: &SentAt, receiver: &Receiver) {
    let name = |what: &str| format!("{}: {what}", scene.name());
    let received = receiver.received();
    let rate = received.len() as f64 / stretch(sent, &received);
    if scene.is_judged() {
        let bar = Bar::AtLeast(LEAST_RATE);
        report.judge(SECTION, name("rate"), rate, "deliveries/s", bar);
    } else if scene.pace == Pace::Saturation {
        report.add(SECTION, name("rate"), rate, "deliveries/s");
    }
    let latencies = latencies(sent, &received);
    for percent in [50.0, 95.0, 99.0] {
        let latency = percentile(latencies.iter().copied(), percent);
        report.add(SECTION, name(&format!("p{percent}")), latency, "ms");
    }
}
