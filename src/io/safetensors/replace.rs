//! Atomic replacement of a file: readers see the old file or the complete new one.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use crate::base::cancel::CancelToken;
use crate::base::error::Error;
use crate::io::safetensors::{BLOCK, Result, check_cancelled};

/// As many symbolic links as Linux follows.
const MAX_LINKS: usize = 40;

/// How many names are tried for the temporary file.
const MAX_NAMES: usize = 100;

/// Replaces the file at `path`, or creates it, with what `body` writes.
///
/// A temporary file in the same folder is written, synced to disk, and renamed. It has the mode of the old
/// file. Symbolic links stay, and point to the new file.
///
/// # Errors
/// Those of `body`, and system errors. Then the old file is unchanged, and the temporary file is removed.
pub fn replace(path: &Path, body: impl FnOnce(&mut File) -> Result<()>) -> Result<()> {
    let target = follow(path)?;
    let old = replaceable(&target)?;
    let (temporary, mut file) = Temporary::create(folder(&target))?;
    if let Some(old) = old {
        imitate(&file, &old)?;
    }
    body(&mut file)?;
    file.sync_all()?;
    drop(file); // Windows cannot rename an open file
    temporary.rename(&target)?;
    sync_folder(folder(&target));
    Ok(())
}

/// The same with `content`.
///
/// # Errors
/// System errors, or the call is cancelled; and in a child that `should_cancel` has forked, that it cannot
/// continue.
pub fn replace_file(path: &Path, content: &[u8], cancel: &CancelToken<'_>) -> Result<()> {
    let check = may_continue(cancel);
    replace(path, |file| {
        for block in content.chunks(BLOCK) {
            check()?;
            file.write_all(block)?;
        }
        Ok(())
    })
}

/// A check between two blocks: the call is not cancelled, and this is not a forked child, which shares the open
/// file with its parent.
pub(super) fn may_continue(cancel: &CancelToken<'_>) -> impl Fn() -> Result<()> {
    let parent = process::id();
    move || {
        check_cancelled(cancel)?;
        if process::id() != parent {
            return Err(Error::forked().into());
        }
        Ok(())
    }
}

/// Follows symbolic links at `path`.
fn follow(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_path_buf();
    for _ in 0..MAX_LINKS {
        match fs::read_link(&target) {
            Ok(next) => target = folder(&target).join(next),
            Err(_) => return Ok(target),
        }
    }
    fs::metadata(path).map(|_| target) // the system reports a cycle of links with its own error
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The metadata of the file at `path`; None if there is none.
///
/// # Errors
/// It is not a regular file, or it is not writable.
fn replaceable(path: &Path) -> Result<Option<Metadata>> {
    match fs::metadata(path) {
        Ok(old) if old.is_file() || old.is_dir() => {
            // A rename does not check whether the old file is writable. For a directory, this gives the
            // system's error.
            OpenOptions::new().write(true).open(path)?;
            Ok(Some(old))
        }
        Ok(_) => Err(Error::value(path.display(), "a file, or none", "a pipe or a device").into()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Gives `file` the owner and the mode of `old` while it is still empty.
#[cfg(unix)]
fn imitate(file: &File, old: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};

    let new = file.metadata()?;
    if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
        // Only root may change the owner; others own the new file.
        let _ = fchown(file, Some(old.uid()), Some(old.gid()));
    }
    if new.mode() != old.mode() {
        file.set_permissions(old.permissions())?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn imitate(file: &File, old: &Metadata) -> io::Result<()> {
    file.set_permissions(old.permissions())
}

/// A rename is durable once its folder is synced. A failure is ignored: the new file is complete and in
/// place, and some file systems cannot sync folders.
fn sync_folder(folder: &Path) {
    if cfg!(unix) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

/// A file that is removed unless it is renamed, but only by the process that created it, which may continue
/// when a forked child gives up.
struct Temporary {
    path: PathBuf,
    process: u32,
}

impl Temporary {
    /// Creates a new, empty file in `folder`.
    fn create(folder: &Path) -> io::Result<(Self, File)> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let nanoseconds = since.map_or(0, |since| since.subsec_nanos());
        let mut tried = 0;
        loop {
            let (process, made) = (process::id(), MADE.fetch_add(1, Ordering::Relaxed));
            // A short name: one derived from the target's could be too long.
            let path = folder.join(format!(".bpfast-{process}-{nanoseconds}-{made}.tmp"));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((Self { path, process }, file)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists && tried < MAX_NAMES => {
                    tried += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn rename(mut self, target: &Path) -> io::Result<()> {
        fs::rename(&self.path, target)?;
        self.path = PathBuf::new();
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.path.as_os_str().is_empty() && self.process == process::id() {
            let _ = fs::remove_file(&self.path);
        }
    }
}
