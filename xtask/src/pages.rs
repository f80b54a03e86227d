//! `cargo xtask pages`: screenshots of the pages that end a sign-in, taken with Chromium, for the README.

use std::fs;

use crate::failure::{Failure, Result};
use crate::install;
use crate::workspace::{self, Workspace};

/// The largest picture, in bytes.
const MAX: u64 = 60_000;

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let peers = install::run(workspace)?;
    let folder = workspace.root.join("docs").join("pages");
    fs::create_dir_all(&folder).map_err(Failure::file("make", &folder))?;
    let mut test = workspace.cargo("test");
    peers.announce(&mut test).env("AUTH_TEST_PAGES", &folder);
    workspace::run(test.args(["--package", "auth-tests", "--features", "peers", "--test", "peers", "pages"]))?;
    for entry in fs::read_dir(&folder).map_err(Failure::file("read", &folder))? {
        let path = entry.map_err(Failure::file("read", &folder))?.path();
        let size = fs::metadata(&path).map_err(Failure::file("read", &path))?.len();
        if size > MAX {
            return Err(Failure::new(format!("{} has {size} bytes, which exceeds the limit of {MAX}", path.display())));
        }
        println!("{size:6}  {}", path.display());
    }
    Ok(())
}
