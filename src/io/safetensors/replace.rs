//! A file replaced by another at one moment: whoever looks finds the old one or the new one, whole.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use crate::base::error::Error;
use crate::io::safetensors::Result;

/// As many links as Linux follows.
const LINKS: usize = 40;

/// How many names are tried for the new file before its folder is given up.
const NAMES: usize = 100;

/// Puts the file that `body` writes in the place of the one at `path`, or where there is none yet.
///
/// It is written beside its place, under a name of its own, and renamed when its bytes are on the
/// disk. It has the mode of the old file; a link stays and leads to it.
///
/// # Errors
/// Those of `body`, and what the system says. The old file is as it was, and the new one is gone.
pub fn replace(path: &Path, body: impl FnOnce(&mut File) -> Result<()>) -> Result<()> {
    let target = follow(path)?;
    let old = replaceable(&target)?;
    let (temporary, mut file) = Temporary::create(folder(&target))?;
    if let Some(old) = old {
        imitate(&file, &old)?;
    }
    body(&mut file)?;
    file.sync_all()?;
    drop(file); // Windows does not rename an open file
    temporary.rename(&target)?;
    sync_folder(folder(&target));
    Ok(())
}

/// Where the links at `path` lead.
fn follow(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_path_buf();
    for _ in 0..LINKS {
        match fs::read_link(&target) {
            Ok(next) => target = folder(&target).join(next),
            Err(_) => return Ok(target),
        }
    }
    fs::metadata(path).map(|_| target) // the system has its own word for a ring of links
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// What lies at `path` now.
///
/// # Errors
/// It is not a file, or a file that may not be written to.
fn replaceable(path: &Path) -> Result<Option<Metadata>> {
    match fs::metadata(path) {
        Ok(old) if old.is_file() || old.is_dir() => {
            // A rename would not ask whether the old file may be written to. Of a directory, the
            // system says what it is.
            OpenOptions::new().write(true).open(path)?;
            Ok(Some(old))
        }
        Ok(_) => Err(Error::value(path.display(), "a file, or none", "a pipe or a device").into()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Gives `file` the owner and the mode of `old`, before there is anything in it.
#[cfg(unix)]
fn imitate(file: &File, old: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};

    let new = file.metadata()?;
    if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
        // Only root may give a file away: for others it is theirs from now on.
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

/// A rename is on the disk when its folder is. Where that fails the new file is in its place
/// nevertheless, and whole, so it is no failure; some file systems cannot do it at all.
fn sync_folder(folder: &Path) {
    if cfg!(unix) {
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
}

/// A file that goes away again unless it is renamed: in the process that made it, which may go on
/// with it when a forked child has given up.
struct Temporary {
    path: PathBuf,
    process: u32,
}

impl Temporary {
    /// A new, empty file in `folder`, which nobody else has.
    fn create(folder: &Path) -> io::Result<(Self, File)> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let nanoseconds = since.map_or(0, |since| since.subsec_nanos());
        let mut tried = 0;
        loop {
            let (process, made) = (process::id(), MADE.fetch_add(1, Ordering::Relaxed));
            // Short: a name made from the target's could be too long.
            let path = folder.join(format!(".bpfast-{process}-{nanoseconds}-{made}.tmp"));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((Self { path, process }, file)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists && tried < NAMES => {
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
