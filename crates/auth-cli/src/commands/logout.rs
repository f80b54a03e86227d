//! `auth logout`.

use auth::RemovalScope;
use serde::Serialize;

use crate::args::{ListOutput, LogoutArgs};
use crate::failure::Failure;
use crate::terminal;

/// The JSON of `auth logout`.
#[derive(Serialize)]
struct LogoutJson {
    removed: usize,
}

pub(crate) async fn run(args: &LogoutArgs) -> Result<(), Failure> {
    let client = args.app.cache_client()?;
    let scope = if args.all_clients { RemovalScope::AllClients } else { RemovalScope::default() };
    let mut removed = 0_usize;
    for account in client.accounts().await? {
        let matches = args.account.as_deref().is_none_or(|name| account.is_named(name));
        if matches && client.remove_account_with_scope(&account, scope).await? {
            removed = removed.saturating_add(1);
        }
    }
    match (args.output, removed) {
        (ListOutput::Json, _) => terminal::json(&LogoutJson { removed }),
        (ListOutput::Text, 0) if args.all => terminal::say("No account is signed in; nothing was removed."),
        (ListOutput::Text, 0) => terminal::say("That account is not signed in; nothing was removed."),
        (ListOutput::Text, 1) => terminal::result("Removed 1 account."),
        (ListOutput::Text, _) => terminal::result(format_args!("Removed {removed} accounts.")),
    }
    Ok(())
}
