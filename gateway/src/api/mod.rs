//! The internal HTTP API under `/v1`: one file per endpoint, always in the same order: scope, input, work, answer.

mod address;
mod auth;
mod billing;
mod body;
mod command;
mod contacts;
mod contract;
mod conversations;
mod csv;
mod download;
mod files;
mod fresh;
mod idempotency;
mod known;
mod merge;
mod messages;
mod page;
mod problem;
mod query;
mod settings;
mod unknown;
mod views;
mod watch;

use actix_web::web;
use utoipa_actix_web::scope;
use utoipa_actix_web::service_config::ServiceConfig;
use utoipa_swagger_ui::SwaggerUi;

pub(crate) use self::billing::is_amount;
pub(crate) use self::billing::rules::PLACE as CREDIT_RULES;
pub use self::contract::document;

/// Adds the routes of the API and its viewer (`/docs/`) to the public listener. Handlers find their needs in `web::Data<AppState>`.
pub fn configure(config: &mut web::ServiceConfig) {
    let mut documented = ServiceConfig::new(config);
    documented.service(scope::scope("/v1").configure(routes));
    // The viewer comes out of the binary; it also serves the document itself.
    config.service(SwaggerUi::new("/docs/{_:.*}").url("/openapi.json", document()));
}

/// Every endpoint, by area.
fn routes(config: &mut ServiceConfig<'_>) {
    config.app_data(web::PathConfig::default().error_handler(unknown::wrong_path));
    config.configure(message_routes);
    config.configure(contact_routes);
    config.configure(file_routes);
    config.configure(settings_routes);
    config.configure(people_routes);
    config.configure(credit_routes);
    config.configure(watch_routes);
    config.default_service(web::route().to(unknown::no_such_call));
}

fn message_routes(config: &mut ServiceConfig<'_>) {
    use conversations::{change, get, list, messages as history, views};
    use messages::{change as edit, get as message, send};
    config
        .service(send::send_message)
        .service(send::send_in_conversation)
        .service(message::get_message)
        .service(edit::edit_message)
        .service(edit::delete_message)
        .service(list::list_conversations)
        .service(get::get_conversation)
        .service(history::list_messages)
        .service(history::list_attachments)
        .service(views::list_views)
        .service(views::get_view)
        .service(views::create_view)
        .service(views::change_view)
        .service(views::delete_view)
        .service(change::set_mode)
        .service(change::set_owner)
        .service(change::set_vacancy)
        .service(change::set_blocked)
        .service(change::set_left)
        .service(change::set_following)
        .service(change::pick_up)
        .service(change::mark_read)
        .service(change::show_typing)
        .service(change::pause)
        .service(change::resume);
}

fn contact_routes(config: &mut ServiceConfig<'_>) {
    use contacts::{consent, consents, erasure, export, get, merge_fields, save};
    config
        .service(get::list_contacts)
        .service(get::get_contact)
        .service(save::create_contact)
        .service(save::change_contact)
        .service(merge_fields::list_merge_fields)
        .service(consent::get_consent)
        .service(consent::set_consent)
        .service(consents::list_consents)
        .service(consents::export_consents)
        .service(export::export_contact)
        .service(erasure::erase_contact)
        .service(erasure::check_erasure);
}

fn file_routes(config: &mut ServiceConfig<'_>) {
    config
        .service(files::upload::upload_file)
        .service(files::get::get_file)
        .service(files::remove::delete_file)
        .service(files::get::get_attachment)
        .service(files::get::list_contact_attachments)
        .service(files::content::get_file_content);
}

fn settings_routes(config: &mut ServiceConfig<'_>) {
    use settings::{endpoints, flows, numbers, pauses, templates};
    config
        .service(numbers::list_numbers)
        .service(numbers::get_number)
        .service(numbers::change_number)
        .service(pauses::get_tenant)
        .service(pauses::pause_number)
        .service(pauses::resume_number)
        .service(pauses::pause_tenant)
        .service(pauses::resume_tenant)
        .service(templates::list_templates)
        .service(templates::sync::get_template_sync)
        .service(templates::sync::sync_templates)
        .service(templates::get_template)
        .service(templates::create::create_template)
        .service(templates::change::change_template)
        .service(templates::change::delete_template)
        .service(templates::change::unpause_template)
        .service(templates::preview::preview_template)
        .service(templates::same::match_template)
        .service(flows::list_flows)
        .service(flows::get_flow)
        .service(flows::put_flow)
        .service(endpoints::list_endpoints)
        .service(endpoints::get_endpoint)
        .service(endpoints::create_endpoint)
        .service(endpoints::change_endpoint)
        .service(endpoints::delete_endpoint);
}

fn people_routes(config: &mut ServiceConfig<'_>) {
    use settings::{groups, keys, users};
    config
        .service(users::list_users)
        .service(users::get_user)
        .service(users::create_user)
        .service(users::change_user)
        .service(users::delete_user)
        .service(groups::list_groups)
        .service(groups::get_group)
        .service(groups::create_group)
        .service(groups::change_group)
        .service(groups::delete_group)
        .service(keys::list_keys)
        .service(keys::create_key)
        .service(keys::delete_key);
}

fn credit_routes(config: &mut ServiceConfig<'_>) {
    use billing::{credits, recharges, rules, statement};
    config
        .service(credits::get_credits)
        .service(credits::purchase_credits)
        .service(credits::list_credit_entries)
        .service(statement::get_statement)
        .service(rules::get_auto_recharge)
        .service(rules::put_auto_recharge)
        .service(rules::delete_auto_recharge)
        .service(rules::get_low_balance)
        .service(rules::put_low_balance)
        .service(rules::delete_low_balance)
        .service(recharges::list_recharges)
        .service(recharges::decline_recharge);
}

fn watch_routes(config: &mut ServiceConfig<'_>) {
    use watch::{
        audit, audit_export, dead_letters, devices, events, explain, notices, notifications, replay, stream,
    };
    config
        .service(billing::usage::get_usage)
        .service(billing::ledger::list_ledger)
        .service(billing::ledger::list_differences)
        .service(billing::preview::preview_cost)
        .service(events::list_events)
        .service(notifications::list_notifications)
        .service(notifications::mark_notifications_read)
        .service(stream::stream_notifications)
        .service(devices::list_devices)
        .service(devices::add_device)
        .service(devices::remove_device)
        .service(notices::get_notice_settings)
        .service(notices::put_notice_settings)
        .service(explain::explain)
        .service(replay::replay_conversation)
        .service(dead_letters::list_dead_letters)
        .service(dead_letters::replay_dead_letter)
        .service(audit::list_audit)
        .service(audit_export::export_audit);
}
