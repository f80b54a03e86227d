//! A web application on two machines that share a Redis: a user who signs in at one is signed in at both.
//!
//! Run `cargo run -p auth --features redis --example machines -- redis://127.0.0.1:6379` and open the URLs that it
//! prints. The provider is the emulator, and both "machines" run here. The essential part is in `site.rs`.
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

mod site;

use auth_emulator::Emulator;
use site::Site;
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let redis = std::env::args().nth(1).unwrap_or_else(|| "redis://127.0.0.1:6379".to_owned());
    let emulator = Emulator::start().await?;
    let listeners = [TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?];
    let [one, other] = listeners.map(|listener| {
        let authority = emulator.authority();
        let redis = redis.clone();
        async move {
            let address = format!("http://{}", listener.local_addr()?);
            println!("Open {address}/ in your browser; press Ctrl-C to quit.");
            axum::serve(listener, Site::new(&authority, &redis, &address)?.router()).await?;
            Ok::<_, Box<dyn std::error::Error>>(())
        }
    });
    tokio::try_join!(one, other)?;
    Ok(())
}
