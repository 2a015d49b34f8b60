//! Which conversations a page of the inbox has. They are found in one of two ways: those that are few by an index are
//! looked up, and sorted; otherwise a walk goes back from the newest one along an index, and asks each whether it fits.
//! The first is fast for what is rare, the second for what is common. Both are bounded: a walk that has met too many which
//! do not fit stops there, and the next page goes on. What a database expects of its statistics decides nothing.

use protocol::id::TenantId;

use super::super::limits::{WALK, WALK_AND_ASK, WALK_AND_LIST};
use super::super::{Cursor, Filter, RecordsResult, text};
use super::few::{self, Listed};
use super::filter::Where;
use super::paging::{cursor_pair, end_of_walk, older, pair_cursor};
use super::statement::Sql;
use super::value::{Value, Values, values};

/// A conversation that was found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) id: u128,
    sort_at: i64,
    pub(super) unread: bool,
}

/// What was found, newest first.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) found: Vec<Found>,
    /// Where to go on, if there may be more.
    pub(super) next: Option<Cursor>,
}

/// Columns that a condition may be about: what a walk reads of each conversation. SQLite has them in its index.
const WALKED: &str = "c.id, c.sort_at, c.unread, c.number, c.contact, c.channel, c.mode, c.owner, c.vacancy_id, c.flow_id, \
    c.window_expires_at, c.unanswered_since, c.last_message_at, c.last_outbound_at, c.last_reply_at, c.blocked, \
    c.left_chat, c.paused";

/// The newest conversations, at most so many, that a filter selects before a cursor.
pub(super) async fn find<S: Sql>(
    db: &mut S,
    (tenant, filter): (TenantId, &Filter),
    cursor: Option<&Cursor>,
    limit: usize,
) -> RecordsResult<Finding> {
    let few::Known { keys, listed } = few::known(db, tenant, filter).await?;
    let length = keys.is_none().then(|| length(filter, &listed));
    let (sql, values) = match (keys, length) {
        (Some(keys), _) if keys.is_empty() => return Ok(Finding { found: Vec::new(), next: None }),
        (Some(keys), _) => look_up((tenant, filter), keys, cursor, limit + 1)?,
        (None, length) => walk((tenant, filter), (listed, length.unwrap_or(WALK)), cursor, limit + 1)?,
    };
    let found = db.all(&sql, values, |cells| {
        Ok(Found { id: cells.id(|id| id)?, sort_at: cells.take()?, unread: cells.take::<i64>()? > 0 })
    });
    let mut found = found.await?;
    let mut next = None;
    if found.len() > limit {
        found.truncate(limit);
        next = found.last().map(|last| Cursor(pair_cursor(last.sort_at, last.id).into()));
    } else if let Some(length) = length {
        let columns = ("conversations c", "c.sort_at", "c.id");
        next = end_of_walk(db, way((tenant, filter), cursor)?, columns, length).await?;
    }
    Ok(Finding { found, next })
}

/// Few conversations by their keys.
pub(crate) fn look_up(
    (tenant, filter): (TenantId, &Filter),
    keys: Vec<few::Key>,
    cursor: Option<&Cursor>,
    limit: usize,
) -> RecordsResult<(String, Values<'static>)> {
    let mut rows = Where::tenant("c.tenant", tenant);
    rows.and_filter(tenant, filter)?;
    older(&mut rows, "c.sort_at, c.id", cursor, Value::from)?;
    let keys = few::conversations(keys, &mut rows);
    let sql = format!(
        "WITH few (key) AS MATERIALIZED ({keys}) \
         SELECT c.id, c.sort_at, c.unread FROM few f CROSS JOIN conversations c WHERE c.id = f.key AND {} \
         ORDER BY c.sort_at DESC, c.id DESC LIMIT {limit}",
        rows.sql
    );
    Ok((sql, rows.values))
}

/// Conversations that fit among the newest ones.
pub(crate) fn walk(
    (tenant, filter): (TenantId, &Filter),
    (listed, length): (Vec<Listed>, usize),
    cursor: Option<&Cursor>,
    limit: usize,
) -> RecordsResult<(String, Values<'static>)> {
    let mut rows = way((tenant, filter), cursor)?;
    let way = std::mem::take(&mut rows.sql);
    rows.sql = "1 = 1".to_owned();
    rows.listed = listed;
    rows.and_filter(tenant, filter)?;
    // What the inner query is limited to comes in its order.
    let sql = format!(
        "SELECT c.id, c.sort_at, c.unread FROM (SELECT {WALKED} FROM conversations c WHERE {way} \
         ORDER BY c.sort_at DESC, c.id DESC LIMIT {length}) AS c WHERE {} LIMIT {limit}",
        rows.sql
    );
    Ok((sql, rows.values))
}

/// How many conversations a walk meets.
fn length(filter: &Filter, listed: &[Listed]) -> usize {
    match () {
        () if asks_each(filter, listed) || along(filter).is_some() => WALK_AND_ASK,
        () if !listed.is_empty() => WALK_AND_LIST,
        () => WALK,
    }
}

/// Whether a walk asks each for its words, stage, or who replied. One word that is listed leaves few to be asked for others.
fn asks_each(filter: &Filter, listed: &[Listed]) -> bool {
    match filter {
        Filter::All(parts) | Filter::Any(parts) => parts.iter().any(|part| asks_each(part, listed)),
        Filter::Not(part) => asks_each(part, listed),
        Filter::Search(text) => !few::names_a_list(text, listed),
        Filter::Stage(stage) => !listed.contains(&Listed::Stage(stage.to_string())),
        Filter::RepliedBy(_) => true,
        _ => false,
    }
}

/// The conversations that a walk meets: one index knows them in their order.
fn way((tenant, filter): (TenantId, &Filter), cursor: Option<&Cursor>) -> RecordsResult<Where> {
    let mut rows = Where::tenant("c.tenant", tenant);
    if let Some((sql, values)) = along(filter) {
        let sql = rows.embed(sql, values);
        rows.sql = format!("{} AND {sql}", rows.sql);
    }
    // Nobody writes without bringing the conversation to the top.
    let mut before = None;
    for part in required(filter) {
        match part {
            Filter::AnsweredSince(at) | Filter::LastMessageSince(at) | Filter::SentSince(at) => {
                rows.and("c.sort_at >= {}", at.0);
            }
            Filter::LastMessageBefore(at) => before = before.into_iter().chain([at.0]).min(),
            _ => {}
        }
    }
    // One place to begin at: given two, SQLite begins at the newer one and goes all the way to the other.
    let behind = cursor.map(cursor_pair).transpose()?.map(|(at, _)| at);
    match before.filter(|&before| behind.is_none_or(|at| at >= before)) {
        Some(before) => rows.and("c.sort_at < {}", before),
        None => older(&mut rows, "c.sort_at, c.id", cursor, Value::from)?,
    }
    Ok(rows)
}

/// The condition along whose index a walk goes, if not along that of all. Most are unread and unanswered in many an inbox:
/// with another condition the index of all, which need not look up each row, is the shorter way.
fn along(filter: &Filter) -> Option<(&'static str, Values<'static>)> {
    let required = required(filter);
    let alone = required.iter().filter(|part| !matches!(part, Filter::Not(_))).count() == 1;
    let known = required.into_iter().filter_map(ordered).filter(|(rank, ..)| alone || *rank < UNANSWERED);
    known.min_by_key(|(rank, ..)| *rank).map(|(_, sql, values)| (sql, values))
}

/// Place of unanswered ones among the conditions of [`ordered`].
const UNANSWERED: u8 = 3;

/// The condition by which an index knows conversations in their order, the one that likely has the fewest first.
fn ordered(part: &Filter) -> Option<(u8, &'static str, Values<'static>)> {
    Some(match part {
        Filter::Vacancy(id) => (0, "c.vacancy_id = {}", values![id.to_string()]),
        Filter::Owners(owners) => match owners.as_slice() {
            [owner] => (1, "c.owner = {}", values![text::owner(owner)]),
            _ => return None,
        },
        Filter::UnansweredSince(at) => (2, "c.unanswered_since <= {}", values![at.0]),
        Filter::Unanswered => (UNANSWERED, "c.unanswered_since IS NOT NULL", values![]),
        Filter::Unread => (4, "c.unread > 0", values![]),
        _ => return None,
    })
}

/// What must hold of every conversation that the filter selects.
fn required(filter: &Filter) -> Vec<&Filter> {
    match filter {
        Filter::All(parts) => parts.iter().flat_map(required).collect(),
        part => vec![part],
    }
}
