//! `auth emulator`.

use auth_emulator::Emulator;

use crate::args::EmulatorArgs;
use crate::failure::Failure;
use crate::terminal;

/// Serves until interrupted. The authority is the result; how to use it goes to stderr.
pub(crate) async fn run(args: &EmulatorArgs) -> Result<(), Failure> {
    let mut builder = Emulator::builder().port(args.port);
    if let Some(lifetime) = args.access_token_lifetime {
        builder = builder.access_token_lifetime(lifetime);
    }
    let emulator = builder.start().await.map_err(|error| Failure::usage(&error.to_string()))?;
    terminal::result(emulator.authority());
    terminal::say("An identity provider for development, with these users:");
    for user in emulator.users() {
        terminal::say(format_args!("  {}", user.username()));
    }
    terminal::say(format_args!(
        "Try: auth token --client-id demo --authority {} --scope User.Read   (stop with Ctrl-C)",
        emulator.authority()
    ));
    match tokio::signal::ctrl_c().await {
        Ok(()) => {
            emulator.shutdown().await;
            Ok(())
        }
        Err(error) => Err(Failure::internal(&error)),
    }
}
