//! The events of the simulation, and the receivers of their endpoints.

/// Events that are on the queue when it begins, each for one endpoint. They are spread evenly over the endpoints, and those
/// evenly over the workspaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Burst {
    pub(super) events: usize,
    pub(super) workspaces: usize,
    pub(super) endpoints: usize,
    /// Endpoints whose receivers answer each attempt with an error.
    pub(super) failing: usize,
    /// Endpoints whose receivers never answer.
    pub(super) hanging: usize,
}

/// What a receiver does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Receiver {
    Healthy,
    Failing,
    Hanging,
}

/// A million events, a tenth of them for endpoints that fail, and some for one that hangs.
pub(super) const MILLION: Burst = Burst {
    events: 1_000_000,
    workspaces: 100,
    endpoints: 1000,
    failing: 100,
    hanging: 1,
};

impl Burst {
    /// The endpoint that receives an event.
    pub(super) fn endpoint_of(self, event: usize) -> usize {
        event % self.endpoints
    }

    /// The workspace of an endpoint.
    pub(super) fn workspace_of(self, endpoint: usize) -> usize {
        endpoint % self.workspaces
    }

    /// Endpoints of a workspace.
    pub(super) fn endpoints_each(self) -> usize {
        self.endpoints.div_ceil(self.workspaces)
    }

    /// The receiver of an endpoint. Those that fail are evenly among the others.
    pub(super) fn receiver_of(self, endpoint: usize) -> Receiver {
        let failing_before = |endpoint: usize| endpoint * self.failing / self.endpoints;
        if failing_before(endpoint + 1) > failing_before(endpoint) {
            return Receiver::Failing;
        }
        // The first endpoints that do not fail.
        if endpoint - failing_before(endpoint) < self.hanging {
            return Receiver::Hanging;
        }
        Receiver::Healthy
    }

    /// Deliveries to healthy endpoints.
    pub(super) fn healthy(self) -> usize {
        let receivers = (0..self.events).map(|event| self.receiver_of(self.endpoint_of(event)));
        receivers
            .filter(|receiver| *receiver == Receiver::Healthy)
            .count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_fails_and_one_hangs() {
        let of = |wanted| {
            let endpoints = (0..MILLION.endpoints).map(|endpoint| MILLION.receiver_of(endpoint));
            endpoints.filter(|receiver| *receiver == wanted).count()
        };

        assert_eq!((of(Receiver::Failing), of(Receiver::Hanging)), (100, 1));
        assert_eq!(MILLION.healthy(), 899_000);
        assert_eq!(MILLION.endpoints_each(), 10);
    }
}
