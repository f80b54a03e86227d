//! A file system that may lose power after each call (in the style of ALICE): each name and content that was not synced
//! may be durable or not, independently of the others.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};

use super::super::Fs;

pub(super) type Content = Option<Vec<u8>>;

pub(super) fn path() -> &'static Path {
    Path::new("/cache.json")
}

pub(super) fn temp() -> &'static Path {
    Path::new("/.temp")
}

/// The names that a call changes, each with the file it then refers to, if any.
type Names = Vec<(PathBuf, Option<usize>)>;

#[derive(Default)]
struct State {
    /// The content of each file, and whether it is durable.
    files: Vec<(Vec<u8>, bool)>,
    durable: BTreeMap<PathBuf, usize>,
    /// Changes of names since the folder was last synced.
    pending: Vec<Names>,
}

/// An open folder or file.
pub(super) enum Handle {
    Folder,
    File(usize),
}

#[derive(Default)]
pub(super) struct Simulator {
    state: RefCell<State>,
    seen: RefCell<BTreeSet<Content>>,
    states: Cell<usize>,
}

impl Simulator {
    /// Creates a file system with this content at [`path`].
    pub(super) fn with(content: Option<&[u8]>) -> Self {
        let simulator = Self::default();
        if let Some(content) = content {
            let mut state = simulator.state.borrow_mut();
            state.files.push((content.to_vec(), true));
            state.durable.insert(path().to_owned(), 0);
        }
        simulator
    }

    /// Everything that could have been found at [`path`] after a power failure at any time.
    pub(super) fn seen(&self) -> BTreeSet<Content> {
        self.seen.borrow().clone()
    }

    pub(super) fn forget(&self) {
        self.seen.take();
    }

    /// The number of states that were possible.
    pub(super) fn states(&self) -> usize {
        self.states.get()
    }

    pub(super) fn open(&self, path: &Path) -> Handle {
        Handle::File(self.state.borrow().names()[path])
    }

    /// Everything that could be found after a power failure now.
    pub(super) fn now(&self) -> BTreeSet<Content> {
        let state = self.state.borrow();
        let mut found = BTreeSet::new();
        for kept in 0..1_usize << state.pending.len() {
            let mut names = state.durable.clone();
            for (number, change) in state.pending.iter().enumerate() {
                if kept >> number & 1 == 1 {
                    apply(&mut names, change);
                }
            }
            for content in state.contents(names.get(path()).copied()) {
                self.states.set(self.states.get() + 1);
                found.insert(content);
            }
        }
        found
    }

    fn after(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.borrow_mut());
        let found = self.now();
        self.seen.borrow_mut().extend(found);
    }
}

impl State {
    /// The names as a running program sees them.
    fn names(&self) -> BTreeMap<PathBuf, usize> {
        let mut names = self.durable.clone();
        self.pending.iter().for_each(|change| apply(&mut names, change));
        names
    }

    /// What a file may contain after a power failure: if not synced, any prefix, or blocks that were never written.
    fn contents(&self, file: Option<usize>) -> Vec<Content> {
        let Some(file) = file else { return vec![None] };
        let (content, durable) = &self.files[file];
        if *durable {
            return vec![Some(content.clone())];
        }
        let prefixes = (0..=content.len()).map(|length| content[..length].to_vec());
        prefixes.chain([vec![0; content.len()]]).map(Some).collect()
    }
}

fn apply(names: &mut BTreeMap<PathBuf, usize>, change: &Names) {
    for (name, file) in change {
        match file {
            Some(file) => names.insert(name.clone(), *file),
            None => names.remove(name),
        };
    }
}

impl Fs for Simulator {
    type File = Handle;

    fn open_folder(&self, _folder: &Path) -> Result<Handle> {
        Ok(Handle::Folder)
    }

    fn create(&self, path: &Path) -> Result<Handle> {
        if self.state.borrow().names().contains_key(path) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let file = self.state.borrow().files.len();
        self.after(|state| {
            state.files.push((Vec::new(), false));
            state.pending.push(vec![(path.to_owned(), Some(file))]);
        });
        Ok(Handle::File(file))
    }

    fn write(&self, file: &mut Handle, content: &[u8]) -> Result<()> {
        let Handle::File(file) = *file else { return Err(ErrorKind::IsADirectory.into()) };
        self.after(|state| state.files[file] = (content.to_vec(), false));
        Ok(())
    }

    fn sync(&self, file: &Handle) -> Result<()> {
        self.after(|state| match file {
            Handle::File(file) => state.files[*file].1 = true,
            Handle::Folder => {
                state.durable = state.names();
                state.pending.clear();
            }
        });
        Ok(())
    }

    fn rename(&self, _file: &Handle, from: &Path, to: &Path) -> Result<bool> {
        let file = self.state.borrow().names().get(from).copied().ok_or_else(|| Error::from(ErrorKind::NotFound))?;
        self.after(|state| state.pending.push(vec![(to.to_owned(), Some(file)), (from.to_owned(), None)]));
        Ok(true)
    }

    fn remove(&self, path: &Path) -> Result<()> {
        self.after(|state| state.pending.push(vec![(path.to_owned(), None)]));
        Ok(())
    }
}
