//! A web application that signs users in, built on axum.
//!
//! It uses the emulator: run `cargo run -p auth --example web` and open the URL that it prints. The essential part is
//! in `site.rs`.
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

mod site;

use auth::{Authority, PublicClient, RedirectUri, Scopes};
use auth_emulator::Emulator;
use site::Site;
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let emulator = Emulator::start().await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    let site = Site {
        // One client for all users; its cache keeps them apart.
        app: PublicClient::builder("web-example").authority(Authority::parse(&emulator.authority())?).build()?,
        scopes: Scopes::parse("User.Read")?,
        // In production, use https.
        redirect_uri: RedirectUri::parse(&format!("{address}/signed-in"))?,
    };
    println!("Open {address}/ in your browser; press Ctrl-C to quit.");
    axum::serve(listener, site.router()).await?;
    Ok(())
}
