//! The file of the journal: making it, opening it, telling it from others.

use super::error::StoreError;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Its name in the folder.
const NAME: &str = "journal.sqlite";
/// Says whose file it is, in SQLite's header: `swjn`.
const APPLICATION: i64 = 0x7377_6a6e;
/// Version of its form.
const VERSION: i64 = 1;
/// The only thing in it. The text of an event is kept as it was hashed.
const TABLE: &str = "CREATE TABLE journal (number INTEGER PRIMARY KEY, body TEXT NOT NULL, previous TEXT NOT NULL, \
    hash TEXT NOT NULL) STRICT";
/// How long another program that writes is waited for.
const BUSY: Duration = Duration::from_secs(10);

/// A POSIX lock ends when its process closes the file anywhere: who makes the file closes it before another thread's
/// connection can lock it.
static MAKING: Mutex<()> = Mutex::new(());

/// Opens the file to be written to, and makes it and its folder.
pub(super) fn open(dir: &Path) -> Result<(Connection, PathBuf), StoreError> {
    make_folder(dir).map_err(|error| StoreError::Folder { folder: dir.to_owned(), error })?;
    let file = dir.join(NAME);
    let wrong = |error| trouble(&file, "written", error);
    make_file(&file).map_err(|error| StoreError::Access {
        file: file.clone(),
        done: "written",
        why: error.to_string(),
    })?;
    let mut connection = connect(&file)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(wrong)?;
    if is_new(&transaction).map_err(wrong)? {
        transaction.execute_batch(TABLE).map_err(wrong)?;
        transaction.pragma_update(None, "application_id", APPLICATION).map_err(wrong)?;
    } else {
        recognise(&transaction, &file)?;
    }
    // Of a file that was there, this changes nothing, but is written all the same: it proves that writing works.
    transaction.pragma_update(None, "user_version", VERSION).map_err(wrong)?;
    transaction.commit().map_err(wrong)?;
    Ok((connection, file))
}

/// Opens the file where there is one with something in it.
pub(super) fn open_existing(dir: &Path) -> Result<Option<(Connection, PathBuf)>, StoreError> {
    let file = dir.join(NAME);
    let there = {
        let _guard = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
        regular(&file)
    };
    match there {
        Ok(true) => {}
        Ok(false) => return Ok(None),
        Err(error) => return Err(StoreError::Access { file, done: "read", why: error.to_string() }),
    }
    let mut connection = connect(&file)?;
    let transaction = connection.transaction().map_err(|error| trouble(&file, "read", error))?;
    // One that was only just made, or whose maker was stopped.
    if is_new(&transaction).map_err(|error| trouble(&file, "read", error))? {
        return Ok(None);
    }
    recognise(&transaction, &file)?;
    drop(transaction);
    Ok(Some((connection, file)))
}

/// What SQLite finds wrong with the file, at most ten things.
pub(super) fn check(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let looked = (|| {
        let mut statement = connection.prepare("PRAGMA quick_check(10)")?;
        let lines = statement.query_map([], |row| row.get::<_, String>(0))?;
        lines.collect::<rusqlite::Result<Vec<String>>>()
    })();
    match looked {
        Ok(lines) => Ok(lines.into_iter().filter(|line| line != "ok").collect()),
        Err(error) if is_damage(&error) => Ok(vec![error.to_string()]),
        Err(error) => Err(error),
    }
}

/// What went wrong with the file while it was `done` (`read`, `written`), with what to do.
pub(super) fn trouble(file: &Path, done: &'static str, error: rusqlite::Error) -> StoreError {
    let file = file.to_owned();
    match error.sqlite_error_code() {
        _ if is_damage(&error) => StoreError::Damaged { file, why: error.to_string() },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy { file },
        _ => StoreError::Access { file, done, why: error.to_string() },
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

fn connect(file: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    set_up(file, flags).map_err(|error| trouble(file, "read", error))
}

fn set_up(file: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(file, flags)?;
    connection.busy_timeout(BUSY)?;
    // The file may come from anywhere: nothing that stands in it runs.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "mmap_size", 0)?;
    // One file that can be copied, and no memory shared between programs, so no WAL. EXTRA syncs the folder too after
    // the rollback journal is removed: with FULL, a power cut could bring that back and take a row away that was
    // reported as kept.
    connection.pragma_update(None, "synchronous", "EXTRA")?;
    connection.pragma_update(None, "fullfsync", true)?;
    connection.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    Ok(connection)
}

/// Whether nothing was ever written to the file.
fn is_new(transaction: &Transaction<'_>) -> rusqlite::Result<bool> {
    let things: i64 = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(things == 0 && number(transaction, "application_id")? == 0 && number(transaction, "user_version")? == 0)
}

fn number(transaction: &Transaction<'_>, pragma: &str) -> rusqlite::Result<i64> {
    transaction.pragma_query_value(None, pragma, |row| row.get(0))
}

/// Whether this is a journal in the form that this program writes, with nothing else in it.
fn recognise(transaction: &Transaction<'_>, file: &Path) -> Result<(), StoreError> {
    let wrong = |error| trouble(file, "read", error);
    let foreign = |why: &str| Err(StoreError::Foreign { file: file.to_owned(), why: why.to_owned() });
    if number(transaction, "application_id").map_err(wrong)? != APPLICATION {
        return foreign("another program made it");
    }
    let version = number(transaction, "user_version").map_err(wrong)?;
    if version > VERSION {
        return Err(StoreError::Newer { file: file.to_owned(), version, known: VERSION });
    }
    let things: i64 =
        transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(wrong)?;
    let tables: i64 = transaction
        .query_row(
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'journal' AND sql = ?1",
            [TABLE],
            |row| row.get(0),
        )
        .map_err(wrong)?;
    if version < VERSION || things != 1 || tables != 1 {
        return foreign("its form was changed");
    }
    Ok(())
}

/// Whether there is a file; anything else of its name is an error. A link is one: what is written must stay where it
/// is looked for.
fn regular(file: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(file) {
        Ok(meta) if meta.is_file() => Ok(true),
        Ok(_) => Err(io::Error::other("it is no regular file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Makes the file, or takes the rights of others from one that is there. SQLite's own files beside it get its mode.
fn make_file(file: &Path) -> io::Result<()> {
    let _guard = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Ok(_) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    regular(file)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if fs::symlink_metadata(file)?.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(file, fs::Permissions::from_mode(0o600))?;
        }
    }
    Ok(())
}

/// Makes the folder and those above it; each is on the disk when this returns.
fn make_folder(folder: &Path) -> io::Result<()> {
    let missing: Vec<&Path> =
        folder.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).collect();
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    #[cfg(unix)]
    for parent in missing.iter().filter_map(|made| made.parent()) {
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        fs::File::open(parent)?.sync_all()?;
    }
    Ok(())
}
