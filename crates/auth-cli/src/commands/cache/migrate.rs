//! `auth cache migrate`.

use auth::{AuthError, FileForm, LockBudget, Observer};
use serde::Serialize;

use super::form::form;
use crate::app::own_storage;
use crate::args::{CacheForm, ListOutput, MigrateArgs};
use crate::failure::Failure;
use crate::terminal;

/// The JSON of `auth cache migrate`.
#[derive(Serialize)]
struct MigratedJson {
    path: String,
    /// The form of the file now.
    form: &'static str,
    /// Whether it had another form before.
    migrated: bool,
}

pub(super) async fn run(args: &MigrateArgs) -> Result<(), Failure> {
    let storage = own_storage(&args.client_id).map_err(|reason| Failure::cache(&reason))?;
    let (mut budget, observer) = (LockBudget::default(), Observer::default());
    let migrated = match args.to {
        CacheForm::Encrypted => storage.encrypt(&mut budget, &observer).await,
        CacheForm::Plain => storage.decrypt(&mut budget, &observer).await,
    };
    let migrated = migrated.map_err(AuthError::from)?;
    let now = storage.file().state().map_err(AuthError::from)?.form;
    let path = storage.file().path().display().to_string();
    if now == FileForm::Plain {
        terminal::say("auth: warning: the cache is not encrypted; anyone who can read the file has the tokens");
    }
    match args.output {
        ListOutput::Json => terminal::json(&MigratedJson { path, form: form(now), migrated }),
        ListOutput::Text if now == FileForm::Empty => terminal::result(format_args!("{path} does not exist yet")),
        ListOutput::Text => {
            let since = if migrated { "now" } else { "already" };
            terminal::result(format_args!("{path} is {since} {}", form(now)));
        }
    }
    Ok(())
}
