//! What is kept of what was changed: the journal, one SQLite file that is only ever added to, its rows chained by hash.
//!
//! `event` has what is kept, `entry` folds the rows of one change, `chain` hashes and checks, `file` opens.

mod chain;
mod entry;
mod error;
mod event;
mod file;

#[cfg(test)]
mod chain_tests;
#[cfg(test)]
mod journal_tests;

pub use chain::{Head, Problem, Verified};
pub use entry::{Entry, new_entry_id};
pub use error::StoreError;
pub use event::{Event, EventKind, FileChange, OUTPUT_LIMIT, Outcome, Row};

use chain::{Follow, Stored, ZEROS};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, TransactionBehavior};
use std::path::{Path, PathBuf};

/// Most bytes of an event in a row. The outputs are cut far below; only the commands of a plan could come near.
const ROW_LIMIT: usize = 4 * 1024 * 1024;

/// Rows, with nothing in place of a text that is longer than any that is written.
const ROWS: &str = "SELECT number, CASE WHEN octet_length(body) <= ?1 THEN body END, \
    CASE WHEN octet_length(previous) <= ?1 THEN previous END, CASE WHEN octet_length(hash) <= ?1 THEN hash END \
    FROM journal ORDER BY number";

/// The journal in its file.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    file: PathBuf,
}

impl Store {
    /// Opens the journal of this folder to be written to, and makes both where they are not there (the folder 0700,
    /// the file 0600). It writes to the file, so that a folder or a full disk that takes no writing shows before
    /// anything is changed. Fails also where a newer program wrote the file, or it is damaged or no journal.
    pub fn open(dir: &Path) -> Result<Store, StoreError> {
        let (connection, file) = file::open(dir)?;
        Ok(Store { connection, file })
    }

    /// Opens the journal of this folder to be read; none where nothing was ever kept there. It can be added to as well
    /// where the file can be written.
    pub fn open_existing(dir: &Path) -> Result<Option<Store>, StoreError> {
        Ok(file::open_existing(dir)?.map(|(connection, file)| Store { connection, file }))
    }

    /// The folder where the journal is kept unless another is named: `sitewarden` in the user's state folder. None
    /// where the user has no home.
    pub fn usual_dir() -> Option<PathBuf> {
        dirs::state_dir().or_else(dirs::data_local_dir).map(|folder| folder.join("sitewarden"))
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Adds a row for this event, with its long texts cut to [`OUTPUT_LIMIT`], and gives the row as it was kept. When
    /// it returns, the row is on the disk. Where it fails the row was not kept, or, where the disk failed at the very
    /// end, may have been. Another program that writes at the same time is waited for, ten seconds at most. An event
    /// of an entry that never began is refused, and so is a second beginning.
    pub fn append(&mut self, event: &Event) -> Result<Row, StoreError> {
        if !entry::is_name(&event.entry) {
            return Err(StoreError::EntryName(event.entry.clone()));
        }
        let event = event.bounded();
        let body = serde_json::to_string(&event).map_err(|error| self.unwritable(&error))?;
        if body.len() > ROW_LIMIT {
            return Err(StoreError::TooLong { bytes: body.len(), most: ROW_LIMIT });
        }
        self.add(event, &body)
    }

    fn add(&mut self, event: Event, body: &str) -> Result<Row, StoreError> {
        let file = self.file.clone();
        let wrong = |error: rusqlite::Error| file::trouble(&file, "written", error);
        // Immediate: the lock is taken before the last row is read, so that no two rows follow the same one.
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(wrong)?;
        let begins = format!("{{\"entry\":\"{}\",", event.entry);
        let known = transaction
            .query_row(
                "SELECT EXISTS (SELECT 1 FROM journal WHERE substr(body, 1, length(?1)) = ?1)",
                [&begins],
                |row| row.get::<_, bool>(0),
            )
            .map_err(wrong)?;
        match (matches!(event.kind, EventKind::Begun { .. }), known) {
            (true, true) => return Err(StoreError::BegunTwice { file, entry: event.entry }),
            (false, false) => return Err(StoreError::NotBegun { file, entry: event.entry }),
            _ => {}
        }
        let last = last(&transaction).map_err(wrong)?;
        let (number, previous) = match last {
            None => (1, ZEROS.to_owned()),
            Some((number, hash)) => {
                let row_wrong = |why: &str| StoreError::Row { file: file.clone(), row: number, why: why.to_owned() };
                let hash = hash.filter(|hash| chain::is_hash(hash)).ok_or_else(|| row_wrong("has no hash"))?;
                let next = number.checked_add(1).filter(|next| *next > 1);
                (next.ok_or_else(|| row_wrong("has a number that no row has"))?, hash)
            }
        };
        let hash = chain::hash_of(number, &previous, body);
        transaction
            .execute(
                "INSERT INTO journal (number, body, previous, hash) VALUES (?1, ?2, ?3, ?4)",
                (number, body, &previous, &hash),
            )
            .map_err(wrong)?;
        transaction.commit().map_err(wrong)?;
        Ok(Row { number: number.unsigned_abs(), event, previous, hash })
    }

    /// All rows, oldest first. Fails at the first that cannot be understood; whether they are as they were written
    /// says [`Store::verify`].
    pub fn rows(&self) -> Result<Vec<Row>, StoreError> {
        let mut rows = Ok(Vec::new());
        self.each(|stored| self.understood(&mut rows, stored)).map_err(|error| self.unreadable(error))?;
        rows
    }

    /// The entries, oldest first. Fails where the rows cannot be understood.
    pub fn entries(&self) -> Result<Vec<Entry>, StoreError> {
        self.folded(self.rows()?)
    }

    /// The entries, oldest first, and what [`Store::verify`] finds, both of one moment: the head is that of these
    /// entries also while another program writes. Fails where the rows cannot be understood.
    pub fn verified_entries(&self) -> Result<(Vec<Entry>, Verified), StoreError> {
        let mut rows = Ok(Vec::new());
        let mut follow = Follow::new(None);
        for what in file::check(&self.connection).map_err(|error| self.unreadable(error))? {
            follow.damaged(what);
        }
        self.each(|stored| {
            self.understood(&mut rows, stored.clone());
            follow.row(stored);
        })
        .map_err(|error| self.unreadable(error))?;
        Ok((self.folded(rows?)?, follow.end()))
    }

    fn understood(&self, rows: &mut Result<Vec<Row>, StoreError>, stored: Stored) {
        let Ok(good) = rows else { return };
        let row = stored.number;
        let wrong = |why: String| StoreError::Row { file: self.file.clone(), row, why };
        match (stored.parse(), u64::try_from(row)) {
            (Ok((event, previous, hash)), Ok(number)) => good.push(Row { number, event, previous, hash }),
            (Err(why), _) => *rows = Err(wrong(why)),
            (_, Err(_)) => *rows = Err(wrong("has a number that no row has".to_owned())),
        }
    }

    fn folded(&self, rows: Vec<Row>) -> Result<Vec<Entry>, StoreError> {
        entry::fold(rows).map_err(|(row, why)| StoreError::Row {
            file: self.file.clone(),
            row: i64::try_from(row).unwrap_or(i64::MAX),
            why,
        })
    }

    /// The entry of this name, or the only one whose name begins so; none where there is none. Several are an error
    /// that lists them.
    pub fn entry(&self, id: &str) -> Result<Option<Entry>, StoreError> {
        if !entry::is_name(id) {
            return Err(StoreError::EntryName(id.to_owned()));
        }
        let mut like: Vec<Entry> = self.entries()?.into_iter().filter(|entry| entry.id.starts_with(id)).collect();
        if let Some(exact) = like.iter().position(|entry| entry.id == id) {
            return Ok(Some(like.swap_remove(exact)));
        }
        if like.len() > 1 {
            let ids = like.into_iter().map(|entry| entry.id).collect();
            return Err(StoreError::Ambiguous { given: id.to_owned(), ids });
        }
        Ok(like.pop())
    }

    /// Where the journal ends now.
    pub fn head(&self) -> Result<Head, StoreError> {
        match last(&self.connection).map_err(|error| self.unreadable(error))? {
            None => Ok(Head { rows: 0, hash: ZEROS.to_owned() }),
            Some((number, Some(hash))) if number > 0 => Ok(Head { rows: number.unsigned_abs(), hash }),
            Some((row, _)) => {
                let why = "has no hash".to_owned();
                Err(StoreError::Row { file: self.file.clone(), row, why })
            }
        }
    }

    /// Checks the file and the whole chain: a changed row, a missing one, an order that is not that of writing. What
    /// was cut off at the end shows only against `head`, the hash that an earlier hand-over ends in: it must belong to
    /// a row. Fails only where the file cannot be read at all, or `head` is no hash.
    pub fn verify(&self, head: Option<&str>) -> Result<Verified, StoreError> {
        let head = chain::wanted(head)?;
        let mut follow = Follow::new(head.as_deref());
        // Damage is what is looked for here, and no reason to stop.
        for what in file::check(&self.connection).map_err(|error| self.unreadable(error))? {
            follow.damaged(what);
        }
        match self.each(|stored| follow.row(stored)) {
            Ok(()) => {}
            Err(error) => match self.unreadable(error) {
                StoreError::Damaged { why, .. } => follow.damaged(why),
                other => return Err(other),
            },
        }
        Ok(follow.end())
    }

    /// Every row by number, as it stands in the file, all of one moment.
    fn each(&self, mut take: impl FnMut(Stored)) -> rusqlite::Result<()> {
        let mut statement = self.connection.prepare(ROWS)?;
        let mut rows = statement.query([i64::try_from(ROW_LIMIT).unwrap_or(i64::MAX)])?;
        while let Some(row) = rows.next()? {
            take(Stored {
                number: row.get(0)?,
                body: text(row.get_ref(1)?),
                previous: text(row.get_ref(2)?),
                hash: text(row.get_ref(3)?),
            });
        }
        Ok(())
    }

    fn unreadable(&self, error: rusqlite::Error) -> StoreError {
        file::trouble(&self.file, "read", error)
    }

    fn unwritable(&self, error: &dyn std::error::Error) -> StoreError {
        StoreError::Access { file: self.file.clone(), done: "written", why: error.to_string() }
    }
}

/// Number and hash of the last row; a hash that is no text is none.
fn last(connection: &Connection) -> rusqlite::Result<Option<(i64, Option<String>)>> {
    let mut statement = connection.prepare("SELECT number, hash FROM journal ORDER BY number DESC LIMIT 1")?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some((row.get(0)?, text(row.get_ref(1)?).ok())))
}

/// The text of a field; else what is wrong with it (a verb first).
fn text(value: ValueRef<'_>) -> Result<String, String> {
    match value {
        ValueRef::Text(bytes) => {
            std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| "holds bytes that are no text".to_owned())
        }
        ValueRef::Null => Err("has a field that is empty or far too long".to_owned()),
        _ => Err("has a field of another kind".to_owned()),
    }
}
