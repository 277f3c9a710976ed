//! Deploying as the documents say: their commands, taken from them and run against emulators.

mod domain;
mod guided;
mod readme;
mod rights;

use local::Deployer;
use tests::repository;

/// Somebody with an account of their own, whose files are in a folder of this name.
async fn deployer(name: &str) -> Deployer {
    let folder = repository::path("target/local/deploying").join(name);
    Deployer::start(&folder).await.expect("somebody who can deploy")
}

/// Lets `prepare.py` create what the account must have, and returns the words that it prints.
async fn prepare<const N: usize>(deployer: &Deployer, what: &str) -> [String; N] {
    let command = format!(
        "{} tests/deploying/prepare.py {what}",
        deployer.python().display()
    );
    let printed = deployer.run(&command).await.expect("what the account must have");
    let words: Vec<_> = printed.split_whitespace().map(str::to_owned).collect();
    words.try_into().expect("what it is known by")
}
