//! One request shared by many tasks.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio::task::JoinSet;

/// Has this many callers wait for one value, which takes `wait` to arrive, and returns the number of requests.
pub async fn herd(callers: usize, wait: Duration) -> usize {
    let value: Arc<OnceCell<Arc<str>>> = Arc::default();
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let value = Arc::clone(&value);
        tasks.spawn(async move {
            let mut asked = 0;
            let ask = async {
                asked = 1;
                tokio::time::sleep(wait).await;
                Arc::from("token")
            };
            let token = Arc::clone(value.get_or_init(|| ask).await);
            assert_eq!(&*token, "token");
            asked
        });
    }
    tasks.join_all().await.into_iter().sum()
}
