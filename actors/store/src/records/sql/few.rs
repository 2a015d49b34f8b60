//! Which parts of a filter select few conversations: an index tells by a bounded count.

use protocol::id::TenantId;

use super::super::limits::{FEW, LISTED};
use super::super::text::{self, name};
use super::super::{Filter, RecordsResult, search};
use super::filter::Where;
use super::statement::{Sql, one};
use super::value::{Value, Values, values};

/// Rows of an index, of which there are at least as many as conversations that a part of a filter selects.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    /// A query of one column, with `{}` for each value: ids of conversations, or of contacts if it may be listed.
    sql: String,
    values: Values<'static>,
    /// What of contacts it stands for: a list of them may be read once instead of asking each conversation.
    listed: Option<Listed>,
}

/// What is known of contacts and not of their conversations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Listed {
    /// A searched word.
    Word(String),
    /// The stage of an application.
    Stage(String),
}

/// What indexes tell of a filter.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The keys by which all conversations that it selects are found, if they are few.
    pub(super) keys: Option<Vec<Key>>,
    /// What a list of contacts stands for: too many to look up, and too few to meet by asking each.
    pub(super) listed: Vec<Listed>,
}

/// A filter as far as indexes answer it.
#[derive(Debug)]
enum Part {
    Key(Key, u64),
    All(Vec<Self>),
    Any(Vec<Self>),
    /// Only conversations themselves tell.
    Open,
}

/// Asks the indexes about a filter.
pub(super) async fn known<S: Sql>(db: &mut S, tenant: TenantId, filter: &Filter) -> RecordsResult<Known> {
    let mut part = part(tenant, filter)?;
    let (mut open, mut common) = (vec![&mut part], Vec::new());
    while let Some(part) = open.pop() {
        match part {
            Part::Key(key, count) => {
                *count = key.count(db, FEW).await?;
                common.extend((*count > FEW && key.listed.is_some()).then(|| key.clone()));
            }
            Part::All(parts) | Part::Any(parts) => open.extend(parts),
            Part::Open => {}
        }
    }
    let keys = part.fewest().filter(|(count, _)| *count <= FEW).map(|(_, keys)| keys);
    let mut listed = Vec::new();
    if keys.is_none() {
        for key in common {
            let few_enough = key.count(db, LISTED).await? <= LISTED;
            listed.extend(key.listed.filter(|_| few_enough));
        }
    }
    Ok(Known { keys, listed })
}

/// The same, taking for granted that whatever an index tells is few.
#[cfg(test)]
pub(crate) fn assumed(tenant: TenantId, filter: &Filter) -> Option<Vec<Key>> {
    part(tenant, filter).unwrap().fewest().map(|(_, keys)| keys)
}

impl Part {
    /// The fewest rows that suffice, and their keys.
    fn fewest(self) -> Option<(u64, Vec<Key>)> {
        match self {
            Self::Key(key, count) => Some((count, vec![key])),
            Self::All(parts) => parts.into_iter().filter_map(Self::fewest).min_by_key(|(count, _)| *count),
            Self::Any(parts) => {
                let each = parts.into_iter().map(Self::fewest).collect::<Option<Vec<_>>>()?;
                let count = each.iter().map(|(count, _)| count).sum();
                Some((count, each.into_iter().flat_map(|(_, keys)| keys).collect()))
            }
            Self::Open => None,
        }
    }
}

impl Key {
    /// What no message changes.
    fn of_conversation(sql: &str, values: Values<'static>) -> Part {
        Self::of("conversation_keys", sql, values)
    }

    /// What stands in the row of the inbox.
    fn of_talk(sql: &str, values: Values<'static>) -> Part {
        Self::of("conversations", sql, values)
    }

    fn of(table: &str, sql: &str, values: Values<'static>) -> Part {
        let sql = format!("SELECT k.id AS key FROM {table} k WHERE k.tenant = {{}} AND {sql}");
        Part::Key(Self { sql, values, listed: None }, 0)
    }

    fn of_contact(sql: &str, values: Values<'static>, listed: Listed) -> Part {
        Part::Key(Self { sql: sql.to_owned(), values, listed: Some(listed) }, 0)
    }

    /// Counts the rows, up to one more than matter.
    async fn count<S: Sql>(&self, db: &mut S, most: u64) -> RecordsResult<u64> {
        let mut rows = Where::default();
        let sql = rows.embed(&self.sql, self.values.clone());
        let sql = format!("SELECT count(*) FROM ({sql} LIMIT {}) AS counted", most + 1);
        Ok(one(db, &sql, rows.values, |cells| cells.take::<u64>()).await?.unwrap_or(0))
    }

    /// The ids of the conversations.
    fn conversations(self, rows: &mut Where) -> String {
        let sql = rows.embed(&self.sql, self.values);
        match self.listed {
            None => sql,
            Some(_) => format!(
                "SELECT d.id AS key FROM (SELECT DISTINCT w.key FROM ({sql}) AS w {}) AS w \
                 CROSS JOIN conversation_keys d WHERE d.contact = w.key",
                expect_few()
            ),
        }
    }
}

/// The conversations that all keys lead to, as one query.
pub(super) fn conversations(keys: Vec<Key>, rows: &mut Where) -> String {
    // A contact may be known on any number of numbers: then only the contacts are as few as was counted.
    let expect = if keys.iter().all(|key| key.listed.is_none()) { expect_few() } else { String::new() };
    let all: Vec<_> = keys.into_iter().map(|key| key.conversations(rows)).collect();
    format!("SELECT DISTINCT * FROM ({}) AS k {expect}", all.join(" UNION ALL "))
}

/// The contacts that the keys of a searched text lead to, as one query.
pub(super) fn contacts(keys: Vec<Key>, rows: &mut Where) -> String {
    let all: Vec<_> = keys.into_iter().map(|key| rows.embed(&key.sql, key.values)).collect();
    format!("SELECT DISTINCT * FROM ({}) AS k {}", all.join(" UNION ALL "), expect_few())
}

/// Tells a planner what to expect. Rows were counted before, and twice as many are never reached.
fn expect_few() -> String {
    format!("LIMIT {}", 2 * FEW)
}

/// Whether one of the words of a text is listed: it leaves few to be asked for the others.
pub(super) fn names_a_list(text: &str, listed: &[Listed]) -> bool {
    search::query(text).into_iter().any(|word| listed.contains(&Listed::Word(word)))
}

fn part(tenant: TenantId, filter: &Filter) -> RecordsResult<Part> {
    let parts = |parts: &[Filter]| parts.iter().map(|one| part(tenant, one)).collect::<RecordsResult<_>>();
    let of_tenant = |sql: &str| Key::of_talk(sql, values![tenant.0]);
    let with = |sql: &str, value: Value<'static>| Key::of_conversation(sql, vec![tenant.0.into(), value]);
    Ok(match filter {
        Filter::All(all) => Part::All(parts(all)?),
        Filter::Any(any) => Part::Any(parts(any)?),
        Filter::Ids(ids) => among(tenant, Key::of_conversation, "k.id", ids.iter().map(|id| id.0.into())),
        Filter::Numbers(ids) => {
            among(tenant, Key::of_conversation, "k.number", ids.iter().map(|id| id.0.into()))
        }
        Filter::Owners(owners) => {
            among(tenant, Key::of_talk, "k.owner", owners.iter().map(|one| text::owner(one).into()))
        }
        Filter::Contact(id) => with("k.contact = {}", id.0.into()),
        Filter::Channel(channel) => with("k.channel = {}", name(channel)?.into()),
        Filter::Mode(mode) => with("k.mode = {}", name(mode)?.into()),
        Filter::Vacancy(id) => Key::of_talk("k.vacancy_id = {}", values![tenant.0, id.to_string()]),
        Filter::InFlow => of_tenant("k.flow_id IS NOT NULL"),
        Filter::Unread => of_tenant("k.unread > 0"),
        Filter::Unanswered => of_tenant("k.unanswered_since IS NOT NULL"),
        Filter::Blocked => of_tenant("k.blocked = 1"),
        Filter::Left => of_tenant("k.left_chat = 1"),
        Filter::Paused => of_tenant("k.paused = 1"),
        Filter::Stage(stage) => {
            let sql = "SELECT s.id AS key FROM contacts s WHERE s.tenant = {} AND s.stage = {}";
            Key::of_contact(sql, values![tenant.0, stage.to_string()], Listed::Stage(stage.to_string()))
        }
        Filter::RepliedBy(party) => {
            let sql = "SELECT r.conversation AS key FROM repliers r WHERE r.tenant = {} AND r.party = {}";
            let values = values![tenant.0, text::party(*party)];
            Part::Key(Key { sql: sql.to_owned(), values, listed: None }, 0)
        }
        Filter::Search(text) => words(tenant, text),
        Filter::Not(_)
        | Filter::Unowned
        | Filter::WithoutVacancy
        | Filter::UnansweredSince(_)
        | Filter::AnsweredSince(_)
        | Filter::LastMessageSince(_)
        | Filter::LastMessageBefore(_)
        | Filter::SentSince(_)
        | Filter::WindowOpen(_)
        | Filter::WindowClosed(_)
        | Filter::WindowCloses { .. } => Part::Open,
    })
}

fn among(
    tenant: TenantId,
    key: fn(&str, Values<'static>) -> Part,
    column: &str,
    wanted: impl Iterator<Item = Value<'static>>,
) -> Part {
    let mut values = values![tenant.0];
    values.extend(wanted);
    let places = vec!["{}"; values.len() - 1].join(", ");
    match places.is_empty() {
        true => Part::Any(Vec::new()),
        false => key(&format!("{column} IN ({places})"), values),
    }
}

/// The contacts that have one of the words: the rarest one will do.
fn words(tenant: TenantId, text: &str) -> Part {
    let words = search::query(text).into_iter().map(|word| {
        let sql =
            "SELECT w.contact AS key FROM contact_words w WHERE w.tenant = {} AND w.word >= {} AND w.word < {}";
        let values = values![tenant.0, word.clone(), search::end(&word)];
        Key::of_contact(sql, values, Listed::Word(word))
    });
    match words.collect::<Vec<_>>() {
        // Nobody is named by signs alone.
        words if words.is_empty() && !text.trim().is_empty() => Part::Any(words),
        words => Part::All(words),
    }
}
