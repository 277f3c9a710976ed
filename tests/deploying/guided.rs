//! `sam deploy --guided`, for those who are used to it.

use super::deployer;

/// It asks in the end whether to save the answers, and uploads the sources instead of a build, which makes no difference
/// to what it asks.
const GUIDED: &str = "yes '' | sam deploy --guided --template-file template.yaml --no-execute-changeset";

#[tokio::test]
async fn whoever_answers_every_question_with_enter_deploys() {
    let deployer = deployer("guided").await;

    let printed = deployer.run(GUIDED).await.expect("Enter is no wrong answer");

    assert!(printed.contains("Saved arguments to config file"), "{printed}");
    assert!(printed.contains("Changeset created successfully"), "{printed}");
}
