//! A web application that signs people in, on axum.
//!
//! It runs against the emulator on this machine: `cargo run -p auth --example web`, and then open the address that it prints.
//! All that matters is in `site.rs`.
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
        // One client for all users: its cache tells them apart.
        app: PublicClient::builder("web-example").authority(Authority::parse(&emulator.authority())?).build()?,
        scopes: Scopes::parse("User.Read")?,
        // https, but on the machine of a developer.
        redirect_uri: RedirectUri::parse(&format!("{address}/signed-in"))?,
    };
    println!("Open {address}/ in your browser; Ctrl-C ends it.");
    axum::serve(listener, site.router()).await?;
    Ok(())
}
