mod simulator;

use std::cell::Cell;
use std::io::{Error, ErrorKind};

use simulator::Simulator;

use super::{Disk, File, Fs, Path, Result, fs};

/// A replacement whose check always succeeds.
fn replace<F: Fs>(fs: &F, path: &Path, temp: &Path, content: &[u8]) -> Result<(F::File, bool)> {
    super::replace(fs, path, temp, content, || Ok(true)).map(|replaced| replaced.expect("it is right"))
}

/// The operating system's calls, one of which fails.
struct Faulty {
    calls: Cell<usize>,
    /// The number of the call that fails.
    fails: usize,
    error: ErrorKind,
}

impl Faulty {
    fn call(&self) -> Result<()> {
        let call = self.calls.replace(self.calls.get() + 1);
        if call == self.fails { Err(Error::from(self.error)) } else { Ok(()) }
    }
}

impl Fs for Faulty {
    type File = File;

    fn open_folder(&self, folder: &Path) -> Result<File> {
        self.call().and_then(|()| Disk.open_folder(folder))
    }

    fn create(&self, path: &Path) -> Result<File> {
        self.call().and_then(|()| Disk.create(path))
    }

    fn write(&self, file: &mut File, content: &[u8]) -> Result<()> {
        // Half of the content is written before the failure.
        Disk.write(file, &content[..content.len() / 2])?;
        self.call()?;
        Disk.write(file, &content[content.len() / 2..])
    }

    fn sync(&self, file: &File) -> Result<()> {
        self.call().and_then(|()| Disk.sync(file))
    }

    fn rename(&self, file: &File, from: &Path, to: &Path) -> Result<bool> {
        self.call().and_then(|()| Disk.rename(file, from, to))
    }

    fn remove(&self, path: &Path) -> Result<()> {
        Disk.remove(path)
    }
}

// S-94, R-04, R-06
#[test]
fn a_failed_call_leaves_the_old_file_and_no_temporary_one() {
    for error in [ErrorKind::StorageFull, ErrorKind::ReadOnlyFilesystem, ErrorKind::PermissionDenied, ErrorKind::Other]
    {
        for (fails, call) in
            ["open the folder", "create", "write", "sync", "rename", "sync the folder"].iter().enumerate()
        {
            let folder = tempfile::tempdir().unwrap();
            let (path, temp) = (folder.path().join("cache.json"), folder.path().join(".temp"));
            fs::write(&path, "old and whole").unwrap();
            let before = fs::metadata(&path).unwrap().modified().unwrap();
            let fs = Faulty { calls: Cell::new(0), fails, error };
            assert_eq!(replace(&fs, &path, &temp, b"new").unwrap_err().kind(), error, "{call}");
            assert!(!temp.exists(), "{call}");
            if *call == "sync the folder" {
                // Too late to go back, but reported, so that the caller writes again.
                assert_eq!(fs::read(&path).unwrap(), b"new");
            } else {
                assert_eq!(fs::read(&path).unwrap(), b"old and whole", "{call}");
                assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), before, "{call}");
            }
        }
    }
}

// S-94
#[cfg(unix)]
#[test]
fn an_existing_file_or_link_is_never_used_as_the_temporary_file() {
    let folder = tempfile::tempdir().unwrap();
    let (path, temp) = (folder.path().join("cache.json"), folder.path().join(".temp"));
    let victim = folder.path().join("victim");
    fs::write(&victim, "another user's").unwrap();
    for dangling in [false, true] {
        let target = if dangling { folder.path().join("nowhere") } else { victim.clone() };
        std::os::unix::fs::symlink(&target, &temp).unwrap();
        assert_eq!(replace(&Disk, &path, &temp, b"new").unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert!(temp.is_symlink(), "not ours to remove");
        fs::remove_file(&temp).unwrap();
        assert_eq!((fs::read(&victim).unwrap().as_slice(), target.exists()), (&b"another user's"[..], !dangling));
    }
}

#[test]
fn the_new_file_is_complete_and_private() {
    let folder = tempfile::tempdir().unwrap();
    let (path, temp) = (folder.path().join("cache.json"), folder.path().join(".temp"));
    for content in ["", "one", "two and longer"] {
        let (file, _) = replace(&Disk, &path, &temp, content.as_bytes()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
        assert_eq!(file.metadata().unwrap().len(), content.len() as u64);
        assert!(!temp.exists());
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::MetadataExt::mode(&fs::metadata(&path).unwrap()) & 0o7777, 0o600);
    }
}

const OLD: &[u8] = b"the old document";
const NEW: &[u8] = b"the new one";

// power fails after each call, and whatever was not synced is complete, partial or gone.
#[test]
fn after_a_power_failure_there_is_the_old_or_the_new_file() {
    for old in [None, Some(OLD)] {
        let fs = Simulator::with(old);
        replace(&fs, simulator::path(), simulator::temp(), NEW).unwrap();
        let seen = fs.seen();
        assert!(seen.iter().all(|content| [old, Some(NEW)].contains(&content.as_deref())), "{seen:?}");
        assert_eq!(seen.len(), 2, "both are possible: {seen:?}");
        assert!(fs.states() > 10, "{} states", fs.states());
        // once it has returned, the new file is durable.
        assert_eq!(fs.now(), [Some(NEW.to_vec())].into());
    }
}

//
#[test]
fn after_several_replacements_a_power_failure_leaves_one_of_the_last_two_files() {
    let fs = Simulator::with(None);
    let mut before = None;
    for number in 0..4 {
        let content = format!("document {number}").into_bytes();
        fs.forget();
        replace(&fs, simulator::path(), simulator::temp(), &content).unwrap();
        let allowed = [before.clone(), Some(content.clone())];
        assert!(fs.seen().iter().all(|seen| allowed.contains(seen)), "{number}: {:?}", fs.seen());
        before = Some(content);
    }
}

// S-106
#[test]
fn a_new_file_that_fails_the_check_replaces_nothing_whenever_power_fails() {
    let fs = Simulator::with(Some(OLD));
    let wrong = || Err(ErrorKind::InvalidData.into());
    let none = super::replace(&fs, simulator::path(), simulator::temp(), NEW, || Ok(false)).unwrap();
    assert!(none.is_none() && fs.seen() == [Some(OLD.to_vec())].into());
    let failed = super::replace(&fs, simulator::path(), simulator::temp(), NEW, wrong);
    assert_eq!(failed.err().map(|error| error.kind()), Some(ErrorKind::InvalidData));
    assert_eq!(fs.seen(), [Some(OLD.to_vec())].into());
    let folder = tempfile::tempdir().unwrap();
    let (path, temp) = (folder.path().join("cache.json"), folder.path().join(".temp"));
    fs::write(&path, OLD).unwrap();
    let check = || {
        assert_eq!((fs::read(&path)?.as_slice(), fs::read(&temp)?.as_slice()), (OLD, NEW));
        wrong()
    };
    assert!(super::replace(&Disk, &path, &temp, NEW, check).is_err());
    assert_eq!((fs::read(&path).unwrap().as_slice(), temp.exists()), (OLD, false));
}

/// A replacement that leaves out a step.
fn careless(fs: &Simulator, without: &str) -> Result<()> {
    let folder = fs.open_folder(Path::new("/"))?;
    let mut file = fs.create(simulator::temp())?;
    fs.write(&mut file, NEW)?;
    if without != "sync" {
        fs.sync(&file)?;
    }
    fs.rename(&file, simulator::temp(), simulator::path())?;
    if without != "sync the folder" {
        fs.sync(&folder)?;
    }
    Ok(())
}

#[test]
fn the_simulator_detects_a_missing_sync() {
    let fs = Simulator::with(Some(OLD));
    careless(&fs, "nothing").unwrap();
    assert_eq!((fs.seen().len(), fs.now().len()), (2, 1));

    let fs = Simulator::with(Some(OLD));
    careless(&fs, "sync").unwrap();
    assert!(fs.seen().contains(&Some(NEW[..4].to_vec())) && fs.seen().contains(&Some(Vec::new())), "torn");

    let fs = Simulator::with(Some(OLD));
    careless(&fs, "sync the folder").unwrap();
    assert_eq!(fs.now(), [Some(OLD.to_vec()), Some(NEW.to_vec())].into(), "reported as done, but not durable");

    let fs = Simulator::with(Some(OLD));
    let mut file = fs.open(simulator::path());
    fs.write(&mut file, NEW).unwrap();
    assert!(fs.now().contains(&Some(NEW[..3].to_vec())), "in place");
}
