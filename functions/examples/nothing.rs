//! All functions in one binary, as in `src/main.rs`, and one more that answers requests with nothing: what the benchmark
//! compares the start of `dashboard` with.

use functions::serve::{self, Function, Site};
use lambda_http::Body;
use lambda_http::http::Response;

#[path = "../src/main.rs"]
#[expect(dead_code, reason = "its table is all that is of use here")]
mod webhooks;

const NOTHING: Site = Site {
    variables: &[],
    handler: |_, _| Response::new(Body::Empty),
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let mut functions = vec![("nothing", Function::Site(NOTHING))];
    functions.extend(webhooks::FUNCTIONS);
    serve::run(functions.leak()).await
}
