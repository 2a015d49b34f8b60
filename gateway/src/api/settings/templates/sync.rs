//! `GET` and `POST /v1/templates/sync`.

use actix_web::{HttpResponse, get, post, web};
use protocol::api::Page;
use protocol::api::template::SyncView;
use protocol::id::WabaId;
use runtime::consumers::SyncNote;
use store::records::Change;

use crate::api::auth::{Caller, Scope};
use crate::api::command::now;
use crate::api::known;
use crate::api::problem::ApiResult;
use crate::state::AppState;

fn view(account: &WabaId, note: Option<SyncNote>) -> SyncView {
    let at = note.as_ref().map(|note| note.at);
    let SyncNote { requested, error, .. } = note.unwrap_or_default();
    SyncView { account: account.to_string(), at, requested, error }
}

/// The provider's accounts behind the tenant's numbers.
fn accounts(state: &AppState, caller: &Caller) -> ApiResult<Vec<WabaId>> {
    let tenant = known::tenant(state, caller)?;
    let mut found: Vec<_> = tenant.numbers.values().filter_map(|number| number.waba_id.clone()).collect();
    found.sort();
    found.dedup();
    Ok(found)
}

/// When the tenant's templates were compared with the provider's list. It happens once a night by itself.
#[utoipa::path(tag = "settings", responses((status = 200, body = Page<SyncView>)))]
#[get("/templates/sync")]
pub(crate) async fn get_template_sync(
    state: web::Data<AppState>,
    caller: Caller,
) -> ApiResult<web::Json<Page<SyncView>>> {
    caller.require(Scope::SettingsRead)?;
    let mut data = Vec::new();
    for account in accounts(&state, &caller)? {
        data.push(view(&account, SyncNote::read(&*state.records, &account).await?));
    }
    Ok(web::Json(Page { data, next: None }))
}

/// Has the tenant's templates compared with the provider's list within seconds: statuses are taken over, templates
/// made elsewhere are added, and those that are gone are marked.
#[utoipa::path(tag = "settings", responses((status = 202, body = Page<SyncView>)))]
#[post("/templates/sync")]
pub(crate) async fn sync_templates(state: web::Data<AppState>, caller: Caller) -> ApiResult<HttpResponse> {
    caller.require(Scope::SettingsWrite)?;
    let (mut data, change) = (Vec::new(), Change { by: caller.party(), at: now() });
    for account in accounts(&state, &caller)? {
        let known = SyncNote::read(&*state.records, &account).await?;
        let known = known.unwrap_or(SyncNote { at: change.at, ..SyncNote::default() });
        let note = SyncNote { requested: true, ..known };
        note.keep(&*state.records, &account, change).await?;
        data.push(view(&account, Some(note)));
    }
    Ok(HttpResponse::Accepted().json(Page { data, next: None }))
}
