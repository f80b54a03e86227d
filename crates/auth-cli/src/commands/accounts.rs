//! `auth accounts`.

use crate::args::{AccountsArgs, ListOutput};
use crate::failure::Failure;
use crate::output::{AccountJson, display_name, print_json};
use crate::terminal;

pub(crate) async fn run(args: &AccountsArgs) -> Result<(), Failure> {
    let accounts = args.app.cache_client()?.accounts().await?;
    match args.output {
        ListOutput::Json => print_json(&accounts.iter().map(AccountJson::from).collect::<Vec<_>>()),
        ListOutput::Text if accounts.is_empty() => terminal::say("Nobody has signed in."),
        ListOutput::Text => {
            for account in &accounts {
                let name = display_name(account);
                terminal::result(format_args!("{name}  {}  {}", account.home_account_id, account.environment));
            }
        }
    }
    Ok(())
}
