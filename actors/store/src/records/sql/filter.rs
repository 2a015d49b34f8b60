//! Filters as SQL conditions. Values are always parameters, never text.

use std::fmt::Write as _;

use protocol::id::TenantId;

use super::super::limits::{MAX_FILTER_CONDITIONS, MAX_FILTER_VALUES};
use super::super::text::{self, name};
use super::super::{Filter, RecordsError, RecordsResult, search};
use super::few::Listed;
use super::value::{Value, Values};

/// The conditions of one query with their parameters.
#[derive(Debug, Default)]
pub(crate) struct Where {
    /// What stands after `WHERE`.
    pub(crate) sql: String,
    /// Parameters, in order of their numbers.
    pub(crate) values: Values<'static>,
    conditions: usize,
    /// What a list of contacts stands for, instead of asking each.
    pub(super) listed: Vec<Listed>,
}

impl Where {
    /// Begins with the tenant, which no query may lack.
    pub(crate) fn tenant(column: &str, tenant: TenantId) -> Self {
        let mut conditions = Self::default();
        let place = conditions.bind(tenant.0);
        conditions.sql = format!("{column} = {place}");
        conditions
    }

    /// Adds a parameter; answers how the text names it.
    pub(super) fn bind(&mut self, value: impl Into<Value<'static>>) -> String {
        self.values.push(value.into());
        format!("?{}", self.values.len())
    }

    /// Adds a condition on one value; `{}` in the text stands for it.
    pub(super) fn and(&mut self, condition: &str, value: impl Into<Value<'static>>) {
        let place = self.bind(value);
        self.sql.push_str(" AND ");
        self.sql.push_str(&condition.replace("{}", &place));
    }

    /// Adds parameters; answers the text with their names in place of each `{}`.
    pub(super) fn embed(&mut self, text: &str, values: Values<'static>) -> String {
        let mut parts = text.split("{}");
        let mut embedded = parts.next().unwrap_or_default().to_owned();
        for (value, part) in values.into_iter().zip(parts) {
            embedded.push_str(&self.bind(value));
            embedded.push_str(part);
        }
        embedded
    }

    /// Adds a filter over conversations (table alias `c`), asked of each by itself.
    pub(crate) fn and_filter(&mut self, tenant: TenantId, filter: &Filter) -> RecordsResult<()> {
        let condition = self.condition(tenant, filter)?;
        write!(self.sql, " AND {condition}").ok(); // writing to a string cannot fail
        Ok(())
    }

    /// Adds that a contact, whose id is the given column, has every word of a text.
    pub(super) fn and_named(&mut self, tenant: TenantId, contact: &str, text: &str) {
        let condition = self.named(tenant, contact, text);
        write!(self.sql, " AND {condition}").ok(); // writing to a string cannot fail
    }

    fn condition(&mut self, tenant: TenantId, filter: &Filter) -> RecordsResult<String> {
        self.conditions += 1;
        if self.conditions > MAX_FILTER_CONDITIONS {
            let detail = format!("has more than {MAX_FILTER_CONDITIONS} conditions");
            return Err(RecordsError::Invalid { field: "filter", detail });
        }
        Ok(match filter {
            Filter::All(parts) => self.join(tenant, parts, " AND ", "1 = 1")?,
            Filter::Any(parts) => self.join(tenant, parts, " OR ", "1 = 0")?,
            Filter::Not(part) => format!("NOT coalesce({}, 1 = 0)", self.condition(tenant, part)?),
            Filter::Ids(ids) => self.one_of("c.id", ids.iter().map(|id| id.0.into()))?,
            Filter::Numbers(ids) => self.one_of("c.number", ids.iter().map(|id| id.0.into()))?,
            Filter::Owners(owners) => {
                self.one_of("c.owner", owners.iter().map(|owner| Value::from(text::owner(owner))))?
            }
            Filter::RepliedBy(party) => {
                let (tenant, party) = (self.bind(tenant.0), self.bind(text::party(*party)));
                there_is(&format!(
                    "repliers r WHERE r.tenant = {tenant} AND r.party = {party} AND r.conversation = c.id"
                ))
            }
            Filter::Stage(stage) => {
                let listed = self.listed.contains(&Listed::Stage(stage.to_string()));
                let (tenant, stage) = (self.bind(tenant.0), self.bind(stage.to_string()));
                let of_stage = format!("contacts s WHERE s.tenant = {tenant} AND s.stage = {stage}");
                match listed {
                    true => is_listed("c.contact", &format!("s.id FROM {of_stage}")),
                    false => there_is(&format!("{of_stage} AND s.id = c.contact")),
                }
            }
            Filter::WindowCloses { now, until } => {
                let (now, until) = (self.bind(now.0), self.bind(until.0));
                format!("(c.window_expires_at > {now} AND c.window_expires_at <= {until})")
            }
            Filter::WindowClosed(at) => {
                let at = self.bind(at.0);
                format!("(c.window_expires_at IS NULL OR c.window_expires_at <= {at})")
            }
            Filter::Search(text) => self.named(tenant, "c.contact", text),
            plain => self.plain(plain)?,
        })
    }

    /// Conditions on one column and at most one value.
    fn plain(&mut self, filter: &Filter) -> RecordsResult<String> {
        let (condition, value): (&str, Option<Value<'static>>) = match filter {
            Filter::Contact(id) => ("c.contact =", Some(id.0.into())),
            Filter::Channel(channel) => ("c.channel =", Some(name(channel)?.into())),
            Filter::Mode(mode) => ("c.mode =", Some(name(mode)?.into())),
            Filter::Unowned => ("c.owner IS NULL", None),
            Filter::Vacancy(id) => ("c.vacancy_id =", Some(id.to_string().into())),
            Filter::WithoutVacancy => ("c.vacancy_id IS NULL", None),
            Filter::InFlow => ("c.flow_id IS NOT NULL", None),
            Filter::Unread => ("c.unread > 0", None),
            Filter::Unanswered => ("c.unanswered_since IS NOT NULL", None),
            Filter::UnansweredSince(at) => ("c.unanswered_since <=", Some(at.0.into())),
            Filter::AnsweredSince(at) => ("c.last_reply_at >=", Some(at.0.into())),
            Filter::LastMessageSince(at) => ("c.last_message_at >=", Some(at.0.into())),
            Filter::LastMessageBefore(at) => ("c.last_message_at <", Some(at.0.into())),
            Filter::SentSince(at) => ("c.last_outbound_at >=", Some(at.0.into())),
            Filter::WindowOpen(at) => ("c.window_expires_at >", Some(at.0.into())),
            Filter::Blocked => ("c.blocked = 1", None),
            Filter::Left => ("c.left_chat = 1", None),
            Filter::Paused => ("c.paused = 1", None),
            // Taken by `condition`; named here so that a new variant does not compile until it has an answer.
            Filter::All(_)
            | Filter::Any(_)
            | Filter::Not(_)
            | Filter::Ids(_)
            | Filter::Numbers(_)
            | Filter::Owners(_)
            | Filter::RepliedBy(_)
            | Filter::Stage(_)
            | Filter::WindowCloses { .. }
            | Filter::WindowClosed(_)
            | Filter::Search(_) => ("1 = 0", None),
        };
        Ok(match value {
            Some(value) => format!("{condition} {}", self.bind(value)),
            None => condition.to_owned(),
        })
    }

    fn join(
        &mut self,
        tenant: TenantId,
        parts: &[Filter],
        with: &str,
        without: &str,
    ) -> RecordsResult<String> {
        if parts.is_empty() {
            return Ok(without.to_owned());
        }
        let parts: RecordsResult<Vec<_>> = parts.iter().map(|part| self.condition(tenant, part)).collect();
        Ok(format!("({})", parts?.join(with)))
    }

    fn one_of(
        &mut self,
        column: &str,
        values: impl ExactSizeIterator<Item = Value<'static>>,
    ) -> RecordsResult<String> {
        match values.len() {
            0 => return Ok("1 = 0".to_owned()),
            count if count > MAX_FILTER_VALUES => {
                let detail =
                    format!("a condition has {count} values, at most {MAX_FILTER_VALUES} are allowed");
                return Err(RecordsError::Invalid { field: "filter", detail });
            }
            _ => {}
        }
        let places: Vec<_> = values.map(|value| self.bind(value)).collect();
        Ok(format!("{column} IN ({})", places.join(", ")))
    }

    /// Every word of the text is the beginning of a word of the contact, who is asked by itself.
    fn named(&mut self, tenant: TenantId, contact: &str, text: &str) -> String {
        let listed = |word: &String| self.listed.contains(&Listed::Word(word.clone()));
        let mut words: Vec<_> = search::query(text).into_iter().map(|word| (listed(&word), word)).collect();
        words.sort_by_key(|(listed, _)| !listed);
        if words.is_empty() {
            return if text.trim().is_empty() { "1 = 1" } else { "1 = 0" }.to_owned();
        }
        let range = |(listed, word): (bool, String)| {
            let (start, end) = (self.bind(word.clone()), self.bind(search::end(&word)));
            if listed {
                let tenant = self.bind(tenant.0);
                let words = format!("w.tenant = {tenant} AND w.word >= {start} AND w.word < {end}");
                return is_listed(contact, &format!("w.contact FROM contact_words w WHERE {words}"));
            }
            there_is(&format!(
                "contact_words w WHERE w.contact = {contact} AND w.word >= {start} AND w.word < {end}"
            ))
        };
        format!("({})", words.into_iter().map(range).collect::<Vec<_>>().join(" AND "))
    }
}

/// Asks one row for what stands elsewhere. As a value of its own: what is asked with `EXISTS` a planner may turn into a
/// join, whose order it guesses, and which took PostgreSQL a minute where this takes milliseconds.
fn there_is(rows: &str) -> String {
    format!("((SELECT 1 FROM {rows} LIMIT 1) IS NOT NULL)")
}

/// Whether a list has the value; it is read once. `IS TRUE` keeps it from becoming a join, too.
fn is_listed(value: &str, list: &str) -> String {
    format!("(({value} IN (SELECT {list})) IS TRUE)")
}
