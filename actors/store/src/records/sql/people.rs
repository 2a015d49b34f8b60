//! Which contacts a page has, newest first. Those with a rare word are looked up by it, and sorted; otherwise a walk goes
//! back from the newest one, and asks each for its words. Both are bounded, as with conversations; see [`super::find`].

use protocol::id::TenantId;

use super::super::limits::{WALK_AND_ASK, WALK_AND_LIST};
use super::super::{ContactRecord, Cursor, Filter, Page, PageRequest, RecordsResult};
use super::few::{self, Listed};
use super::filter::Where;
use super::paging::{end_of_walk, older, page, page_limit, pair_cursor};
use super::statement::Sql;
use super::value::{Value, Values};
use super::{load, rows};

/// The newest contacts whom all words of a text name.
pub(super) async fn find<S: Sql>(
    db: &mut S,
    (tenant, text): (TenantId, String),
    request: PageRequest,
) -> RecordsResult<Page<ContactRecord>> {
    let few::Known { keys, listed } = few::known(db, tenant, &Filter::Search(text.clone())).await?;
    let cursor = request.cursor.as_ref();
    let limit = page_limit(request.limit);
    let length = if few::names_a_list(&text, &listed) { WALK_AND_LIST } else { WALK_AND_ASK };
    let looked_up = keys.is_some();
    let (sql, values) = match keys {
        Some(keys) if keys.is_empty() => return Ok(Page { data: Vec::new(), next: None }),
        Some(keys) => look_up((tenant, &text), keys, cursor, limit + 1)?,
        None => walk((tenant, &text), (listed, length), cursor, limit + 1)?,
    };
    let found = db.all(&sql, values, rows::contact).await?;
    let mut page = page(found, limit, |last| pair_cursor(last.created_at.0, last.id.0));
    if page.next.is_none() && !looked_up {
        let columns = ("contacts p", "p.created_at", "p.id");
        page.next = end_of_walk(db, way(tenant, cursor)?, columns, length).await?;
    }
    load::consents(db, page.data.iter_mut()).await?;
    Ok(page)
}

/// Few contacts by one of their words.
pub(crate) fn look_up(
    (tenant, text): (TenantId, &str),
    keys: Vec<few::Key>,
    cursor: Option<&Cursor>,
    limit: usize,
) -> RecordsResult<(String, Values<'static>)> {
    let mut people = Where::tenant("p.tenant", tenant);
    people.and_named(tenant, "p.id", text);
    older(&mut people, "p.created_at, p.id", cursor, Value::from)?;
    let keys = few::contacts(keys, &mut people);
    let sql = format!(
        "WITH few (key) AS MATERIALIZED ({keys}) \
         SELECT {} FROM few f CROSS JOIN contacts p WHERE p.id = f.key AND {} \
         ORDER BY p.created_at DESC, p.id DESC LIMIT {limit}",
        rows::CONTACT,
        people.sql
    );
    Ok((sql, people.values))
}

/// Contacts who are named so among the newest ones.
pub(crate) fn walk(
    (tenant, text): (TenantId, &str),
    (listed, length): (Vec<Listed>, usize),
    cursor: Option<&Cursor>,
    limit: usize,
) -> RecordsResult<(String, Values<'static>)> {
    let mut people = way(tenant, cursor)?;
    let way = std::mem::take(&mut people.sql);
    people.sql = "1 = 1".to_owned();
    people.listed = listed;
    people.and_named(tenant, "met.id", text);
    // Whom the inner queries are limited to come in their order.
    let sql = format!(
        "SELECT {} FROM (SELECT met.id FROM (SELECT p.id FROM contacts p WHERE {way} \
         ORDER BY p.created_at DESC, p.id DESC LIMIT {length}) AS met WHERE {} LIMIT {limit}) AS found \
         CROSS JOIN contacts p WHERE p.id = found.id ORDER BY p.created_at DESC, p.id DESC",
        rows::CONTACT,
        people.sql
    );
    Ok((sql, people.values))
}

fn way(tenant: TenantId, cursor: Option<&Cursor>) -> RecordsResult<Where> {
    let mut people = Where::tenant("p.tenant", tenant);
    older(&mut people, "p.created_at, p.id", cursor, Value::from)?;
    Ok(people)
}
