//! `auth accounts`.

use crate::args::{AccountsArgs, ListOutput};
use crate::failure::Failure;
use crate::output::{ListedAccountJson, display_name};
use crate::terminal;

pub(crate) async fn run(args: &AccountsArgs) -> Result<(), Failure> {
    let accounts = args.app.cache_client()?.accounts().await?;
    match args.output {
        ListOutput::Json => terminal::json(&accounts.iter().map(ListedAccountJson::from).collect::<Vec<_>>()),
        ListOutput::Text if accounts.is_empty() => terminal::say("No account is signed in."),
        ListOutput::Text => {
            for account in &accounts {
                let name = display_name(account);
                let sign_in = if account.can_refresh { "" } else { "  (must sign in again)" };
                terminal::result(format_args!("{name}  {}  {}{sign_in}", account.home_account_id, account.environment));
            }
        }
    }
    Ok(())
}
