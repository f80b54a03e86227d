//! `auth cache`: the path, state, contents and encryption of the cache file. No secret is shown, or copied while
//! reading.

mod document;
mod form;
mod inspect;
mod migrate;
mod status;

use serde::Serialize;

use crate::args::{CacheCommand, ListOutput};
use crate::failure::Failure;
use crate::terminal;

/// The JSON of `auth cache path`.
#[derive(Serialize)]
struct PathJson {
    path: String,
}

pub(crate) async fn run(command: &CacheCommand) -> Result<(), Failure> {
    match command {
        CacheCommand::Path(args) => {
            let path = args.store()?.file().path().display().to_string();
            match args.output {
                ListOutput::Json => terminal::json(&PathJson { path }),
                ListOutput::Text => terminal::result(path),
            }
            Ok(())
        }
        CacheCommand::Status(args) => status::run(args).await,
        CacheCommand::Inspect(args) => inspect::run(args).await,
        CacheCommand::Migrate(args) => migrate::run(args).await,
    }
}
