//! Evidence as CEL values that keep the difference between "read as not existing" and "not read".
//!
//! Touching an unread value, by `has()` too, is an error that carries its path and reason; one that was read as not
//! existing is `NoSuchKey`, which `has()` turns into false. Everything that is touched is written down, since CEL keeps
//! only one error of two.

use crate::catalog::functions::GAP;
use crate::evidence::{Gap, Missing, Reading, Value};
use cel::ExecutionError;
use cel::common::traits::{Comparer, Indexer, Iterable, Iterator as CelIterator, Sizer};
use cel::common::types::{CelBool, CelBytes, CelDouble, CelInt, CelString, LIST_TYPE, Type};
use cel::common::value::{CowVal, Val};
use std::cmp::Ordering;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

static TREE: Type = Type::new_unspecified_type("sitewarden.evidence");
static UNREAD: Type = Type::new_unspecified_type(GAP);

/// `function` of the error that an unread value raises.
pub(super) const UNREAD_ERROR: &str = "@unread";

/// Most values that are written down for one condition; more than any finding shows.
const MOST: usize = 200;

/// One value that a condition looked at.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Touch {
    /// Where it stands.
    pub(super) path: Arc<str>,
    /// What stood there.
    pub(super) reading: Reading,
}

/// What a condition looked at, in order.
#[derive(Debug, Default)]
pub(super) struct Log {
    touches: Mutex<Vec<Touch>>,
    quiet: AtomicBool,
}

impl Log {
    /// Whether nothing is to be written down, and no path made: most items of most lists pass, and then nobody asks
    /// what was looked at.
    pub(super) fn set_quiet(&self, quiet: bool) {
        self.quiet.store(quiet, Relaxed);
    }

    /// The path of what stands below another; the other itself while quiet.
    fn path(&self, above: &Arc<str>, key: impl std::fmt::Display) -> Arc<str> {
        if self.quiet.load(Relaxed) { Arc::clone(above) } else { format!("{above}.{key}").into() }
    }

    fn note(&self, path: &Arc<str>, reading: &Reading) {
        if self.quiet.load(Relaxed) {
            return;
        }
        let mut touches = self.touches.lock().unwrap_or_else(PoisonError::into_inner);
        if touches.len() < MOST && !touches.iter().any(|touch| touch.path == *path) {
            touches.push(Touch { path: Arc::clone(path), reading: reading.clone() });
        }
    }

    /// What was looked at since the last call.
    pub(super) fn take(&self) -> Vec<Touch> {
        std::mem::take(&mut *self.touches.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The CEL value of a reading, or the error that looking at it raises.
pub(super) fn bind<'r>(
    reading: &'r Reading,
    path: Arc<str>,
    log: &'r Log,
) -> Result<Box<dyn Val + 'r>, ExecutionError> {
    if !matches!(reading.value, Value::Map { .. }) {
        log.note(&path, reading);
    }
    Ok(match &reading.value {
        Value::Unread(_) => return Err(unread(&path)),
        Value::Absent => return Err(ExecutionError::NoSuchKey(Arc::new(path.to_string()))),
        Value::Bool(truth) => Box::new(CelBool::from(*truth)),
        Value::Int(int) => Box::new(CelInt::from(*int)),
        Value::Float(float) => Box::new(CelDouble::from(*float)),
        Value::Text(text) => Box::new(CelString::from(&**text)),
        Value::List { items, gap } => Box::new(List::new(reading, items, gap.as_ref(), path, log)),
        Value::Map { .. } => Box::new(Tree { reading, path, log }),
    })
}

fn unread(path: &str) -> ExecutionError {
    ExecutionError::FunctionError { function: UNREAD_ERROR.to_owned(), message: path.to_owned() }
}

/// A map of the evidence.
#[derive(Debug, Clone)]
pub(super) struct Tree<'r> {
    pub(super) reading: &'r Reading,
    pub(super) path: Arc<str>,
    pub(super) log: &'r Log,
}

impl Val for Tree<'_> {
    fn get_type(&self) -> &Type {
        &TREE
    }

    fn cel_type() -> &'static Type {
        &TREE
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(self.clone())
    }
}

impl Indexer for Tree<'_> {
    fn get<'b, 'v>(&'b self, index: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        // Bytes are a path of names with dots between them, a text is one name: it may hold dots.
        let (keys, between) = match (index.downcast_ref::<CelString>(), index.downcast_ref::<CelBytes>()) {
            (Some(key), _) => (key.inner(), None),
            (None, Some(path)) => (std::str::from_utf8(path.inner()).map_err(|_| wrong_index(index))?, Some('.')),
            (None, None) => return Err(wrong_index(index)),
        };
        let (mut reading, mut start) = (self.reading, 0);
        loop {
            let rest = keys.get(start..).unwrap_or_default();
            let end = between.and_then(|dot| rest.find(dot)).map_or(keys.len(), |length| start + length);
            let key = keys.get(start..end).unwrap_or_default();
            let path = || self.log.path(&self.path, keys.get(..end).unwrap_or_default());
            match &reading.value {
                Value::Map { entries, missing } => match (entries.get(key), missing) {
                    (Some(found), _) if end == keys.len() => return bind(found, path(), self.log).map(CowVal::Owned),
                    (Some(found @ Reading { value: Value::Map { .. }, .. }), _) => (reading, start) = (found, end + 1),
                    // A single value, or nothing, stands where a map belongs.
                    (Some(found), _) => return bind(found, path(), self.log).and(Err(wrong_index(index))),
                    (None, Missing::Absent) => {
                        let path = path();
                        self.log.note(&path, &Reading::new(Value::Absent));
                        return Err(ExecutionError::NoSuchKey(Arc::new(path.to_string())));
                    }
                    (None, Missing::Unread(gap)) => {
                        let path = path();
                        self.log.note(&path, &Reading::new(Value::Unread(gap.clone())));
                        return Err(unread(&path));
                    }
                },
                // The roots are bound as they are, whatever they hold.
                Value::Unread(_) => {
                    self.log.note(&self.path, self.reading);
                    return Err(unread(&self.path));
                }
                _ => return Err(wrong_index(index)),
            }
        }
    }

    fn steal<'v>(self: Box<Self>, index: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(index).map(CowVal::into_owned)
    }
}

fn wrong_index(index: &dyn Val) -> ExecutionError {
    ExecutionError::UnexpectedType { got: index.get_type().name().to_owned(), want: "string or int".to_owned() }
}

/// A list of the evidence. An item that was not read, and the part of an incomplete list that was not seen, stand in it
/// as values that raise when anything is asked of them: CEL's own `all` and `exists` then answer only where the rest
/// decides.
struct List<'r> {
    reading: &'r Reading,
    path: Arc<str>,
    log: &'r Log,
    items: Vec<Box<dyn Val + 'r>>,
    complete: bool,
}

impl<'r> List<'r> {
    fn new(reading: &'r Reading, items: &'r [Reading], gap: Option<&'r Gap>, path: Arc<str>, log: &'r Log) -> Self {
        // Plain values of a list are told with the list; what stands below an item, by its own path.
        let mut bound: Vec<Box<dyn Val + 'r>> = Vec::with_capacity(items.len() + 1);
        for (number, item) in items.iter().enumerate() {
            let own = || log.path(&path, number);
            bound.push(match &item.value {
                Value::Unread(_) | Value::Absent => Box::new(Hole { path: own(), what: Arc::new(item.clone()), log }),
                Value::Bool(truth) => Box::new(CelBool::from(*truth)),
                Value::Int(int) => Box::new(CelInt::from(*int)),
                Value::Float(float) => Box::new(CelDouble::from(*float)),
                Value::Text(text) => Box::new(CelString::from(&**text)),
                Value::List { items, gap } => Box::new(List::new(item, items, gap.as_ref(), own(), log)),
                Value::Map { .. } => Box::new(Tree { reading: item, path: own(), log }),
            });
        }
        if let Some(gap) = gap {
            let what = Arc::new(Reading::new(Value::Unread(gap.clone())));
            bound.push(Box::new(Hole { path: format!("{path} (the rest of the list)").into(), what, log }));
        }
        List { reading, path, log, items: bound, complete: gap.is_none() }
    }
}

impl std::fmt::Debug for List<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "List({})", self.path)
    }
}

impl Val for List<'_> {
    fn get_type(&self) -> &Type {
        &LIST_TYPE
    }

    fn cel_type() -> &'static Type {
        &LIST_TYPE
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_iterable<'b, 'v>(&'b self) -> Option<&'b (dyn Iterable + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    /// Only a complete list has a size.
    fn as_sizer(&self) -> Option<&dyn Sizer> {
        if self.complete {
            return Some(self);
        }
        if let Some(Some(rest)) = self.items.last().map(|item| item.as_comparer()) {
            // Writes the gap down; its error is the one that `size` gives for want of a size.
            let _ = rest.compare(&CelBool::TRUE);
        }
        None
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(List {
            reading: self.reading,
            path: Arc::clone(&self.path),
            log: self.log,
            items: self.items.iter().map(|item| item.clone_as_boxed()).collect(),
            complete: self.complete,
        })
    }
}

impl Indexer for List<'_> {
    fn get<'b, 'v>(&'b self, index: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let Some(index) = index.downcast_ref::<CelInt>() else {
            return Err(wrong_index(index));
        };
        let place = usize::try_from(*index.inner()).ok();
        match (place.and_then(|place| self.items.get(place)), self.items.last()) {
            (Some(item), _) => match item.as_comparer() {
                Some(hole) if item.get_type().name() == GAP => {
                    hole.compare(index).map(|_| CowVal::Borrowed(&CelBool::FALSE))
                }
                _ => Ok(CowVal::Borrowed(item.as_ref())),
            },
            (None, Some(last)) if !self.complete => match last.as_comparer() {
                Some(hole) => hole.compare(index).map(|_| CowVal::Borrowed(&CelBool::FALSE)),
                None => Err(unread(&self.path)),
            },
            _ => Err(ExecutionError::NoSuchKey(Arc::new(format!("{}.{}", self.path, index.inner())))),
        }
    }

    fn steal<'v>(self: Box<Self>, index: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(index).map(CowVal::into_owned)
    }
}

impl Iterable for List<'_> {
    fn iter<'b, 'v>(&'b self) -> Box<dyn CelIterator<'b, 'v> + 'b>
    where
        Self: 'v,
    {
        Box::new(Items { items: &self.items, next: 0 })
    }
}

impl Sizer for List<'_> {
    fn size(&self) -> CelInt {
        CelInt::from(i64::try_from(self.items.len()).unwrap_or(i64::MAX))
    }
}

struct Items<'b, 'r> {
    items: &'b [Box<dyn Val + 'r>],
    next: usize,
}

impl<'b, 'v, 'r: 'v> CelIterator<'b, 'v> for Items<'b, 'r> {
    fn next(&mut self) -> Option<&'b (dyn Val + 'v)> {
        let item = self.items.get(self.next)?;
        self.next += 1;
        Some(item.as_ref())
    }
}

/// An item of a list of which nothing can be said.
#[derive(Debug, Clone)]
struct Hole<'r> {
    path: Arc<str>,
    what: Arc<Reading>,
    log: &'r Log,
}

impl Hole<'_> {
    fn raise(&self) -> ExecutionError {
        self.log.note(&self.path, &self.what);
        match self.what.value {
            Value::Absent => ExecutionError::NoSuchKey(Arc::new(self.path.to_string())),
            _ => unread(&self.path),
        }
    }
}

impl Val for Hole<'_> {
    fn get_type(&self) -> &Type {
        // Whoever asks for the type is about to use the value: no function of CEL takes this one.
        self.log.note(&self.path, &self.what);
        &UNREAD
    }

    fn cel_type() -> &'static Type {
        &UNREAD
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_comparer(&self) -> Option<&dyn Comparer> {
        Some(self)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(self.clone())
    }
}

impl Comparer for Hole<'_> {
    fn compare(&self, _other: &dyn Val) -> Result<Ordering, ExecutionError> {
        Err(self.raise())
    }
}

impl Indexer for Hole<'_> {
    fn get<'b, 'v>(&'b self, _index: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        Err(self.raise())
    }

    fn steal<'v>(self: Box<Self>, _index: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        Err(self.raise())
    }
}
