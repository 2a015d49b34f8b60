//! `GET /v1/contacts/{id}/export`: everything that is known of one contact, as one JSON document.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, get, web};
use data_encoding::BASE64;
use protocol::api::problem::Problem;
use protocol::api::watch::EventView;
use protocol::id::{ContactId, ConversationId};
use serde_json::json;
use store::records::{ConversationRecord, FileRecord, Filter, MessageQuery, MessageRecord, Order};

use super::{card, consent};
use crate::api::auth::{Caller, Scope};
use crate::api::command::now;
use crate::api::download::{Broken, PAGE, Writer, download};
use crate::api::files;
use crate::api::problem::ApiResult;
use crate::api::views;
use crate::state::AppState;

/// Everything that is known of one contact: names, card, consents, conversations with all their messages and events, and
/// the files of these messages, each once and with its content.
/// Written while it is read, however long it is.
#[utoipa::path(
    tag = "contacts",
    params(("id" = ContactId, Path)),
    responses(
        (status = 200, description = "`contact`, `consents`, `conversations`, each of these with `messages` and `events`, and `files`", content_type = "application/json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    )
)]
#[get("/contacts/{id}/export")]
pub(crate) async fn export_contact(
    state: web::Data<AppState>,
    caller: Caller,
    id: web::Path<ContactId>,
) -> ApiResult<HttpResponse> {
    caller.require(Scope::ContactsRead)?;
    caller.require(Scope::MessagesRead)?;
    let known = card::read(&state, &caller, *id).await?;
    let consents = consent::views(&known.row);
    let contact = card::view(&known.row, known.card);
    let head = format!(
        "{{\"exported_at\":{},\"contact\":{},\"consents\":{},\"conversations\":[",
        json!(now()),
        json!(contact),
        json!(consents)
    );
    let export = Export { state: state.into_inner(), caller, contact: *id };
    Ok(download("application/json", &format!("{}.json", *id), |writer| async move {
        writer.write(head).await?;
        export.conversations(&writer).await?;
        writer.write("],\"files\":[").await?;
        export.files(&writer).await?;
        writer.write("]}").await
    }))
}

/// Bytes that are encoded at once: a multiple of three, so that no padding comes in between.
const BASE64_PART: usize = 48 * 1024;

struct Export {
    state: std::sync::Arc<AppState>,
    caller: Caller,
    contact: ContactId,
}

impl Export {
    async fn conversations(&self, writer: &Writer) -> Result<(), Broken> {
        let (records, tenant) = (&self.state.records, self.caller.tenant);
        let read = async |page| records.conversations(tenant, Filter::Contact(self.contact), page).await;
        let mut comma = "";
        let write = async |rows: Vec<ConversationRecord>| {
            for row in rows {
                let id = row.id;
                let shown = json!(views::conversation(row, now()));
                writer.write(format!("{comma}{{\"conversation\":{shown},\"messages\":[")).await?;
                self.messages(writer, id).await?;
                writer.write("],\"events\":[").await?;
                self.events(writer, id).await?;
                writer.write("]}").await?;
                comma = ",";
            }
            Ok(())
        };
        writer.pages(usize::MAX, read, write).await
    }

    /// Newest first.
    async fn files(&self, writer: &Writer) -> Result<(), Broken> {
        let (records, tenant) = (&self.state.records, self.caller.tenant);
        let read = async |page| records.attachments(tenant, self.contact, page).await;
        let (mut told, mut comma) = (BTreeSet::new(), "");
        let write = async |rows: Vec<MessageRecord>| {
            for file in rows.into_iter().filter_map(|row| row.attachment?.file) {
                if told.insert(file.id) {
                    writer.write(format!("{comma}{{\"file\":{},", json!(files::view(&file)))).await?;
                    self.content(writer, &file).await?;
                    comma = ",";
                }
            }
            Ok(())
        };
        writer.pages(usize::MAX, read, write).await
    }

    /// The rest of a file's entry. What the virus scanner holds back is left out.
    async fn content(&self, writer: &Writer, file: &FileRecord) -> Result<(), Broken> {
        if !file.scan.lets_through() {
            return writer.write("\"content_base64\":null}").await;
        }
        let read = self.state.files.blobs.get(&file.blob).await;
        let content = writer.page(read.map_err(Into::into))?;
        writer.write("\"content_base64\":\"").await?;
        for part in content.chunks(BASE64_PART) {
            writer.write(BASE64.encode(part)).await?;
        }
        writer.write("\"}").await
    }

    /// Oldest first.
    async fn messages(&self, writer: &Writer, conversation: ConversationId) -> Result<(), Broken> {
        let read = async |page| {
            let query = MessageQuery {
                tenant: self.caller.tenant,
                conversation,
                attachments_only: false,
                order: Order::OldestFirst,
                page,
            };
            self.state.records.messages(query).await
        };
        let mut comma = "";
        let write = async |rows: Vec<MessageRecord>| {
            writer.list(&mut comma, rows.into_iter().map(views::message)).await
        };
        writer.pages(usize::MAX, read, write).await
    }

    /// Newest first: along the chain of events.
    async fn events(&self, writer: &Writer, conversation: ConversationId) -> Result<(), Broken> {
        let (mut before, mut comma) = (None, "");
        loop {
            let read = self.state.records.history(self.caller.tenant, conversation, before, PAGE).await;
            let page = writer.page(read.map_err(Into::into))?;
            before = page.iter().map(|stored| stored.seq).min();
            let is_last = page.len() < PAGE;
            let shown = page.iter().map(|stored| EventView::new(stored.seq.0, &stored.event));
            writer.list(&mut comma, shown).await?;
            if is_last {
                return Ok(());
            }
        }
    }
}
