//! Lists: page by page, item by item.
//!
//! Pages have a `limit` and no `resourceVersion`. With `resourceVersion=0` an API server would answer from its watch cache,
//! but leave the limit unheeded and send everything at once, and as old as the cache may be: a cut of unknown age is no
//! evidence. Without one the answer is as of now. Servers from 1.31 on give even that from the watch cache
//! (ConsistentListFromCache), from 1.34 on the later pages too (ListFromCacheSnapshot); older ones read bounded pages
//! from etcd. Source: apiserver `pkg/storage/cacher/delegator`.

use super::ApiError;
use super::answer::goes_on;
use super::client::{Api, Listed};
use super::exchange::{Ask, Exchange};
use super::http;
use super::page::{self, Page};
use crate::evidence::Reason;
use serde::de::DeserializeOwned;

/// Items of one page, as kubectl asks for them.
const PAGE: usize = 500;

/// Items of one page where a page of the usual length is too large.
const SMALL_PAGE: usize = 20;

/// Longest token that leads to the next page, in bytes. They hold a name of an object.
const TOKEN: usize = 16 << 10;

/// Pages without an item that are taken before the list is given up.
const EMPTY_PAGES: usize = 16;

/// Reads a list. `metadata`: only each object's metadata.
pub(super) async fn read<T: DeserializeOwned>(
    api: &Api,
    path: &str,
    metadata: bool,
    each: &mut dyn FnMut(T),
) -> Result<Listed, ApiError> {
    let what = Ask::get(path).words();
    let mut course = Course { limit: PAGE, token: String::new(), items: 0, damaged: 0, empty: 0, expired: false };
    let gap = loop {
        let address = course.address(path);
        let ask = if metadata { Ask::metadata(&address) } else { Ask::get(&address) };
        let begun = course.begun();
        match course.page(api, &ask, &what, each).await {
            Ok(Next::Page) => {}
            Ok(Next::End) => break None,
            Ok(Next::Stop(error)) => break Some(error),
            Err(error) if begun => break Some(error),
            Err(error) => return Err(error),
        }
    };
    let gap = gap.or_else(|| course.damage(&api.exchange, &what));
    Ok(Listed { items: course.items, gap })
}

/// Where the reading of a list stands.
struct Course {
    limit: usize,
    token: String,
    items: usize,
    /// Items that were not understood.
    damaged: usize,
    empty: usize,
    /// Whether the last answer was that the token expired.
    expired: bool,
}

/// How it goes on.
enum Next {
    Page,
    End,
    Stop(ApiError),
}

impl Course {
    fn begun(&self) -> bool {
        self.items > 0 || self.damaged > 0 || !self.token.is_empty()
    }

    fn address(&self, path: &str) -> String {
        let joint = if path.contains('?') { '&' } else { '?' };
        let mut address = format!("{path}{joint}limit={}", self.limit);
        if !self.token.is_empty() {
            address.push_str("&continue=");
            address.push_str(&http::encode(&self.token));
        }
        address
    }

    async fn page<T: DeserializeOwned>(
        &mut self,
        api: &Api,
        ask: &Ask<'_>,
        what: &str,
        each: &mut dyn FnMut(T),
    ) -> Result<Next, ApiError> {
        let exchange = &api.exchange;
        let about = exchange.about(what);
        let answer = match api.ask(ask).await {
            // Few large objects may still fit where many do not.
            Err(error) if error.reason == Reason::TooLarge && self.limit > SMALL_PAGE => {
                self.limit = SMALL_PAGE;
                return Ok(Next::Page);
            }
            answer => answer?,
        };
        if answer.status == 410 && !self.token.is_empty() && !self.expired {
            // The server no longer has the list as it was; it says where what is there now goes on. Every object that
            // was there all the time is in one of both parts, and none is handed over twice.
            self.expired = true;
            return match goes_on(&answer.body).filter(|next| next.len() <= TOKEN) {
                Some(next) => {
                    self.token = next;
                    Ok(Next::Page)
                }
                None => Err(answer.error(&about, false)),
            };
        }
        if !(200..=299).contains(&answer.status) {
            return Err(answer.error(&about, false));
        }
        self.expired = false;
        let room = exchange.limits.items.saturating_sub(self.items);
        let Page { handed, damaged, next, fate } = page::read(&answer.body, room, each);
        self.items += handed;
        self.damaged += damaged;
        let broken = |text: &str| {
            let text = format!("{}: {text} ({what}). Report the API server's version", exchange.server.shown);
            ApiError::new(Reason::Malformed, text)
        };
        match fate {
            page::Fate::Whole => {}
            page::Fate::Full => {
                let text = format!(
                    "there are more than {} objects, which is where reading ended ({what}). Look at what fills the cluster with them",
                    exchange.limits.items
                );
                return Ok(Next::Stop(ApiError::new(Reason::TooLarge, text)));
            }
            page::Fate::Broken if !answer.json => return Err(super::answer::not_kubernetes(&about, "something else")),
            page::Fate::Broken => return Err(broken("the answer is no list")),
        }
        let Some(next) = next else { return Ok(Next::End) };
        self.empty = if handed + damaged == 0 { self.empty + 1 } else { 0 };
        if next.len() > TOKEN || next == self.token || self.empty > EMPTY_PAGES {
            return Ok(Next::Stop(broken("the list does not lead to its end")));
        }
        self.token = next;
        Ok(Next::Page)
    }

    /// The gap that items leave which were not understood.
    fn damage(&self, exchange: &Exchange, what: &str) -> Option<ApiError> {
        (self.damaged > 0).then(|| {
            let text = format!(
                "{}: {} of the objects could not be understood ({what}). Report the API server's version",
                exchange.server.shown, self.damaged
            );
            ApiError::new(Reason::Malformed, text)
        })
    }
}
